/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gemm: one packed product. */
#include "ops/elementwise.h"
#include "ops/gradient.h"
#include "ops/matmul-shared.h"
#include "ops/per-image.h"
#include "ops/registry.h"
#include "ops/strided.h"

static void
transpose_dims (gint64 *rows, gint64 *columns)
{
  gint64 swap = *rows;

  *rows = *columns;
  *columns = swap;
}

static const EnsAttribute gemm_attributes[] = {
    {"transA", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsGemmParams, trans_a)},
    {"transB", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsGemmParams, trans_b)},
    {"alpha", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsGemmParams, alpha), .real = 1},
    {"beta", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsGemmParams, beta), .real = 1},
    {"broadcast", ENS_ATTRIBUTE_IGNORED, .until = 6},
    ENS_ACTIVATION_ATTRIBUTES (EnsGemmParams),
    ENS_ATTRIBUTE_END};

static gboolean
gemm_product (const EnsOperands *operands, EnsMatMul *product, GError **error)
{
  const EnsGemmParams *params = operands->params;
  const gint64 *a = operands->inputs[0]->shape.dims, *b = operands->inputs[1]->shape.dims;
  gint64 b_rows = b[0];

  *product = (EnsMatMul) {.rows = a[0],
                          .inner = a[1],
                          .columns = b[1],
                          .trans_a = params->trans_a,
                          .trans_b = params->trans_b};
  if (params->trans_a)
    transpose_dims (&product->rows, &product->inner);
  if (params->trans_b)
    transpose_dims (&b_rows, &product->columns);
  if (product->inner != b_rows)
    return ens_matmul_inner_error (operands, product->inner, b_rows, error);
  return ens_matmul_check (operands, product, error);
}

static gboolean
gemm_shape (EnsOperands *operands, GError **error)
{
  const EnsView *c = ens_operands_input (operands, 2);
  EnsMatMul product;
  EnsShape shape;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_same_types (operands, 1, error) || !ens_check_rank (operands, 0, 2, 2, error)
      || !ens_check_rank (operands, 1, 2, 2, error) || !gemm_product (operands, &product, error))
    return FALSE;
  shape = ENS_SHAPE (product.rows, product.columns);
  if (c != NULL
      && (!ens_broadcast (&shape, &c->shape)
          || !ens_shape_equal (&shape, &ENS_SHAPE (product.rows, product.columns)))) {
    g_autofree char *found = ens_shape_to_string (&c->shape);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "input 2 is %s, expected what broadcasts to %" G_GINT64_FORMAT
                         "x%" G_GINT64_FORMAT,
                         found, product.rows, product.columns);
  }
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static double
gemm_flops (const EnsOperands *operands)
{
  EnsMatMul product;

  gemm_product (operands, &product, NULL);
  return 2. * (double)product.rows * (double)product.inner * (double)product.columns;
}

static void
gemm_reference (const EnsOperands *operands)
{
  const EnsGemmParams *params = operands->params;
  const EnsView *a = operands->inputs[0], *b = operands->inputs[1], *y = operands->outputs[0];
  const EnsView *c = ens_operands_input (operands, 2);
  gint64 a_step = params->trans_a ? a->shape.dims[1] : 1;
  gint64 b_step = params->trans_b ? 1 : b->shape.dims[1];
  EnsMatMul product;
  EnsWalk walk;

  gemm_product (operands, &product, NULL);
  for (ens_walk_begin (&walk, &y->shape, (const EnsView *[]) {y, c}, 2); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gint64 row = walk.index[0], column = walk.index[1];
    gint64 a_at = params->trans_a ? row : row * product.inner;
    gint64 b_at = params->trans_b ? column * product.inner : column;
    double sum = 0;

    for (gint64 k = 0; k < product.inner; k++)
      sum += ens_view_real (a, (gsize)(a_at + k * a_step))
             * ens_view_real (b, (gsize)(b_at + k * b_step));
    sum *= params->alpha;
    if (c != NULL)
      sum += params->beta * ens_view_real (c, walk.offsets[1]);
    ens_view_set_real (y, walk.offsets[0], ens_activation_apply (&params->activation, sum));
  }
}

static void
gemm_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsMatMul product;

  gemm_product (operands, &product, NULL);
  ens_matmul_plan (operands, &product, plan);
}

/* C is one value per column, or one per element: what the epilogue adds. */
static gboolean
can_fuse_c (const EnsView *c, const EnsView *y)
{
  return c == NULL || ens_view_elements (c) == ens_view_elements (y)
         || (ens_view_columns (c) == ens_view_columns (y) && ens_view_rows (c) == 1);
}

typedef struct {
  EnsStrided strided;
  float alpha, beta;
  const float *c;
  float *y;
} Scaling;

static void
scale_run (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Scaling *scaling = data;
  gint64 step = scaling->strided.strides[1][scaling->strided.rank - 1];
  float *y = scaling->y + offsets[0];

  for (gsize i = 0; i < n; i++)
    y[i] = scaling->alpha * y[i] + scaling->beta * scaling->c[offsets[1] + (gint64)i * step];
}

static void
scale_range (gconstpointer data, gsize begin, gsize end)
{
  const Scaling *scaling = data;

  ens_strided_run (&scaling->strided, begin, end, scale_run, scaling);
}

