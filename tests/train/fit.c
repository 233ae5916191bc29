/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From drawn pictures to a bundle, and from the bundle to figures. */
#include "fit-fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "classify/metrics.h"
#include "ensemble/bundle-private.h"
#include "onnx/onnx.h"
#include "train/fit-features.h"
#include "train/heads.h"
#include "train/recipe.h"

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
  gboolean plain_sigmoid, flip;
  EnsFusionKind fusion;
} MethodRow;

static const MethodRow method_rows[] = {
    {"standard", ENS_FIT_STANDARD, FALSE, FALSE, ENS_FUSION_LOG_ODDS},
    {"flip", ENS_FIT_STANDARD, FALSE, TRUE, ENS_FUSION_LOG_ODDS},
    {"document", ENS_FIT_DOCUMENT, FALSE, FALSE, ENS_FUSION_PROBABILITIES},
    {"document-plain", ENS_FIT_DOCUMENT, TRUE, FALSE, ENS_FUSION_PROBABILITIES},
};

/* What fitting promises is cross-fitted; the bundle, fitted to these images, does no worse. */
START_TEST (test_methods)
{
  const MethodRow *row = &method_rows[_i];
  g_autoptr (EnsEvaluation) promised = NULL, found = NULL;
  g_autoptr (EnsBundle) bundle = NULL;

  fixture->params.method = row->method;
  fixture->params.plain_sigmoid = row->plain_sigmoid;
  fixture->fit_networks[1].flip = row->flip;
  promised = fit_well ();
  found = fit_evaluate (ENS_SPLIT_VALIDATION);
  bundle = ens_bundle_load (fixture->bundle, NULL);
  ck_assert_int_eq (bundle->fusion, row->fusion);
  ck_assert (!bundle->networks[0].flip && bundle->networks[1].flip == row->flip);
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
  promised = fit_well ();
  found = fit_evaluate (ENS_SPLIT_TEST);
  json = ens_evaluation_to_json (found);
  ck_assert_uint_eq (found->n_images, TEST * CLASSES);
  check_kept (found);
  ck_assert_double_gt (found->rows[3].mean_average_precision, 0.5);
  ck_assert_contains (json, "\"schema\": \"gst-ensemble/evaluation/1\"");
  ck_assert_contains (json, "\"split\": \"test\"");
}
END_TEST

static GBytes *
read_bundle (void)
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
 * settings of the classifiers need none either, but features of mirror images do. */
START_TEST (test_again)
{
  g_autoptr (EnsEvaluation) first = fit_well ();
  g_autoptr (GBytes) before = read_bundle ();
  g_autoptr (GBytes) after = NULL;
  g_autoptr (EnsEvaluation) second = NULL;
  g_autoptr (EnsEvaluation) third = NULL;
  g_autoptr (EnsEvaluation) flipped = NULL;

  ck_assert_uint_eq (fixture->n_opened, (TRAIN + VALIDATION + TEST) * CLASSES);
  ens_device_unref (fixture->device);
  fixture->device = ens_device_open ("cpu", 1, NULL);
  second = fit_well ();
  ck_assert_uint_eq (fixture->n_opened, 0);
  after = read_bundle ();
  ck_assert (g_bytes_equal (before, after));
  fixture->params.head = "svm,c=0.1";
  third = fit_well ();
  ck_assert_uint_eq (fixture->n_opened, 0);
  fixture->fit_networks[0].flip = TRUE;
  flipped = fit_well ();
  ck_assert_uint_eq (fixture->n_opened, (TRAIN + VALIDATION) * CLASSES);
}
END_TEST

