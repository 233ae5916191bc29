/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/svm.h"

#include <math.h>
#include <string.h>

#include "check-main.h"

#define N 60
#define FEATURES 5
#define CLASSES 3

typedef struct {
  float features[N * FEATURES];
  guint8 labels[N * CLASSES];
} Toy;

/* Three clouds; `noise` of 0.2 keeps them apart, 2 lets them overlap. The fourth feature has
 * an offset and varies as `spread` says, the fifth is constant. */
static EnsExamples
make_toy (Toy *toy, double noise, double spread)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  memset (toy, 0, sizeof *toy);
  for (guint i = 0; i < N; i++) {
    float *row = &toy->features[i * FEATURES];
    guint class = i % CLASSES;

    for (guint f = 0; f < 3; f++)
      row[f] = (float)((f == class) + noise * g_rand_double_range (random, -0.5, 0.5));
    row[3] = (float)(1000 + spread * (class + noise * g_rand_double_range (random, -0.5, 0.5)));
    row[4] = 12.3F;
    toy->labels[i * CLASSES + class] = 1;
  }
  return (EnsExamples) {{N, CLASSES, toy->labels}, FEATURES, toy->features};
}

static guint
count_errors (const EnsLinearClassifier *svm, const EnsExamples *examples, EnsThreadPool *pool)
{
  g_autofree float *decisions = g_new (float, N *CLASSES);
  guint errors = 0;

  ens_linear_classifier_decide (svm, examples->features, N, decisions, pool);
  for (guint i = 0; i < N * CLASSES; i++)
    errors += (decisions[i] > 0) != (examples->truth.labels[i] != 0);
  return errors;
}

START_TEST (test_separable)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  Toy toy;
  EnsExamples examples = make_toy (&toy, 0.2, 3);
  g_autoptr (EnsLinearClassifier) svm = ens_svm_train (&examples, 4, pool);

  ck_assert_uint_eq (count_errors (svm, &examples, pool), 0);
  for (guint c = 0; c < CLASSES; c++)
    ck_assert_double_eq (svm->weights[c * FEATURES + 4], 0); /* constant feature */
}
END_TEST

/* Two points at ±1 after standardising, k of each: the minimum of ½w² + C·Σ max (0, 1 - w)² is
 * w = 4kC / (1 + 4kC), and the bias is 0 by symmetry. */
static const double known_solution_rows[] = {0.1, 1, 10};

START_TEST (test_known_solution)
{
  static const float features[] = {7, 3, 7, 3, 7, 3};
  static const guint8 labels[] = {1, 0, 1, 0, 1, 0};
  EnsExamples examples = {{6, 1, labels}, 1, features};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (EnsLinearClassifier) svm = ens_svm_train (&examples, known_solution_rows[_i], pool);
  double w = 12 * known_solution_rows[_i] / (1 + 12 * known_solution_rows[_i]), decision[2];
  float at[] = {7, 3}, decisions[2];

  ens_linear_classifier_decide (svm, at, 2, decisions, pool);
  decision[0] = w;
  decision[1] = -w;
  ck_assert_double_eq_tol (decisions[0], decision[0], 1e-3);
  ck_assert_double_eq_tol (decisions[1], decision[1], 1e-3);
  ck_assert_double_eq_tol (svm->weights[0], w / 2, 1e-3);
}
END_TEST

/* Learning from roots is learning from features that are their own roots. */
START_TEST (test_root)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  Toy toy, squared;
  EnsExamples examples = make_toy (&toy, 2, 3), of_squares = make_toy (&squared, 2, 3);
  g_autoptr (EnsLinearClassifier) svm = ens_svm_train (&examples, 0.5, pool);
  g_autoptr (EnsLinearClassifier) rooted = NULL;

  for (guint i = 0; i < N * FEATURES; i++)
    squared.features[i] *= fabsf (squared.features[i]);
  of_squares.root = TRUE;
  rooted = ens_svm_train (&of_squares, 0.5, pool);
  ck_assert (rooted->root && !svm->root);
  for (guint i = 0; i < CLASSES * FEATURES; i++)
    ck_assert_float_eq_tol (rooted->weights[i], svm->weights[i], 1e-4);
  ck_assert_uint_eq (count_errors (rooted, &of_squares, pool), count_errors (svm, &examples, pool));
}
END_TEST

