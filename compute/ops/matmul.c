/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MatMul, as numpy.matmul: vectors become matrices of one row or column, whose axis the result
 * lacks; leading axes broadcast. Inputs 2 and 3 are ours, a bias of one element per column and
 * a residual of the output's shape that fusion adds. */
#include "ops/gradient.h"
#include "ops/matmul-shared.h"
#include "ops/params.h"
#include "ops/per-image.h"
#include "ops/registry.h"

static const EnsAttribute matmul_attributes[] = {ENS_ACTIVATION_ATTRIBUTES (EnsMatMulParams),
                                                 ENS_ATTRIBUTE_END};

enum { A, B, BIAS, RESIDUAL };

static EnsShape
leading_axes (const EnsShape *shape)
{
  EnsShape leading = *shape;

  leading.rank = shape->rank > 2 ? shape->rank - 2 : 0;
  return leading;
}

/* Strides of whole matrices over the batch. */
static void
batch_strides (const EnsShape *shape, const EnsShape *batch, gint64 matrix, gint64 *strides)
{
  EnsShape leading = leading_axes (shape);
  EnsView view = ens_view_dense (ENS_TYPE_FLOAT32, &leading, NULL);

  ens_view_broadcast_strides (&view, batch, strides);
  for (guint i = 0; i < batch->rank; i++)
    strides[i] *= matrix;
}

static gboolean
matmul_product (const EnsOperands *operands, EnsMatMul *product, GError **error)
{
  const EnsShape *a = &operands->inputs[0]->shape, *b = &operands->inputs[1]->shape;
  EnsShape b_batch = leading_axes (b);
  gint64 b_rows = b->dims[b->rank > 1 ? b->rank - 2 : 0];

  *product = (EnsMatMul) {.rows = a->rank > 1 ? a->dims[a->rank - 2] : 1,
                          .inner = a->dims[a->rank - 1],
                          .columns = b->rank > 1 ? b->dims[b->rank - 1] : 1,
                          .batch = leading_axes (a)};
  if (product->inner != b_rows)
    return ens_matmul_inner_error (operands, product->inner, b_rows, error);
  if (!ens_broadcast (&product->batch, &b_batch)) {
    g_autofree char *expected = ens_shape_to_string (a);
    g_autofree char *found = ens_shape_to_string (b);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "input 1 is %s, expected leading axes that broadcast with %s", found,
                         expected);
  }
  if (b->rank <= 2 && a->rank > 2) { /* one matrix B for all: one tall matrix A */
    if (__builtin_mul_overflow (product->rows, ens_shape_elements (&product->batch),
                                &product->rows))
      product->rows = G_MAXINT64;
    product->batch = ENS_SHAPE_SCALAR;
  } else {
    batch_strides (a, &product->batch, product->rows * product->inner, product->a_strides);
    batch_strides (b, &product->batch, product->inner * product->columns, product->b_strides);
  }
  return ens_matmul_check (operands, product, error);
}

static gboolean
matmul_shape (EnsOperands *operands, GError **error)
{
  const EnsView *a = operands->inputs[0], *b = operands->inputs[1];
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);
  EnsShape shape, b_batch;
  EnsMatMul product;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_same_types (operands, 1, error)
      || !ens_check_rank (operands, 0, 1, ENS_MAX_RANK, error)
      || !ens_check_rank (operands, 1, 1, ENS_MAX_RANK, error)
      || !matmul_product (operands, &product, error)
      || !ens_check_vector (operands, BIAS, product.columns, error))
    return FALSE;
  shape = leading_axes (&a->shape);
  b_batch = leading_axes (&b->shape);
  ens_broadcast (&shape, &b_batch);
  if (a->shape.rank > 1)
    shape.dims[shape.rank++] = a->shape.dims[a->shape.rank - 2];
  if (b->shape.rank > 1)
    shape.dims[shape.rank++] = b->shape.dims[b->shape.rank - 1];
  if (residual != NULL && !ens_shape_equal (&residual->shape, &shape)) {
    g_autofree char *found = ens_shape_to_string (&residual->shape);
    g_autofree char *expected = ens_shape_to_string (&shape);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "the residual is %s, expected %s", found,
                         expected);
  }
  return ens_set_output (operands, 0, a->type, &shape, error);
}

static double
matmul_flops (const EnsOperands *operands)
{
  EnsMatMul product;

  matmul_product (operands, &product, NULL);
  return 2. * (double)ens_shape_elements (&operands->outputs[0]->shape) * (double)product.inner;
}

