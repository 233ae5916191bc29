/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/gate.h"

#include "check-main.h"
#include "cpu/interpret.h"
#include "engine/network-private.h"

#define CLASSES 4
#define LENGTH 6
#define FIRST 2 /* features before those that are compared */
#define FEATURES (FIRST + LENGTH + 1)
#define MAX_IMAGES 400

/* Images around a direction of each class's own; the features beside those are noise. */
typedef struct {
  float features[MAX_IMAGES][FEATURES];
  guint8 labels[MAX_IMAGES][CLASSES];
  guint n;
  GRand *random;
  EnsDevice *device;
  EnsGateSettings settings;
} Fixture;

static Fixture *fixture;

static void
add (gint direction, gint class)
{
  float *row = fixture->features[fixture->n];

  for (guint f = 0; f < FEATURES; f++)
    row[f] = (float)g_rand_double_range (fixture->random, 0, f < FIRST ? 100 : 0.4);
  row[FIRST + direction] += 1;
  if (class >= 0)
    fixture->labels[fixture->n][class] = ENS_LABEL_PRESENT;
  fixture->n++;
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->random = g_rand_new_with_seed (3);
  fixture->device = ens_device_open ("cpu", 2, NULL);
}

static void
tear_down (void)
{
  g_rand_free (fixture->random);
  ens_device_unref (fixture->device);
  g_clear_pointer (&fixture, g_free);
}

static EnsGateTask
make_task (const char *settings)
{
  ck_assert (ens_gate_parse (settings, &fixture->settings, NULL));
  return (EnsGateTask) {
      .examples = {{fixture->n, CLASSES, fixture->labels[0]}, FEATURES, fixture->features[0]},
      .first = FIRST,
      .length = LENGTH,
      .settings = &fixture->settings,
      .device = fixture->device};
}

static void
learn (const EnsGateTask *task, EnsFittedGate *gate)
{
  g_autoptr (GError) error = NULL;

  ens_gate_learn (task, gate, &error);
  ck_assert_no_error (error);
}

/* Similarities of one image. */
static void
measure (const EnsFittedGate *gate, const float *features, float *similarities)
{
  g_autoptr (EnsTensor) input =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, FEATURES), features);
  g_autoptr (GPtrArray) outputs = ens_interpret (gate->graph, &input, NULL);

  memcpy (similarities, ((const EnsTensor *)outputs->pdata[0])->data, CLASSES * sizeof (float));
}

/* Images without a class lie in a direction that no class has. The gate that is chosen keeps about
 * what it should, and withholds what it never saw; a class of few images has no range, one of some
 * the range of all. */
START_TEST (test_learn)
{
  static const guint n_images[CLASSES] = {60, 50, 12, 4};
  g_auto (EnsFittedGate) gate = {0};
  EnsGateTask task;
  guint n_kept = 0, n_withheld = 0;

  for (gint c = 0; c < CLASSES; c++)
    for (guint i = 0; i < n_images[c]; i++)
      add (c, c);
  for (guint i = 0; i < 30; i++)
    add (4, -1);
  task = make_task ("keep=0.9");
  learn (&task, &gate);

  ck_assert_uint_eq (gate.n_unrelated, 30);
  ck_assert_str_eq (gate.figures[0].kind, "label-cosine");
  ck_assert_str_ne (gate.kind, "nearest+probability"); /* only if asked for */
  for (guint k = 0; k < gate.n_figures; k++)
    if (strcmp (gate.figures[k].kind, gate.kind) == 0) {
      ck_assert_double_gt (gate.figures[k].unrelated, 0.99);
      ck_assert_double_gt (gate.figures[k].left_out, 0.9);
    }
  ck_assert (isnan (gate.ranges[3].low));
  ck_assert_double_lt (gate.ranges[2].low, MAX (gate.ranges[0].low, gate.ranges[1].low));
  ck_assert_double_gt (gate.ranges[2].low, MIN (gate.ranges[0].low, gate.ranges[1].low));
  for (guint i = 0; i < fixture->n; i++) {
    float similarities[CLASSES];

    measure (&gate, fixture->features[i], similarities);
    n_kept += i < 60 && ens_gate_range_accepts (&gate.ranges[0], similarities[0]);
    n_withheld += i >= 126 && !ens_gate_range_accepts (&gate.ranges[0], similarities[0]);
  }
  ck_assert_uint_ge (n_kept, 54); /* more than cross-fitted: it has learnt them */
  ck_assert_uint_eq (n_withheld, 30);
}
END_TEST

