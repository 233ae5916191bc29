/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "classify/metrics.h"
#include "train/gate-model.h"

/* Folds of cross-fitting, and groups of classes that are left out in turn, at most. */
#define FOLDS 5
#define MAX_GROUPS 10

/* Images of a class that the gate learns from, at most. */
#define MAX_PER_CLASS 500

/* Values of a label layer, at most. */
#define MAX_WIDTH 4096

void
ens_fitted_gate_clear (EnsFittedGate *gate)
{
  g_clear_pointer (&gate->graph, ens_graph_free);
  g_clear_pointer (&gate->ranges, g_free);
}

/* ---- Settings ---- */

const EnsOption ens_gate_options[] = {[ENS_GATE_KEEP] = {"keep", 0.95, 0, 1},
                                      [ENS_GATE_HIGH] = {"high", 1, 0, 1},
                                      [ENS_GATE_LOSS_LOW] = {"loss-low", 0.05, 0, 100},
                                      [ENS_GATE_LOSS_HIGH] = {"loss-high", 0.2, 0, 100},
                                      [ENS_GATE_WIDTH] = {"width", 0, 0, MAX_WIDTH},
                                      [ENS_GATE_N_OPTIONS] = {NULL}};

static gboolean
parse_kind (const char *name, EnsGateSettings *settings, GError **error)
{
  g_autoptr (GString) known = g_string_new ("off");

  settings->off = strcmp (name, "off") == 0;
  settings->kind = NULL;
  for (guint k = 0; k < ens_gate_n_kinds && !settings->off && settings->kind == NULL; k++) {
    if (ens_gate_kinds[k].rival)
      continue;
    if (strcmp (ens_gate_kinds[k].name, name) == 0)
      settings->kind = ens_gate_kinds[k].name;
    g_string_append_printf (known, ", %s", ens_gate_kinds[k].name);
  }
  if (settings->off || settings->kind != NULL)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "gate: expected a kind of gate (%s), found “%s”",
               known->str, name);
  return FALSE;
}

static gboolean
check_options (const double *options, GError **error)
{
  if (!(options[ENS_GATE_LOSS_LOW] <= options[ENS_GATE_LOSS_HIGH]))
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "gate: loss-high: expected at least loss-low, %g, found %g",
                 options[ENS_GATE_LOSS_LOW], options[ENS_GATE_LOSS_HIGH]);
  else if (!(1 - options[ENS_GATE_KEEP] <= options[ENS_GATE_HIGH]))
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "gate: high: expected at least 1 - keep, %g, found %g", 1 - options[ENS_GATE_KEEP],
                 options[ENS_GATE_HIGH]);
  else if (options[ENS_GATE_WIDTH] != floor (options[ENS_GATE_WIDTH]))
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "gate: width: expected a whole number, found %g",
                 options[ENS_GATE_WIDTH]);
  else
    return TRUE;
  return FALSE;
}

gboolean
ens_gate_parse (const char *text, EnsGateSettings *settings, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : "", ",", -1);

  *settings = (EnsGateSettings) {0};
  ens_options_set_defaults (ens_gate_options, settings->options);
  for (char **part = parts; *part != NULL; part++) {
    gboolean is_kind = part == parts && strchr (*part, '=') == NULL;

    if (is_kind ? !parse_kind (*part, settings, error)
                : !ens_options_set (ens_gate_options, "gate", *part, settings->options, error))
      return FALSE;
  }
  return check_options (settings->options, error);
}

/* ---- Images ---- */

/* Which images are learnt from, and in which fold each is; images without a class. */
typedef struct {
  const EnsGateTask *task;
  GArray *known, *fold; /* guint: rows of the task's examples, and the fold of each */
  GArray *unrelated;    /* float: rows of features */
  guint n_unrelated;
  guint n_groups;
} Material;

static void
material_clear (Material *material)
{
  g_array_unref (material->known);
  g_array_unref (material->fold);
  g_array_unref (material->unrelated);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Material, material_clear)

static const float *
get_features (const EnsGateTask *task, guint row)
{
  return &task->examples.features[(gsize)row * task->examples.n_features];
}

/* The first class that the image has, or n_classes. */
static guint
find_class (const EnsLabels *truth, guint row)
{
  guint c = 0;

  while (c < truth->n_classes && !ens_labels_has (truth, row, c))
    c++;
  return c;
}