static void
matmul_reference (const EnsOperands *operands)
{
  const EnsMatMulParams *params = operands->params;
  const EnsView *a = operands->inputs[A], *b = operands->inputs[B], *y = operands->outputs[0];
  const EnsView *bias = ens_operands_input (operands, BIAS);
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);
  gint64 n = ens_shape_elements (&y->shape), matrix;
  EnsMatMul product;

  matmul_product (operands, &product, NULL);
  matrix = product.rows * product.columns;
  for (gint64 i = 0; i < n; i++) {
    gsize a_at, b_at;
    double sum = 0;

    ens_matmul_find (&product, i / matrix, &a_at, &b_at);
    a_at += (gsize)(i % matrix / product.columns * product.inner);
    b_at += (gsize)(i % product.columns);
    for (gint64 k = 0; k < product.inner; k++)
      sum += ens_view_real (a, a_at + (gsize)k)
             * ens_view_real (b, b_at + (gsize)(k * product.columns));
    if (bias != NULL)
      sum += ens_view_real (bias, (gsize)(i % product.columns));
    if (residual != NULL)
      sum += ens_view_real (residual, (gsize)i);
    ens_view_set_real (y, (gsize)i, ens_activation_apply (&params->activation, sum));
  }
}

static void
matmul_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsMatMul product;

  matmul_product (operands, &product, NULL);
  ens_matmul_plan (operands, &product, plan);
}

static void
matmul_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsMatMulParams *params = operands->params;
  const float *a = operands->inputs[0]->data, *b = operands->inputs[1]->data;
  const EnsView *bias = ens_operands_input (operands, BIAS);
  const EnsView *residual = ens_operands_input (operands, RESIDUAL);
  EnsEpilogue epilogue = ens_matmul_epilogue (&params->activation);
  gint64 n;
  EnsMatMul product;

  if (context->state == NULL) {
    matmul_reference (operands);
    return;
  }
  epilogue.bias = bias != NULL ? bias->data : NULL;
  matmul_product (operands, &product, NULL);
  epilogue.residual_pitch = (gsize)product.columns;
  n = ens_shape_elements (&product.batch);
  for (gint64 i = 0; i < n; i++) {
    gint64 first = i * product.rows * product.columns;
    float *y = (float *)operands->outputs[0]->data + first;
    gsize a_at, b_at;

    if (residual != NULL)
      epilogue.residual = (const float *)residual->data + first;
    ens_matmul_find (&product, i, &a_at, &b_at);
    ens_matmul_run (&product, &(EnsMatMulMatrices) {a + a_at, b + b_at, y, &epilogue}, context);
  }
}

static gboolean
matmul_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsMatMulParams *params = operands->params;
  EnsMatMul product;

  matmul_product (operands, &product, NULL);
  return ens_matmul_record (
      operands, &product,
      &(EnsMatMulAddition) {.c = ens_operands_input (operands, BIAS),
                            .c_column = 1,
                            .factor = 1,
                            .c_factor = 1,
                            .residual = ens_operands_input (operands, RESIDUAL)},
      &params->activation, commands);
}

/* Gradients, of matrices: vectors get the axis back that they lack. */

typedef struct {
  EnsGradient *gradient;
  EnsValue *a, *b, *dy;
} Matrices;

static EnsValue *
as_matrix (EnsGradient *gradient, EnsValue *value, gboolean column)
{
  gint64 n = value->shape.dims[0];

  if (value->shape.rank > 1)
    return value;
  return ens_gradient_reshape (gradient, value, column ? &ENS_SHAPE (n, 1) : &ENS_SHAPE (1, n));
}

static Matrices
get_matrices (EnsGradient *gradient)
{
  Matrices matrices = {gradient, as_matrix (gradient, gradient->node->inputs[0], FALSE),
                       as_matrix (gradient, gradient->node->inputs[1], TRUE)};
  EnsShape shape = leading_axes (&matrices.a->shape), b_batch = leading_axes (&matrices.b->shape);

  ens_broadcast (&shape, &b_batch);
  shape.dims[shape.rank++] = matrices.a->shape.dims[matrices.a->shape.rank - 2];
  shape.dims[shape.rank++] = matrices.b->shape.dims[matrices.b->shape.rank - 1];
  matrices.dy = ens_gradient_reshape (gradient, gradient->outputs[0], &shape);
  return matrices;
}

