/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles opened and frames analysed: the same on every thread, device and run; errors. */
#include "check-main.h"
#include "classify/metrics.h"
#include "engine/device-private.h"
#include "support/folder.h"
#include "toy-bundle.h"
#include "toy.h"
#include "train/evaluate.h"

#define CLASSES TOY_BUNDLE_CLASSES

static void
check_same (const EnsResult *a, const EnsResult *b)
{
  ck_assert_uint_eq (a->n_windows, b->n_windows);
  ck_assert_bytes_eq (a->windows, a->n_windows * sizeof *a->windows, b->windows,
                      b->n_windows * sizeof *b->windows);
  ck_assert_bytes_eq (a->window_probabilities, a->n_windows * CLASSES * sizeof (float),
                      b->window_probabilities, b->n_windows * CLASSES * sizeof (float));
  for (guint c = 0; c < CLASSES; c++)
    ck_assert_double_eq (a->classes[c].p, b->classes[c].p);
}

/* One thread or three, the first time or again, other frames between: the same bits. */
START_TEST (test_same_bits)
{
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsPicture) other = toy_picture (5, 2, 64, 64);
  g_autoptr (EnsEnsemble) one = toy_bundle_open (1);
  g_autoptr (EnsResult) alone = toy_bundle_analyse (one, picture, NULL);
  g_autoptr (EnsAnalysis) analysis = NULL;

  g_clear_pointer (&one, ens_ensemble_unref);
  one = toy_bundle_open (3);
  analysis = ens_analysis_new (one);
  for (guint i = 0; i < 4; i++) {
    g_autoptr (EnsResult) result =
        ens_analysis_run (analysis, i % 2 == 0 ? &picture->frame : &other->frame, 7, NULL, NULL);

    if (i % 2 == 0)
      check_same (alone, result);
  }
}
END_TEST

typedef struct {
  EnsEnsemble *ensemble;
  const EnsPicture *picture;
  const EnsResult *expected;
} Thread;

static gpointer
analyse_often (gpointer data)
{
  const Thread *thread = data;

  for (guint i = 0; i < 5; i++) {
    g_autoptr (EnsResult) result = toy_bundle_analyse (thread->ensemble, thread->picture, NULL);

    check_same (thread->expected, result);
  }
  return NULL;
}

START_TEST (test_threads)
{
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (2);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) expected = toy_bundle_analyse (ensemble, picture, NULL);
  Thread thread = {ensemble, picture, expected};
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, analyse_often, &thread);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}
END_TEST

/* A bundle in use is loaded once; a bundle that was replaced is loaded again. */
START_TEST (test_sharing)
{
  g_autoptr (EnsEnsemble) first = toy_bundle_open (1);
  g_autoptr (EnsEnsemble) second = toy_bundle_open (1);
  g_autoptr (EnsEnsemble) third = NULL;
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (second);

  ck_assert (first == second);
  toy_bundle_write ("2", FALSE);
  third = toy_bundle_open (1);
  ck_assert (third != first);
  ck_assert_str_eq (ens_ensemble_get_bundle (third)->version, "2");
  ck_assert_str_eq (ens_ensemble_get_bundle (first)->version, "1");
  g_clear_pointer (&first, ens_ensemble_unref);
  g_clear_pointer (&second, ens_ensemble_unref);
  g_clear_pointer (&analysis, ens_analysis_free); /* held the last reference */
  g_clear_pointer (&third, ens_ensemble_unref);
  first = toy_bundle_open (1);
  ck_assert_str_eq (ens_ensemble_get_bundle (first)->version, "2");
}
END_TEST

/* The rows of an evaluation are those of analysing every image with windows, and without. */
START_TEST (test_evaluate)
{
  static const EnsAnalyseOptions no_windows = {.windows = 0, .threshold = -1};
  g_autofree char *folder = g_build_filename (test_folder, "shapes", NULL);
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (2);
  const EnsBundle *bundle = ens_ensemble_get_bundle (ensemble);
  g_autoptr (EnsEvaluation) evaluation = NULL;
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GArray) labels = g_array_new (FALSE, FALSE, 1);
  g_autoptr (GError) error = NULL;
  GArray *scores[2];
  guint n_opened;
  EnsFrameOpener opener = toy_opener (&n_opened);

  toy_dataset (folder, 0, 0, 5);
  dataset = ens_dataset_load (folder, (const char *const *)bundle->classes, &error);
  ck_assert_no_error (error);
  evaluation = ens_evaluate (ensemble, dataset, ENS_SPLIT_TEST, NULL, &opener, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (evaluation->n_rows, 6);
  for (guint k = 0; k < 2; k++)
    scores[k] = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < dataset->samples[ENS_SPLIT_TEST]->len; i++) {
    const EnsDatasetItem *sample = dataset->samples[ENS_SPLIT_TEST]->pdata[i];
    g_autoptr (EnsPicture) picture = ens_frame_opener_read (&opener, sample->path, NULL);

    g_array_append_vals (labels, sample->labels, CLASSES);
    for (guint k = 0; k < 2; k++) {
      g_autoptr (EnsResult) result =
          toy_bundle_analyse (ensemble, picture, k == 0 ? &no_windows : NULL);

      for (guint c = 0; c < CLASSES; c++)
        g_array_append_val (scores[k], result->classes[c].p);
    }
  }
  for (guint k = 0; k < 2; k++) {
    EnsLabels truth = {evaluation->n_images, CLASSES, (const guint8 *)labels->data};
    const EnsEvaluationRow *row = &evaluation->rows[4 + k];
    const float *values = (const float *)scores[k]->data;

    ck_assert_pstr_eq (row->name,
                       k == 0 ? ENS_EVALUATION_WITHOUT_WINDOWS : ENS_EVALUATION_WITH_WINDOWS);
    ck_assert_double_eq (row->mean_average_precision, ens_mean_average_precision (&truth, values));
    ck_assert_double_eq (row->accuracy, ens_accuracy (&truth, values, NULL));
  }
  ck_assert_double_ne (evaluation->rows[4].mean_average_precision,
                       evaluation->rows[5].mean_average_precision);
  g_array_unref (scores[0]);
  g_array_unref (scores[1]);
}
END_TEST

