/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From drawn pictures to a bundle, and from the bundle to figures. */
#include "train/fit.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "classify/metrics.h"
#include "ensemble/bundle-private.h"
#include "onnx/onnx.h"
#include "toy.h"
#include "train/label-next.h"
#include "train/fit-features.h"
#include "train/heads.h"

#define TRAIN 10
#define VALIDATION 6
#define TEST 4
#define CLASSES 4 /* folders: three classes and "none" */

typedef struct {
  char *folder, *dataset, *cache, *bundle;
  char *networks[2];
  EnsFitNetwork fit_networks[2];
  EnsFitParams params;
  EnsDevice *device;
  EnsFrameOpener opener;
  guint n_opened;
  GString *notes;
  GCancellable *cancellable;
  guint cancel_after; /* images; 0: never */
  EnsMonitor monitor;
} Fixture;

static Fixture *fixture;

static void
on_progress (const char *stage, guint done, guint total, gpointer data)
{
  Fixture *fixture = data;

  ck_assert_uint_le (done, total);
  if (fixture->cancel_after > 0 && done == fixture->cancel_after)
    g_cancellable_cancel (fixture->cancellable);
}

static void
on_note (const char *text, gpointer data)
{
  g_string_append_printf (((Fixture *)data)->notes, "%s\n", text);
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("ensemble-fit-XXXXXX", NULL);
  fixture->dataset = g_build_filename (fixture->folder, "shapes", NULL);
  fixture->cache = g_build_filename (fixture->folder, "cache", NULL);
  fixture->bundle = g_build_filename (fixture->folder, "shapes.ensemble", NULL);
  toy_dataset (fixture->dataset, TRAIN, VALIDATION, TEST);
  for (guint n = 0; n < 2; n++) {
    g_autoptr (EnsGraph) network = toy_network (40 + n, 32, 6, n == 0);

    fixture->networks[n] =
        toy_save_network (network, fixture->folder, n == 0 ? "a.onnx" : "b.onnx");
    fixture->fit_networks[n] = (EnsFitNetwork) {
        .path = fixture->networks[n],
        .role = n == 0 ? ENS_ROLE_ORIGINAL : ENS_ROLE_RETRAINED,
        .normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}},
    };
  }
  fixture->params = ENS_FIT_DEFAULTS;
  fixture->params.dataset = fixture->dataset;
  fixture->params.bundle = fixture->bundle;
  fixture->params.cache = fixture->cache;
  fixture->params.networks = fixture->fit_networks;
  fixture->params.n_networks = 2;
  fixture->params.windows = 20;
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->opener = toy_opener (&fixture->n_opened);
  fixture->notes = g_string_new (NULL);
  fixture->cancellable = g_cancellable_new ();
  fixture->monitor = (EnsMonitor) {.progress = on_progress,
                                   .note = on_note,
                                   .data = fixture,
                                   .cancellable = fixture->cancellable};
}

static void
tear_down (void)
{
  g_object_unref (fixture->cancellable);
  g_string_free (fixture->notes, TRUE);
  ens_device_unref (fixture->device);
  for (guint n = 0; n < 2; n++)
    g_free (fixture->networks[n]);
  ens_remove_tree (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->cache);
  g_free (fixture->dataset);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

static EnsEvaluation *
fit (Fixture *fixture, GError **error)
{
  fixture->n_opened = 0;
  return ens_fit (&fixture->params, fixture->device, &fixture->opener, &fixture->monitor, error);
}

static EnsEvaluation *
fit_well (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  EnsEvaluation *evaluation = fit (fixture, &error);

  ck_assert_no_error (error);
  return evaluation;
}

static EnsEvaluation *
evaluate (Fixture *fixture, EnsSplit split)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, fixture->device, &error);
  g_autoptr (EnsDataset) dataset = NULL;
  EnsEvaluation *evaluation;

  ck_assert_no_error (error);
  dataset = ens_dataset_load (
      fixture->dataset, (const char *const *)ens_ensemble_get_bundle (ensemble)->classes, &error);
  ck_assert_no_error (error);
  evaluation = ens_evaluate (ensemble, dataset, split, &fixture->opener, &fixture->monitor, &error);
  ck_assert_no_error (error);
  return evaluation;
}