/* Cancelled in the middle it goes on where it was, and the features are the same. */
START_TEST (test_cancelled)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsEvaluation) whole = fit_well ();
  g_autoptr (GBytes) expected = read_bundle ();
  g_autoptr (GBytes) found = NULL;
  g_autoptr (EnsEvaluation) resumed = NULL;

  ens_remove_tree (fixture->cache);
  fixture->cancel_after = 9;
  ck_assert_ptr_null (fit_run (&error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  ck_assert_uint_eq (fixture->n_opened, 9);
  fixture->cancel_after = 0;
  g_cancellable_reset (fixture->cancellable);
  resumed = fit_well ();
  ck_assert_uint_eq (fixture->n_opened, (TRAIN + VALIDATION + TEST) * CLASSES - 9);
  found = read_bundle ();
  ck_assert (g_bytes_equal (expected, found));
}
END_TEST

static void
break_image (const char *name)
{
  g_autofree char *path = g_build_filename (fixture->dataset, name, NULL);

  ck_assert (g_file_set_contents (path, "not a picture", -1, NULL));
}

START_TEST (test_broken)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;
  g_autoptr (GError) error = NULL;

  break_image ("train/disc/003.ppm");
  break_image ("validation/none/001.ppm");
  evaluation = fit_well ();
  ck_assert_uint_eq (evaluation->n_skipped, 1);
  ck_assert_uint_eq (evaluation->n_images, VALIDATION * CLASSES - 1);
  ck_assert_contains (fixture->notes->str, "train/disc/003.ppm: expected a PPM picture");
  break_image ("validation/disc/001.ppm");
  break_image ("validation/disc/002.ppm");
  ck_assert_ptr_null (fit_run (&error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "3 of the 24 validation images can't be read");
}
END_TEST

/* One network in both roles: its features are computed once. */
START_TEST (test_same_network_twice)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;

  fixture->fit_networks[0].path = fixture->fit_networks[1].path;
  evaluation = fit_well ();
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
  promised = fit_well ();
  ck_assert_uint_eq (promised->n_rows, roles_rows[_i].n_rows);
  found = fit_evaluate (ENS_SPLIT_VALIDATION);
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
  fixture->params.gate = "keep=0.75,loss-high=0.5";
  fixture->fit_networks[1].name = "plain/name";
  fixture->fit_networks[1].taps = taps;
  fixture->fit_networks[1].scales = scales;
  fixture->fit_networks[1].n_scales = 2;
  fixture->fit_networks[1].window_sizes = window_sizes;
  fixture->fit_networks[1].n_window_sizes = 1;
  evaluation = fit_well ();
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
  ck_assert_contains (bundle->provenance, "\"gate_options\":{\"asked_for\":null,\"keep\":0.75,");
  ck_assert_contains (bundle->provenance, "\"loss-high\":0.5,\"width\":0}");
}
END_TEST

/* The second network's file says on which data set it was trained. */
static EnsBundle *
fit_learnt (const char *dataset)
{
  const EnsOnnxProperty property = {ENS_RECIPE_DATASET, dataset};
  g_autoptr (EnsGraph) network = toy_network (41, 32, 6, FALSE);
  g_autoptr (EnsEvaluation) evaluation = NULL;

  ck_assert (ens_onnx_export_described (network, &property, 1, fixture->networks[1], NULL));
  evaluation = fit_well ();
  return ens_bundle_load (fixture->bundle, NULL);
}

/* What has learnt the training images is calibrated and weighed by others. */
START_TEST (test_learnt)
{
  g_autoptr (EnsBundle) other = fit_learnt ("others");
  g_autoptr (EnsBundle) same = NULL;

  ck_assert_ptr_null (strstr (fixture->notes->str, "was trained on"));
  same = fit_learnt ("shapes");
  ck_assert_contains (fixture->notes->str, "b.onnx was trained on the training images of shapes");
  ck_assert_ptr_null (strstr (fixture->notes->str, "a.onnx was trained on"));
  ck_assert_mem_eq (&same->networks[0].calibration[0], &other->networks[0].calibration[0],
                    sizeof (EnsCalibration));
  ck_assert_double_ne (same->networks[1].calibration[0].a, other->networks[1].calibration[0].a);
  ck_assert_double_ne (same->whole_calibration[0].a, other->whole_calibration[0].a);
}
END_TEST

START_TEST (test_errors)
{
  g_autoptr (EnsEvaluation) evaluation = fit_well ();
  g_autofree char *lonely = g_build_filename (fixture->folder, "lonely", NULL);
  g_autofree char *image = g_build_filename (lonely, "train", "disc", "1.ppm", NULL);
  g_autoptr (EnsBundle) bundle = NULL;
  g_autoptr (GError) error = NULL;

  fixture->fit_networks[1].path = "/nowhere/b.onnx";
  ck_assert_ptr_null (fit_run (&error));
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
  ck_assert_ptr_null (fit_run (&error));
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
  promised = fit_well ();
  found = fit_evaluate (ENS_SPLIT_TEST);
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

/* A network with labels of the classes, such as a retrained one, begins with its own weights. */
START_TEST (test_own_rows)
{
  g_autofree char *beside = g_build_filename (fixture->folder, "b.json", NULL);
  g_autoptr (EnsEvaluation) promised = NULL;

  ck_assert (g_file_set_contents (
      beside, "{\"labels\": [\"Square\", \"x\", \"disc\", \"y\", \"z\", \"t\"]}", -1, NULL));
  promised = fit_well ();
  ck_assert_contains (fixture->notes->str,
                      "gate: the label layer begins with “b”'s own weights of 2 of 3 classes");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/fit");
  test_fixture (fit_set_up, fit_tear_down);
  TEST_ADD_ROWS ("methods", test_methods, method_rows);
  test_add ("test-split", test_test_split);
  test_add ("again", test_again);
  test_add ("cancelled", test_cancelled);
  test_add ("broken", test_broken);
  test_add ("same-network-twice", test_same_network_twice);
  TEST_ADD_LOOP ("roles", test_roles, roles_rows);
  test_add ("settings", test_settings);
  test_add ("learnt", test_learnt);
  test_add ("errors", test_errors);
  TEST_ADD_LOOP ("gate", test_gate, gate_rows);
  test_add ("own-rows", test_own_rows);
  return test_run ();
}
