/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/metrics.h"

#include <math.h>

#include "check-main.h"

#define NEAR 1e-6

static const struct {
  guint n;
  float scores[6];
  guint8 labels[6];
  double expected;
} average_precision_rows[] = {
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

START_TEST (test_average_precision)
{
  EnsLabels truth = {average_precision_rows[_i].n, 1, average_precision_rows[_i].labels};
  double found = ens_average_precision (&truth, average_precision_rows[_i].scores, 0);

  if (isnan (average_precision_rows[_i].expected))
    ck_assert (isnan (found));
  else
    ck_assert_double_eq_tol (found, average_precision_rows[_i].expected, NEAR);
}
END_TEST

static const struct {
  guint n_positives, n_negatives;
  float scores[6]; /* positives first */
  double expected;
} auroc_rows[] = {
    {3, 3, {.9F, .8F, .7F, .6F, .5F, .4F}, 1},
    {3, 3, {.1F, .2F, .3F, .6F, .5F, .4F}, 0},
    {2, 2, {.9F, .5F, .7F, .3F}, .75},
    {2, 2, {.9F, .5F, .5F, .3F}, .875}, /* a tie counts half */
    {2, 3, {1, 1, 1, 1, 1}, .5},
    {1, 1, {.1F, NAN}, 1},
    {0, 2, {1, 1}, NAN},
    {2, 0, {1, 1}, NAN},
};

START_TEST (test_auroc)
{
  const float *scores = auroc_rows[_i].scores;
  guint n_positives = auroc_rows[_i].n_positives;
  double found = ens_auroc (scores, n_positives, &scores[n_positives], auroc_rows[_i].n_negatives);

  if (isnan (auroc_rows[_i].expected))
    ck_assert (isnan (found));
  else
    ck_assert_double_eq_tol (found, auroc_rows[_i].expected, NEAR);
}
END_TEST

START_TEST (test_mean_leaves_out_absent_classes)
{
  static const float scores[] = {.9F, .5F, .9F, .1F, .5F, .8F};
  static const guint8 labels[] = {1, 0, 0, 0, 0, 1};
  EnsLabels truth = {2, 3, labels};

  ck_assert_double_eq_tol (ens_mean_average_precision (&truth, scores), (1 + .5) / 2, NEAR);
}
END_TEST

static const struct {
  float threshold;
  EnsCounts counts;
  double precision, recall, f1;
} counts_rows[] = {
    {.5F, {2, 1, 1}, 2.0 / 3, 2.0 / 3, 2.0 / 3}, /* a score at the threshold is present */
    {.7F, {1, 0, 2}, 1, 1.0 / 3, .5},
    {0, {3, 2, 0}, .6, 1, .75},
    {1, {0, 0, 3}, 1, 0, 0},
};

START_TEST (test_counts)
{
  static const float scores[] = {.9F, .6F, .5F, .4F, .1F};
  static const guint8 labels[] = {1, 0, 1, 1, 0};
  EnsLabels truth = {5, 1, labels};
  EnsCounts counts = ens_count (&truth, scores, 0, counts_rows[_i].threshold);

  ck_assert_uint_eq (counts.true_positives, counts_rows[_i].counts.true_positives);
  ck_assert_uint_eq (counts.false_positives, counts_rows[_i].counts.false_positives);
  ck_assert_uint_eq (counts.false_negatives, counts_rows[_i].counts.false_negatives);
  ck_assert_double_eq_tol (ens_precision (&counts), counts_rows[_i].precision, NEAR);
  ck_assert_double_eq_tol (ens_recall (&counts), counts_rows[_i].recall, NEAR);
  ck_assert_double_eq_tol (ens_f1 (&counts), counts_rows[_i].f1, NEAR);
}
END_TEST

static const struct {
  float scores[5];
  guint8 labels[5];
  float expected;
} thresholds_rows[] = {
    {{.9F, .8F, .3F, .2F, .1F}, {1, 1, 0, 0, 0}, .55F},
    {{.9F, .2F, .15F, .1F, .05F}, {1, 1, 0, 0, 0}, .175F},
    {{.9F, .8F, .6F, .2F, .1F}, {1, 0, 1, 0, 0}, .4F},  /* F1: 2/3, 1/2, 4/5 */
    {{.9F, .7F, .3F, .1F, .05F}, {1, 0, 0, 1, 0}, .8F}, /* F1 2/3 at .8 and at .075 */
    {{.9F, .6F, .5F, .3F, .1F}, {0, 0, 0, 0, 0}, .5F},
    {{.9F, .6F, .5F, .3F, .1F}, {1, 1, 1, 1, 1}, .05F},
    {{.5F, .5F, .5F, .5F, .1F}, {1, 0, 0, 1, 0}, .3F},
};

START_TEST (test_thresholds)
{
  EnsLabels truth = {5, 1, thresholds_rows[_i].labels};

  ck_assert_double_eq_tol (ens_best_threshold (&truth, thresholds_rows[_i].scores, 0),
                           thresholds_rows[_i].expected, NEAR);
}
END_TEST

/* Examples without a class or with two don't count; of equal scores the first wins. */
START_TEST (test_accuracy)
{
  static const float scores[] = {
      .9F, .1F, .1F, .2F, .7F, .1F, .5F, .5F, .1F, .1F, .2F, .9F, .9F, .1F, .1F, .3F, .2F, .1F,
  };
  static const guint8 labels[] = {1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1};
  static const guint expected[] = {1, 0, 0, 1, 1, 1, 0, 0, 0};
  EnsLabels truth = {6, 3, labels};
  guint confusion[9];

  ck_assert_double_eq_tol (ens_accuracy (&truth, scores, confusion), .5, NEAR);
  ck_assert_bytes_eq (confusion, sizeof confusion, expected, sizeof expected);
  ck_assert_double_eq_tol (ens_accuracy (&truth, scores, NULL), .5, NEAR);
  truth.n_samples = 0;
  ck_assert (isnan (ens_accuracy (&truth, scores, NULL)));
}
END_TEST

START_TEST (test_precision_recall)
{
  static const float scores[] = {.9F, .8F, .8F, .4F};
  static const guint8 labels[] = {1, 0, 1, 1};
  static const EnsCurvePoint expected[] = {
      {1.0 / 3, 1, .9F}, {2.0 / 3, 2.0 / 3, .8F}, {1, .75, .4F}};
  EnsLabels truth = {4, 1, labels};
  guint n;
  g_autofree EnsCurvePoint *curve = ens_precision_recall (&truth, scores, 0, &n);

  ck_assert_uint_eq (n, G_N_ELEMENTS (expected));
  for (guint i = 0; i < n; i++) {
    ck_assert_double_eq_tol (curve[i].recall, expected[i].recall, NEAR);
    ck_assert_double_eq_tol (curve[i].precision, expected[i].precision, NEAR);
    ck_assert_double_eq (curve[i].threshold, expected[i].threshold);
  }
  ens_curve_make_monotone (curve, n);
  ck_assert_double_eq_tol (curve[0].precision, 1, NEAR);
  ck_assert_double_eq_tol (curve[1].precision, .75, NEAR);
  ck_assert_double_eq_tol (curve[2].precision, .75, NEAR);
  ck_assert_ptr_null (ens_precision_recall (&(EnsLabels) {1, 1, &labels[1]}, scores, 0, &n));
  ck_assert_uint_eq (n, 0);
}
END_TEST

/* Four examples: both classes, the first, the second, none. */
START_TEST (test_errors)
{
  static const float scores[] = {.1F, .2F, .9F, .7F, .6F, .9F, .5F, .1F};
  static const guint8 labels[] = {1, 1, 1, 0, 0, 1, 0, 0};
  static const float thresholds[] = {.5F, .6F};
  static const guint expected[] = {1, 1, 1, 1, 1, 0};
  EnsLabels truth = {4, 2, labels};
  guint errors[6];

  ens_count_errors (&truth, scores, thresholds, errors);
  ck_assert_bytes_eq (errors, sizeof errors, expected, sizeof expected);
  ck_assert (ens_labels_is_multi_label (&truth));
  truth.labels += 2;
  truth.n_samples = 3;
  ck_assert (!ens_labels_is_multi_label (&truth));
}
END_TEST

/* Two bins: .1, .4 of which the second is so, and .5, .9, 1 of which the first is not. */
START_TEST (test_reliability)
{
  static const float scores[] = {.5F, .1F, .9F, .4F, 1};
  static const guint8 labels[] = {0, 0, 1, 1, 1};
  EnsLabels truth = {5, 1, labels};
  EnsReliability bins[2];

  ens_reliability (&truth, scores, bins, 2);
  ck_assert_uint_eq (bins[0].n, 2);
  ck_assert_uint_eq (bins[0].n_positive, 1);
  ck_assert_double_eq_tol (bins[0].mean, .25, NEAR);
  ck_assert_double_eq_tol (bins[0].share, .5, NEAR);
  /* Of one in two Wilson's interval is .5 ± 1.96 / √(2 + 1.96²) / 2. */
  ck_assert_double_eq_tol (bins[0].low, .0945312, NEAR);
  ck_assert_double_eq_tol (bins[0].high, .9054688, NEAR);
  ck_assert_uint_eq (bins[1].n, 3);
  ck_assert_double_eq_tol (bins[1].mean, .8, NEAR);
  ck_assert_double_eq_tol (bins[1].share, 2.0 / 3, NEAR);
  ck_assert_double_eq_tol (ens_calibration_error (bins, 2), (2 * .25 + 3 * (.8 - 2.0 / 3)) / 5,
                           NEAR);

  truth.n_samples = 1;
  ens_reliability (&truth, scores, bins, 2);
  ck_assert_uint_eq (bins[0].n, 0);
  ck_assert (isnan (bins[0].mean) && isnan (bins[0].share) && isnan (bins[0].low));
  ck_assert_double_eq_tol (bins[1].low, 0, NEAR);
  ck_assert_double_eq_tol (ens_calibration_error (bins, 2), .5, NEAR);
  truth.n_samples = 0;
  ens_reliability (&truth, scores, bins, 2);
  ck_assert (isnan (ens_calibration_error (bins, 2)));
}
END_TEST

static const struct {
  EnsOutcome outcome;
  guint max, max_per_class;
  const char *expected; /* example and class */
} selection_rows[] = {
    {ENS_FALSE_POSITIVE, 9, 9, "0a 1b 1a 4b "}, {ENS_FALSE_POSITIVE, 9, 1, "0a 1b "},
    {ENS_FALSE_POSITIVE, 3, 9, "0a 1b 1a "},    {ENS_FALSE_NEGATIVE, 9, 9, "3a 3b 2a "},
    {ENS_TRUE_POSITIVE, 9, 9, "2b 0b 4a "},     {ENS_TRUE_POSITIVE, 0, 9, ""},
};

START_TEST (test_selection)
{
  static const float scores[] = {.9F, .6F, .8F, .9F, .2F, .7F, .1F, .1F, .6F, .6F};
  static const guint8 labels[] = {0, 1, 0, 0, 1, 1, 1, 1, 1, 0};
  static const float thresholds[] = {.5F, .6F};
  EnsLabels truth = {5, 2, labels};
  g_autoptr (GString) text = g_string_new (NULL);
  EnsSelection selection = {selection_rows[_i].outcome, thresholds, selection_rows[_i].max,
                            selection_rows[_i].max_per_class};
  guint n;
  g_autofree EnsPrediction *found = ens_select_predictions (&truth, scores, &selection, &n);

  for (guint j = 0; j < n; j++) {
    g_string_append_printf (text, "%u%c ", found[j].sample, 'a' + (int)found[j].class);
    ck_assert_double_eq (found[j].score, scores[found[j].sample * 2 + found[j].class]);
  }
  ck_assert_pstr_eq (text->str, selection_rows[_i].expected);
}
END_TEST

/* Measures are the same with examples of which nobody knows whether they have the class, and
 * without them. The first and the fourth are such. */
START_TEST (test_unknown)
{
  static const float scores[] = {.95F, .9F, .6F, .55F, .5F, .4F, .1F};
  static const guint8 labels[] = {ENS_LABEL_UNKNOWN, 1, 0, ENS_LABEL_UNKNOWN, 1, 1, 0};
  static const float known_scores[] = {.9F, .6F, .5F, .4F, .1F};
  static const guint8 known_labels[] = {1, 0, 1, 1, 0};
  static const float threshold = .5F;
  const EnsSelection selection = {ENS_FALSE_POSITIVE, &threshold, 9, 9};
  EnsLabels truth = {7, 1, labels}, known = {5, 1, known_labels};
  EnsCounts counts = ens_count (&truth, scores, 0, .5F);
  EnsReliability bins[2], known_bins[2];
  guint errors[2], known_errors[2], n;
  g_autofree EnsPrediction *selected = ens_select_predictions (&truth, scores, &selection, &n);

  ck_assert_double_eq (ens_average_precision (&truth, scores, 0),
                       ens_average_precision (&known, known_scores, 0));
  ck_assert_double_eq (ens_best_threshold (&truth, scores, 0),
                       ens_best_threshold (&known, known_scores, 0));
  ck_assert_uint_eq (counts.true_positives, 2);
  ck_assert_uint_eq (counts.false_positives, 1);
  ck_assert_uint_eq (counts.false_negatives, 1);
  ens_reliability (&truth, scores, bins, 2);
  ens_reliability (&known, known_scores, known_bins, 2);
  ck_assert_bytes_eq (bins, sizeof bins, known_bins, sizeof known_bins);
  ens_count_errors (&truth, scores, &threshold, errors);
  ens_count_errors (&known, known_scores, &threshold, known_errors);
  ck_assert_bytes_eq (errors, sizeof errors, known_errors, sizeof known_errors);
  ck_assert_uint_eq (n, 1);
  ck_assert_uint_eq (selected[0].sample, 2);
  ck_assert (!ens_labels_has_none (&truth, 0));
  ck_assert (ens_labels_has_none (&truth, 2));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/metrics");
  TEST_ADD_LOOP ("average-precision", test_average_precision, average_precision_rows);
  TEST_ADD_LOOP ("auroc", test_auroc, auroc_rows);
  test_add ("mean-leaves-out-absent-classes", test_mean_leaves_out_absent_classes);
  TEST_ADD_LOOP ("counts", test_counts, counts_rows);
  TEST_ADD_LOOP ("thresholds", test_thresholds, thresholds_rows);
  test_add ("accuracy", test_accuracy);
  test_add ("precision-recall", test_precision_recall);
  test_add ("errors", test_errors);
  test_add ("reliability", test_reliability);
  TEST_ADD_LOOP ("selection", test_selection, selection_rows);
  test_add ("unknown", test_unknown);
  return test_run ();
}
