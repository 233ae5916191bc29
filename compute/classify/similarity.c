/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/similarity.h"

#include <math.h>
#include <string.h>

#include "classify/cholesky.h"
#include "kernels/blas.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* The unit matrix's share of the covariance. */
#define SHRINKAGE 0.1

/* ---- Means and spreads ---- */

/* Each divided by its length. (transfer full) */
static float *
normalise_rows (const float *rows, guint n_rows, guint n_features)
{
  float *normalised = g_memdup2 (rows, sizeof *rows * n_rows * n_features);

  for (guint i = 0; i < n_rows; i++) {
    float *row = &normalised[(gsize)i * n_features];
    double square = 0;

    for (guint f = 0; f < n_features; f++)
      square += (double)row[f] * row[f];
    for (guint f = 0; f < n_features && square > 0; f++)
      row[f] = (float)(row[f] / sqrt (square));
  }
  return normalised;
}

static void
add_row (double *sum, const float *row, guint n_features)
{
  for (guint f = 0; f < n_features; f++)
    sum[f] += row[f];
}

static void
store_mean (const double *sum, guint n, float *mean, guint n_features)
{
  for (guint f = 0; f < n_features; f++)
    mean[f] = n > 0 ? (float)(sum[f] / n) : 0;
}

/* The mean of all examples. (transfer full) */
static float *
average_all (const EnsExamples *examples)
{
  guint n_features = examples->n_features, n = examples->truth.n_samples;
  g_autofree double *sum = g_new0 (double, n_features);
  float *mean = g_new (float, n_features);

  for (guint i = 0; i < n; i++)
    add_row (sum, &examples->features[(gsize)i * n_features], n_features);
  store_mean (sum, n, mean, n_features);
  return mean;
}

/* m of each class. (transfer full) */
static float *
average_classes (const EnsExamples *examples)
{
  const EnsLabels *truth = &examples->truth;
  guint n_features = examples->n_features;
  float *means = g_new (float, (gsize)truth->n_classes *n_features);

  for (guint c = 0; c < truth->n_classes; c++) {
    g_autofree double *sum = g_new0 (double, n_features);
    guint n = 0;

    for (guint i = 0; i < truth->n_samples; i++) {
      if (!ens_labels_has (truth, i, c))
        continue;
      add_row (sum, &examples->features[(gsize)i * n_features], n_features);
      n++;
    }
    store_mean (sum, n, &means[(gsize)c * n_features], n_features);
  }
  return means;
}

static void
subtract (float *rows, const float *row, guint n_rows, guint n_features)
{
  for (guint i = 0; i < n_rows; i++)
    for (guint f = 0; f < n_features; f++)
      rows[(gsize)i * n_features + f] -= row[f];
}

/* σ² of a class; 1 where its examples are all alike. */
static double
measure_spread (const EnsExamples *examples, const float *mean, guint class)
{
  double sum = 0;
  guint n = 0;

  for (guint i = 0; i < examples->truth.n_samples; i++) {
    const float *row = &examples->features[(gsize)i * examples->n_features];

    if (!ens_labels_has (&examples->truth, i, class))
      continue;
    for (guint f = 0; f < examples->n_features; f++)
      sum += ((double)row[f] - mean[f]) * ((double)row[f] - mean[f]);
    n++;
  }
  return sum > 0 ? sum / n : 1;
}

/* ---- Nodes ---- */

static const EnsBinaryParams plain = {0};

static EnsValue *
add_matrix (EnsGraph *graph, const char *name, const float *values, guint rows, guint columns)
{
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (rows, columns), values);

  return ens_graph_add_constant (graph, name, tensor);
}

static EnsValue *
append_normalised (EnsGraph *graph, EnsValue *vectors)
{
  static const EnsLpNormalizationParams params = {.axis = -1, .p = 2};

  return ens_graph_apply (graph, ens_op_find ("LpNormalization"), &params, vectors, NULL);
}

/* factor · vectors · rowsᵀ + bias */
static EnsValue *
append_product (EnsGraph *graph, EnsValue *vectors, EnsValue *rows, EnsValue *bias, float factor)
{
  const EnsGemmParams params = {.trans_b = TRUE, .alpha = factor, .beta = 1};

  return ens_graph_apply (graph, ens_op_find ("Gemm"), &params, vectors, rows, bias, NULL);
}

