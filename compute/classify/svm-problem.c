/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/svm-problem.h"

#include <math.h>

#include "classify/cholesky.h"
#include "kernels/blas.h"

/* Of the mean of a Gram matrix's diagonal: more than float32's rounding takes from it. */
#define RIDGE 1e-5

/* Relative to the first gradient. LIBLINEAR's own 0.01 leaves differences that show in the second
 * digit of a decision value. */
#define TOLERANCE 1e-3

#define FEATURE_EPSILON 1e-6

/* A feature that hardly varies among the examples, such as the probability of a class that none of
 * them shows, would decide everything where it does vary, as on windows: no deviation counts as
 * less than this share of all features' root mean square deviation. */
#define DEVIATION_FLOOR 0.1

static double
take_feature (gboolean root, float value)
{
  return root ? ens_signed_root (value) : value;
}

static void
measure_features (EnsSvmRows *rows, const EnsExamples *examples)
{
  guint n = examples->truth.n_samples, n_features = examples->n_features;
  g_autofree double *square = g_new0 (double, n_features);
  double floor = 0; /* squared */

  rows->mean = g_new0 (double, n_features);
  rows->scale = g_new0 (double, n_features);
  for (guint i = 0; i < n; i++)
    for (guint f = 0; f < n_features; f++)
      rows->mean[f] +=
          take_feature (rows->root, examples->features[(gsize)i * n_features + f]) / (double)n;
  for (guint i = 0; i < n; i++)
    for (guint f = 0; f < n_features; f++) {
      double difference =
          take_feature (rows->root, examples->features[(gsize)i * n_features + f]) - rows->mean[f];

      square[f] += difference * difference / n;
    }
  for (guint f = 0; f < n_features; f++)
    floor += DEVIATION_FLOOR * DEVIATION_FLOOR * square[f] / n_features;
  for (guint f = 0; f < n_features; f++)
    if (sqrt (square[f]) > FEATURE_EPSILON * (1 + fabs (rows->mean[f])))
      rows->scale[f] = 1 / sqrt (MAX (square[f], floor) * n_features);
}

void
ens_svm_rows_fill (const EnsSvmRows *rows, const float *features, struct feature_node *row)
{
  guint f;

  for (f = 0; f < rows->n_features; f++)
    row[f] = (struct feature_node) {
        (int)f + 1, (take_feature (rows->root, features[f]) - rows->mean[f]) * rows->scale[f]};
  row[f] = (struct feature_node) {(int)f + 1, 1};
  row[f + 1] = (struct feature_node) {.index = -1};
}

static void
begin_rows (EnsSvmRows *rows, const EnsExamples *examples)
{
  rows->n_features = examples->n_features;
  rows->n_rows = examples->truth.n_samples;
  rows->root = examples->root;
  measure_features (rows, examples);
}

void
ens_svm_rows_init (EnsSvmRows *rows, const EnsExamples *examples)
{
  begin_rows (rows, examples);
  rows->n_columns = examples->n_features;
  rows->pitch = (gsize)examples->n_features + 2;
  rows->nodes = g_new (struct feature_node, rows->pitch * examples->truth.n_samples);
  for (guint i = 0; i < examples->truth.n_samples; i++)
    ens_svm_rows_fill (rows, &examples->features[(gsize)i * examples->n_features],
                       &rows->nodes[i * rows->pitch]);
}

static float *
standardise (const EnsSvmRows *rows, const EnsExamples *examples)
{
  const gsize n_values = (gsize)rows->n_rows * rows->n_features;
  float *values = g_new (float, n_values);

  for (gsize i = 0; i < n_values; i++) {
    const guint f = (guint)(i % rows->n_features);
    const double value = take_feature (rows->root, examples->features[i]);

    values[i] = (float)((value - rows->mean[f]) * rows->scale[f]);
  }
  return values;
}

/* L of X·Xᵀ, of which a little more than it is makes sure that there is one, also of examples that
 * are equal; NULL if there is none all the same. (transfer full) */
static double *
factorise (const EnsSvmRows *rows, EnsThreadPool *pool)
{
  const gsize n = rows->n_rows;
  g_autofree float *products = g_new (float, n *n);
  g_autofree float *zeroes = g_new0 (float, n);
  g_autofree double *factor = g_new (double, n *n);
  double trace = 0;

  ens_blas_multiply_float64 (&(EnsBlasProduct) {.rows = (guint)n,
                                                .inner = rows->n_features,
                                                .columns = (guint)n,
                                                .a = rows->standardised,
                                                .a_pitch = rows->n_features,
                                                .b = rows->standardised,
                                                .b_pitch = rows->n_features,
                                                .c = products,
                                                .c_pitch = n},
                             zeroes, pool);
  for (gsize i = 0; i < n * n; i++)
    factor[i] = products[i];
  for (gsize i = 0; i < n; i++)
    trace += factor[i * n + i];
  for (gsize i = 0; i < n; i++)
    factor[i * n + i] += RIDGE * trace / (double)n;
  return ens_cholesky_decompose (factor, (guint)n) ? g_steal_pointer (&factor) : NULL;
}

