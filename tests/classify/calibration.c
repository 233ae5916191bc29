#include "classify/calibration.h"

#include <math.h>

static const float decisions[] = {-2,  -1.5F, -1.2F, -1,   -.6F, -.4F, -.1F, .2F,
                                  .3F, .7F,   .9F,   1.4F, 2.1F, -.2F, .5F};
static const guint8 labels[] = {0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1};

/* (a, b) found with NumPy by Newton's method on the same targets. */
static void
test_reference (void)
{
  EnsLabels truth = {15, 1, labels};
  EnsCalibration calibration;

  g_assert_true (ens_calibration_fit (&truth, decisions, 0, &calibration));
  g_assert_cmpfloat_with_epsilon (calibration.a, 1.19783, 2e-5);
  g_assert_cmpfloat_with_epsilon (calibration.b, -0.43592, 2e-5);
}

/* Of examples of which nobody knows whether they have the class nothing is learnt. */
static void
test_unknown (void)
{
  float more[18] = {9, -9};
  guint8 more_labels[18] = {ENS_LABEL_UNKNOWN, ENS_LABEL_UNKNOWN};
  EnsLabels truth = {18, 1, more_labels};
  EnsCalibration calibration;

  for (guint i = 0; i < 15; i++) {
    more[i + 2] = decisions[i];
    more_labels[i + 2] = labels[i];
  }
  more_labels[17] = ENS_LABEL_UNKNOWN;
  g_assert_true (ens_calibration_fit (&truth, more, 0, &calibration));
  g_assert_cmpfloat_with_epsilon (calibration.a, 1.19783, 2e-5);
  g_assert_cmpfloat_with_epsilon (calibration.b, -0.43592, 2e-5);
}

/* The map does not depend on the decision values' scale, even far from 1, nor on other classes. */
static void
test_scale (void)
{
  static const double scales[] = {1e-3, 1, 50, 1e3};

  for (guint s = 0; s < G_N_ELEMENTS (scales); s++) {
    float scaled[30] = {0};
    guint8 both[30] = {0};
    EnsLabels truth = {15, 2, both};
    EnsCalibration calibration;

    for (guint i = 0; i < 15; i++) {
      scaled[2 * i + 1] = (float)(decisions[i] * scales[s]);
      both[2 * i + 1] = labels[i];
    }
    g_assert_true (ens_calibration_fit (&truth, scaled, 1, &calibration));
    g_assert_cmpfloat_with_epsilon (calibration.a * scales[s], 1.19783, 2e-3);
    g_assert_cmpfloat_with_epsilon (calibration.b, -0.43592, 2e-3);
  }
}

/* Perfectly separated examples give a finite, steep map: Platt's targets are not 0 and 1. */
static void
test_separable (void)
{
  static const float separate[] = {-2, -1, -1.5F, 1, 2, 3};
  static const guint8 sides[] = {0, 0, 0, 1, 1, 1};
  EnsLabels truth = {6, 1, sides};
  EnsCalibration calibration;

  g_assert_true (ens_calibration_fit (&truth, separate, 0, &calibration));
  g_assert_cmpfloat (calibration.a, >, 0.5);
  g_assert_cmpfloat (calibration.a, <, 10);
  g_assert_cmpfloat (ens_calibration_apply (&calibration, 3), >, 0.75);
  g_assert_cmpfloat (ens_calibration_apply (&calibration, -2), <, 0.25);
}

static void
test_no_increasing_map (void)
{
  static const float values[] = {3, 2, 1, 0, -1, -2};
  static const guint8 rows[][6] = {
      {0, 0, 0, 1, 1, 1}, /* falls */
      {1, 1, 1, 1, 1, 1},
      {0, 0, 0, 0, 0, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsLabels truth = {6, 1, rows[i]};
    EnsCalibration calibration = {0, 0};

    g_assert_false (ens_calibration_fit (&truth, values, 0, &calibration));
    g_assert_true (calibration.a == 1 && calibration.b == 0);
  }
}

static void
test_apply (void)
{
  static const struct {
    EnsCalibration calibration;
    float decision, expected;
  } rows[] = {
      {{1, 0}, 0, .5F},
      {{2, -1}, 1.5F, .88079708F},
      {{1, 0}, 1e30F, 1},
      {{1, 0}, -1e30F, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpfloat_with_epsilon (ens_calibration_apply (&rows[i].calibration, rows[i].decision),
                                    rows[i].expected, 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/classify/calibration/reference", test_reference);
  g_test_add_func ("/classify/calibration/unknown", test_unknown);
  g_test_add_func ("/classify/calibration/scale", test_scale);
  g_test_add_func ("/classify/calibration/separable", test_separable);
  g_test_add_func ("/classify/calibration/no-increasing-map", test_no_increasing_map);
  g_test_add_func ("/classify/calibration/apply", test_apply);
  return g_test_run ();
}
