/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles opened and frames analysed: the method's formulas hold in every result. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "classify/metrics.h"
#include "engine/device-private.h"
#include "ensemble/bundle-private.h"
#include "graph/op.h"
#include "toy.h"
#include "train/evaluate.h"

#define CLASSES 3
#define WINDOWS 20

typedef struct {
  char *folder, *bundle;
} Fixture;

static Fixture *fixture;

static EnsBundleNetwork
make_network (const char *name, EnsRole role, float weight)
{
  static const char *const taps[] = {"relu2", "scores", NULL};
  static const guint scales[] = {32, 48}, window_sizes[] = {32};
  static const EnsCalibration own[CLASSES] = {{1, 0}, {0.5F, -0.5F}, {2, 0.25F}};
  EnsBundleNetwork network = {.name = g_strdup (name),
                              .role = role,
                              .network = g_strconcat (name, ".onnx", NULL),
                              .classifier = g_strconcat (name, "-classifier.onnx", NULL),
                              .taps = g_strdupv ((char **)taps),
                              .normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}},
                              .size = 32,
                              .n_scales = 2,
                              .weight = weight};

  network.scales = g_memdup2 (scales, sizeof scales);
  network.calibration = g_memdup2 (own, sizeof own);
  if (role == ENS_ROLE_RETRAINED) {
    network.window_classifier = g_strconcat (name, "-windows.onnx", NULL);
    network.n_window_sizes = 1;
    network.window_sizes = g_memdup2 (window_sizes, sizeof window_sizes);
    network.window_calibration = g_memdup2 (own, sizeof own);
  }
  return network;
}

static void
add_file (EnsBundleWriter *writer, const char *name, char *path)
{
  g_autofree char *owned = path;
  g_autofree char *contents = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  ck_assert (g_file_get_contents (owned, &contents, &size, NULL));
  bytes = g_bytes_new (contents, size);
  ck_assert (ens_bundle_writer_add (writer, name, bytes, NULL));
}

/* The gate's similarities are the decision values of the second network, which then alone counts
 * among the retrained ones, and classifies windows like whole images. A disc is always similar
 * enough, a triangle never, and of squares the gate says nothing. */
static void
add_gate (EnsBundle *bundle)
{
  static const EnsGateRange ranges[CLASSES] = {{-1e9F, 1e9F}, {NAN, NAN}, {1e9F, 2e9F}};

  bundle->gate = g_new0 (EnsBundleGate, 1);
  bundle->gate->network = g_strdup ("second");
  bundle->gate->file = g_strdup ("second-classifier.onnx");
  bundle->gate->kind = g_strdup ("decision");
  bundle->gate->keep = 0.95F;
  bundle->gate->ranges = g_memdup2 (ranges, sizeof ranges);
  bundle->networks[1].weight = 1;
  bundle->networks[3].weight = 0;
  g_free (bundle->networks[1].window_classifier);
  bundle->networks[1].window_classifier = g_strdup ("second-classifier.onnx");
}

static const float thresholds[CLASSES] = {0.5F, 0.25F, 0.75F};
static const float whole_thresholds[CLASSES] = {0.125F, 0.5F, 0.625F};
static const EnsCalibration calibration[CLASSES] = {{1.5F, 0.5F}, {0.75F, -0.25F}, {2, 0}};
static const EnsCalibration whole_calibration[CLASSES] = {{1, -0.5F}, {0.5F, 0.25F}, {1, 1}};
static const EnsCalibration softmax = {0.75F, -0.5F}, whole_softmax = {1.25F, 0.5F};

#define L(p) ens_log_odds (p)
#define S(t) (1 / (1 + expf (-(t))))