/* Row i has i + 1 values, the bias and the end. */
static void
fill_reduced (EnsSvmRows *rows)
{
  const guint n = rows->n_rows;

  rows->n_columns = n;
  rows->pitch = (gsize)n + 2;
  rows->nodes = g_new (struct feature_node, rows->pitch * n);
  for (guint i = 0; i < n; i++) {
    struct feature_node *row = &rows->nodes[i * rows->pitch];

    for (guint j = 0; j <= i; j++)
      row[j] = (struct feature_node) {(int)j + 1, rows->factor[(gsize)i * n + j]};
    row[i + 1] = (struct feature_node) {(int)n + 1, 1};
    row[i + 2] = (struct feature_node) {.index = -1};
  }
}

void
ens_svm_rows_init_reduced (EnsSvmRows *rows, const EnsExamples *examples, EnsThreadPool *pool)
{
  if (examples->truth.n_samples < examples->n_features) {
    begin_rows (rows, examples);
    rows->standardised = standardise (rows, examples);
    rows->factor = factorise (rows, pool);
    if (rows->factor != NULL) {
      fill_reduced (rows);
      return;
    }
    ens_svm_rows_clear (rows);
    *rows = (EnsSvmRows) {0};
  }
  ens_svm_rows_init (rows, examples);
}

void
ens_svm_rows_clear (EnsSvmRows *rows)
{
  g_free (rows->factor);
  g_free (rows->standardised);
  g_free (rows->mean);
  g_free (rows->scale);
  g_free (rows->nodes);
}

static void
print_nothing (const char *text)
{
}

/* LIBLINEAR prints its progress; where to is global to the process. Else its primal solver keeps
 * no global state (the dual one draws from rand ()), so that machines may train side by side. */
static gpointer
silence (gpointer data)
{
  set_print_string_function (print_nothing);
  return NULL;
}

double *
ens_svm_solve (const EnsSvmProblem *problem, const EnsSvmRows *rows, double c)
{
  static GOnce once = G_ONCE_INIT;
  struct problem data = {.l = (int)problem->n_rows,
                         .n = (int)rows->n_columns + 1,
                         .y = problem->sides,
                         .x = problem->rows,
                         .bias = 1};
  struct model *model;
  double n_positive = 0, n_negative, weights[2], *result;
  int sides[] = {1, -1};

  for (guint i = 0; i < problem->n_rows; i++)
    n_positive += problem->sides[i] > 0;
  n_negative = problem->n_rows - n_positive;
  if (n_positive == 0 || n_negative == 0)
    return NULL;

  g_once (&once, silence, NULL);
  weights[0] = sqrt (MAX (1, n_negative / n_positive));
  weights[1] = sqrt (MAX (1, n_positive / n_negative));
  model = train (&data, &(struct parameter) {.solver_type = L2R_L2LOSS_SVC,
                                             .eps = TOLERANCE,
                                             .C = c,
                                             .nr_weight = 2,
                                             .weight_label = sides,
                                             .weight = weights});
  result = g_memdup2 (model->w, sizeof (double) * (gsize)data.n);
  for (int f = 0; f < data.n && model->label[0] != 1; f++)
    result[f] = -result[f];
  free_and_destroy_model (&model);
  return result;
}

/* From the weights v of L's columns to those of standardised features, Xᵀ·L⁻ᵀ·v, and the bias.
 * (transfer full) */
static double *
expand (const EnsSvmRows *rows, const double *weights)
{
  const guint n = rows->n_rows;
  g_autofree double *shares = g_memdup2 (weights, n * sizeof *weights);
  double *expanded = g_new0 (double, rows->n_features + 1);

  for (guint i = n; i-- > 0;) {
    shares[i] /= rows->factor[(gsize)i * n + i];
    for (guint j = 0; j < i; j++)
      shares[j] -= rows->factor[(gsize)i * n + j] * shares[i];
  }
  for (guint i = 0; i < n; i++)
    for (guint f = 0; f < rows->n_features; f++)
      expanded[f] += shares[i] * rows->standardised[(gsize)i * rows->n_features + f];
  expanded[rows->n_features] = weights[n];
  return expanded;
}

void
ens_svm_set (EnsLinearClassifier *linear, guint class, const EnsSvmRows *rows,
             const double *weights)
{
  float *row = &linear->weights[(gsize) class * linear->n_features];
  g_autofree double *expanded =
      rows->factor != NULL && weights != NULL ? expand (rows, weights) : NULL;
  double bias;

  if (expanded != NULL)
    weights = expanded;
  bias = weights != NULL ? weights[linear->n_features] : 0;

  for (guint f = 0; f < linear->n_features; f++) {
    double weight = weights != NULL ? weights[f] * rows->scale[f] : 0;

    row[f] = (float)weight;
    bias -= weight * rows->mean[f];
  }
  linear->biases[class] = (float)bias;
}