/* Fewer examples than features: the minimum is where each weight is the sum of its examples'
 * features by their shares, w = Σ 2·c·max (0, 1 - y·d)·y·x, x standardised, weights of sides 1. */
START_TEST (test_more_features_than_examples)
{
  enum { FEW = 12, MANY = 40 };
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  float features[FEW * MANY], decisions[FEW];
  guint8 sides[FEW];
  EnsExamples examples = {{FEW, 1, sides}, MANY, features};
  g_autoptr (EnsLinearClassifier) svm = NULL;

  for (guint i = 0; i < FEW * MANY; i++)
    features[i] = (float)g_rand_double_range (random, -1, 1);
  for (guint i = 0; i < FEW; i++)
    sides[i] = i % 2;
  memcpy (&features[MANY], &features[3 * MANY], MANY * sizeof (float)); /* the same twice */
  svm = ens_svm_train (&examples, 1, pool);
  ens_linear_classifier_decide (svm, features, FEW, decisions, pool);
  for (guint f = 0; f < MANY; f++) {
    double mean = 0, variance = 0, weight = 0, scale;

    for (guint i = 0; i < FEW; i++)
      mean += features[i * MANY + f] / (double)FEW;
    for (guint i = 0; i < FEW; i++)
      variance += pow (features[i * MANY + f] - mean, 2) / FEW;
    scale = 1 / sqrt (variance * MANY);
    for (guint i = 0; i < FEW; i++) {
      double side = sides[i] ? 1 : -1, missing = MAX (0, 1 - side * (double)decisions[i]);

      weight += 2 * missing * side * (features[i * MANY + f] - mean) * scale;
    }
    ck_assert_double_eq_tol (svm->weights[f], weight * scale, 2e-3);
  }
}
END_TEST

/* Standardisation, written down once more: no deviation counts as less than a tenth of their root
 * mean square. */
static void
standardise (const EnsExamples *examples, double *mean, double *scale)
{
  double variance[FEATURES] = {0}, floor = 0;

  for (guint f = 0; f < FEATURES; f++) {
    mean[f] = 0;
    for (guint i = 0; i < N; i++)
      mean[f] += examples->features[i * FEATURES + f] / (double)N;
    for (guint i = 0; i < N; i++)
      variance[f] += pow (examples->features[i * FEATURES + f] - mean[f], 2) / N;
    floor += 0.01 * variance[f] / FEATURES;
  }
  for (guint f = 0; f < FEATURES; f++)
    scale[f] = variance[f] > 1e-6 ? 1 / sqrt (MAX (variance[f], floor) * FEATURES) : 0;
}

/* The primal objective: weighted squared hinge on standardised features. */
static double
objective (const EnsExamples *examples, guint class, double c, const double *w)
{
  double mean[FEATURES], scale[FEATURES], sum = 0;
  double weight = sqrt ((N - N / CLASSES) / (double)(N / CLASSES));

  standardise (examples, mean, scale);
  for (guint f = 0; f <= FEATURES; f++)
    sum += w[f] * w[f] / 2;
  for (guint i = 0; i < N; i++) {
    gboolean positive = examples->truth.labels[i * CLASSES + class] != 0;
    double decision = w[FEATURES];

    for (guint f = 0; f < FEATURES; f++)
      decision += w[f] * (examples->features[i * FEATURES + f] - mean[f]) * scale[f];
    sum += c * (positive ? weight : 1) * pow (MAX (0, 1 - (positive ? decision : -decision)), 2);
  }
  return sum;
}