START_TEST (test_errors)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autofree char *classifier = g_build_filename (toy_bundle_path, "third-classifier.onnx", NULL);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_ensemble_open ("/nowhere/x.ensemble", device, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "/nowhere/x.ensemble: expected a bundle");
  g_clear_error (&error);
  ck_assert (g_file_set_contents (classifier, "no network", -1, NULL));
  ensemble = ens_ensemble_open (toy_bundle_path, device, &error);
  ck_assert_ptr_null (ensemble);
  ck_assert_contains (error->message, "third-classifier.onnx");
}
END_TEST

START_TEST (test_bad_frame)
{
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (1);
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autoptr (GError) error = NULL;
  EnsFrame frame = {.pixels = ENS_PIXELS_RGB, .width = 10, .height = 10};

  ck_assert_ptr_null (ens_analysis_run (analysis, &frame, 0, NULL, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
}
END_TEST

/* What has gone to a GPU and come from there. */
typedef struct {
  guint n_submits;
  gsize n_uploaded, n_read_back; /* bytes */
} Traffic;

static Traffic
measure_traffic (EnsEnsemble *ensemble)
{
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (ens_ensemble_get_device (ensemble));
  EnsVulkanCounters counters;

  counters = ens_vulkan_device_get_counters (vulkan);
  return (Traffic) {counters.n_submits, counters.uploaded, counters.read_back};
}

/* One submission; the frame once, and what says how it is sampled, which is less than a frame here;
 * and of every image and window a probability for each class. */
static void
check_traffic (const Traffic *before, const Traffic *after, const EnsPicture *picture,
               const EnsResult *result)
{
  const gsize frame = (gsize)picture->frame.width * picture->frame.height * 3;
  const gsize n_sub_images =
      result->map != NULL ? (gsize)result->map->columns * result->map->rows + 1 : 1;
  const gsize n_images = result->n_networks * (n_sub_images + result->n_windows);

  ck_assert_uint_eq (after->n_submits - before->n_submits, 1);
  test_message ("%" G_GSIZE_FORMAT " bytes up, %" G_GSIZE_FORMAT " down",
                after->n_uploaded - before->n_uploaded, after->n_read_back - before->n_read_back);
  ck_assert_uint_gt (after->n_uploaded - before->n_uploaded, frame);
  ck_assert_uint_lt (after->n_uploaded - before->n_uploaded, 2 * frame);
  ck_assert_uint_le (after->n_read_back - before->n_read_back, n_images * CLASSES * sizeof (float));
}

/* A GPU finds what the CPU finds, and gets all of a frame, windows too, in one submission. */
START_TEST (test_vulkan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open ("vulkan", 2, &error);
  g_autoptr (EnsEnsemble) on_cpu = toy_bundle_open (2), on_gpu = NULL;
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 300, 210);
  g_autoptr (EnsPicture) earlier = toy_picture (5, 2, 300, 210);
  g_autoptr (EnsAnalysis) analysis = NULL;
  g_autoptr (EnsResult) expected = toy_bundle_analyse (on_cpu, picture, NULL), first = NULL,
                        second = NULL;
  g_autoptr (EnsResult) other = NULL;
  Traffic before, after;

  if (device == NULL) {
    test_skip (error->message);
    return;
  }
  on_gpu = ens_ensemble_open (toy_bundle_path, device, &error);
  ck_assert_no_error (error);
  analysis = ens_analysis_new (on_gpu);
  other = ens_analysis_run (analysis, &earlier->frame, 0, NULL, NULL);
  first = ens_analysis_run (analysis, &picture->frame, 0, NULL, NULL);
  before = measure_traffic (on_gpu);
  second = ens_analysis_run (analysis, &picture->frame, 0, NULL, NULL);
  after = measure_traffic (on_gpu);
  check_traffic (&before, &after, picture, second);
  ck_assert_uint_gt (expected->n_windows, 0);
  for (guint c = 0; c < CLASSES; c++) {
    ck_assert_double_eq_tol (second->classes[c].p, expected->classes[c].p, 1e-3);
    ck_assert_double_eq_tol (second->classes[c].p3, expected->classes[c].p3, 1e-3);
    ck_assert_double_eq (second->classes[c].p, first->classes[c].p);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/analyse");
  test_fixture (toy_bundle_set_up, toy_bundle_tear_down);
  test_add ("same-bits", test_same_bits);
  test_add ("threads", test_threads);
  test_add ("sharing", test_sharing);
  test_add ("evaluate", test_evaluate);
  test_add ("errors", test_errors);
  test_add ("bad-frame", test_bad_frame);
  test_add ("vulkan", test_vulkan);
  return test_run ();
}
