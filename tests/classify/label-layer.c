/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/label-layer.h"

#include "check-main.h"

#define CLASSES 2
#define FEATURES 2

/* Two heaps, and one example on the wrong side of them. */
static const float examples[][FEATURES] = {{1, 0.5F}, {2, 0},     {1.5F, 1}, {-1, 0.5F},
                                           {-2, 0},   {-1.5F, 1}, {-1, 0}};
static const guint8 labels[][CLASSES] = {{1, 0}, {1, 0}, {1, 0}, {0, 1}, {0, 1}, {0, 1}, {1, 0}};
static const EnsExamples separable = {{6, CLASSES, labels[0]}, FEATURES, examples[0]};
static const EnsExamples mixed = {{7, CLASSES, labels[0]}, FEATURES, examples[0]};

/* Loss in the range at the start, below it, reached from above, jumped over and halved, and out of
 * reach: the last example keeps it up. */
static const struct {
  const char *name;
  const EnsExamples *examples;
  float start; /* W is start · {{1, 0}, {−1, 0}} */
  EnsLossRange range;
  gboolean reached, moves;
} rows[] = {
    {"in-range", &separable, 0.7F, {0.05, 0.2}, TRUE, FALSE},
    {"below", &separable, 3, {0.05, 0.2}, FALSE, FALSE},
    {"reached", &separable, 0, {0.05, 0.2}, TRUE, TRUE},
    {"narrow", &separable, 0, {0.1, 0.1001}, TRUE, TRUE},
    {"out-of-reach", &mixed, 0, {0.01, 0.02}, FALSE, TRUE},
};

START_TEST (test_range)
{
  g_autoptr (EnsLinearClassifier) layer = ens_linear_classifier_new (FEATURES, CLASSES);
  EnsLabelLayerFit fit;

  layer->weights[0] = rows[_i].start;
  layer->weights[2] = -rows[_i].start;
  fit = ens_label_layer_train (layer, rows[_i].examples, &rows[_i].range, NULL);
  test_message ("loss %g after %u rounds", fit.loss, fit.rounds);
  ck_assert_int_eq (fit.reached, rows[_i].reached);
  ck_assert_int_eq (fit.rounds > 0, rows[_i].moves);
  ck_assert_int_eq (layer->weights[0] != rows[_i].start, rows[_i].moves);
  if (rows[_i].reached)
    ck_assert (fit.loss >= rows[_i].range.low && fit.loss <= rows[_i].range.high);
}
END_TEST

/* Out of reach it ends at the minimum, which gradient descent in NumPy finds too. */
START_TEST (test_minimum)
{
  g_autoptr (EnsLinearClassifier) layer = ens_linear_classifier_new (FEATURES, CLASSES);
  EnsLabelLayerFit fit = ens_label_layer_train (layer, &mixed, &(EnsLossRange) {0, 0}, NULL);

  ck_assert_uint_gt (fit.rounds, 5);
  ck_assert_uint_lt (fit.rounds, ENS_LABEL_MAX_ROUNDS);
  ck_assert_double_eq_tol (fit.loss, 0.022616, 1e-5);
}
END_TEST

/* Of several labels every value is a probability by itself; what is not known does not count. */
START_TEST (test_multi_label)
{
  static const guint8 several[][CLASSES] = {{1, 1}, {1, 0}, {1, 1}, {0, 0}, {0, 0}, {0, 1}, {2, 2}};
  const EnsExamples from = {{7, CLASSES, several[0]}, FEATURES, examples[0]};
  g_autoptr (EnsLinearClassifier) layer = ens_linear_classifier_new (FEATURES, CLASSES);
  g_autoptr (EnsLinearClassifier) wide = ens_linear_classifier_new (FEATURES, CLASSES + 3);
  EnsLabelLayerFit fit = ens_label_layer_train (layer, &from, &(EnsLossRange) {0.02, 0.1}, NULL);
  float v[14];

  ck_assert (ens_label_layer_is_multi_label (&from.truth));
  ck_assert (!ens_label_layer_is_multi_label (&mixed.truth));
  ck_assert (fit.reached);
  /* The average is over classes, not over what there is beyond them. */
  ck_assert_double_eq (ens_label_layer_train (wide, &from, &(EnsLossRange) {0.02, 0.1}, NULL).loss,
                       fit.loss);
  ens_linear_classifier_decide (layer, examples[0], 7, v, NULL);
  for (guint i = 0; i < 12; i++)
    ck_assert_int_eq (v[i] > 0, several[i / 2][i % 2]);
}
END_TEST

/* Values beyond the classes' change neither the loss nor what is learnt, but for their decay. */
START_TEST (test_wide)
{
  g_autoptr (EnsLinearClassifier) layer = ens_linear_classifier_new (FEATURES, CLASSES);
  g_autoptr (EnsLinearClassifier) wide = ens_linear_classifier_new (FEATURES, CLASSES + 1);
  EnsLabelLayerFit fit = ens_label_layer_train (layer, &mixed, &(EnsLossRange) {0, 0}, NULL);
  EnsLabelLayerFit same;

  wide->weights[4] = 0.5F;
  same = ens_label_layer_train (wide, &mixed, &(EnsLossRange) {0, 0}, NULL);
  ck_assert_double_eq_tol (same.loss, fit.loss, 1e-4);
  for (guint i = 0; i < 4; i++)
    ck_assert_double_eq_tol (wide->weights[i], layer->weights[i], 0.2);
  ck_assert_double_gt (fabsf (wide->weights[4]), 0);
  ck_assert_double_eq (wide->weights[5], 0);
  ck_assert_double_eq (wide->biases[2], 0);
}
END_TEST

/* What it begins with is small, and always the same. */
START_TEST (test_begin)
{
  g_autoptr (EnsLinearClassifier) layer = ens_linear_classifier_new (40, 50);
  g_autoptr (EnsLinearClassifier) again = ens_linear_classifier_new (40, 50);
  double square = 0;

  ens_label_layer_begin (layer);
  ens_label_layer_begin (again);
  ck_assert_mem_eq (layer->weights, again->weights, 2000 * sizeof (float));
  for (guint i = 0; i < 2000; i++)
    square += (double)layer->weights[i] * layer->weights[i] / 2000;
  ck_assert_double_eq_tol (sqrt (square), 0.01, 0.001);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/label-layer");
  TEST_ADD_ROWS ("range", test_range, rows);
  test_add ("minimum", test_minimum);
  test_add ("multi-label", test_multi_label);
  test_add ("wide", test_wide);
  test_add ("begin", test_begin);
  return test_run ();
}