/* No step in any direction lowers the objective. */
START_TEST (test_minimum)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  Toy toy;
  EnsExamples examples = make_toy (&toy, 2, 300);
  g_autoptr (EnsLinearClassifier) svm = ens_svm_train (&examples, 0.5, pool);

  for (guint class = 0; class < CLASSES; class ++) {
    double w[FEATURES + 1] = {0}, bias = svm->biases[class], best;
    double mean[FEATURES], scale[FEATURES];

    standardise (&examples, mean, scale);
    for (guint f = 0; f < FEATURES - 1; f++) {
      w[f] = svm->weights[class * FEATURES + f] / scale[f];
      bias += svm->weights[class * FEATURES + f] * mean[f];
    }
    w[FEATURES] = bias;
    best = objective (&examples, class, 0.5, w);
    for (guint step = 0; step < 200; step++) {
      double other[FEATURES + 1];

      for (guint f = 0; f <= FEATURES; f++)
        other[f] = w[f] + g_rand_double_range (random, -0.05, 0.05);
      ck_assert_double_gt (objective (&examples, class, 0.5, other), best - 1e-5);
    }
  }
}
END_TEST

START_TEST (test_same_bits)
{
  g_autoptr (EnsThreadPool) one = ens_thread_pool_new (1);
  g_autoptr (EnsThreadPool) four = ens_thread_pool_new (4);
  Toy toy;
  EnsExamples examples = make_toy (&toy, 2, 3);
  g_autoptr (EnsLinearClassifier) a = ens_svm_train (&examples, 1, one);
  g_autoptr (EnsLinearClassifier) b = ens_svm_train (&examples, 1, four);

  ck_assert_bytes_eq (a->weights, FEATURES * CLASSES * sizeof (float), b->weights,
                      FEATURES * CLASSES * sizeof (float));
  ck_assert_bytes_eq (a->biases, CLASSES * sizeof (float), b->biases, CLASSES * sizeof (float));
  ck_assert_double_eq (ens_svm_cross_fit (&examples, 0, one, NULL),
                       ens_svm_cross_fit (&examples, 0, four, NULL));
}
END_TEST

/* Where every C is perfect the strongest regularisation is chosen. */
START_TEST (test_choose_c)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  Toy toy;
  EnsExamples examples = make_toy (&toy, 0.2, 3);

  ck_assert_double_eq (ens_svm_cross_fit (&examples, 0, pool, NULL), 1.0 / 16);
}
END_TEST

START_TEST (test_one_sided_class)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  Toy toy;
  EnsExamples examples = make_toy (&toy, 0.2, 3);
  g_autoptr (EnsLinearClassifier) svm = NULL;

  for (guint i = 0; i < N; i++) {
    toy.labels[i * CLASSES + 1] = 0;
    toy.labels[i * CLASSES + 2] = 1;
  }
  svm = ens_svm_train (&examples, 1, pool);
  ck_assert_double_ne (svm->weights[0], 0);
  for (guint f = 0; f < FEATURES; f++) {
    ck_assert_double_eq (svm->weights[FEATURES + f], 0);
    ck_assert_double_eq (svm->weights[2 * FEATURES + f], 0);
  }
  ck_assert_double_gt (ens_svm_cross_fit (&examples, 0, pool, NULL), 0);
}
END_TEST

/* Each image has WINDOWS windows of noise, one of which shows its class; the image as a whole
 * hardly tells. The last image has no windows. */
#define WINDOWS 6

