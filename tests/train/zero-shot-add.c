/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zero-shot classes beside trained ones: neither changes for the other. */
#include <math.h>
#include <string.h>

#include "../ensemble/toy-bundle.h"
#include "../ensemble/toy.h"
#include "check-main.h"
#include "support/folder.h"
#include "train/evaluate.h"
#include "train/zero-shot.h"

#define CLASSES TOY_BUNDLE_CLASSES
#define NEW 2

/* The network's "pool" gives 8 values. */
static const float vectors[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};

typedef struct {
  EnsFitNetwork network;
  EnsClassVectors vectors;
  EnsZeroShotParams params;
  char *path;
} Setting;

static void
setting_init (Setting *setting, const char *const *names)
{
  static const char *const taps[] = {"pool", NULL};
  g_autoptr (EnsGraph) network = toy_network (1, 32, 5, FALSE);

  setting->path = toy_save_network (network, test_folder, "tower.onnx");
  setting->network = (EnsFitNetwork) {
      .path = setting->path, .taps = taps, .normalise = {.scale = {0.01F, 0.01F, 0.01F}}};
  setting->vectors = (EnsClassVectors) {NEW, 8, (float *)vectors, (char **)names};
  setting->params = (EnsZeroShotParams) {.network = &setting->network,
                                         .vectors = &setting->vectors,
                                         .source = "texts.npy",
                                         .bundle = toy_bundle_path,
                                         .temperature = 4,
                                         .exclusive = TRUE,
                                         .threshold = 0.25F};
}

static void
add (const char *const *names)
{
  g_autoptr (GError) error = NULL;
  Setting setting;

  setting_init (&setting, names);
  ens_zero_shot_add (&setting.params, NULL, &error);
  ck_assert_no_error (error);
  g_free (setting.path);
}

static const char *const new_names[] = {"cloud", "moon", NULL};

/* What a bundle of these classes alone says. */
static void
find_alone (const EnsPicture *picture, float p[NEW])
{
  g_autofree char *folder = g_build_filename (test_folder, "alone.ensemble", NULL);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsResult) result = NULL;
  g_autoptr (GError) error = NULL;
  const EnsAnalyseOptions options = {.threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};
  Setting setting;

  setting_init (&setting, new_names);
  setting.params.bundle = folder;
  ens_zero_shot (&setting.params, NULL, &error);
  ck_assert_no_error (error);
  ensemble = ens_ensemble_open (folder, device, &error);
  ck_assert_no_error (error);
  result = toy_bundle_analyse (ensemble, picture, &options);
  for (guint c = 0; c < NEW; c++)
    p[c] = result->classes[c].p;
  g_free (setting.path);
}

static const struct {
  const char *name, *version;
  gboolean gated;
  gint windows;
} rows[] = {
    {"probabilities", "1", FALSE, 0},
    {"windows", "1", FALSE, -1},
    {"gate", "1", TRUE, 0},
    {"gate-windows", "1", TRUE, -1},
    {"log-odds", "log odds", FALSE, 0},
    {"log-odds-windows", "log odds", TRUE, -1},
};

static void
check_trained (const EnsResult *before, const EnsResult *after)
{
  ck_assert_uint_eq (after->n_windows, before->n_windows);
  for (guint c = 0; c < CLASSES; c++) {
    const EnsClassResult *a = &before->classes[c], *b = &after->classes[c];

    ck_assert_str_eq (b->name, a->name);
    ck_assert_float_eq_tol (b->p, a->p, 1e-6F);
    ck_assert_float_eq_tol (b->p1, a->p1, 1e-6F);
    ck_assert_float_eq_tol (b->p2, a->p2, 1e-6F);
    ck_assert_int_eq (b->window, a->window);
    ck_assert_int_eq (b->withheld, a->withheld);
    ck_assert_int_eq (isnan (b->range_low), isnan (a->range_low));
    ck_assert_float_eq (b->threshold, a->threshold);
    ck_assert (isnan (after->networks[4].probabilities[c]));
  }
}

