/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Det: determinants of square matrices, by elimination with the largest pivot of a column. */
#include "ops/operands.h"
#include "ops/registry.h"

#include <math.h>

static gboolean
det_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[0]->shape;

  if (!ens_check_type (operands, 0, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, 0, 2, ENS_MAX_RANK, error))
    return FALSE;
  if (shape.dims[shape.rank - 1] != shape.dims[shape.rank - 2])
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "matrices are %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                         ", expected square ones",
                         shape.dims[shape.rank - 2], shape.dims[shape.rank - 1]);
  shape.rank -= 2;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static gsize
find_pivot (const double *matrix, gsize n, gsize column)
{
  gsize best = column;

  for (gsize row = column + 1; row < n; row++)
    if (fabs (matrix[row * n + column]) > fabs (matrix[best * n + column]))
      best = row;
  return best;
}

static void
swap_rows (double *matrix, gsize n, gsize a, gsize b)
{
  for (gsize k = 0; k < n; k++) {
    double kept = matrix[a * n + k];

    matrix[a * n + k] = matrix[b * n + k];
    matrix[b * n + k] = kept;
  }
}

static void
eliminate (double *matrix, gsize n, gsize column)
{
  const double *pivot = matrix + column * n;

  for (gsize row = column + 1; row < n; row++) {
    double factor = matrix[row * n + column] / pivot[column];

    for (gsize k = column; k < n; k++)
      matrix[row * n + k] -= factor * pivot[k];
  }
}

static double
find_determinant (double *matrix, gsize n)
{
  double product = 1;

  for (gsize column = 0; column < n; column++) {
    gsize pivot = find_pivot (matrix, n, column);

    if (pivot != column) {
      swap_rows (matrix, n, pivot, column);
      product = -product;
    }
    product *= matrix[column * n + column];
    if (product == 0)
      return 0;
    eliminate (matrix, n, column);
  }
  return product;
}

static void
det_range (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsView *x = operands->inputs[0];
  gsize n = ens_view_columns (x);
  g_autofree double *matrix = g_new (double, n *n + 1);

  for (gsize i = begin; i < end; i++) {
    for (gsize k = 0; k < n * n; k++)
      matrix[k] = ens_view_real (x, i * n * n + k);
    ens_view_set_real (operands->outputs[0], i, find_determinant (matrix, n));
  }
}

static void
det_reference (const EnsOperands *operands)
{
  det_range (operands, 0, ens_view_elements (operands->outputs[0]));
}

/* The reference on all threads. */
static void
det_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  gsize n = ens_view_columns (operands->inputs[0]);

  ens_parallel (context->pool, ens_view_elements (operands->outputs[0]), n * n * (n + 1), det_range,
                operands);
}

static const EnsOpExample det_examples[] = {{"2x3x4x4"}, {NULL}};

const EnsOp ens_op_det = {.name = "Det",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .min_outputs = 1,
                          .max_outputs = 1,
                          .layout = ENS_LAYOUT_PLAIN,
                          .versions = {.since = 11},
                          .shape = det_shape,
                          .reference = det_reference,
                          .cpu = det_cpu,
                          .example = det_examples};