/* Whole images' probabilities by one network, from stored features. (transfer full) */
static float *
score_features (EnsFitFeatures *features, const EnsBundle *bundle, guint n)
{
  const EnsBundleNetwork *network = &bundle->networks[n];
  const guint n_rows = ens_fit_features_get_truth (features, ENS_SPLIT_VALIDATION)->n_samples;
  g_autofree char *path = g_build_filename (bundle->folder, network->classifier, NULL);
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, NULL, NULL);
  g_autofree float *rows = ens_fit_features_read_whole (features, n, ENS_SPLIT_VALIDATION, NULL);
  float *scores = g_new (float, n_rows * bundle->n_classes);

  ck_assert (ens_head_decide (&(EnsHeadRows) {graph, rows, n_rows,
                                              ens_fit_features_get_length (features, n),
                                              bundle->n_classes},
                              scores, ens_device_get_pool (fixture->device), NULL));
  for (guint i = 0; i < n_rows * bundle->n_classes; i++)
    scores[i] = ens_calibration_apply (&network->calibration[i % bundle->n_classes], scores[i]);
  return scores;
}

/* The stream's graphs say what training's own arithmetic on stored features says. */
static void
check_arithmetic (const EnsEvaluation *found)
{
  g_autoptr (EnsBundle) bundle = ens_bundle_load (fixture->bundle, NULL);
  g_autoptr (EnsDataset) dataset = ens_dataset_load (fixture->dataset, NULL, NULL);
  g_autoptr (EnsFitFeatures) features = NULL;
  GBytes *contents[2];

  for (guint n = 0; n < 2; n++) {
    char *bytes;
    gsize size;

    ck_assert (g_file_get_contents (fixture->networks[n], &bytes, &size, NULL));
    contents[n] = g_bytes_new_take (bytes, size);
  }
  features = ens_fit_features_new (&(EnsFitSource) {bundle, (const char *const *)fixture->networks,
                                                    contents, fixture->cache, fixture->device},
                                   NULL);
  ck_assert (ens_fit_features_fill (features, dataset, &fixture->opener, NULL, NULL));
  for (guint n = 0; n < 2; n++) {
    g_autofree float *scores = score_features (features, bundle, n);

    for (guint i = 0; i < found->n_images * found->n_classes; i++)
      ck_assert_float_eq_tol (found->rows[n].scores[i], scores[i], 1e-4);
    g_bytes_unref (contents[n]);
  }
}

typedef struct {
  const char *name;
  EnsFitMethod method;
  gboolean plain_sigmoid;
  EnsFusionKind fusion;
} MethodRow;

static const MethodRow method_rows[] = {
    {"standard", ENS_FIT_STANDARD, FALSE, ENS_FUSION_LOG_ODDS},
    {"document", ENS_FIT_DOCUMENT, FALSE, ENS_FUSION_PROBABILITIES},
    {"document-plain", ENS_FIT_DOCUMENT, TRUE, ENS_FUSION_PROBABILITIES},
};