/* The range is a quantile of cross-fitted similarities: of 40 images a tenth, those that lie half
 * way to another class, are below. */
START_TEST (test_range)
{
  g_auto (EnsFittedGate) gate = {0};
  EnsGateTask task;
  guint n_below = 0;

  for (gint c = 0; c < CLASSES; c++)
    for (guint i = 0; i < 40; i++) {
      add (c, c);
      if (i % 10 == 0)
        fixture->features[fixture->n - 1][FIRST + (c + 1) % CLASSES] += 1;
    }
  task = make_task ("cosine,keep=0.9");
  learn (&task, &gate);
  ck_assert_str_eq (gate.kind, "cosine");
  for (guint i = 0; i < fixture->n; i++) {
    float similarities[CLASSES];

    measure (&gate, fixture->features[i], similarities);
    if (ens_gate_range_accepts (&gate.ranges[i / 40], similarities[i / 40]))
      continue;
    n_below++;
    ck_assert_uint_eq (i % 10, 0);
  }
  ck_assert_uint_ge (n_below, 4 * CLASSES - 2);
  ck_assert_uint_le (n_below, 4 * CLASSES);
  ck_assert_double_eq (gate.ranges[0].high, 1);
}
END_TEST

/* Two classes leave none to leave out, and without unrelated images nothing can be measured. */
START_TEST (test_nothing_to_measure)
{
  static const float zero[FEATURES] = {1, 1};
  g_auto (EnsFittedGate) gate = {0};
  EnsGateTask task;
  float similarities[CLASSES];

  for (guint i = 0; i < 40; i++)
    add ((gint)i % 2, (gint)i % 2);
  task = make_task (NULL);
  task.examples.truth.n_classes = 2;
  for (guint i = 0; i < 40; i++) { /* rows of two labels */
    ((guint8 *)fixture->labels)[2 * i] = i % 2 == 0;
    ((guint8 *)fixture->labels)[2 * i + 1] = i % 2 == 1;
  }
  learn (&task, &gate);
  ck_assert_str_eq (gate.kind, "nearest");
  ck_assert (isnan (gate.figures[0].left_out) && isnan (gate.figures[0].unrelated));
  /* Nothing in the features that are compared. */
  ens_fitted_gate_clear (&gate);
  ck_assert (ens_gate_parse ("mahalanobis", &fixture->settings, NULL));
  learn (&task, &gate);
  measure (&gate, zero, similarities);
  ck_assert_double_eq (similarities[0], -1);
}
END_TEST

static const char *const kinds[] = {"label-cosine", "label-nearest", "mahalanobis",
                                    "nearest+probability"};

/* Several labels of an image. */
START_TEST (test_multi_label)
{
  g_auto (EnsFittedGate) gate = {0};
  EnsGateTask task;
  float similarities[CLASSES];

  for (guint i = 0; i < 120; i++) {
    gint c = (gint)i % CLASSES;

    add (c, c);
    if (i % 3 == 0) {
      fixture->features[i][FIRST + (c + 1) % CLASSES] += 1;
      fixture->labels[i][(c + 1) % CLASSES] = ENS_LABEL_PRESENT;
    }
    if (i % 7 == 0)
      fixture->labels[i][(c + 2) % CLASSES] = ENS_LABEL_UNKNOWN;
  }
  task = make_task (kinds[_i]);
  learn (&task, &gate);
  for (guint i = 0; i < fixture->n; i++) {
    measure (&gate, fixture->features[i], similarities);
    for (guint c = 0; c < CLASSES; c++)
      ck_assert (similarities[c] >= -1 && similarities[c] <= 1);
  }
}
END_TEST

/* Images that show a class that is left out and one that is not are neither known nor others: here
 * they look like the latter, and would spoil the figure. */
