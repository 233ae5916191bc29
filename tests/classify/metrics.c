#include "classify/metrics.h"

#include <math.h>

#define NEAR 1e-6

static void
test_average_precision (void)
{
  static const struct {
    guint n;
    float scores[6];
    guint8 labels[6];
    double expected;
  } rows[] = {
      {4, {.9F, .8F, .7F, .6F}, {1, 1, 0, 0}, 1},
      {4, {.9F, .8F, .7F, .6F}, {0, 0, 1, 1}, .5},      /* 1/3, then 2/4, which also holds before */
      {4, {.9F, .8F, .7F, .6F}, {1, 0, 1, 0}, 5.0 / 6}, /* half of 1, half of 2/3 */
      {5, {.5F, .4F, .3F, .2F, .1F}, {0, 1, 1, 0, 1}, 2.0 / 3 * 2 / 3 + .6 / 3},
      {4, {.5F, .5F, .5F, .5F}, {1, 0, 0, 0}, .25}, /* ties enter together, in any order */
      {4, {.5F, .5F, .5F, .5F}, {0, 0, 0, 1}, .25},
      {3, {.1F, .9F, .5F}, {1, 0, 0}, 1.0 / 3},
      {1, {.1F}, {1}, 1},
      {2, {.1F, .2F}, {0, 0}, NAN},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsTruth truth = {rows[i].n, 1, rows[i].labels};
    double found = ens_average_precision (&truth, rows[i].scores, 0);

    if (isnan (rows[i].expected))
      g_assert_true (isnan (found));
    else
      g_assert_cmpfloat_with_epsilon (found, rows[i].expected, NEAR);
  }
}

static void
test_mean_leaves_out_absent_classes (void)
{
  static const float scores[] = {.9F, .5F, .9F, .1F, .5F, .8F};
  static const guint8 labels[] = {1, 0, 0, 0, 0, 1};
  EnsTruth truth = {2, 3, labels};

  g_assert_cmpfloat_with_epsilon (ens_mean_average_precision (&truth, scores), (1 + .5) / 2, NEAR);
}

static void
test_counts (void)
{
  static const float scores[] = {.9F, .6F, .5F, .4F, .1F};
  static const guint8 labels[] = {1, 0, 1, 1, 0};
  static const struct {
    float threshold;
    EnsCounts counts;
    double precision, recall, f1;
  } rows[] = {
      {.5F, {2, 1, 1}, 2.0 / 3, 2.0 / 3, 2.0 / 3}, /* a score at the threshold is present */
      {.7F, {1, 0, 2}, 1, 1.0 / 3, .5},
      {0, {3, 2, 0}, .6, 1, .75},
      {1, {0, 0, 3}, 1, 0, 0},
  };
  EnsTruth truth = {5, 1, labels};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsCounts counts = ens_count (&truth, scores, 0, rows[i].threshold);

    g_assert_cmpuint (counts.true_positives, ==, rows[i].counts.true_positives);
    g_assert_cmpuint (counts.false_positives, ==, rows[i].counts.false_positives);
    g_assert_cmpuint (counts.false_negatives, ==, rows[i].counts.false_negatives);
    g_assert_cmpfloat_with_epsilon (ens_precision (&counts), rows[i].precision, NEAR);
    g_assert_cmpfloat_with_epsilon (ens_recall (&counts), rows[i].recall, NEAR);
    g_assert_cmpfloat_with_epsilon (ens_f1 (&counts), rows[i].f1, NEAR);
  }
}

static void
test_thresholds (void)
{
  static const struct {
    float scores[5];
    guint8 labels[5];
    float expected;
  } rows[] = {
      {{.9F, .8F, .3F, .2F, .1F}, {1, 1, 0, 0, 0}, .55F},
      {{.9F, .2F, .15F, .1F, .05F}, {1, 1, 0, 0, 0}, .175F},
      {{.9F, .8F, .6F, .2F, .1F}, {1, 0, 1, 0, 0}, .4F},  /* F1: 2/3, 1/2, 4/5 */
      {{.9F, .7F, .3F, .1F, .05F}, {1, 0, 0, 1, 0}, .8F}, /* F1 2/3 at .8 and at .075 */
      {{.9F, .6F, .5F, .3F, .1F}, {0, 0, 0, 0, 0}, .5F},
      {{.9F, .6F, .5F, .3F, .1F}, {1, 1, 1, 1, 1}, .05F},
      {{.5F, .5F, .5F, .5F, .1F}, {1, 0, 0, 1, 0}, .3F},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    EnsTruth truth = {5, 1, rows[i].labels};

    g_assert_cmpfloat_with_epsilon (ens_best_threshold (&truth, rows[i].scores, 0),
                                    rows[i].expected, NEAR);
  }
}

/* Examples without a class or with two don't count; of equal scores the first wins. */
static void
test_accuracy (void)
{
  static const float scores[] = {
      .9F, .1F, .1F, .2F, .7F, .1F, .5F, .5F, .1F, .1F, .2F, .9F, .9F, .1F, .1F, .3F, .2F, .1F,
  };
  static const guint8 labels[] = {1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1};
  static const guint expected[] = {1, 0, 0, 1, 1, 1, 0, 0, 0};
  EnsTruth truth = {6, 3, labels};
  guint confusion[9];

  g_assert_cmpfloat_with_epsilon (ens_accuracy (&truth, scores, confusion), .5, NEAR);
  g_assert_cmpmem (confusion, sizeof confusion, expected, sizeof expected);
  g_assert_cmpfloat_with_epsilon (ens_accuracy (&truth, scores, NULL), .5, NEAR);
  truth.n_samples = 0;
  g_assert_true (isnan (ens_accuracy (&truth, scores, NULL)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/classify/metrics/average-precision", test_average_precision);
  g_test_add_func ("/classify/metrics/mean-leaves-out-absent-classes",
                   test_mean_leaves_out_absent_classes);
  g_test_add_func ("/classify/metrics/counts", test_counts);
  g_test_add_func ("/classify/metrics/thresholds", test_thresholds);
  g_test_add_func ("/classify/metrics/accuracy", test_accuracy);
  return g_test_run ();
}