/* What fitting promises is cross-fitted; the bundle, fitted to these images, does no worse. */
START_TEST (test_methods)
{
  const MethodRow *row = &method_rows[_i];
  g_autoptr (EnsEvaluation) promised = NULL, found = NULL;
  g_autoptr (EnsBundle) bundle = NULL;

  fixture->params.method = row->method;
  fixture->params.plain_sigmoid = row->plain_sigmoid;
  promised = fit_well (fixture);
  found = evaluate (fixture, ENS_SPLIT_VALIDATION);
  bundle = ens_bundle_load (fixture->bundle, NULL);
  ck_assert_int_eq (bundle->fusion, row->fusion);
  ck_assert (promised->cross_fitted && !found->cross_fitted);
  ck_assert_str_eq (promised->rows[0].name, "a");
  ck_assert_pstr_eq (promised->rows[2].name, ENS_EVALUATION_WITHOUT_WINDOWS);
  ck_assert_str_eq (promised->paths[0], found->paths[0]);
  ck_assert_ptr_null (promised->paths[VALIDATION * CLASSES]);
  ck_assert_ptr_null (promised->windows);
  ck_assert_uint_eq (promised->n_images, VALIDATION * CLASSES);
  ck_assert_uint_eq (promised->n_positive[1], VALIDATION);
  ck_assert_uint_eq (found->n_rows, promised->n_rows);
  for (guint r = 0; r < found->n_rows; r++) {
    ck_assert_pstr_eq (found->rows[r].name, promised->rows[r].name);
    ck_assert_double_gt (promised->rows[r].mean_average_precision, 0.7);
    ck_assert_double_ge (found->rows[r].mean_average_precision,
                         promised->rows[r].mean_average_precision - 0.05);
  }
  check_arithmetic (found);
  if (row->plain_sigmoid)
    ck_assert_double_eq (bundle->networks[0].calibration[0].a, 1);
  if (row->method == ENS_FIT_DOCUMENT)
    ck_assert_bytes_eq (bundle->networks[1].window_calibration, 3 * sizeof (EnsCalibration),
                        bundle->networks[1].calibration, 3 * sizeof (EnsCalibration));
}
END_TEST

/* What was measured can be looked at: images, scores, windows. */
static void
check_kept (const EnsEvaluation *found)
{
  EnsLabels truth = ens_evaluation_get_truth (found);
  const EnsEvaluationRow *with = &found->rows[found->n_rows - 1];

  ck_assert_uint_eq (g_strv_length (found->paths), found->n_images);
  ck_assert_contains (found->paths[0], "/test/disc/");
  ck_assert (ens_labels_has (&truth, 0, 0));
  ck_assert_double_eq (ens_mean_average_precision (&truth, with->scores),
                       with->mean_average_precision);
  for (guint i = 0; i < found->n_images * found->n_classes; i++) {
    const EnsRect *window = &found->windows[i];

    ck_assert_double_ge (found->window_scores[i], 0);
    ck_assert_double_le (found->window_scores[i], 1);
    ck_assert (window->width > 0 && window->height > 0);
    ck_assert (window->x + window->width < 1.001F && window->y + window->height < 1.001F);
  }
}

START_TEST (test_test_split)
{
  g_autoptr (EnsEvaluation) promised = NULL, found = NULL;
  g_autofree char *json = NULL;

  fixture->params.method = ENS_FIT_DOCUMENT; /* windows always take part */
  promised = fit_well (fixture);
  found = evaluate (fixture, ENS_SPLIT_TEST);
  json = ens_evaluation_to_json (found);
  ck_assert_uint_eq (found->n_images, TEST * CLASSES);
  check_kept (found);
  ck_assert_double_gt (found->rows[3].mean_average_precision, 0.5);
  ck_assert_contains (json, "\"schema\": \"gst-ensemble/evaluation/1\"");
  ck_assert_contains (json, "\"split\": \"test\"");
}
END_TEST

static GBytes *
read_bundle (const Fixture *fixture)
{
  g_autoptr (EnsBundle) bundle = ens_bundle_load (fixture->bundle, NULL);
  GByteArray *all = g_byte_array_new ();

  for (guint n = 0; n <= bundle->n_networks; n++) {
    const char *names[] = {n == 0 ? ENS_BUNDLE_FILE : bundle->networks[n - 1].classifier,
                           n == 0 ? bundle->networks[0].network
                                  : bundle->networks[n - 1].window_classifier};

    for (guint i = 0; i < 2 && names[i] != NULL; i++) {
      g_autofree char *path = g_build_filename (fixture->bundle, names[i], NULL);
      g_autofree char *contents = NULL;
      gsize size;

      ck_assert (g_file_get_contents (path, &contents, &size, NULL));
      g_byte_array_append (all, (const guint8 *)contents, (guint)size);
    }
  }
  return g_byte_array_free_to_bytes (all);
}