static void
set_log_odds (EnsBundle *bundle)
{
  bundle->fusion = ENS_FUSION_LOG_ODDS;
  bundle->exclusive = TRUE;
  bundle->softmax = softmax;
  bundle->whole_softmax = whole_softmax;
  bundle->window_share = 0.5F;
  bundle->whole_thresholds = g_memdup2 (whole_thresholds, sizeof whole_thresholds);
  bundle->calibration = g_memdup2 (calibration, sizeof calibration);
  bundle->whole_calibration = g_memdup2 (whole_calibration, sizeof whole_calibration);
}

/* Two original networks and two retrained ones. */
static void
write_bundle (const Fixture *fixture, const char *version, gboolean gated)
{
  const char *const classes[] = {"disc", "square", "triangle", NULL};
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (fixture->bundle, NULL);
  g_autoptr (EnsBundle) bundle = g_new0 (EnsBundle, 1);
  g_autoptr (GError) error = NULL;

  bundle->name = g_strdup ("toy");
  bundle->version = g_strdup (version);
  bundle->classes = g_strdupv ((char **)classes);
  bundle->n_classes = CLASSES;
  bundle->thresholds = g_memdup2 (thresholds, sizeof thresholds);
  bundle->n_networks = 4;
  bundle->networks = g_new0 (EnsBundleNetwork, 4);
  bundle->networks[0] = make_network ("first", ENS_ROLE_ORIGINAL, 0.75F);
  bundle->networks[1] = make_network ("second", ENS_ROLE_RETRAINED, 0.5F);
  bundle->networks[2] = make_network ("third", ENS_ROLE_ORIGINAL, 0.25F);
  bundle->networks[3] = make_network ("fourth", ENS_ROLE_RETRAINED, 0.5F);
  bundle->window_weight = 0.3F;
  bundle->whole_weight = 0.6F;
  bundle->windows = WINDOWS;
  bundle->windows_preset = ENS_WINDOWS_FAST;
  bundle->sub_images = (EnsSubImageSettings) {48, 0.25F, 2, 16};
  if (gated)
    add_gate (bundle);
  if (strcmp (version, "log odds") == 0)
    set_log_odds (bundle);
  for (guint n = 0; n < 4; n++) {
    g_autoptr (EnsGraph) network = toy_network (10 + n, 32, 4, n == 1);

    add_file (writer, bundle->networks[n].network,
              toy_save_network (network, fixture->folder, "network"));
    add_file (writer, bundle->networks[n].classifier,
              toy_save_classifier (20 + n, 12, CLASSES, fixture->folder, "classifier"));
    if (bundle->networks[n].window_classifier != NULL && !(gated && n == 1))
      add_file (writer, bundle->networks[n].window_classifier,
                toy_save_classifier (30 + n, 12, CLASSES, fixture->folder, "windows"));
  }
  ens_bundle_writer_commit (writer, bundle, &error);
  ck_assert_no_error (error);
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("ensemble-analyse-XXXXXX", NULL);
  fixture->bundle = g_build_filename (fixture->folder, "toy.ensemble", NULL);
  write_bundle (fixture, "1", FALSE);
}