/* Of a class with very many images every so many take part. */
static void
material_init (Material *material, const EnsGateTask *task)
{
  const EnsLabels *truth = &task->examples.truth;
  g_autofree guint *n = g_new0 (guint, truth->n_classes + 1);
  g_autofree guint *seen = g_new0 (guint, truth->n_classes + 1);

  *material = (Material) {.task = task};
  material->known = g_array_new (FALSE, FALSE, sizeof (guint));
  material->fold = g_array_new (FALSE, FALSE, sizeof (guint));
  material->unrelated = g_array_new (FALSE, FALSE, task->examples.n_features * sizeof (float));
  for (guint i = 0; i < truth->n_samples; i++)
    n[find_class (truth, i)]++;
  for (guint i = 0; i < truth->n_samples; i++) {
    guint c = find_class (truth, i), step = 1 + (n[c] - 1) / MAX_PER_CLASS;
    guint at = seen[c]++, fold = at / step % FOLDS;

    if (ens_labels_has_none (truth, i))
      g_array_append_vals (material->unrelated, get_features (task, i), 1);
    if (c == truth->n_classes || at % step != 0)
      continue;
    g_array_append_val (material->known, i);
    g_array_append_val (material->fold, fold);
  }
  if (task->n_unrelated > 0)
    g_array_append_vals (material->unrelated, task->unrelated, task->n_unrelated);
  material->n_unrelated = material->unrelated->len;
  material->n_groups = truth->n_classes > 2 ? MIN (truth->n_classes, MAX_GROUPS) : 0;
}

/* What a choice of images is made by; -1: does not matter. */
typedef struct {
  gint fold;      /* that images are in … */
  gint not_fold;  /* … or are not in */
  gint group;     /* that all classes of an image are in … */
  gint not_group; /* … or none are in */
} Choice;

static gboolean
is_chosen (const Material *material, const Choice *choice, guint i)
{
  const EnsLabels *truth = &material->task->examples.truth;
  guint row = g_array_index (material->known, guint, i);
  gint fold = (gint)g_array_index (material->fold, guint, i);
  gboolean in = FALSE, out = FALSE;

  for (guint c = 0; c < truth->n_classes && material->n_groups > 0; c++) {
    gint group = (gint)(c % material->n_groups);

    if (!ens_labels_has (truth, row, c))
      continue;
    in |= group == choice->group || group == choice->not_group;
    out |= group != choice->group;
  }
  return (choice->fold < 0 || fold == choice->fold) && fold != choice->not_fold
         && (choice->group < 0 || (in && !out)) && (choice->not_group < 0 || !in);
}

/* Positions among the known images. (transfer full) */
static GArray *
choose (const Material *material, Choice choice)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < material->known->len; i++)
    if (is_chosen (material, &choice, i))
      g_array_append_val (chosen, i);
  return chosen;
}

static void
learn (const Material *material, Choice choice, EnsGateModel *model)
{
  g_autoptr (GArray) chosen = choose (material, choice);
  guint *rows = g_new (guint, chosen->len);

  for (guint i = 0; i < chosen->len; i++)
    rows[i] = g_array_index (material->known, guint, g_array_index (chosen, guint, i));
  ens_gate_model_init (model, material->task, rows, chosen->len);
}

/* Their features. (transfer full) */
static float *
collect_features (const Material *material, const GArray *chosen)
{
  guint n_features = material->task->examples.n_features;
  float *features = g_new (float, (gsize)chosen->len *n_features);

  for (guint i = 0; i < chosen->len; i++)
    memcpy (&features[(gsize)i * n_features],
            get_features (material->task,
                          g_array_index (material->known, guint, g_array_index (chosen, guint, i))),
            n_features * sizeof *features);
  return features;
}

/* ---- Cross-fitting ---- */

/* What a model says of images: by kind, similarities to all classes and to the likeliest. */
typedef struct {
  guint n;
  float *similarities[ENS_GATE_MAX_KINDS]; /* n × n_classes */
  float *likeliest[ENS_GATE_MAX_KINDS];    /* n */
} Measured;

static void
measured_init (Measured *measured, guint n, guint n_classes)
{
  measured->n = n;
  for (guint k = 0; k < ens_gate_n_kinds; k++) {
    measured->similarities[k] = g_new (float, (gsize)n *n_classes);
    measured->likeliest[k] = g_new (float, n);
  }
}