static void
check_new (const EnsResult *after, const float p[NEW])
{
  for (guint c = 0; c < NEW; c++) {
    const EnsClassResult *class = &after->classes[CLASSES + c];

    ck_assert_str_eq (class->name, new_names[c]);
    ck_assert_float_eq_tol (class->p, p[c], 1e-6F);
    ck_assert_float_eq (class->p2, class->p);
    ck_assert (class->p1 == 0 && class->p3 == 0);
    ck_assert_int_eq (class->window, -1);
    ck_assert (isnan (class->range_low));
    ck_assert_int_eq (class->present, class->p >= 0.25F);
    ck_assert_float_eq (after->networks[4].probabilities[CLASSES + c], class->p);
    for (guint n = 0; n < 4; n++)
      ck_assert (isnan (after->networks[n].probabilities[CLASSES + c]));
    for (guint w = 0; w < after->n_windows; w++)
      ck_assert (after->window_probabilities[w * (CLASSES + NEW) + CLASSES + c] == 0);
  }
}

START_TEST (test_both)
{
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 60, 50);
  const EnsAnalyseOptions options = {
      .windows = rows[_i].windows, .threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsResult) before = NULL, after = NULL;
  float p[NEW];

  toy_bundle_write (rows[_i].version, rows[_i].gated);
  ensemble = toy_bundle_open (1);
  before = toy_bundle_analyse (ensemble, picture, &options);
  g_clear_pointer (&ensemble, ens_ensemble_unref);
  find_alone (picture, p);
  add (new_names);
  ensemble = toy_bundle_open (1);
  ck_assert_uint_eq (ens_ensemble_get_bundle (ensemble)->n_zero_shot, NEW);
  after = toy_bundle_analyse (ensemble, picture, &options);
  ck_assert_uint_eq (after->n_classes, CLASSES + NEW);
  ck_assert_uint_eq (after->n_networks, 5);
  check_trained (before, after);
  check_new (after, p);
}
END_TEST

/* A tiled frame has a map of them all. */
START_TEST (test_map)
{
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 200, 120);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsResult) result = NULL;

  add (new_names);
  ensemble = toy_bundle_open (1);
  result = toy_bundle_analyse (ensemble, picture, NULL);
  for (guint c = 0; c < CLASSES + NEW; c++) {
    float largest = 0;

    for (guint s = 0; s < ens_probability_map_get_size (result->map); s++)
      largest = MAX (largest, result->map->probabilities[s * (CLASSES + NEW) + c]);
    ck_assert_float_eq (result->classes[c].p, largest);
  }
}
END_TEST

/* One class alone, of either kind. */
START_TEST (test_one_class)
{
  static const char *const names[] = {"square", "moon"};
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 60, 50);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsEnsemble) all = NULL, one = NULL;
  g_autoptr (EnsResult) expected = NULL, found = NULL;
  g_autoptr (GError) error = NULL;

  add (new_names);
  all = toy_bundle_open (1);
  one = ens_ensemble_open_class (toy_bundle_path, names[_i], device, &error);
  ck_assert_no_error (error);
  expected = toy_bundle_analyse (all, picture, NULL);
  found = toy_bundle_analyse (one, picture, NULL);
  ck_assert_uint_eq (found->n_classes, 1);
  ck_assert_float_eq_tol (found->classes[0].p, expected->classes[_i == 0 ? 1 : 4].p, 1e-6F);
}
END_TEST

static const struct {
  const char *name;
  const char *names[NEW + 1];
  gboolean twice;
  const char *message;
} refused_rows[] = {
    {"same-class", {"cloud", "disc"}, FALSE, "knows the class “disc” already"},
    {"twice", {"sun", "star"}, TRUE, "has 2 zero-shot classes already"},
};

START_TEST (test_refused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  Setting setting;

  if (refused_rows[_i].twice)
    add (new_names);
  setting_init (&setting, refused_rows[_i].names);
  ck_assert (!ens_zero_shot_add (&setting.params, NULL, &error));
  ck_assert_contains (error->message, refused_rows[_i].message);
  ensemble = toy_bundle_open (1); /* as it was */
  ck_assert_uint_eq (ens_ensemble_get_bundle (ensemble)->n_classes,
                     refused_rows[_i].twice ? CLASSES + NEW : CLASSES);
  g_free (setting.path);
}
END_TEST