/* exp (−scales · ‖x − m‖²), as ‖x‖² − 2·x·m + ‖m‖². */
static EnsValue *
append_distance (EnsGraph *graph, EnsValue *vectors, const float *means, const float *scales,
                 guint n_classes, guint n_features)
{
  static const EnsReduceParams rows = {.axes = {1, TRUE, {1}}, .keepdims = TRUE};
  g_autofree float *squares = g_new0 (float, n_classes);
  g_autofree float *negative = g_new (float, n_classes);
  EnsValue *square, *value;

  for (guint c = 0; c < n_classes; c++) {
    double sum = 0;

    for (guint f = 0; f < n_features; f++)
      sum += (double)means[(gsize)c * n_features + f] * means[(gsize)c * n_features + f];
    squares[c] = (float)sum;
    negative[c] = -scales[c];
  }
  square = ens_graph_apply (graph, ens_op_find ("ReduceSumSquare"), &rows, vectors, NULL);
  value = append_product (graph, vectors, add_matrix (graph, "means", means, n_classes, n_features),
                          ens_graph_add_vector (graph, "squares", squares, n_classes), -2);
  value = ens_graph_apply (graph, ens_op_find ("Add"), &plain, value, square, NULL);
  value = ens_graph_apply (graph, ens_op_find ("Mul"), &plain, value,
                           ens_graph_add_vector (graph, "scales", negative, n_classes), NULL);
  return ens_graph_apply (graph, ens_op_find ("Exp"), NULL, value, NULL);
}

/* ---- Cosines ---- */

static EnsValue *
append_cosine (EnsGraph *graph, EnsValue *vectors, const EnsExamples *examples, gboolean centred)
{
  guint n_classes = examples->truth.n_classes, n_features = examples->n_features;
  g_autofree float *means = average_classes (examples);
  g_autofree float *normalised = NULL;

  if (centred) {
    g_autofree float *centre = average_all (examples);

    subtract (means, centre, n_classes, n_features);
    vectors = ens_graph_apply (graph, ens_op_find ("Sub"), &plain, vectors,
                               ens_graph_add_vector (graph, "centre", centre, n_features), NULL);
  }
  normalised = normalise_rows (means, n_classes, n_features);
  return append_product (graph, append_normalised (graph, vectors),
                         add_matrix (graph, "means", normalised, n_classes, n_features), NULL, 1);
}

/* ---- Distances ---- */

/* From the mean of all examples, so that rounding does no harm. */
static EnsValue *
append_class_distance (EnsGraph *graph, EnsValue *vectors, const EnsExamples *examples)
{
  guint n_classes = examples->truth.n_classes, n_features = examples->n_features;
  g_autofree float *centre = average_all (examples);
  g_autofree float *means = average_classes (examples);
  g_autofree float *scales = g_new (float, n_classes);

  for (guint c = 0; c < n_classes; c++)
    scales[c] = (float)(0.5 / measure_spread (examples, &means[(gsize)c * n_features], c));
  subtract (means, centre, n_classes, n_features);
  vectors = ens_graph_apply (graph, ens_op_find ("Sub"), &plain, vectors,
                             ens_graph_add_vector (graph, "centre", centre, n_features), NULL);
  return append_distance (graph, vectors, means, scales, n_classes, n_features);
}

/* What examples differ by from the means of the classes that they have: n_features × rows.
 * (transfer full) */
static float *
list_residuals (const EnsExamples *examples, const float *means, guint *n_rows)
{
  const EnsLabels *truth = &examples->truth;
  guint n_features = examples->n_features, n = 0;
  float *residuals;

  for (gsize i = 0; i < (gsize)truth->n_samples * truth->n_classes; i++)
    n += truth->labels[i] == ENS_LABEL_PRESENT;
  residuals = g_new (float, (gsize)MAX (n, 1) * n_features);
  *n_rows = 0;
  for (guint i = 0; i < truth->n_samples; i++)
    for (guint c = 0; c < truth->n_classes; c++) {
      if (!ens_labels_has (truth, i, c))
        continue;
      for (guint f = 0; f < n_features; f++)
        residuals[(gsize)f * n + *n_rows] =
            examples->features[(gsize)i * n_features + f] - means[(gsize)c * n_features + f];
      ++*n_rows;
    }
  return residuals;
}