static void
measured_clear (Measured *measured)
{
  for (guint k = 0; k < ens_gate_n_kinds; k++) {
    g_free (measured->similarities[k]);
    g_free (measured->likeliest[k]);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Measured, measured_clear)

static gboolean
measure (const EnsGateModel *model, const EnsGateImages *images, Measured *measured, GError **error)
{
  guint n_classes = model->task->examples.truth.n_classes;
  g_autofree guint *likeliest = ens_gate_model_find_likeliest (model, images);

  measured_init (measured, images->n, n_classes);
  for (guint k = 0; k < ens_gate_n_kinds; k++) {
    if (!ens_gate_model_measure (model, &ens_gate_kinds[k], images, measured->similarities[k],
                                 error))
      return FALSE;
    for (guint i = 0; i < images->n; i++)
      measured->likeliest[k][i] = measured->similarities[k][(gsize)i * n_classes + likeliest[i]];
  }
  return TRUE;
}

static gboolean
measure_chosen (const Material *material, const EnsGateModel *model, const GArray *chosen,
                Measured *measured, GError **error)
{
  g_autofree float *features = collect_features (material, chosen);

  return measure (model, &(EnsGateImages) {features, chosen->len}, measured, error);
}

/* All known images, each by a model that has not learnt its fold. */
static gboolean
cross_fit (const Material *material, Measured *known, GError **error)
{
  gsize row_size = material->task->examples.truth.n_classes * sizeof (float);

  measured_init (known, material->known->len, material->task->examples.truth.n_classes);
  for (gint fold = 0; fold < FOLDS; fold++) {
    g_autoptr (GArray) chosen = choose (material, (Choice) {fold, -1, -1, -1});
    g_auto (EnsGateModel) model = {0};
    g_auto (Measured) part = {0};

    learn (material, (Choice) {-1, fold, -1, -1}, &model);
    if (!measure_chosen (material, &model, chosen, &part, error))
      return FALSE;
    for (guint i = 0; i < chosen->len; i++)
      for (guint k = 0; k < ens_gate_n_kinds; k++) {
        guint to = g_array_index (chosen, guint, i);

        memcpy ((char *)known->similarities[k] + to * row_size,
                (char *)part.similarities[k] + i * row_size, row_size);
        known->likeliest[k][to] = part.likeliest[k][i];
      }
  }
  return TRUE;
}

/* Adds to each kind's AUROC that of one group of classes left out, on another fold each time. */
static gboolean
leave_out (const Material *material, gint group, double *sums, guint *n, GError **error)
{
  gint fold = group % FOLDS;
  g_autoptr (GArray) known = choose (material, (Choice) {fold, -1, -1, group});
  g_autoptr (GArray) others = choose (material, (Choice) {-1, -1, group, -1});
  g_auto (EnsGateModel) model = {0};
  g_auto (Measured) inside = {0};
  g_auto (Measured) outside = {0};

  if (known->len == 0 || others->len == 0)
    return TRUE;
  learn (material, (Choice) {-1, fold, -1, group}, &model);
  if (model.n_rows == 0)
    return TRUE;
  if (!measure_chosen (material, &model, known, &inside, error)
      || !measure_chosen (material, &model, others, &outside, error))
    return FALSE;
  for (guint k = 0; k < ens_gate_n_kinds; k++)
    sums[k] += ens_auroc (inside.likeliest[k], inside.n, outside.likeliest[k], outside.n);
  ++*n;
  return TRUE;
}

static double
average (double left_out, double unrelated)
{
  if (isnan (left_out) || isnan (unrelated))
    return isnan (left_out) ? unrelated : left_out;
  return (left_out + unrelated) / 2;
}

/* `all`: a model of all known images, which judges the unrelated ones. */
static gboolean
compare_kinds (const Material *material, const EnsGateModel *all, const Measured *known,
               EnsFittedGate *gate, GError **error)
{
  const EnsGateImages images = {(const float *)material->unrelated->data, material->n_unrelated};
  double sums[ENS_GATE_MAX_KINDS] = {0};
  g_auto (Measured) unrelated = {0};
  guint n = 0;

  for (guint group = 0; group < material->n_groups; group++)
    if (!leave_out (material, (gint)group, sums, &n, error))
      return FALSE;
  if (!measure (all, &images, &unrelated, error))
    return FALSE;
  gate->n_figures = ens_gate_n_kinds;
  gate->n_unrelated = images.n;
  for (guint k = 0; k < ens_gate_n_kinds; k++) {
    EnsGateFigure *figure = &gate->figures[k];

    figure->kind = ens_gate_kinds[k].name;
    figure->left_out = n > 0 ? sums[k] / n : NAN;
    figure->unrelated = ens_auroc (known->likeliest[k], known->n, unrelated.likeliest[k], images.n);
    figure->mean = average (figure->left_out, figure->unrelated);
  }
  return TRUE;
}

/* The kind asked for, or the best; where nothing could be measured, the nearest neighbours. Not one
 * that takes the probability into account, unless asked for: of images that are tagged by mistake
 * it is high already. */
static guint
choose_kind (const EnsGateSettings *settings, const EnsFittedGate *gate)
{
  guint chosen = 0;
  double best = -1;

  for (guint k = 0; k < ens_gate_n_kinds; k++) {
    const EnsGateKind *kind = &ens_gate_kinds[k];
    gboolean is_default = kind->similarity == ENS_SIMILARITY_NEAREST && !kind->of_labels;
    double mean = isnan (gate->figures[k].mean) ? is_default : gate->figures[k].mean;

    if (settings->kind != NULL ? kind->name == settings->kind
                               : !kind->rival && !kind->with_probability && mean > best) {
      best = mean;
      chosen = k;
    }
  }
  return chosen;
}

/* ---- Ranges ---- */

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  return *(const float *)a < *(const float *)b ? -1 : *(const float *)a > *(const float *)b;
}