/* A second run reads no picture and writes the same bundle, whatever the number of threads; other
 * settings of the classifiers need none either. */
START_TEST (test_again)
{
  g_autoptr (EnsEvaluation) first = fit_well (fixture);
  g_autoptr (GBytes) before = read_bundle (fixture);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (EnsEvaluation) second = NULL;
  g_autoptr (EnsEvaluation) third = NULL;

  ck_assert_uint_eq (fixture->n_opened, (TRAIN + VALIDATION + TEST) * CLASSES);
  ens_device_unref (fixture->device);
  fixture->device = ens_device_open ("cpu", 1, NULL);
  second = fit_well (fixture);
  ck_assert_uint_eq (fixture->n_opened, 0);
  after = read_bundle (fixture);
  ck_assert (g_bytes_equal (before, after));
  fixture->params.head = "svm,c=0.1";
  third = fit_well (fixture);
  ck_assert_uint_eq (fixture->n_opened, 0);
}
END_TEST

/* Cancelled in the middle it goes on where it was, and the features are the same. */
START_TEST (test_cancelled)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsEvaluation) whole = fit_well (fixture);
  g_autoptr (GBytes) expected = read_bundle (fixture);
  g_autoptr (GBytes) found = NULL;
  g_autoptr (EnsEvaluation) resumed = NULL;

  ens_remove_tree (fixture->cache);
  fixture->cancel_after = 9;
  ck_assert_ptr_null (fit (fixture, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  ck_assert_uint_eq (fixture->n_opened, 9);
  fixture->cancel_after = 0;
  g_cancellable_reset (fixture->cancellable);
  resumed = fit_well (fixture);
  ck_assert_uint_eq (fixture->n_opened, (TRAIN + VALIDATION + TEST) * CLASSES - 9);
  found = read_bundle (fixture);
  ck_assert (g_bytes_equal (expected, found));
}
END_TEST

static void
break_image (const Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->dataset, name, NULL);

  ck_assert (g_file_set_contents (path, "not a picture", -1, NULL));
}

START_TEST (test_broken)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;
  g_autoptr (GError) error = NULL;

  break_image (fixture, "train/disc/003.ppm");
  break_image (fixture, "validation/none/001.ppm");
  evaluation = fit_well (fixture);
  ck_assert_uint_eq (evaluation->n_skipped, 1);
  ck_assert_uint_eq (evaluation->n_images, VALIDATION * CLASSES - 1);
  ck_assert_contains (fixture->notes->str, "train/disc/003.ppm: expected a PPM picture");
  break_image (fixture, "validation/disc/001.ppm");
  break_image (fixture, "validation/disc/002.ppm");
  ck_assert_ptr_null (fit (fixture, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "3 of the 24 validation images can't be read");
}
END_TEST

static void
copy_image (const char *from, const char *to)
{
  g_autofree char *source = g_build_filename (fixture->dataset, from, NULL);
  g_autofree char *target = g_build_filename (fixture->dataset, to, NULL);
  g_autofree char *contents = NULL;
  gsize size;

  ck_assert (g_file_get_contents (source, &contents, &size, NULL));
  ck_assert (g_file_set_contents (target, contents, (gssize)size, NULL));
}

static const EnsFinding *
find_finding (const EnsEvaluation *evaluation, EnsFindingKind kind)
{
  for (guint i = 0; i < evaluation->findings->len; i++)
    if (((const EnsFinding *)evaluation->findings->pdata[i])->kind == kind)
      return evaluation->findings->pdata[i];
  ck_abort_msg ("nothing is said of %s", ens_finding_name (kind));
  return NULL;
}