START_TEST (test_half_left_out)
{
  g_auto (EnsFittedGate) gate = {0};
  EnsGateTask task;

  for (guint i = 0; i < 160; i++)
    add ((gint)i % CLASSES, (gint)i % CLASSES);
  for (guint i = 0; i < 160; i++) {
    add ((gint)i % CLASSES, (gint)i % CLASSES);
    fixture->labels[fixture->n - 1][(i + 1) % CLASSES] = ENS_LABEL_PRESENT;
  }
  task = make_task ("nearest");
  learn (&task, &gate);
  for (guint k = 0; k < gate.n_figures; k++)
    if (strcmp (gate.figures[k].kind, gate.kind) == 0)
      ck_assert_double_gt (gate.figures[k].left_out, 0.99);
}
END_TEST

static void
add_heaps (guint n)
{
  for (guint i = 0; i < n * CLASSES; i++)
    add ((gint)i % CLASSES, (gint)i % CLASSES);
}

static const char *const all_kinds[] = {
    "label-cosine", "label-centred-cosine", "label-distance", "label-nearest",
    "cosine",       "centred-cosine",       "distance",       "mahalanobis",
    "nearest",      "nearest+probability"};
static const float unsound[] = {NAN, INFINITY, -INFINITY, 0};

/* Features that say nothing: no class is similar. Run as streams do. */
START_TEST (test_unsound)
{
  g_auto (EnsFittedGate) gate = {0};
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  EnsGateTask task;

  add_heaps (30);
  task = make_task (all_kinds[_i]);
  learn (&task, &gate);
  network = ens_network_new (g_steal_pointer (&gate.graph), fixture->device, NULL);
  plan = ens_network_plan (network, &ENS_SHAPE (1, FEATURES), NULL);
  for (guint k = 0; k < G_N_ELEMENTS (unsound); k++)
    for (guint all = 0; all < 2; all++) { /* one feature, or every one */
      float row[FEATURES], similarities[CLASSES];
      gconstpointer input = row;
      gpointer output = similarities;

      if (!all && unsound[k] == 0)
        continue;
      for (guint f = 0; f < FEATURES; f++)
        row[f] = all || f == FIRST ? unsound[k] : 0.5F;
      ck_assert (ens_plan_run (plan, &input, &output, NULL));
      for (guint c = 0; c < CLASSES; c++) {
        ck_assert_msg (!ens_gate_range_accepts (&gate.ranges[c], similarities[c]),
                       "%g: %g is in %g to %g", (double)unsound[k], (double)similarities[c],
                       (double)gate.ranges[c].low, (double)gate.ranges[c].high);
        ck_assert (isfinite (similarities[c]));
      }
    }
}
END_TEST

/* The range's upper end keeps what is too similar out. */
START_TEST (test_high)
{
  g_auto (EnsFittedGate) gate = {0};
  EnsGateTask task;
  guint n_above = 0;

  add_heaps (40);
  task = make_task ("cosine,high=0.9");
  learn (&task, &gate);
  for (guint i = 0; i < fixture->n; i++) {
    float similarities[CLASSES];

    measure (&gate, fixture->features[i], similarities);
    n_above += similarities[i % CLASSES] > gate.ranges[i % CLASSES].high;
  }
  ck_assert_uint_ge (n_above, 2 * CLASSES);
  ck_assert_uint_le (n_above, 6 * CLASSES);
}
END_TEST

/* The label layer's loss ends in the range; values beyond the classes' change the similarities, and
 * not the loss by much. */
START_TEST (test_layer)
{
  g_auto (EnsFittedGate) narrow = {0};
  g_auto (EnsFittedGate) wide = {0};
  float by_narrow[CLASSES], by_wide[CLASSES];
  EnsGateTask task;

  add_heaps (30);
  task = make_task ("label-cosine,loss-low=0.4,loss-high=0.5");
  learn (&task, &narrow);
  ck_assert (narrow.layer.reached);
  ck_assert (narrow.layer.loss >= 0.4 && narrow.layer.loss <= 0.5);
  task = make_task ("label-cosine,loss-low=0.4,loss-high=0.5,width=40");
  learn (&task, &wide);
  ck_assert (wide.layer.loss >= 0.4 && wide.layer.loss <= 0.5);
  measure (&narrow, fixture->features[0], by_narrow);
  measure (&wide, fixture->features[0], by_wide);
  ck_assert_double_ne (by_narrow[1], by_wide[1]);
  ck_assert_double_eq_tol (by_narrow[0], by_wide[0], 0.05);
}
END_TEST