static EnsValue *
transpose (EnsGradient *gradient, EnsValue *value)
{
  EnsTransposeParams params = {.perm = {.present = TRUE, .n = value->shape.rank}};

  for (guint i = 0; i < params.perm.n; i++)
    params.perm.values[i] = i;
  params.perm.values[params.perm.n - 2]++;
  params.perm.values[params.perm.n - 1]--;
  return ens_gradient_apply (gradient, &ens_op_transpose, &params, value, NULL);
}

/* All of A's and dY's rows together, where one matrix B serves them all: Aᵀ · dY. */
static EnsValue *
multiply_rows (const Matrices *matrices)
{
  EnsGradient *gradient = matrices->gradient;
  const EnsShape *a = &matrices->a->shape, *dy = &matrices->dy->shape;
  gint64 rows = ens_shape_span (a, 0, a->rank - 1);
  EnsShape a_rows = ENS_SHAPE (rows, a->dims[a->rank - 1]);
  EnsShape dy_rows = ENS_SHAPE (rows, dy->dims[dy->rank - 1]);

  return ens_gradient_apply (gradient, &ens_op_gemm,
                             &(EnsGemmParams) {.trans_a = TRUE, .alpha = 1, .beta = 1},
                             ens_gradient_reshape (gradient, matrices->a, &a_rows),
                             ens_gradient_reshape (gradient, matrices->dy, &dy_rows), NULL);
}

static EnsValue *
multiply_back (const Matrices *matrices, guint i)
{
  EnsGradient *gradient = matrices->gradient;

  if (i == 0)
    return ens_gradient_apply (gradient, &ens_op_matmul, NULL, matrices->dy,
                               transpose (gradient, matrices->b), NULL);
  if (matrices->b->shape.rank == 2)
    return multiply_rows (matrices);
  return ens_gradient_apply (gradient, &ens_op_matmul, NULL, transpose (gradient, matrices->a),
                             matrices->dy, NULL);
}

static gboolean
matmul_gradient (EnsGradient *gradient, GError **error)
{
  Matrices matrices = get_matrices (gradient);
  const EnsValue *factors[] = {matrices.a, matrices.b};

  for (guint i = 0; i < 2; i++)
    if (gradient->wanted[i]) {
      EnsValue *sum =
          ens_gradient_sum_to (gradient, multiply_back (&matrices, i), &factors[i]->shape);

      gradient->inputs[i] = ens_gradient_reshape (gradient, sum, &gradient->node->inputs[i]->shape);
    }
  if (gradient->node->n_inputs > BIAS && gradient->wanted[BIAS])
    gradient->inputs[BIAS] =
        ens_gradient_sum_to (gradient, gradient->outputs[0], &gradient->node->inputs[BIAS]->shape);
  if (gradient->node->n_inputs > RESIDUAL && gradient->wanted[RESIDUAL])
    gradient->inputs[RESIDUAL] = gradient->outputs[0];
  return TRUE;
}

static gboolean
matmul_per_image (const EnsNode *node)
{
  const EnsShape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;

  if (node->inputs[0]->constant != NULL)
    return FALSE;
  if (node->inputs[1]->constant != NULL)
    return a->rank >= 2 && b->rank <= 2;
  return a->rank >= 3 && a->rank == b->rank;
}

static const EnsOpExample matmul_examples[] = {{"3x5x12 =12x9"}, {NULL}};

const EnsOp ens_op_matmul = {
    .name = "MatMul",
    .min_inputs = 2,
    .max_inputs = 4,
    .min_outputs = 1,
    .max_outputs = 1,
    .layout = ENS_LAYOUT_PLAIN,
    .kind = ENS_KIND_PRODUCT,
    .flags = ENS_OP_FUSES | ENS_OP_RESIDUAL_IN_PLACE,
    .params_size = sizeof (EnsMatMulParams),
    .attributes = matmul_attributes,
    .parameters = {[B] = ENS_PARAMETER_WEIGHT, [BIAS] = ENS_PARAMETER_BIAS},
    .shape = matmul_shape,
    .flops = matmul_flops,
    .reference = matmul_reference,
    .cpu = matmul_cpu,
    .cpu_plan = matmul_cpu_plan,
    .gpu = matmul_gpu,
    .gradient = matmul_gradient,
    .per_image = matmul_per_image,
    .example = matmul_examples,
    .activation_offset = G_STRUCT_OFFSET (EnsMatMulParams, activation)};