static const struct {
  EnsFindingKind kind;
  const char *text;    /* a part of it */
  const char *picture; /* one of those that are shown; NULL: none are */
} spoilt_rows[] = {
    {ENS_FINDING_BALANCE, "“disc” has 6.0 times as many training pictures as “triangle” (12 and 2)",
     NULL},
    {ENS_FINDING_NONE, "Only 1 of the training pictures shows none of the classes: add 7 more",
     NULL},
    {ENS_FINDING_SMALL, "pictures have fewer than 100 pixels along a side", "train/disc/000.ppm"},
    {ENS_FINDING_LEAK,
     "0 of the 24 validation pictures and 1 of the 17 test pictures are near copies",
     "test/square/900.ppm"},
    {ENS_FINDING_CONTRADICT, "1 pair of near copies has different labels", "test/square/900.ppm"},
    {ENS_FINDING_COPIES, "2 pictures are near copies of another one of their split, in 1 group",
     "train/disc/901.ppm"},
    {ENS_FINDING_LABELS, "look like another class than their label says", "train/disc/902.ppm"},
    {ENS_FINDING_CURVE, "classifiers reach an accuracy of", NULL},
};

/* A set with everything wrong with it. */
START_TEST (test_diagnosis)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;

  copy_image ("train/disc/000.ppm", "test/square/900.ppm");
  copy_image ("train/disc/001.ppm", "train/disc/901.ppm");
  copy_image ("train/triangle/009.ppm", "train/disc/902.ppm");
  for (guint i = 1; i < TRAIN; i++) {
    g_autofree char *triangle = g_strdup_printf ("%s/train/triangle/%03u.ppm", fixture->dataset, i);
    g_autofree char *none = g_strdup_printf ("%s/train/none/%03u.ppm", fixture->dataset, i);

    if (i > 1)
      g_remove (triangle);
    g_remove (none);
  }
  evaluation = fit_well (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (spoilt_rows); i++) {
    const EnsFinding *finding = find_finding (evaluation, spoilt_rows[i].kind);
    gboolean shown = spoilt_rows[i].picture == NULL;

    ck_assert_contains (finding->text, spoilt_rows[i].text);
    for (guint j = 0; j < finding->pictures->len; j++)
      shown |= g_str_has_suffix (g_array_index (finding->pictures, EnsFindingPicture, j).path,
                                 spoilt_rows[i].picture);
    ck_assert_msg (shown, "%s is not shown", spoilt_rows[i].picture);
  }
}
END_TEST

/* How near P is to the threshold of the class that is nearest to its own. */
static double
measure_margin (const EnsEvaluation *evaluation, guint image)
{
  const EnsEvaluationRow *row = &evaluation->rows[evaluation->n_rows - 1];
  double least = 2;

  for (guint c = 0; c < evaluation->n_classes; c++) {
    double threshold = (double)row->classes[c].threshold;
    double p = (double)row->scores[image * evaluation->n_classes + c];

    least = fmin (least,
                  p < threshold ? (threshold - p) / threshold : (p - threshold) / (1 - threshold));
  }
  return least;
}

