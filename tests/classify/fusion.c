/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/fusion.h"

#include "check-main.h"
#include "classify/search.h"

#define NEAR 1e-6

static const struct {
  float p1, p2, p3, w, expected;
} combine_rows[] = {
    {.8F, .2F, .6F, .5F, .7F}, /* a window speaks louder than the context */
    {.8F, .6F, .2F, .5F, .7F}, /* the context speaks louder than every window */
    {.8F, .6F, 0, .25F, .65F}, /* no windows: the weighted average */
    {.8F, .6F, .9F, 1, .8F},   /* retrained networks alone */
    {.8F, .6F, .9F, 0, .9F},   {1, 1, 1, .3F, 1},
};

START_TEST (test_combine)
{
  ck_assert_double_eq_tol (ens_fusion_combine (combine_rows[_i].p1, combine_rows[_i].p2,
                                               combine_rows[_i].p3, combine_rows[_i].w),
                           combine_rows[_i].expected, NEAR);
}
END_TEST

static const struct {
  EnsFusionKind kind;
  guint n;
  float weights[3], expected[3];
} average_rows[] = {
    {ENS_FUSION_PROBABILITIES, 3, {.5F, .25F, .25F}, {.625F, .4375F, .375F}},
    {ENS_FUSION_PROBABILITIES, 2, {.5F, .5F}, {.5F, .375F, .5F}},
    {ENS_FUSION_PROBABILITIES, 1, {1}, {1, .5F, 0}},
    {ENS_FUSION_PROBABILITIES, 0, {0}, {0, 0, 0}},
    {ENS_FUSION_LOG_ODDS, 2, {.75F, .25F}, {.990099F, .431765F, .009901F}},
    {ENS_FUSION_LOG_ODDS, 1, {1}, {.9999F, .5F, .0001F}},
    {ENS_FUSION_LOG_ODDS, 0, {0}, {0, 0, 0}},
};

START_TEST (test_average)
{
  static const float a[] = {1, .5F, 0}, b[] = {0, .25F, 1}, c[] = {.5F, .5F, .5F};
  static const float *const networks[] = {a, b, c};
  float average[3];

  ens_fusion_average (&(EnsFusionInputs) {average_rows[_i].kind, average_rows[_i].n, networks,
                                          average_rows[_i].weights},
                      3, average);
  for (guint k = 0; k < 3; k++)
    ck_assert_double_eq_tol (average[k], average_rows[_i].expected[k], NEAR);
}
END_TEST

/* P of two classes; of log odds, what NumPy says. */
static const struct {
  const char *name;
  EnsFusionKind kind;
  float share;
  gboolean with_windows, exclusive;
  float expected[2];
} run_rows[] = {
    {"probabilities", ENS_FUSION_PROBABILITIES, 0, TRUE, FALSE, {.825F, .7875F}},
    {"probabilities-whole", ENS_FUSION_PROBABILITIES, 0, FALSE, FALSE, {.675F, .225F}},
    {"whole", ENS_FUSION_LOG_ODDS, .5F, FALSE, FALSE, {.701281F, .047286F}},
    {"windows-muted", ENS_FUSION_LOG_ODDS, 0, TRUE, FALSE, {.701281F, .047286F}},
    {"windows", ENS_FUSION_LOG_ODDS, .5F, TRUE, FALSE, {.753961F, .767258F}},
    {"exclusive", ENS_FUSION_LOG_ODDS, .5F, TRUE, TRUE, {.416301F, .447848F}},
};

START_TEST (test_p)
{
  static const float p1[] = {.9F, .3F}, p2[] = {.6F, .2F}, p3[] = {.8F, .95F};
  static const EnsCalibration calibration[] = {{1, 0}, {2, -.5F}};
  static const EnsCalibration softmax = {1, 0};
  const EnsFusion fusion = {run_rows[_i].kind, .25F, run_rows[_i].share, calibration,
                            run_rows[_i].exclusive ? &softmax : NULL};
  float p[2];

  ens_fusion_run (&fusion, p1, p2, run_rows[_i].with_windows ? p3 : NULL, 2, p);
  for (guint c = 0; c < 2; c++)
    ck_assert_double_eq_tol (p[c], run_rows[_i].expected[c], 2e-6);
}
END_TEST

/* Sure of several classes, and of none: nothing overflows. */
START_TEST (test_exclusive_extremes)
{
  static const float sure[] = {1, 1, 0}, no[] = {0, 0, 0};
  static const EnsCalibration plain[] = {{1, 0}, {1, 0}, {1, 0}}, steep = {100, 0};
  const EnsFusion fusion = {ENS_FUSION_LOG_ODDS, 1, 0, plain, &steep};
  float p[3];

  ens_fusion_run (&fusion, sure, no, NULL, 3, p);
  ck_assert_double_eq_tol (p[0], .5, NEAR);
  ck_assert_double_eq_tol (p[2], 0, NEAR);
  ens_fusion_run (&fusion, no, no, NULL, 3, p);
  ck_assert_double_eq_tol (p[0], 0, NEAR);
}
END_TEST