/* The value that this share lies below. Sorts. */
static float
find_quantile (GArray *values, double share)
{
  guint below = (guint)floor (share * values->len + 1e-9);

  g_array_sort (values, compare_floats);
  return g_array_index (values, float, MIN (below, values->len - 1));
}

static EnsGateRange
find_range (GArray *values, const double *options)
{
  double high = options[ENS_GATE_HIGH];

  return (EnsGateRange) {find_quantile (values, 1 - options[ENS_GATE_KEEP]),
                         high < 1 ? find_quantile (values, high) : 1};
}

/* Similarities of the known images that have the class to it. (transfer full) */
static GArray *
list_similarities (const Material *material, const float *similarities, guint class)
{
  const EnsLabels *truth = &material->task->examples.truth;
  GArray *values = g_array_new (FALSE, FALSE, sizeof (float));

  for (guint i = 0; i < material->known->len; i++)
    if (ens_labels_has (truth, g_array_index (material->known, guint, i), class))
      g_array_append_val (values, similarities[(gsize)i * truth->n_classes + class]);
  return values;
}

/* (transfer full) */
static EnsGateRange *
find_ranges (const Material *material, const float *similarities)
{
  const double *options = material->task->settings->options;
  guint n_classes = material->task->examples.truth.n_classes;
  EnsGateRange *ranges = g_new (EnsGateRange, n_classes), shared = {NAN, NAN};
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (float));
  g_autofree guint *n = g_new (guint, n_classes);

  for (guint c = 0; c < n_classes; c++) {
    g_autoptr (GArray) own = list_similarities (material, similarities, c);

    n[c] = own->len;
    if (n[c] >= ENS_GATE_MIN_OWN_RANGE)
      ranges[c] = find_range (own, options);
    g_array_append_vals (all, own->data, own->len);
  }
  if (all->len > 0)
    shared = find_range (all, options);
  for (guint c = 0; c < n_classes; c++)
    if (n[c] < ENS_GATE_MIN_OWN_RANGE)
      ranges[c] = n[c] >= ENS_GATE_MIN_IMAGES ? shared : (EnsGateRange) {NAN, NAN};
  return ranges;
}

gboolean
ens_gate_learn (const EnsGateTask *task, EnsFittedGate *gate, GError **error)
{
  g_auto (Material) material = {0};
  g_auto (Measured) known = {0};
  g_auto (EnsGateModel) all = {0};
  guint chosen;

  material_init (&material, task);
  learn (&material, (Choice) {-1, -1, -1, -1}, &all);
  if (!cross_fit (&material, &known, error)
      || !compare_kinds (&material, &all, &known, gate, error))
    return FALSE;
  chosen = choose_kind (task->settings, gate);
  gate->kind = ens_gate_kinds[chosen].name;
  gate->layer = all.fit;
  gate->graph = ens_gate_model_to_graph (&all, &ens_gate_kinds[chosen]);
  gate->ranges = find_ranges (&material, known.similarities[chosen]);
  return TRUE;
}