/* The pictures that are shown are the least sure ones, in order; of a picture and its copy one. */
START_TEST (test_next_labels)
{
  g_autoptr (EnsEvaluation) promised = NULL;
  g_autoptr (EnsEvaluation) found = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autofree char *folder = g_build_filename (fixture->dataset, "test", NULL);
  g_autoptr (GError) error = NULL;
  gboolean seen[TEST * CLASSES] = {FALSE};
  EnsFinding *finding;
  double last = 0;

  for (guint i = 0; i < TRAIN / 2; i++) { /* so that not everything is certain */
    g_autofree char *from = g_strdup_printf ("train/square/%03u.ppm", i);
    g_autofree char *to = g_strdup_printf ("train/disc/9%02u.ppm", i);

    copy_image (from, to);
  }
  promised = fit_well (fixture);
  found = evaluate (fixture, ENS_SPLIT_TEST);
  ensemble = ens_ensemble_open (fixture->bundle, fixture->device, NULL);
  for (guint i = 0; i < found->n_images; i++) {
    g_autofree char *copy = g_strdup_printf ("test/copy-%u.ppm", i);

    copy_image (found->paths[i] + strlen (fixture->dataset) + 1, copy);
  }
  finding = ens_find_next_labels (ensemble, folder, &fixture->opener, &fixture->monitor, &error);
  ck_assert_no_error (error);
  ck_assert_contains (finding->text, "Of the 32 pictures in ");
  ck_assert_contains (finding->text, "the ensemble is least sure of 12: label these next (");
  ck_assert_uint_eq (finding->pictures->len, ENS_FINDING_PICTURES);
  for (guint i = 0; i < finding->pictures->len; i++) {
    const char *path = g_array_index (finding->pictures, EnsFindingPicture, i).path;
    guint image = 0;
    double margin;

    if (sscanf (path + strlen (folder), "/copy-%u.ppm", &image) != 1)
      while (strcmp (found->paths[image], path) != 0)
        image++;
    ck_assert (!seen[image]);
    seen[image] = TRUE;
    margin = measure_margin (found, image);
    ck_assert_double_ge (margin, last - 1e-6);
    last = margin;
  }
  for (guint i = 0, n = 0; i < found->n_images; i++) {
    n += measure_margin (found, i) < last - 1e-6;
    ck_assert_uint_lt (n, ENS_FINDING_PICTURES);
  }
  ens_finding_free (finding);
}
END_TEST

/* One network in both roles: its features are computed once. */
START_TEST (test_same_network_twice)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;

  fixture->fit_networks[0].path = fixture->fit_networks[1].path;
  evaluation = fit_well (fixture);
  ck_assert_str_eq (evaluation->rows[0].name, "b");
  ck_assert_str_eq (evaluation->rows[1].name, "b-2");
  ck_assert_double_eq (evaluation->rows[0].mean_average_precision,
                       evaluation->rows[1].mean_average_precision);
}
END_TEST

static const struct {
  EnsFitMethod method;
  EnsRole first, second;
  guint windows, n_rows;
} roles_rows[] = {
    {ENS_FIT_STANDARD, ENS_ROLE_ORIGINAL, ENS_ROLE_ORIGINAL, 20, 3},
    {ENS_FIT_STANDARD, ENS_ROLE_RETRAINED, ENS_ROLE_RETRAINED, 0, 3},
    {ENS_FIT_STANDARD, ENS_ROLE_ORIGINAL, ENS_ROLE_RETRAINED, 0, 3},
    {ENS_FIT_DOCUMENT, ENS_ROLE_ORIGINAL, ENS_ROLE_ORIGINAL, 20, 3},
    {ENS_FIT_DOCUMENT, ENS_ROLE_RETRAINED, ENS_ROLE_RETRAINED, 20, 4},
    {ENS_FIT_DOCUMENT, ENS_ROLE_ORIGINAL, ENS_ROLE_RETRAINED, 0, 3},
};

START_TEST (test_roles)
{
  g_autoptr (EnsEvaluation) promised = NULL;
  g_autoptr (EnsEvaluation) found = NULL;

  fixture->fit_networks[0].role = roles_rows[_i].first;
  fixture->fit_networks[1].role = roles_rows[_i].second;
  fixture->params.method = roles_rows[_i].method;
  fixture->params.windows = roles_rows[_i].windows;
  promised = fit_well (fixture);
  ck_assert_uint_eq (promised->n_rows, roles_rows[_i].n_rows);
  found = evaluate (fixture, ENS_SPLIT_VALIDATION);
  for (guint r = 0; r < found->n_rows; r++)
    ck_assert_double_ge (found->rows[r].mean_average_precision,
                         promised->rows[r].mean_average_precision - 0.05);
}
END_TEST

