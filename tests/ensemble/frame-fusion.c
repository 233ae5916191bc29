/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The method's formulas hold in every result: fusion, the gate, the largest over the map. */
#include <math.h>

#include "check-main.h"
#include "classify/metrics.h"
#include "toy-bundle.h"
#include "toy.h"

#define CLASSES TOY_BUNDLE_CLASSES

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
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (2);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) result = toy_bundle_analyse (ensemble, picture, NULL);

  ck_assert_uint_gt (result->n_windows, 1);
  ck_assert_uint_le (result->n_windows, TOY_BUNDLE_WINDOWS);
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

#define L(p) ens_log_odds (p)
#define S(t) (1 / (1 + expf (-(t))))

/* Log odds: P1 and P2 from the networks' probabilities, P from P1, P2 and P3. */
START_TEST (test_log_odds)
{
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  const EnsAnalyseOptions options = {.windows = _i, .threshold = -1};
  g_autoptr (EnsResult) result = NULL;
  float p1[CLASSES], p2[CLASSES], p3[CLASSES], p[CLASSES];

  toy_bundle_write ("log odds", FALSE);
  ensemble = toy_bundle_open (2);
  result = toy_bundle_analyse (ensemble, picture, &options);
  for (guint c = 0; c < CLASSES; c++) {
    const EnsNetworkResult *networks = result->networks;

    p1[c] = S (0.5F * L (networks[1].probabilities[c]) + 0.5F * L (networks[3].probabilities[c]));
    p2[c] = S (0.75F * L (networks[0].probabilities[c]) + 0.25F * L (networks[2].probabilities[c]));
    p3[c] = result->classes[c].p3;
    ck_assert_float_eq_tol (result->classes[c].p1, p1[c], 1e-6);
    ck_assert_float_eq_tol (result->classes[c].p2, p2[c], 1e-6);
    ck_assert_float_eq (result->classes[c].threshold,
                        _i > 0 ? toy_bundle_thresholds[c] : toy_bundle_whole_thresholds[c]);
  }
  ens_fusion_run (&(EnsFusion) {ENS_FUSION_LOG_ODDS, _i > 0 ? 0.3F : 0.6F, _i > 0 ? 0.5F : 0,
                                _i > 0 ? toy_bundle_calibration : toy_bundle_whole_calibration,
                                _i > 0 ? &toy_bundle_softmax : &toy_bundle_whole_softmax},
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

  toy_bundle_write (_i ? "log odds" : "1", TRUE);
  all = toy_bundle_open (2);
  alone = ens_ensemble_open_class (toy_bundle_path, "square", device, NULL);
  ck_assert (alone != NULL && alone != all);
  whole = toy_bundle_analyse (all, picture, NULL);
  result = toy_bundle_analyse (alone, picture, NULL);
  ck_assert_float_eq_tol (result->classes[0].p1, whole->classes[1].p1, 1e-5);
  ck_assert_float_eq_tol (result->classes[0].p3, whole->classes[1].p3, 1e-5);
  ck_assert_float_eq (result->classes[0].threshold, _i ? 0.5F : toy_bundle_thresholds[1]);
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
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (2);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 100, 70);
  g_autoptr (EnsResult) plain = toy_bundle_analyse (ensemble, picture, NULL);
  g_autoptr (EnsResult) result = toy_bundle_analyse (ensemble, picture, &options_rows[_i].options);

  ck_assert_uint_eq (result->n_windows, options_rows[_i].n_windows);
  ck_assert_double_eq (result->classes[0].threshold, options_rows[_i].threshold);
  check_formulas (result, options_rows[_i].w);
  if (options_rows[_i].options.regions != NULL && result->n_windows > 0)
    ck_assert_double_eq (result->windows[0].rect.width, 0.5F);
  ck_assert_int_eq (result->networks[0].probabilities[0] == plain->networks[0].probabilities[0],
                    options_rows[_i].options.n_scales == 0);
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
  g_autoptr (EnsEnsemble) ensemble = toy_bundle_open (2);
  guint n_one = 0, n_map = 0;

  for (guint seed = 0; seed < 8; seed++) {
    g_autoptr (EnsPicture) picture = toy_picture (seed, seed % 4, 150, 120);
    g_autoptr (EnsResult) result = toy_bundle_analyse (ensemble, picture, &both);
    g_autoptr (EnsResult) one = toy_bundle_analyse (ensemble, picture, &as_one);

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

  toy_bundle_write ("gated", TRUE);
  ensemble = toy_bundle_open (2);
  result = toy_bundle_analyse (ensemble, picture, options);
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

/* What is touched in the second frame, by its pixel; x −1: nothing. */
static const struct {
  gint windows, x, y;
  gboolean all; /* sub-images are reused */
} still_rows[] = {{0, -1, 0, TRUE},
                  {-1, -1, 0, TRUE},
                  {0, 0, 0, FALSE},
                  {-1, 0, 0, FALSE},
                  {-1, 149, 119, FALSE}};

static EnsResult *
analyse_again (EnsAnalysis *analysis, const EnsPicture *picture, const EnsAnalyseOptions *options)
{
  g_autoptr (GError) error = NULL;
  EnsResult *result = ens_analysis_run (analysis, &picture->frame, 7, options, &error);

  ck_assert_no_error (error);
  return result;
}

/* Still sub-images, and their windows, keep what the gate goes by, too. */
START_TEST (test_gate_still)
{
  EnsAnalyseOptions options = {.windows = still_rows[_i].windows, .reuse = TRUE};
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, 150, 120);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsAnalysis) analysis = NULL, other = NULL;
  g_autoptr (EnsResult) first = NULL, second = NULL, fresh = NULL;

  toy_bundle_write ("gated", TRUE);
  ensemble = toy_bundle_open (2);
  analysis = ens_analysis_new (ensemble);
  other = ens_analysis_new (ensemble);
  first = analyse_again (analysis, picture, &options);
  if (still_rows[_i].x >= 0)
    ens_picture_get_pixels (
        picture, 0)[still_rows[_i].y * (gint)picture->frame.strides[0] + 3 * still_rows[_i].x] ^=
        128;
  second = analyse_again (analysis, picture, &options);
  options.reuse = FALSE;
  fresh = analyse_again (other, picture, &options);
  ck_assert_uint_gt (second->reused, 0);
  ck_assert_int_eq (second->reused == ens_probability_map_get_size (first->map),
                    still_rows[_i].all);
  for (guint c = 0; c < CLASSES; c++) {
    const EnsClassResult *kept = &second->classes[c], *anew = &fresh->classes[c];

    ck_assert_mem_eq (&kept->similarity, &anew->similarity, sizeof kept->similarity);
    ck_assert (kept->p == anew->p && kept->p3 == anew->p3);
    ck_assert_int_eq (kept->withheld, anew->withheld);
    ck_assert_int_eq (kept->present, anew->present);
  }
  ck_assert (fresh->classes[2].withheld);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/frame-fusion");
  test_fixture (toy_bundle_set_up, toy_bundle_tear_down);
  test_add ("formulas", test_formulas);
  test_add_row ("one-class", "probabilities", test_one_class, FALSE);
  test_add_row ("one-class", "log-odds", test_one_class, TRUE);
  test_add_row ("log-odds", "whole", test_log_odds, 0);
  test_add_row ("log-odds", "windows", test_log_odds, 5);
  TEST_ADD_LOOP ("options", test_options, options_rows);
  test_add ("both", test_both);
  TEST_ADD_LOOP ("gate", test_gate, gate_rows);
  TEST_ADD_LOOP ("gate-still", test_gate_still, still_rows);
  return test_run ();
}
