#include "classify/calibration.h"

#include <math.h>

#include "check-main.h"

static const float decisions[] = {-2,  -1.5F, -1.2F, -1,   -.6F, -.4F, -.1F, .2F,
                                  .3F, .7F,   .9F,   1.4F, 2.1F, -.2F, .5F};
static const guint8 labels[] = {0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1};

/* (a, b) found with NumPy by Newton's method on the same targets. */
START_TEST (test_reference)
{
  EnsLabels truth = {15, 1, labels};
  EnsCalibration calibration;

  ck_assert (ens_calibration_fit (&truth, decisions, 0, &calibration));
  ck_assert_double_eq_tol (calibration.a, 1.19783, 2e-5);
  ck_assert_double_eq_tol (calibration.b, -0.43592, 2e-5);
}
END_TEST

/* Of examples of which nobody knows whether they have the class nothing is learnt. */
START_TEST (test_unknown)
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
  ck_assert (ens_calibration_fit (&truth, more, 0, &calibration));
  ck_assert_double_eq_tol (calibration.a, 1.19783, 2e-5);
  ck_assert_double_eq_tol (calibration.b, -0.43592, 2e-5);
}
END_TEST

/* The map does not depend on the decision values' scale, even far from 1, nor on other classes. */
START_TEST (test_scale)
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
    ck_assert (ens_calibration_fit (&truth, scaled, 1, &calibration));
    ck_assert_double_eq_tol (calibration.a * scales[s], 1.19783, 2e-3);
    ck_assert_double_eq_tol (calibration.b, -0.43592, 2e-3);
  }
}
END_TEST

/* Perfectly separated examples give a finite, steep map: Platt's targets are not 0 and 1. */
START_TEST (test_separable)
{
  static const float separate[] = {-2, -1, -1.5F, 1, 2, 3};
  static const guint8 sides[] = {0, 0, 0, 1, 1, 1};
  EnsLabels truth = {6, 1, sides};
  EnsCalibration calibration;

  ck_assert (ens_calibration_fit (&truth, separate, 0, &calibration));
  ck_assert_double_gt (calibration.a, 0.5);
  ck_assert_double_lt (calibration.a, 10);
  ck_assert_double_gt (ens_calibration_apply (&calibration, 3), 0.75);
  ck_assert_double_lt (ens_calibration_apply (&calibration, -2), 0.25);
}
END_TEST

START_TEST (test_no_increasing_map)
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

    ck_assert (!ens_calibration_fit (&truth, values, 0, &calibration));
    ck_assert (calibration.a == 1 && calibration.b == 0);
  }
}
END_TEST

START_TEST (test_apply)
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
    ck_assert_double_eq_tol (ens_calibration_apply (&rows[i].calibration, rows[i].decision),
                             rows[i].expected, 1e-6);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/calibration");
  test_add ("reference", test_reference);
  test_add ("unknown", test_unknown);
  test_add ("scale", test_scale);
  test_add ("separable", test_separable);
  test_add ("no-increasing-map", test_no_increasing_map);
  test_add ("apply", test_apply);
  return test_run ();
}