static void
tear_down (void)
{
  ens_remove_tree (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

static EnsEnsemble *
open_bundle (const Fixture *fixture, guint n_threads)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", n_threads, NULL);
  g_autoptr (GError) error = NULL;
  EnsEnsemble *ensemble = ens_ensemble_open (fixture->bundle, device, &error);

  ck_assert_no_error (error);
  return ensemble;
}

static EnsResult *
analyse (EnsEnsemble *ensemble, const EnsPicture *picture, const EnsAnalyseOptions *options)
{
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autoptr (GError) error = NULL;
  EnsResult *result = ens_analysis_run (analysis, &picture->frame, 7, options, &error);

  ck_assert_no_error (error);
  return result;
}

/* P1, P2, P3 and P follow from the networks' and the windows' probabilities. */
static void
check_formulas (const EnsResult *result, float w)
{
  for (guint c = 0; c < CLASSES; c++) {
    const EnsClassResult *class = &result->classes[c];
    const EnsNetworkResult *networks = result->networks;
    float p1 = 0.5F * networks[1].probabilities[c] + 0.5F * networks[3].probabilities[c];
    float p2 = 0.75F * networks[0].probabilities[c] + 0.25F * networks[2].probabilities[c];
    float p3 = 0;

    for (guint i = 0; i < result->n_windows; i++)
      p3 = MAX (p3, result->window_probabilities[i * CLASSES + c]);
    ck_assert_double_eq_tol (class->p1, p1, 1e-6);
    ck_assert_double_eq_tol (class->p2, p2, 1e-6);
    ck_assert_double_eq (class->p3, p3);
    ck_assert_double_eq_tol (class->p, w * p1 + (1 - w) * MAX (p2, p3), 1e-6);
    ck_assert_int_eq (class->present, class->p >= class->threshold);
    if (result->n_windows > 0 && class->present)
      ck_assert_float_ge (
          ens_log_odds (result->window_probabilities[class->window * CLASSES + (gint)c]),
          ens_log_odds (p3) - 2.001F);
    else if (result->n_windows > 0)
      ck_assert_double_eq (result->window_probabilities[class->window * CLASSES + (gint)c], p3);
    else
      ck_assert_int_eq (class->window, -1);
  }
}

START_TEST (test_formulas)
{
  g_autoptr (EnsEnsemble) ensemble = open_bundle (fixture, 2);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) result = analyse (ensemble, picture, NULL);

  ck_assert_uint_gt (result->n_windows, 1);
  ck_assert_uint_le (result->n_windows, WINDOWS);
  ck_assert_uint_eq (result->pts, 7);
  ck_assert_uint_eq (result->width, 100);
  ck_assert_uint_eq (result->height, 70);
  ck_assert_str_eq (result->bundle, "toy");
  ck_assert_str_eq (result->networks[2].name, "third");
  ck_assert_double_eq (result->classes[1].threshold, 0.25F);
  check_formulas (result, 0.3F);
  ck_assert_int_gt (result->timings.networks, 0);
  ck_assert_int_ge (result->timings.total, result->timings.networks);
}
END_TEST

/* Log odds: P1 and P2 from the networks' probabilities, P from P1, P2 and P3. */
START_TEST (test_log_odds)
{
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  const EnsAnalyseOptions options = {.windows = _i, .threshold = -1};
  g_autoptr (EnsResult) result = NULL;
  float p1[CLASSES], p2[CLASSES], p3[CLASSES], p[CLASSES];

  write_bundle (fixture, "log odds", FALSE);
  ensemble = open_bundle (fixture, 2);
  result = analyse (ensemble, picture, &options);
  for (guint c = 0; c < CLASSES; c++) {
    const EnsNetworkResult *networks = result->networks;

    p1[c] = S (0.5F * L (networks[1].probabilities[c]) + 0.5F * L (networks[3].probabilities[c]));
    p2[c] = S (0.75F * L (networks[0].probabilities[c]) + 0.25F * L (networks[2].probabilities[c]));
    p3[c] = result->classes[c].p3;
    ck_assert_float_eq_tol (result->classes[c].p1, p1[c], 1e-6);
    ck_assert_float_eq_tol (result->classes[c].p2, p2[c], 1e-6);
    ck_assert_float_eq (result->classes[c].threshold, _i > 0 ? thresholds[c] : whole_thresholds[c]);
  }
  ens_fusion_run (&(EnsFusion) {ENS_FUSION_LOG_ODDS, _i > 0 ? 0.3F : 0.6F, _i > 0 ? 0.5F : 0,
                                _i > 0 ? calibration : whole_calibration,
                                _i > 0 ? &softmax : &whole_softmax},
                  p1, p2, _i > 0 ? p3 : NULL, CLASSES, p);
  for (guint c = 0; c < CLASSES; c++)
    ck_assert_float_eq_tol (result->classes[c].p, p[c], 1e-6);
}
END_TEST