/* y = alpha · y + beta · c */
static void
scale (const EnsOperands *operands, EnsThreadPool *pool)
{
  static const float zero = 0;
  const EnsGemmParams *params = operands->params;
  const EnsView *y = operands->outputs[0];
  EnsView nothing = ens_view_dense (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, (gpointer)&zero);
  const EnsView *c = ens_operands_input (operands, 2);
  Scaling scaling = {.alpha = params->alpha, .beta = params->beta, .y = y->data};

  if (c == NULL)
    c = &nothing;
  scaling.c = c->data;
  scaling.strided = ens_strided_broadcast (&y->shape, (const EnsView *[]) {y, c}, 2);
  ens_strided_merge (&scaling.strided);
  ens_strided_keep_contiguous (&scaling.strided, 1);
  ens_parallel (pool, ens_strided_elements (&scaling.strided), 1, scale_range, &scaling);
}

static void
gemm_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsGemmParams *params = operands->params;
  const EnsView *y = operands->outputs[0], *c = ens_operands_input (operands, 2);
  gboolean fused = params->alpha == 1 && (c == NULL || params->beta == 1) && can_fuse_c (c, y);
  EnsEpilogue epilogue = ens_matmul_epilogue (&params->activation);
  EnsMatMul product;

  if (context->state == NULL) {
    gemm_reference (operands);
    return;
  }
  gemm_product (operands, &product, NULL);
  if (c != NULL && ens_view_rows (c) == 1) {
    epilogue.bias = c->data;
  } else if (c != NULL) {
    epilogue.residual = c->data;
    epilogue.residual_pitch = (gsize)product.columns;
  }
  ens_matmul_run (&product,
                  &(EnsMatMulMatrices) {operands->inputs[0]->data, operands->inputs[1]->data,
                                        y->data, fused ? &epilogue : NULL},
                  context);
  if (fused)
    return;
  scale (operands, context->pool);
  if (params->activation.kind != ENS_ACTIVATION_NONE)
    ens_activation_run (y, y, &params->activation, context->pool);
}

static gboolean
gemm_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsGemmParams *params = operands->params;
  EnsMatMulAddition addition = {
      .c = ens_operands_input (operands, 2), .factor = params->alpha, .c_factor = params->beta};
  EnsMatMul product;

  gemm_product (operands, &product, NULL);
  if (addition.c != NULL) {
    gint64 strides[ENS_MAX_RANK];

    ens_view_broadcast_strides (addition.c, &operands->outputs[0]->shape, strides);
    addition.c_row = strides[0];
    addition.c_column = strides[1];
  }
  return ens_matmul_record (operands, &product, &addition, &params->activation, commands);
}

/* A product with the factors as the params say; alpha alone is left of them. */
static EnsValue *
multiply (EnsGradient *gradient, EnsValue *a, gboolean trans_a, EnsValue *b, gboolean trans_b)
{
  const EnsGemmParams *params = gradient->node->params;

  return ens_gradient_apply (
      gradient, &ens_op_gemm,
      &(EnsGemmParams) {.trans_a = trans_a, .trans_b = trans_b, .alpha = params->alpha, .beta = 1},
      a, b, NULL);
}

/* Y = A' · B': the gradient of A' is dY · B'ᵀ, of B' it is A'ᵀ · dY; where they are transposed, so
 * is the product. */
static gboolean
gemm_gradient (EnsGradient *gradient, GError **error)
{
  const EnsGemmParams *params = gradient->node->params;
  EnsValue *a = gradient->node->inputs[0], *b = gradient->node->inputs[1];
  EnsValue *dy = gradient->outputs[0], *c = ens_node_input (gradient->node, 2);

  if (gradient->wanted[0])
    gradient->inputs[0] = params->trans_a ? multiply (gradient, b, params->trans_b, dy, TRUE)
                                          : multiply (gradient, dy, FALSE, b, !params->trans_b);
  if (gradient->wanted[1])
    gradient->inputs[1] = params->trans_b ? multiply (gradient, dy, TRUE, a, params->trans_a)
                                          : multiply (gradient, a, !params->trans_a, dy, FALSE);
  if (c == NULL || !gradient->wanted[2])
    return TRUE;
  dy = ens_gradient_sum_to (gradient, dy, &c->shape);
  if (params->beta != 1)
    dy = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy,
                             ens_gradient_number (gradient, dy->type, params->beta), NULL);
  gradient->inputs[2] = dy;
  return TRUE;
}

static gboolean
gemm_per_image (const EnsNode *node)
{
  const EnsValue *c = ens_node_input (node, 2);

  return !((const EnsGemmParams *)node->params)->trans_a && ens_per_image_with_constants (node)
         && (c == NULL || c->shape.rank < 2 || c->shape.dims[0] == 1);
}

static const EnsOpExample gemm_examples[] = {
    {"5x12 =9x12 =9", &(const EnsGemmParams) {.trans_b = TRUE, .alpha = 1, .beta = 1}}, {NULL}};

const EnsOp ens_op_gemm = {.name = "Gemm",
                           .min_inputs = 2,
                           .max_inputs = 3,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_PLAIN,
                           .kind = ENS_KIND_PRODUCT,
                           .flags = ENS_OP_FUSES,
                           .params_size = sizeof (EnsGemmParams),
                           .attributes = gemm_attributes,
                           .parameters = {[1] = ENS_PARAMETER_WEIGHT, [2] = ENS_PARAMETER_BIAS},
                           .shape = gemm_shape,
                           .flops = gemm_flops,
                           .reference = gemm_reference,
                           .cpu = gemm_cpu,
                           .cpu_plan = gemm_cpu_plan,
                           .gpu = gemm_gpu,
                           .gradient = gemm_gradient,
                           .per_image = gemm_per_image,
                           .example = gemm_examples,
                           .activation_offset = G_STRUCT_OFFSET (EnsGemmParams, activation)};