/* Settings as given, and where none are given the defaults. */
START_TEST (test_settings)
{
  static const char *const taps[] = {"relu2", "pool", NULL};
  static const guint scales[] = {32, 40}, window_sizes[] = {36};
  g_autoptr (EnsEvaluation) evaluation = NULL;
  g_autoptr (EnsBundle) bundle = NULL;

  fixture->params.name = "forms";
  fixture->params.version = "2.1";
  fixture->fit_networks[1].name = "plain/name";
  fixture->fit_networks[1].taps = taps;
  fixture->fit_networks[1].scales = scales;
  fixture->fit_networks[1].n_scales = 2;
  fixture->fit_networks[1].window_sizes = window_sizes;
  fixture->fit_networks[1].n_window_sizes = 1;
  evaluation = fit_well (fixture);
  bundle = ens_bundle_load (fixture->bundle, NULL);
  ck_assert_str_eq (bundle->name, "forms");
  ck_assert_str_eq (bundle->version, "2.1");
  ck_assert_str_eq (bundle->networks[0].taps[0], "scores");
  ck_assert_str_eq (bundle->networks[0].taps[1], "pool");
  ck_assert_uint_eq (bundle->networks[0].size, 32);
  ck_assert_uint_eq (bundle->networks[0].n_scales, 2); /* 37, 55 and 73, rounded */
  ck_assert_uint_eq (bundle->networks[0].scales[1], 64);
  ck_assert_uint_eq (bundle->networks[0].n_window_sizes, 0);
  ck_assert_str_eq (bundle->networks[1].name, "plain_name");
  ck_assert_str_eq (bundle->networks[1].taps[0], "relu2");
  ck_assert_uint_eq (bundle->networks[1].scales[1], 40);
  ck_assert_uint_eq (bundle->networks[1].window_sizes[0], 36);
  ck_assert_uint_eq (bundle->sub_images.size, 52); /* of 48 to 64 by 48 pixels */
  ck_assert_uint_eq (bundle->sub_images.count, ENS_SUB_IMAGE_DEFAULTS.count);
  ck_assert_contains (bundle->provenance, "\"dataset\":\"shapes\"");
}
END_TEST