/* One class alone: what it has beside the others, and P by its own calibration. */
START_TEST (test_one_class)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsEnsemble) all = NULL, alone = NULL;
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) whole = NULL, result = NULL;

  write_bundle (fixture, _i ? "log odds" : "1", TRUE);
  all = open_bundle (fixture, 2);
  alone = ens_ensemble_open_class (fixture->bundle, "square", device, NULL);
  ck_assert (alone != NULL && alone != all);
  whole = analyse (all, picture, NULL);
  result = analyse (alone, picture, NULL);
  ck_assert_float_eq_tol (result->classes[0].p1, whole->classes[1].p1, 1e-5);
  ck_assert_float_eq_tol (result->classes[0].p3, whole->classes[1].p3, 1e-5);
  ck_assert_float_eq (result->classes[0].threshold, _i ? 0.5F : thresholds[1]);
  if (!_i)
    ck_assert_float_eq_tol (result->classes[0].p, whole->classes[1].p, 1e-5);
}
END_TEST

static const guint scales[] = {40};
static const EnsRect regions[] = {{0, 0, 0.5F, 0.5F}, {0.25F, 0.25F, 0.5F, 0.5F}};
static const struct {
  EnsAnalyseOptions options;
  guint n_windows;
  float w, threshold;
} options_rows[] = {
    {{.windows = 0, .threshold = -1}, 0, 0.6F, 0.5F},
    {{.windows = 3, .threshold = 0.125F}, 3, 0.3F, 0.125F},
    {{.windows = -1, .threshold = -1, .regions = regions, .n_regions = 2}, 2, 0.3F, 0.5F},
    {{.windows = 1, .threshold = -1, .regions = regions, .n_regions = 2}, 1, 0.3F, 0.5F},
    {{.windows = -1, .threshold = -1, .regions = regions, .n_regions = 0}, 0, 0.6F, 0.5F},
    {{.windows = 2, .threshold = 0, .scales = scales, .n_scales = 1}, 2, 0.3F, 0},
};

START_TEST (test_options)
{
  g_autoptr (EnsEnsemble) ensemble = open_bundle (fixture, 2);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) plain = analyse (ensemble, picture, NULL);
  g_autoptr (EnsResult) result = analyse (ensemble, picture, &options_rows[_i].options);

  ck_assert_uint_eq (result->n_windows, options_rows[_i].n_windows);
  ck_assert_double_eq (result->classes[0].threshold, options_rows[_i].threshold);
  check_formulas (result, options_rows[_i].w);
  if (options_rows[_i].options.regions != NULL && result->n_windows > 0)
    ck_assert_double_eq (result->windows[0].rect.width, 0.5F);
  ck_assert_int_eq (result->networks[0].probabilities[0] == plain->networks[0].probabilities[0],
                    options_rows[_i].options.n_scales == 0);
}
END_TEST

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
  g_autoptr (EnsEnsemble) one = open_bundle (fixture, 1);
  g_autoptr (EnsResult) alone = analyse (one, picture, NULL);
  g_autoptr (EnsAnalysis) analysis = NULL;

  g_clear_pointer (&one, ens_ensemble_unref);
  one = open_bundle (fixture, 3);
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
    g_autoptr (EnsResult) result = analyse (thread->ensemble, thread->picture, NULL);

    check_same (thread->expected, result);
  }
  return NULL;
}

START_TEST (test_threads)
{
  g_autoptr (EnsEnsemble) ensemble = open_bundle (fixture, 2);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) expected = analyse (ensemble, picture, NULL);
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
  g_autoptr (EnsEnsemble) first = open_bundle (fixture, 1);
  g_autoptr (EnsEnsemble) second = open_bundle (fixture, 1);
  g_autoptr (EnsEnsemble) third = NULL;
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (second);

  ck_assert (first == second);
  write_bundle (fixture, "2", FALSE);
  third = open_bundle (fixture, 1);
  ck_assert (third != first);
  ck_assert_str_eq (ens_ensemble_get_bundle (third)->version, "2");
  ck_assert_str_eq (ens_ensemble_get_bundle (first)->version, "1");
  g_clear_pointer (&first, ens_ensemble_unref);
  g_clear_pointer (&second, ens_ensemble_unref);
  g_clear_pointer (&analysis, ens_analysis_free); /* held the last reference */
  g_clear_pointer (&third, ens_ensemble_unref);
  first = open_bundle (fixture, 1);
  ck_assert_str_eq (ens_ensemble_get_bundle (first)->version, "2");
}
END_TEST

