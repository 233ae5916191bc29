/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
static const double scales[] = {1e-3, 1, 50, 1e3};

START_TEST (test_scale)
{
  float scaled[30] = {0};
  guint8 both[30] = {0};
  EnsLabels truth = {15, 2, both};
  EnsCalibration calibration;

  for (guint i = 0; i < 15; i++) {
    scaled[2 * i + 1] = (float)(decisions[i] * scales[_i]);
    both[2 * i + 1] = labels[i];
  }
  ck_assert (ens_calibration_fit (&truth, scaled, 1, &calibration));
  ck_assert_double_eq_tol (calibration.a * scales[_i], 1.19783, 2e-3);
  ck_assert_double_eq_tol (calibration.b, -0.43592, 2e-3);
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

static const guint8 no_increasing_map_rows[][6] = {
    {0, 0, 0, 1, 1, 1}, /* falls */
    {1, 1, 1, 1, 1, 1},
    {0, 0, 0, 0, 0, 0},
};

START_TEST (test_no_increasing_map)
{
  static const float values[] = {3, 2, 1, 0, -1, -2};
  EnsLabels truth = {6, 1, no_increasing_map_rows[_i]};
  EnsCalibration calibration = {0, 0};

  ck_assert (!ens_calibration_fit (&truth, values, 0, &calibration));
  ck_assert (calibration.a == 1 && calibration.b == 0);
}
END_TEST

/* Two classes that exclude each other, and none of them; (a, b) found with NumPy by numerical
 * derivatives. What is not known of an example says nothing. */
START_TEST (test_softmax)
{
  static const float log_odds[] = {2,  -1,  .5F,  .2F, -1,    1.5F, -.5F, -.3F,
                                   -2, .4F, 1.2F, 1,   -1.5F, -2,   7,    -7};
  static const guint8 classes[] = {1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, ENS_LABEL_UNKNOWN};
  EnsLabels truth = {8, 2, classes};
  EnsCalibration calibration;

  ck_assert (ens_softmax_fit (&truth, log_odds, &calibration));
  ck_assert_double_eq_tol (calibration.a, 2.74012, 2e-4);
  ck_assert_double_eq_tol (calibration.b, -0.21742, 2e-4);
}
END_TEST

/* Where there always is a class, likelihood alone would have b grow for ever. */
START_TEST (test_softmax_without_none)
{
  static const float log_odds[] = {2, -2, 1, -1, -2, 2, -1, 1, -1, .5F};
  static const guint8 classes[] = {1, 0, 1, 0, 0, 1, 0, 1, 1, 0};
  EnsLabels truth = {5, 2, classes};
  EnsCalibration calibration;

  ck_assert (ens_softmax_fit (&truth, log_odds, &calibration));
  ck_assert_double_gt (calibration.a, 0);
  ck_assert_double_lt (calibration.b, 5);
  truth.n_samples = 0;
  ck_assert (!ens_softmax_fit (&truth, log_odds, &calibration));
  ck_assert (calibration.a == 1 && calibration.b == 0);
}
END_TEST

static const struct {
  EnsCalibration calibration;
  float decision, expected;
} apply_rows[] = {
    {{1, 0}, 0, .5F},
    {{2, -1}, 1.5F, .88079708F},
    {{1, 0}, 1e30F, 1},
    {{1, 0}, -1e30F, 0},
};

START_TEST (test_apply)
{
  ck_assert_double_eq_tol (
      ens_calibration_apply (&apply_rows[_i].calibration, apply_rows[_i].decision),
      apply_rows[_i].expected, 1e-6);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/calibration");
  test_add ("reference", test_reference);
  test_add ("unknown", test_unknown);
  TEST_ADD_LOOP ("scale", test_scale, scales);
  test_add ("separable", test_separable);
  TEST_ADD_LOOP ("no-increasing-map", test_no_increasing_map, no_increasing_map_rows);
  test_add ("softmax", test_softmax);
  test_add ("softmax-without-none", test_softmax_without_none);
  TEST_ADD_LOOP ("apply", test_apply, apply_rows);
  return test_run ();
}