START_TEST (test_errors)
{
  g_autoptr (EnsEvaluation) evaluation = fit_well (fixture);
  g_autofree char *lonely = g_build_filename (fixture->folder, "lonely", NULL);
  g_autofree char *image = g_build_filename (lonely, "train", "disc", "1.ppm", NULL);
  g_autoptr (EnsBundle) bundle = NULL;
  g_autoptr (GError) error = NULL;

  fixture->fit_networks[1].path = "/nowhere/b.onnx";
  ck_assert_ptr_null (fit (fixture, &error));
  ck_assert_contains (error->message, "/nowhere/b.onnx");
  g_clear_error (&error);
  fixture->fit_networks[1].path = fixture->networks[1];

  toy_dataset (lonely, 4, 2, 0);
  for (guint i = 0; i < 2; i++) {
    static const char *const others[] = {"square", "triangle"};
    g_autofree char *train = g_build_filename (lonely, "train", others[i], NULL);
    g_autofree char *validation = g_build_filename (lonely, "validation", others[i], NULL);

    ens_remove_tree (train);
    ens_remove_tree (validation);
  }
  g_free (g_steal_pointer (&image));
  image = g_build_filename (lonely, "train", "none", NULL);
  ens_remove_tree (image);
  fixture->params.dataset = lonely;
  ck_assert_ptr_null (fit (fixture, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "class “disc”: expected training images with and");

  bundle = ens_bundle_load (fixture->bundle, NULL); /* the old one is as it was */
  ck_assert_uint_eq (bundle->n_classes, 3);
}
END_TEST

static const struct {
  const char *gate;
  gboolean unrelated; /* the pictures of no class that are for testing */
  const char *note;   /* NULL: no gate */
} gate_rows[] = {
    {NULL, TRUE, "tells known images from others best"},
    {"cosine", FALSE, "gate: cosine of 8 features of “b” as asked for"},
    {"off", TRUE, NULL},
};

/* The retrained network has the gate, on the features before its scores, and its bundle counts what
 * it withholds. */
START_TEST (test_gate)
{
  g_autofree char *unrelated = g_build_filename (fixture->dataset, "test", "none", NULL);
  g_autoptr (EnsEvaluation) promised = NULL;
  g_autoptr (EnsEvaluation) found = NULL;
  g_autoptr (EnsBundle) bundle = NULL;

  fixture->params.gate = gate_rows[_i].gate;
  fixture->params.unrelated = gate_rows[_i].unrelated ? unrelated : NULL;
  promised = fit_well (fixture);
  found = evaluate (fixture, ENS_SPLIT_TEST);
  bundle = ens_bundle_load (fixture->bundle, NULL);
  if (gate_rows[_i].note == NULL) {
    ck_assert_ptr_null (bundle->gate);
    ck_assert_ptr_null (promised->gate_figures);
    ck_assert_ptr_null (found->gate);
    return;
  }
  ck_assert_contains (fixture->notes->str, gate_rows[_i].note);
  ck_assert_str_eq (bundle->gate->network, "b");
  ck_assert_str_eq (bundle->gate->kind, promised->gate_kind);
  ck_assert_double_lt (bundle->gate->ranges[0].low, 1);
  /* Those in the folders “none” of training and validation too. */
  ck_assert_uint_eq (promised->n_unrelated,
                     TRAIN + VALIDATION + (gate_rows[_i].unrelated ? TEST : 0));
  ck_assert_uint_gt (found->gate->correct, 0);
  ck_assert_uint_le (found->gate->correct_withheld, found->gate->correct);
}
END_TEST

static const struct {
  EnsGateRange first, others; /* of classes */
  guint false_alarms;
} alarm_rows[] = {
    {{-1, 1}, {-1, 1}, TEST}, /* nothing is withheld */
    {{2, 3}, {2, 3}, 0},      /* everything is */
    {{2, 3}, {-1, 1}, TEST},  /* one class is enough for an alarm */
};

/* At thresholds of 0 every picture of no class is an alarm, but for what the gate withholds. */
START_TEST (test_false_alarms)
{
  g_autoptr (EnsEvaluation) promised = fit_well (fixture);
  g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, fixture->device, NULL);
  EnsBundle *bundle = (EnsBundle *)ens_ensemble_get_bundle (ensemble);
  g_autoptr (EnsDataset) dataset =
      ens_dataset_load (fixture->dataset, (const char *const *)bundle->classes, NULL);
  g_autoptr (EnsEvaluation) found = NULL;
  guint n_none;

  for (guint c = 0; c < bundle->n_classes; c++) {
    bundle->gate->ranges[c] = c == 0 ? alarm_rows[_i].first : alarm_rows[_i].others;
    bundle->thresholds[c] = 0;
    if (bundle->whole_thresholds != NULL)
      bundle->whole_thresholds[c] = 0;
  }
  found =
      ens_evaluate (ensemble, dataset, ENS_SPLIT_TEST, &fixture->opener, &fixture->monitor, NULL);
  ck_assert_uint_eq (
      ens_evaluation_count_false_alarms (found, &found->rows[found->n_rows - 1], &n_none), TEST);
  ck_assert_uint_eq (n_none, TEST);
  ck_assert_uint_eq (found->gate->false_alarms, alarm_rows[_i].false_alarms);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/fit");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("methods", test_methods, method_rows);
  test_add ("test-split", test_test_split);
  test_add ("again", test_again);
  test_add ("cancelled", test_cancelled);
  test_add ("broken", test_broken);
  test_add ("diagnosis", test_diagnosis);
  test_add ("next-labels", test_next_labels);
  test_add ("same-network-twice", test_same_network_twice);
  TEST_ADD_LOOP ("roles", test_roles, roles_rows);
  test_add ("settings", test_settings);
  test_add ("errors", test_errors);
  TEST_ADD_LOOP ("gate", test_gate, gate_rows);
  TEST_ADD_LOOP ("false-alarms", test_false_alarms, alarm_rows);
  return test_run ();
}