/* L⁻¹ with Σ = L·Lᵀ. (transfer full) */
static float *
find_whitening (const EnsExamples *examples, const float *means, EnsThreadPool *pool)
{
  guint n = examples->n_features, n_rows;
  g_autofree float *residuals = list_residuals (examples, means, &n_rows);
  g_autofree float *no_bias = g_new0 (float, n);
  g_autofree double *matrix = g_new0 (double, (gsize)n *n);
  float *product = g_new0 (float, (gsize)n *n);
  double trace = 0;

  if (n_rows > 0)
    ens_blas_multiply_float64 (
        &(EnsBlasProduct) {n, n_rows, n, residuals, n_rows, residuals, n_rows, product, n}, no_bias,
        pool);
  for (guint f = 0; f < n; f++)
    trace += product[(gsize)f * n + f];
  for (gsize i = 0; i < (gsize)n * n; i++)
    matrix[i] = (1 - SHRINKAGE) * product[i] / MAX (n_rows, 1);
  for (guint f = 0; f < n; f++)
    matrix[(gsize)f * n + f] += trace > 0 ? SHRINKAGE * trace / n / MAX (n_rows, 1) : 1;
  ens_cholesky_invert (matrix, n);
  for (gsize i = 0; i < (gsize)n * n; i++)
    product[i] = (float)matrix[i];
  return product;
}

/* rows · matrixᵀ, in place. */
static void
transform (float *rows, guint n_rows, const float *matrix, guint n, EnsThreadPool *pool)
{
  g_autofree float *before = g_memdup2 (rows, sizeof *rows * n_rows * n);
  g_autofree float *no_bias = g_new0 (float, n);

  ens_blas_multiply_float64 (&(EnsBlasProduct) {n_rows, n, n, before, n, matrix, n, rows, n},
                             no_bias, pool);
}

static EnsValue *
append_mahalanobis (EnsGraph *graph, EnsValue *vectors, const EnsExamples *examples,
                    EnsThreadPool *pool)
{
  guint n_classes = examples->truth.n_classes, n = examples->n_features;
  g_autofree float *rows = normalise_rows (examples->features, examples->truth.n_samples, n);
  const EnsExamples normalised = {examples->truth, n, rows};
  g_autofree float *centre = average_all (&normalised);
  g_autofree float *means = average_classes (&normalised);
  g_autofree float *whitening = find_whitening (&normalised, means, pool);
  g_autofree float *scales = g_new (float, n_classes);
  EnsValue *value = append_normalised (graph, vectors);

  subtract (means, centre, n_classes, n);
  transform (means, n_classes, whitening, n, pool);
  for (guint c = 0; c < n_classes; c++)
    scales[c] = 0.5F / (float)n;
  value = ens_graph_apply (graph, ens_op_find ("Sub"), &plain, value,
                           ens_graph_add_vector (graph, "centre", centre, n), NULL);
  value = append_product (graph, value, add_matrix (graph, "whitening", whitening, n, n), NULL, 1);
  return append_distance (graph, value, means, scales, n_classes, n);
}

/* ---- Nearest neighbours ---- */

typedef struct {
  float *rows;   /* n_classes × n_per_class, classes with fewer filled up with zeroes … */
  float *biases; /* … and −1 */
  guint n_per_class;
} Neighbours;

static guint
count_class (const EnsLabels *truth, guint class)
{
  guint n = 0;

  for (guint i = 0; i < truth->n_samples; i++)
    n += ens_labels_has (truth, i, class);
  return n;
}

/* As many as the largest class may keep, and at least those that are averaged. */
static guint
choose_per_class (const EnsLabels *truth)
{
  guint largest = 0;

  for (guint c = 0; c < truth->n_classes; c++)
    largest = MAX (largest, count_class (truth, c));
  largest =
      MIN (largest, MIN (ENS_SIMILARITY_MAX_PER_CLASS, ENS_SIMILARITY_MAX_KEPT / truth->n_classes));
  return MAX (largest, ENS_SIMILARITY_NEIGHBOURS);
}