START_TEST (test_windows)
{
  g_autoptr (EnsThreadPool) one = ens_thread_pool_new (1);
  g_autoptr (EnsThreadPool) two = ens_thread_pool_new (2);
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  Toy toy;
  EnsExamples images = make_toy (&toy, 0.2, 3);
  float windows[N * WINDOWS * FEATURES];
  guint first[N + 1], right[2] = {0, 0};
  EnsBags bags = {images, first, windows};
  g_autoptr (EnsLinearClassifier) start = NULL;
  g_autoptr (EnsLinearClassifier) svm = NULL;
  g_autoptr (EnsLinearClassifier) again = NULL;

  for (guint i = 0; i < N * FEATURES; i++)
    toy.features[i] = (float)(0.3 * toy.features[i] + g_rand_double_range (random, -1, 1));
  for (guint i = 0; i <= N; i++)
    first[i] = WINDOWS * MIN (i, N - 1);
  for (guint w = 0; w < N * WINDOWS; w++) {
    guint class = w / WINDOWS % CLASSES;

    for (guint f = 0; f < FEATURES; f++)
      windows[w * FEATURES + f] = (float)(g_rand_double_range (random, -0.5, 0.5)
                                          + (w % WINDOWS == 4 && f == class ? 2 : 0));
  }
  start = ens_svm_train (&images, 1, one);
  svm = ens_svm_train_on_windows (&bags, start, 1, one);
  again = ens_svm_train_on_windows (&bags, start, 1, two);
  ck_assert_bytes_eq (svm->weights, FEATURES * CLASSES * sizeof (float), again->weights,
                      FEATURES * CLASSES * sizeof (float));
  for (guint i = 0; i < N - 1; i++)
    for (guint k = 0; k < 2; k++) {
      float decisions[WINDOWS * CLASSES];
      guint best = 0;

      ens_linear_classifier_decide (k == 0 ? start : svm, &windows[i * WINDOWS * FEATURES], WINDOWS,
                                    decisions, one);
      for (guint d = 1; d < WINDOWS * CLASSES; d++)
        best = decisions[d] > decisions[best] ? d : best;
      right[k] += best == 4 * CLASSES + i % CLASSES; /* the right class in the right window */
    }
  test_message ("trained on images %u of %u, on windows %u", right[0], N - 1, right[1]);
  ck_assert_uint_gt (right[1], right[0]);
  ck_assert_uint_ge (right[1], (N - 1) * 95 / 100);
}
END_TEST

/* Two thirds of the first class's labels. */
static void
label_first_class (Toy *toy, guint8 label)
{
  for (guint i = 0; i < N; i += CLASSES)
    if (i % (3 * CLASSES) != 0)
      toy->labels[i * CLASSES] = label;
}

/* Taken for absent they spoil the classifier; not known they don't. */
START_TEST (test_unknown)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  Toy toy;
  EnsExamples examples = make_toy (&toy, 0.2, 3);
  g_autoptr (EnsLinearClassifier) complete = ens_svm_train (&examples, 4, pool);
  g_autoptr (EnsLinearClassifier) partial = NULL, spoilt = NULL;

  label_first_class (&toy, ENS_LABEL_UNKNOWN);
  partial = ens_svm_train (&examples, 4, pool);
  label_first_class (&toy, ENS_LABEL_ABSENT);
  spoilt = ens_svm_train (&examples, 4, pool);
  label_first_class (&toy, ENS_LABEL_PRESENT);
  ck_assert_uint_eq (count_errors (complete, &examples, pool), 0);
  ck_assert_uint_eq (count_errors (partial, &examples, pool), 0);
  ck_assert_uint_gt (count_errors (spoilt, &examples, pool), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/svm");
  test_add ("separable", test_separable);
  TEST_ADD_LOOP ("known-solution", test_known_solution, known_solution_rows);
  test_add ("minimum", test_minimum);
  test_add ("root", test_root);
  test_add ("more-features-than-examples", test_more_features_than_examples);
  test_add ("same-bits", test_same_bits);
  test_add ("choose-c", test_choose_c);
  test_add ("unknown", test_unknown);
  test_add ("windows", test_windows);
  test_add ("one-sided-class", test_one_sided_class);
  return test_run ();
}