/* A network that has labels of the classes begins with its own weights, and keeps them where the
 * loss lies in the range. */
START_TEST (test_own_rows)
{
  g_autoptr (EnsLinearClassifier) own = ens_linear_classifier_new (LENGTH, CLASSES);
  gboolean has_class[CLASSES] = {TRUE, TRUE, TRUE, TRUE};
  const EnsOwnRows rows = {own, has_class, CLASSES};
  g_auto (EnsFittedGate) kept = {0};
  g_auto (EnsFittedGate) trained = {0};
  EnsGateTask task;

  for (guint c = 0; c < CLASSES; c++) {
    own->weights[c * LENGTH + c] = 3;
    own->biases[c] = 1;
  }
  add_heaps (30);
  task = make_task ("label-cosine");
  task.own_rows = &rows;
  learn (&task, &kept);
  ck_assert_uint_eq (kept.layer.rounds, 0);
  ck_assert (kept.layer.reached);
  has_class[2] = FALSE;
  learn (&task, &trained);
  ck_assert_uint_gt (trained.layer.rounds, 0);
  ck_assert (trained.layer.reached);
}
END_TEST

static const struct {
  const char *name, *text;
  const char *message; /* NULL: it is one */
} parse_rows[] = {
    {"default", NULL, NULL},
    {"off", "off", NULL},
    {"kind", "mahalanobis", NULL},
    {"options", "high=0.99,width=20", NULL},
    {"rival", "probability", "found “probability”"}, /* for comparison only */
    {"unknown", "magic", "expected a kind of gate (off, label-cosine, "},
    {"unknown-option", "nearest,depth=3", "an option (keep, high, loss-low, loss-high, width), f"},
    {"number", "keep=2", "gate: keep: expected a number from 0 to 1, found “2”"},
    {"fraction", "width=9.5", "gate: width: expected a whole number, found 9.5"},
    {"empty-range", "keep=0.2,high=0.5", "gate: high: expected at least 1 - keep, 0.8, found 0.5"},
    {"empty-loss", "loss-low=0.3", "gate: loss-high: expected at least loss-low, 0.3, found 0.2"},
};

START_TEST (test_parse)
{
  g_autoptr (GError) error = NULL;
  EnsGateSettings settings;

  ck_assert_int_eq (ens_gate_parse (parse_rows[_i].text, &settings, &error),
                    parse_rows[_i].message == NULL);
  if (parse_rows[_i].message != NULL)
    ck_assert_contains (error->message, parse_rows[_i].message);
}
END_TEST

START_TEST (test_settings)
{
  EnsGateSettings settings;

  ck_assert (ens_gate_parse ("distance,high=0.75,loss-high=1", &settings, NULL));
  ck_assert (!settings.off);
  ck_assert_str_eq (settings.kind, "distance");
  ck_assert_double_eq (settings.options[ENS_GATE_KEEP], 0.95);
  ck_assert_double_eq (settings.options[ENS_GATE_HIGH], 0.75);
  ck_assert_double_eq (settings.options[ENS_GATE_LOSS_LOW], 0.05);
  ck_assert_double_eq (settings.options[ENS_GATE_LOSS_HIGH], 1);
  ck_assert_double_eq (settings.options[ENS_GATE_WIDTH], 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/gate");
  test_fixture (set_up, tear_down);
  test_add ("learn", test_learn);
  test_add ("range", test_range);
  test_add ("nothing-to-measure", test_nothing_to_measure);
  TEST_ADD_LOOP ("multi-label", test_multi_label, kinds);
  test_add ("half-left-out", test_half_left_out);
  TEST_ADD_LOOP ("unsound", test_unsound, all_kinds);
  test_add ("high", test_high);
  test_add ("layer", test_layer);
  test_add ("own-rows", test_own_rows);
  TEST_ADD_ROWS ("parse", test_parse, parse_rows);
  test_add ("settings", test_settings);
  return test_run ();
}