static Neighbours
keep_neighbours (const EnsExamples *examples)
{
  const EnsLabels *truth = &examples->truth;
  guint n_features = examples->n_features, n_per_class = choose_per_class (truth);
  gsize n = (gsize)truth->n_classes * n_per_class;
  g_autofree float *kept = g_new0 (float, n *n_features);
  Neighbours neighbours = {NULL, g_new (float, n), n_per_class};

  for (gsize i = 0; i < n; i++)
    neighbours.biases[i] = -1;
  for (guint c = 0; c < truth->n_classes; c++) {
    guint n_in_class = count_class (truth, c), seen = 0, n_kept = 0;

    for (guint i = 0; i < truth->n_samples; i++) {
      gsize at = (gsize)c * n_per_class + n_kept;

      if (!ens_labels_has (truth, i, c))
        continue;
      seen++;
      if ((guint64)seen * MIN (n_per_class, n_in_class) / n_in_class == n_kept)
        continue;
      memcpy (&kept[at * n_features], &examples->features[(gsize)i * n_features],
              n_features * sizeof *kept);
      neighbours.biases[at] = 0;
      n_kept++;
    }
  }
  neighbours.rows = normalise_rows (kept, (guint)n, n_features);
  return neighbours;
}

/* The mean of the largest along the last axis: one after the other is found and put out of the way.
 */
static EnsValue *
append_mean_of_largest (EnsGraph *graph, EnsValue *cosines)
{
  static const EnsReduceParams last = {.axes = {1, TRUE, {2}}, .keepdims = TRUE};
  static const EnsAxesParams squeezed = {.axes = {1, TRUE, {2}}};
  EnsValue *none = ens_graph_add_vector (graph, "none", &(float) {-1}, 1);
  EnsValue *largest[ENS_SIMILARITY_NEIGHBOURS];
  EnsValue *mean;

  for (guint k = 0; k < ENS_SIMILARITY_NEIGHBOURS; k++) {
    largest[k] = ens_graph_apply (graph, ens_op_find ("ReduceMax"), &last, cosines, NULL);
    if (k + 1 < ENS_SIMILARITY_NEIGHBOURS)
      cosines = ens_graph_apply (
          graph, ens_op_find ("Where"), NULL,
          ens_graph_apply (graph, ens_op_find ("GreaterOrEqual"), NULL, cosines, largest[k], NULL),
          none, cosines, NULL);
  }
  mean = ens_graph_add_node (graph, ens_op_find ("Mean"), NULL, &plain, largest,
                             ENS_SIMILARITY_NEIGHBOURS, 1)
             ->outputs[0];
  return ens_graph_apply (graph, ens_op_find ("Squeeze"), &squeezed, mean, NULL);
}

static EnsValue *
append_nearest (EnsGraph *graph, EnsValue *vectors, const EnsExamples *examples)
{
  static const EnsReshapeParams copied = {0};
  guint n_classes = examples->truth.n_classes;
  Neighbours neighbours = keep_neighbours (examples);
  guint n = n_classes * neighbours.n_per_class;
  const gint64 sizes[] = {0, n_classes, neighbours.n_per_class};
  g_autoptr (EnsTensor) shape = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (3), sizes);
  EnsValue *cosines =
      append_product (graph, append_normalised (graph, vectors),
                      add_matrix (graph, "neighbours", neighbours.rows, n, examples->n_features),
                      ens_graph_add_vector (graph, "missing", neighbours.biases, n), 1);

  g_free (neighbours.rows);
  g_free (neighbours.biases);
  cosines = ens_graph_apply (graph, ens_op_find ("Reshape"), &copied, cosines,
                             ens_graph_add_constant (graph, "sizes", shape), NULL);
  return append_mean_of_largest (graph, cosines);
}

EnsValue *
ens_similarity_append (EnsGraph *graph, EnsValue *vectors, EnsSimilarity kind,
                       const EnsExamples *examples, EnsThreadPool *pool)
{
  switch (kind) {
  case ENS_SIMILARITY_CENTRED_COSINE:
    return append_cosine (graph, vectors, examples, TRUE);
  case ENS_SIMILARITY_DISTANCE:
    return append_class_distance (graph, vectors, examples);
  case ENS_SIMILARITY_MAHALANOBIS:
    return append_mahalanobis (graph, vectors, examples, pool);
  case ENS_SIMILARITY_NEAREST:
    return append_nearest (graph, vectors, examples);
  case ENS_SIMILARITY_COSINE:
  default:
    return append_cosine (graph, vectors, examples, FALSE);
  }
}
