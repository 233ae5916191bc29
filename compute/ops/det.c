/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Det: determinants of square matrices, by elimination with the largest pivot of a column. */
#include "ops/gradient.h"
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

/* Elimination. */
static double
det_flops (const EnsOperands *operands)
{
  const EnsView *x = operands->inputs[0];

  return 2. / 3 * (double)ens_view_elements (x) * (double)ens_view_columns (x);
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

/* Which lines are left of a matrix without line i: (n, n − 1). */
static EnsValue *
add_others (EnsGradient *gradient, gint64 n)
{
  g_autofree char *name = g_strdup_printf ("%s:others", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_INT64, &ENS_SHAPE (n, n - 1));

  for (gint64 i = 0; i < n * (n - 1); i++)
    ((gint64 *)tensor->data)[i] = i % (n - 1) + (i % (n - 1) >= i / (n - 1) ? 1 : 0);
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

static EnsValue *
add_signs (EnsGradient *gradient, EnsType type, gint64 n)
{
  g_autofree char *name = g_strdup_printf ("%s:signs", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (type, &ENS_SHAPE (n, n));
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  for (gint64 i = 0; i < n * n; i++)
    ens_view_set_real (&view, (gsize)i, (i / n + i % n) % 2 == 0 ? 1 : -1);
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

/* Of all matrices the determinants without row i and column k: (matrices, n, n). */
static EnsValue *
add_minors (EnsGradient *gradient, EnsValue *x)
{
  gint64 n = x->shape.dims[2];
  EnsValue *others = add_others (gradient, n);

  x = ens_gradient_apply (gradient, &ens_op_gather, &(EnsAxisParams) {1}, x, others, NULL);
  x = ens_gradient_apply (gradient, &ens_op_gather, &(EnsAxisParams) {3}, x, others, NULL);
  x = ens_gradient_apply (gradient, &ens_op_transpose,
                          &(EnsTransposeParams) {.perm = {5, TRUE, {0, 1, 3, 2, 4}}}, x, NULL);
  return ens_gradient_apply (gradient, &ens_op_det, NULL, x, NULL);
}

#define MAX_MINORS 64 /* rows of matrices whose minors take a bearable amount of memory, n⁴ */

/* An element's cofactor: unlike the inverse it is there of all matrices. */
static gboolean
det_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *x = gradient->node->inputs[0], *dy = gradient->outputs[0], *dx;
  const EnsShape shape = x->shape;
  gint64 n = shape.dims[shape.rank - 1], matrices = ens_shape_elements (&dy->shape);

  if (n > MAX_MINORS)
    return ens_gradient_error (gradient, error, "its matrices have more than 64 rows");
  if (n == 0)
    return TRUE;
  x = ens_gradient_reshape (gradient, x, &ENS_SHAPE (matrices, n, n));
  dy = ens_gradient_reshape (gradient, dy, &ENS_SHAPE (matrices, 1, 1));
  dx = ens_gradient_apply (gradient, &ens_op_mul, NULL, add_minors (gradient, x),
                           add_signs (gradient, x->type, n), NULL);
  dx = ens_gradient_apply (gradient, &ens_op_mul, NULL, dx, dy, NULL);
  gradient->inputs[0] = ens_gradient_reshape (gradient, dx, &shape);
  return TRUE;
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
                          .flops = det_flops,
                          .reference = det_reference,
                          .cpu = det_cpu,
                          .gradient = det_gradient,
                          .example = det_examples};