static float
get_largest (const EnsProbabilityMap *map, guint class)
{
  float largest = 0;

  for (guint s = 0; s < ens_probability_map_get_size (map); s++)
    largest = MAX (largest, map->probabilities[s * CLASSES + class]);
  return largest;
}

/* Judged both ways, a class has the larger P, and all else that goes with it. */
START_TEST (test_both)
{
  static const EnsAnalyseOptions both = {
      .windows = 39, .threshold = -1, .sub_images = ENS_SUB_IMAGES_BOTH};
  /* A share of the windows: there are 4 × 3 sub-images, and the frame. */
  static const EnsAnalyseOptions as_one = {
      .windows = 3, .threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF};
  g_autoptr (EnsEnsemble) ensemble = open_bundle (fixture, 2);
  guint n_one = 0, n_map = 0;

  for (guint seed = 0; seed < 8; seed++) {
    g_autoptr (EnsPicture) picture = toy_picture (seed, seed % 4, 150, 120);
    g_autoptr (EnsResult) result = analyse (ensemble, picture, &both);
    g_autoptr (EnsResult) one = analyse (ensemble, picture, &as_one);

    for (guint c = 0; c < CLASSES; c++) {
      const EnsClassResult *class = &result->classes[c];
      float largest = get_largest (result->map, c);

      ck_assert_double_eq_tol (class->p, MAX (largest, one->classes[c].p), 1e-6);
      if (class->sub_image >= 0) {
        n_map++;
        ck_assert_double_eq (class->p, largest);
      } else {
        n_one++;
        ck_assert_double_gt (class->p, largest);
        ck_assert_double_eq_tol (class->p2, one->classes[c].p2, 1e-6);
        ck_assert_double_eq_tol (class->p3, one->classes[c].p3, 1e-6);
        ck_assert_double_eq_tol (result->networks[3].probabilities[c],
                                 one->networks[3].probabilities[c], 1e-6);
      }
    }
  }
  ck_assert_uint_gt (n_one, 0);
  ck_assert_uint_gt (n_map, 0);
}
END_TEST

static const struct {
  EnsAnalyseOptions options;
  guint n_by_windows; /* classes at least whose similarity is that of a window */
} gate_rows[] = {
    {{.windows = 0}, 0},
    {{.windows = -1}, 1},
    {{.windows = -1, .sub_images = ENS_SUB_IMAGES_BOTH}, 0},
    {{.windows = -1, .sub_images = ENS_SUB_IMAGES_BOTH, .no_gate = TRUE}, 0},
    {{.windows = -1, .threshold = 1}, 0},
};

/* The second network's probability, by its similarity. */
static double
calibrate (guint class, double similarity)
{
  static const EnsCalibration calibration[CLASSES] = {{1, 0}, {0.5F, -0.5F}, {2, 0.25F}};

  return ens_calibration_apply (&calibration[class], (float)similarity);
}

/* Of a window if that counted and is more similar, else of the whole. Returns whether it is the
 * window's. */
static gboolean
check_similarity (const EnsResult *result, guint c)
{
  const EnsClassResult *class = &result->classes[c];
  double whole = result->networks[1].probabilities[c];
  double window = class->window >= 0 && class->p3 > class->p2
                      ? result->window_probabilities[(guint) class->window * CLASSES + c]
                      : 0;

  ck_assert_double_eq_tol (calibrate (c, class->similarity), MAX (whole, window), 1e-5);
  return window > whole;
}