START_TEST (test_maximum)
{
  static const float windows[] = {.1F, .9F, 0, .7F, .2F, 0, .7F, .9F, 0};
  float maximum[3];
  gint window[3];

  ens_fusion_maximum (windows, 3, 3, maximum, window);
  ck_assert_double_eq (maximum[0], .7F);
  ck_assert_double_eq (maximum[1], .9F);
  ck_assert_double_eq (maximum[2], 0);
  ck_assert_int_eq (window[0], 1);
  ck_assert_int_eq (window[1], 0);
  ck_assert_int_eq (window[2], 0);
  ens_fusion_maximum (NULL, 0, 3, maximum, window);
  ck_assert_double_eq (maximum[1], 0);
  ck_assert_int_eq (window[1], -1);
}
END_TEST

/* Two classes, four images; the first network knows class 0, the second class 1. */
static const guint8 labels[] = {1, 0, 1, 0, 0, 1, 0, 1};
static const float knows_first[] = {.9F, .5F, .8F, .6F, .1F, .4F, .2F, .3F};
static const float knows_second[] = {.1F, .1F, .2F, .2F, .3F, .8F, .2F, .9F};

START_TEST (test_search_weights)
{
  EnsLabels truth = {4, 2, labels};
  const float *const good_and_bad[] = {knows_first, knows_second};
  const float *const equal[] = {knows_first, knows_first};
  float weights[2];

  ck_assert_double_eq_tol (ens_search_network_weights (&truth, good_and_bad, 2, weights), 1, NEAR);
  ck_assert_double_eq_tol (weights[0] + weights[1], 1, NEAR);
  ck_assert_double_eq_tol (weights[0], .5, NEAR); /* many are perfect */
  ens_search_network_weights (&truth, equal, 2, weights);
  ck_assert_double_eq_tol (weights[0], .5, NEAR);
  ens_search_network_weights (&truth, good_and_bad, 1, weights);
  ck_assert_double_eq (weights[0], 1);
}
END_TEST

static const guint8 truths[] = {1, 1, 0, 0};
static const float good[] = {.6F, .55F, .5F, .45F}, noise[] = {.1F, .9F, .8F, .3F};

/* The second network is noise that equal weights let through. */
START_TEST (test_search_weights_unequal)
{
  const float *const networks[] = {good, noise};
  EnsLabels truth = {4, 1, truths};
  float weights[2];

  ck_assert_double_eq_tol (ens_search_network_weights (&truth, networks, 2, weights), 1, NEAR);
  ck_assert_double_eq_tol (weights[0], .9, NEAR);
  ck_assert_double_eq_tol (weights[1], .1, NEAR);
}
END_TEST

/* A dozen networks: the grid is coarser, and the search still ends. */
START_TEST (test_search_many)
{
  EnsLabels truth = {4, 2, labels};
  const float *networks[12];
  float weights[12], sum = 0;

  for (guint n = 0; n < 12; n++)
    networks[n] = n % 2 == 0 ? knows_first : knows_second;
  ens_search_network_weights (&truth, networks, 12, weights);
  for (guint n = 0; n < 12; n++)
    sum += weights[n];
  ck_assert_double_eq_tol (sum, 1, 1e-5);
}
END_TEST

static const float flat[] = {.5F, .5F, .5F, .5F}; /* knows nothing of the whole frame */
static const float sees[] = {.9F, .7F, .1F, .2F}; /* finds it in a window */
static const float loud[] = {.1F, .2F, .9F, .1F};
static const struct {
  const float *p1, *p2, *p3;
  double precision;
  float w;
} search_fusion_weight_rows[] = {
    {good, noise, NULL, 1, .9F}, {good, good, NULL, 1, .5F}, {noise, good, NULL, 1, .1F},
    {flat, flat, sees, 1, .5F},  {good, good, loud, 1, .9F}, {flat, flat, loud, .5, .5F},
};

START_TEST (test_search_fusion_weight)
{
  EnsLabels truth = {4, 1, truths};
  float w;

  ck_assert_double_eq_tol (ens_search_fusion_weight (&truth, search_fusion_weight_rows[_i].p1,
                                                     search_fusion_weight_rows[_i].p2,
                                                     search_fusion_weight_rows[_i].p3, &w),
                           search_fusion_weight_rows[_i].precision, NEAR);
  ck_assert_double_eq_tol (w, search_fusion_weight_rows[_i].w, NEAR);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/fusion");
  TEST_ADD_LOOP ("combine", test_combine, combine_rows);
  TEST_ADD_LOOP ("average", test_average, average_rows);
  TEST_ADD_ROWS ("p", test_p, run_rows);
  test_add ("exclusive-extremes", test_exclusive_extremes);
  test_add ("maximum", test_maximum);
  test_add ("search-weights", test_search_weights);
  test_add ("search-weights-unequal", test_search_weights_unequal);
  test_add ("search-many", test_search_many);
  TEST_ADD_LOOP ("search-fusion-weight", test_search_fusion_weight, search_fusion_weight_rows);
  return test_run ();
}