/* Toy pictures, measured; shown: the first one shows a cloud, too. (transfer full) */
static EnsEvaluation *
evaluate (gboolean shown)
{
  g_autofree char *folder = g_build_filename (test_folder, "shapes", NULL);
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (1);
  const EnsBundle *bundle = ens_ensemble_get_bundle (ensemble);
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;
  EnsEvaluation *evaluation;
  guint n_opened;
  EnsFrameOpener opener = toy_opener (&n_opened);

  toy_dataset (folder, 0, 0, 3);
  dataset = ens_dataset_load (folder, (const char *const *)bundle->classes, &error);
  ck_assert_no_error (error);
  if (shown)
    ((EnsDatasetItem *)dataset->samples[ENS_SPLIT_TEST]->pdata[0])->labels[CLASSES] =
        ENS_LABEL_PRESENT;
  evaluation = ens_evaluate (ensemble, dataset, ENS_SPLIT_TEST, NULL, &opener, NULL, &error);
  ck_assert_no_error (error);
  return evaluation;
}

static void
check_left_out (const EnsEvaluation *evaluation, const char *name, gboolean left_out)
{
  g_autofree char *quoted = g_strdup_printf ("zero-shot class “%s”", name);
  gboolean noted = FALSE;

  for (guint n = 0; n < evaluation->notes->len; n++)
    noted |= strstr (evaluation->notes->pdata[n], quoted) != NULL;
  ck_assert_int_eq (noted, left_out);
  ck_assert_int_eq (g_strv_contains ((const char *const *)evaluation->classes, name), !left_out);
}

/* Classes that no picture shows are not measured: all else is as without them. */
START_TEST (test_measured)
{
  g_autoptr (EnsEvaluation) before = evaluate (FALSE), after = NULL, shown = NULL;
  guint n_none[2], n_windows = before->n_rows - 1;

  add (new_names);
  after = evaluate (FALSE);
  shown = evaluate (TRUE);
  check_left_out (after, "cloud", TRUE);
  check_left_out (after, "moon", TRUE);
  check_left_out (shown, "cloud", FALSE);
  check_left_out (shown, "moon", TRUE);
  ck_assert_uint_eq (after->n_classes, CLASSES);
  ck_assert_uint_eq (shown->n_positive[CLASSES], 1);
  ck_assert_double_eq (after->rows[n_windows + 1].accuracy, before->rows[n_windows].accuracy);
  ck_assert_double_eq (after->rows[n_windows + 1].f1, before->rows[n_windows].f1);
  ck_assert_uint_eq (
      ens_evaluation_count_false_alarms (after, &after->rows[n_windows + 1], &n_none[1]),
      ens_evaluation_count_false_alarms (before, &before->rows[n_windows], &n_none[0]));
  ck_assert_uint_eq (n_none[1], n_none[0]);
}
END_TEST

/* A class of its own that no picture shows. */
START_TEST (test_nothing_measured)
{
  g_autofree char *folder = g_build_filename (test_folder, "shapes", NULL);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;
  guint n_opened;
  EnsFrameOpener opener = toy_opener (&n_opened);

  add (new_names);
  toy_dataset (folder, 0, 0, 1);
  ensemble = ens_ensemble_open_class (toy_bundle_path, "moon", device, &error);
  ck_assert_no_error (error);
  dataset = ens_dataset_load (
      folder, (const char *const *)ens_ensemble_get_bundle (ensemble)->file_classes, &error);
  ck_assert_no_error (error);
  ck_assert (ens_dataset_keep_class (dataset, "moon", &error));
  ck_assert_ptr_null (
      ens_evaluate (ensemble, dataset, ENS_SPLIT_TEST, NULL, &opener, NULL, &error));
  ck_assert_contains (error->message, "expected pictures of the zero-shot class “moon”");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/zero-shot-add");
  test_fixture (toy_bundle_set_up, toy_bundle_tear_down);
  TEST_ADD_ROWS ("both", test_both, rows);
  test_add ("map", test_map);
  test_add_loop ("one-class", test_one_class, 2);
  test_add ("measured", test_measured);
  test_add ("nothing-measured", test_nothing_measured);
  TEST_ADD_ROWS ("refused", test_refused, refused_rows);
  return test_run ();
}