START_TEST (test_gate)
{
  const EnsAnalyseOptions *options = &gate_rows[_i].options;
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 150, 120);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsResult) result = NULL;
  const EnsClassResult *classes;
  gboolean over = options->threshold == 0;
  guint n_by_windows;

  write_bundle (fixture, "gated", TRUE);
  ensemble = open_bundle (fixture, 2);
  result = analyse (ensemble, picture, options);
  classes = result->classes;
  n_by_windows = check_similarity (result, 0) + check_similarity (result, 2);
  ck_assert_uint_ge (n_by_windows, gate_rows[_i].n_by_windows);
  ck_assert_double_eq (classes[0].range_high, 1e9F);
  ck_assert_int_eq (classes[0].present, over);
  ck_assert (!classes[0].withheld);
  ck_assert (isnan (classes[1].similarity) && isnan (classes[1].range_low));
  ck_assert_int_eq (classes[1].present, over);
  ck_assert_int_eq (classes[2].withheld, over && !options->no_gate);
  ck_assert_int_eq (classes[2].present, over && options->no_gate);
  ck_assert_double_gt (classes[2].p, 0);
}
END_TEST

/* The rows of an evaluation are those of analysing every image with windows, and without. */
START_TEST (test_evaluate)
{
  static const EnsAnalyseOptions no_windows = {.windows = 0, .threshold = -1};
  g_autofree char *folder = g_build_filename (fixture->folder, "shapes", NULL);
  g_autoptr (EnsEnsemble) ensemble = open_bundle (fixture, 2);
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
      g_autoptr (EnsResult) result = analyse (ensemble, picture, k == 0 ? &no_windows : NULL);

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
  g_autofree char *classifier = g_build_filename (fixture->bundle, "third-classifier.onnx", NULL);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_ensemble_open ("/nowhere/x.ensemble", device, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "/nowhere/x.ensemble: expected a bundle");
  g_clear_error (&error);
  ck_assert (g_file_set_contents (classifier, "no network", -1, NULL));
  ensemble = ens_ensemble_open (fixture->bundle, device, &error);
  ck_assert_ptr_null (ensemble);
  ck_assert_contains (error->message, "third-classifier.onnx");
}
END_TEST

START_TEST (test_bad_frame)
{
  g_autoptr (EnsEnsemble) ensemble = open_bundle (fixture, 1);
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
  g_autoptr (EnsEnsemble) on_cpu = open_bundle (fixture, 2), on_gpu = NULL;
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 300, 210);
  g_autoptr (EnsPicture) earlier = toy_picture (5, 2, 300, 210);
  g_autoptr (EnsAnalysis) analysis = NULL;
  g_autoptr (EnsResult) expected = analyse (on_cpu, picture, NULL), first = NULL, second = NULL;
  g_autoptr (EnsResult) other = NULL;
  Traffic before, after;

  if (device == NULL) {
    test_skip (error->message);
    return;
  }
  on_gpu = ens_ensemble_open (fixture->bundle, device, &error);
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
  test_fixture (set_up, tear_down);
  test_add ("formulas", test_formulas);
  test_add_row ("one-class", "probabilities", test_one_class, FALSE);
  test_add_row ("one-class", "log-odds", test_one_class, TRUE);
  test_add_row ("log-odds", "whole", test_log_odds, 0);
  test_add_row ("log-odds", "windows", test_log_odds, 5);
  TEST_ADD_LOOP ("options", test_options, options_rows);
  test_add ("same-bits", test_same_bits);
  test_add ("threads", test_threads);
  test_add ("sharing", test_sharing);
  test_add ("both", test_both);
  TEST_ADD_LOOP ("gate", test_gate, gate_rows);
  test_add ("evaluate", test_evaluate);
  test_add ("errors", test_errors);
  test_add ("bad-frame", test_bad_frame);
  test_add ("vulkan", test_vulkan);
  return test_run ();
}
