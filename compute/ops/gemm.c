/* Gemm and MatMul: one packed product per pair of matrices. */
#include "kernels/gemm.h"
#include "ops/elementwise.h"
#include "ops/registry.h"
#include "ops/strided.h"

/* A product, or a batch of them: Y (rows × columns) = A (rows × inner) · B (inner × columns). */
typedef struct {
  gint64 rows, inner, columns;
  gboolean trans_a, trans_b; /* how A and B lie in memory */
  /* Of which matrix each product of the batch reads: strides in elements over `batch`. */
  EnsShape batch;
  gint64 a_strides[ENS_MAX_RANK], b_strides[ENS_MAX_RANK];
} Product;

static void
transpose_dims (gint64 *rows, gint64 *columns)
{
  gint64 swap = *rows;

  *rows = *columns;
  *columns = swap;
}

static gboolean
inner_error (const EnsOperands *operands, gint64 a, gint64 b, GError **error)
{
  g_autofree char *a_shape = ens_shape_to_string (&operands->inputs[0]->shape);
  g_autofree char *b_shape = ens_shape_to_string (&operands->inputs[1]->shape);

  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "%s can't be multiplied by %s: %" G_GINT64_FORMAT
                       " columns meet %" G_GINT64_FORMAT " rows",
                       a_shape, b_shape, a, b);
}

static gboolean
check_sizes (const EnsOperands *operands, const Product *product, GError **error)
{
  if (product->rows <= G_MAXINT32 && product->inner <= G_MAXINT32 && product->columns <= G_MAXINT32)
    return TRUE;
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "a matrix has more than %d rows or columns", G_MAXINT32);
}

/* Kernels. */

typedef struct {
  EnsGemmPlan plan;
  gconstpointer packed; /* NULL: B is packed before each product */
  gsize transposed;     /* bytes of scratch for A', if A has to be transposed */
  gsize pack;           /* bytes of scratch for B, if it is not packed already */
} State;

static gsize
align (gsize size)
{
  return (size + 63) / 64 * 64;
}

static EnsGemmOrder
order_of (const Product *product)
{
  return product->trans_b ? ENS_GEMM_COLUMNS_FIRST : ENS_GEMM_INNER_FIRST;
}

static gsize
pitch_of_b (const Product *product)
{
  return (gsize)(product->trans_b ? product->inner : product->columns);
}

typedef struct {
  const EnsGemmPlan *plan;
  const Product *product;
} Packing;

static void
pack (gpointer data, const EnsTensor *constant, gpointer packed)
{
  const Packing *packing = data;

  ens_gemm_pack (packing->plan, order_of (packing->product), constant->data,
                 pitch_of_b (packing->product), packed);
}

static void
plan_product (const EnsOperands *operands, const Product *product, EnsCpuPlan *plan)
{
  EnsTensor *constant = operands->node->inputs[1]->constant;
  EnsGemmShape shape = {(guint)product->rows, (guint)product->inner, (guint)product->columns};
  State *state;

  plan->kernel = "reference";
  if (product->inner == 0 || ens_view_elements (operands->outputs[0]) == 0)
    return;
  state = g_new0 (State, 1);
  ens_gemm_plan (&state->plan, &shape, ens_kernels_get (), plan->n_threads);
  plan->state = state;
  plan->free_state = g_free;
  plan->kernel = "gemm";
  if (product->trans_a)
    state->transposed = align ((gsize)(product->rows * product->inner) * sizeof (float));
  if (constant != NULL
      && ens_view_elements (operands->inputs[1]) == (gsize)(product->inner * product->columns))
    state->packed = ens_packed_weights_get (
        plan->weights, constant, product->trans_b ? "gemm/columns" : "gemm/inner",
        state->plan.packed_size * sizeof (float), pack, &(Packing) {&state->plan, product});
  else
    state->pack = align (state->plan.packed_size * sizeof (float));
  plan->scratch_size =
      state->transposed + state->pack + align (state->plan.scratch_size * sizeof (float));
}

/* The scratch memory's parts, in this order: A', packed B, the kernel's own. */
static void
run_one (const State *state, const Product *product, const float *a, const float *b, float *y,
         const EnsEpilogue *epilogue, const EnsCpuContext *context)
{
  char *scratch = context->scratch;
  EnsConvArguments arguments = {.packed = state->packed,
                                .input = a,
                                .input_pitch = (gsize)product->inner,
                                .output = y,
                                .output_pitch = (gsize)product->columns,
                                .epilogue = epilogue};

  if (product->trans_a) {
    EnsStrided strided = {.n = 2,
                          .rank = 2,
                          .dims = {product->rows, product->inner},
                          .strides = {{product->inner, 1}, {1, product->rows}}};

    ens_strided_copy (&strided, sizeof (float), scratch, a, context->pool);
    arguments.input = (const float *)scratch;
    scratch += state->transposed;
  }
  if (state->packed == NULL) {
    ens_gemm_pack (&state->plan, order_of (product), b, pitch_of_b (product), (float *)scratch);
    arguments.packed = (const float *)scratch;
    scratch += state->pack;
  }
  arguments.scratch = (float *)scratch;
  ens_gemm_run (&state->plan, &arguments, context->pool);
}

/* Gemm */

static gboolean
gemm_parse (EnsParse *parse, gpointer data, GError **error)
{
  EnsGemmParams *params = data;

  params->trans_a = ens_attributes_int (parse->attributes, "transA", 0) != 0;
  params->trans_b = ens_attributes_int (parse->attributes, "transB", 0) != 0;
  params->alpha = ens_attributes_float (parse->attributes, "alpha", 1);
  params->beta = ens_attributes_float (parse->attributes, "beta", 1);
  return ens_parse_activation (parse, &params->activation, error);
}

static void
gemm_write (gconstpointer data, EnsAttributes *attributes)
{
  const EnsGemmParams *params = data;

  if (params->trans_a)
    ens_attributes_set_int (attributes, "transA", 1);
  if (params->trans_b)
    ens_attributes_set_int (attributes, "transB", 1);
  if (params->alpha != 1)
    ens_attributes_set_float (attributes, "alpha", params->alpha);
  if (params->beta != 1)
    ens_attributes_set_float (attributes, "beta", params->beta);
  ens_write_activation (&params->activation, attributes);
}

static gboolean
gemm_product (const EnsOperands *operands, Product *product, GError **error)
{
  const EnsGemmParams *params = operands->params;
  const gint64 *a = operands->inputs[0]->shape.dims, *b = operands->inputs[1]->shape.dims;
  gint64 b_rows = b[0];

  *product = (Product) {.rows = a[0],
                        .inner = a[1],
                        .columns = b[1],
                        .trans_a = params->trans_a,
                        .trans_b = params->trans_b};
  if (params->trans_a)
    transpose_dims (&product->rows, &product->inner);
  if (params->trans_b)
    transpose_dims (&b_rows, &product->columns);
  if (product->inner != b_rows)
    return inner_error (operands, product->inner, b_rows, error);
  return check_sizes (operands, product, error);
}

static gboolean
gemm_shape (EnsOperands *operands, GError **error)
{
  const EnsView *c = ens_operands_input (operands, 2);
  Product product;
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

static gint64
gemm_flops (const EnsOperands *operands)
{
  Product product;

  gemm_product (operands, &product, NULL);
  return 2 * product.rows * product.inner * product.columns;
}

static void
gemm_reference (const EnsOperands *operands)
{
  const EnsGemmParams *params = operands->params;
  const EnsView *a = operands->inputs[0], *b = operands->inputs[1], *y = operands->outputs[0];
  const EnsView *c = ens_operands_input (operands, 2);
  gint64 a_step = params->trans_a ? a->shape.dims[1] : 1;
  gint64 b_step = params->trans_b ? 1 : b->shape.dims[1];
  Product product;
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
  Product product;

  gemm_product (operands, &product, NULL);
  plan_product (operands, &product, plan);
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
scale (const EnsOperands *operands, EnsPool *pool)
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

static EnsEpilogue
as_epilogue (const EnsFusedActivation *activation)
{
  return (EnsEpilogue) {
      .activation = activation->kind, .alpha = activation->alpha, .beta = activation->beta};
}

static void
gemm_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsGemmParams *params = operands->params;
  const EnsView *y = operands->outputs[0], *c = ens_operands_input (operands, 2);
  gboolean fused = params->alpha == 1 && (c == NULL || params->beta == 1) && can_fuse_c (c, y);
  EnsEpilogue epilogue = as_epilogue (&params->activation);
  Product product;

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
  run_one (context->state, &product, operands->inputs[0]->data, operands->inputs[1]->data, y->data,
           fused ? &epilogue : NULL, context);
  if (fused)
    return;
  scale (operands, context->pool);
  if (params->activation.kind != ENS_ACTIVATION_NONE)
    ens_activation_run (y, y, &params->activation, context->pool);
}

const EnsOp ens_op_gemm = {.name = "Gemm",
                           .min_inputs = 2,
                           .max_inputs = 3,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_PLAIN,
                           .params_size = sizeof (EnsGemmParams),
                           .parse = gemm_parse,
                           .write = gemm_write,
                           .shape = gemm_shape,
                           .flops = gemm_flops,
                           .reference = gemm_reference,
                           .cpu = gemm_cpu,
                           .cpu_plan = gemm_cpu_plan};

/* MatMul, as numpy.matmul: vectors become matrices of one row or column, whose axis the result
 * lacks; leading axes broadcast. */

static gboolean
matmul_parse (EnsParse *parse, gpointer data, GError **error)
{
  return ens_parse_activation (parse, &((EnsMatMulParams *)data)->activation, error);
}

static void
matmul_write (gconstpointer data, EnsAttributes *attributes)
{
  ens_write_activation (&((const EnsMatMulParams *)data)->activation, attributes);
}

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
matmul_product (const EnsOperands *operands, Product *product, GError **error)
{
  const EnsShape *a = &operands->inputs[0]->shape, *b = &operands->inputs[1]->shape;
  EnsShape b_batch = leading_axes (b);
  gint64 b_rows = b->dims[b->rank > 1 ? b->rank - 2 : 0];

  *product = (Product) {.rows = a->rank > 1 ? a->dims[a->rank - 2] : 1,
                        .inner = a->dims[a->rank - 1],
                        .columns = b->rank > 1 ? b->dims[b->rank - 1] : 1,
                        .batch = leading_axes (a)};
  if (product->inner != b_rows)
    return inner_error (operands, product->inner, b_rows, error);
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
  return check_sizes (operands, product, error);
}

static gboolean
matmul_shape (EnsOperands *operands, GError **error)
{
  const EnsView *a = operands->inputs[0], *b = operands->inputs[1];
  EnsShape shape, b_batch;
  Product product;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_same_types (operands, 1, error)
      || !ens_check_rank (operands, 0, 1, ENS_MAX_RANK, error)
      || !ens_check_rank (operands, 1, 1, ENS_MAX_RANK, error)
      || !matmul_product (operands, &product, error))
    return FALSE;
  shape = leading_axes (&a->shape);
  b_batch = leading_axes (&b->shape);
  ens_broadcast (&shape, &b_batch);
  if (a->shape.rank > 1)
    shape.dims[shape.rank++] = a->shape.dims[a->shape.rank - 2];
  if (b->shape.rank > 1)
    shape.dims[shape.rank++] = b->shape.dims[b->shape.rank - 1];
  return ens_set_output (operands, 0, a->type, &shape, error);
}

static gint64
matmul_flops (const EnsOperands *operands)
{
  Product product;

  matmul_product (operands, &product, NULL);
  return 2 * ens_shape_elements (&operands->outputs[0]->shape) * product.inner;
}

/* Product `i` of the batch: where its matrices begin. */
static void
find_matrices (const Product *product, gint64 i, gsize *a, gsize *b)
{
  *a = *b = 0;
  for (guint axis = product->batch.rank; axis-- > 0;) {
    gint64 index = i % product->batch.dims[axis];

    i /= product->batch.dims[axis];
    *a += (gsize)(index * product->a_strides[axis]);
    *b += (gsize)(index * product->b_strides[axis]);
  }
}

static void
matmul_reference (const EnsOperands *operands)
{
  const EnsMatMulParams *params = operands->params;
  const EnsView *a = operands->inputs[0], *b = operands->inputs[1], *y = operands->outputs[0];
  gint64 n = ens_shape_elements (&y->shape), matrix;
  Product product;

  matmul_product (operands, &product, NULL);
  matrix = product.rows * product.columns;
  for (gint64 i = 0; i < n; i++) {
    gsize a_at, b_at;
    double sum = 0;

    find_matrices (&product, i / matrix, &a_at, &b_at);
    a_at += (gsize)(i % matrix / product.columns * product.inner);
    b_at += (gsize)(i % product.columns);
    for (gint64 k = 0; k < product.inner; k++)
      sum += ens_view_real (a, a_at + (gsize)k)
             * ens_view_real (b, b_at + (gsize)(k * product.columns));
    ens_view_set_real (y, (gsize)i, ens_activation_apply (&params->activation, sum));
  }
}

static void
matmul_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  Product product;

  matmul_product (operands, &product, NULL);
  plan_product (operands, &product, plan);
}

static void
matmul_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsMatMulParams *params = operands->params;
  const float *a = operands->inputs[0]->data, *b = operands->inputs[1]->data;
  EnsEpilogue epilogue = as_epilogue (&params->activation);
  gint64 n;
  Product product;

  if (context->state == NULL) {
    matmul_reference (operands);
    return;
  }
  matmul_product (operands, &product, NULL);
  n = ens_shape_elements (&product.batch);
  for (gint64 i = 0; i < n; i++) {
    float *y = (float *)operands->outputs[0]->data + i * product.rows * product.columns;
    gsize a_at, b_at;

    find_matrices (&product, i, &a_at, &b_at);
    run_one (context->state, &product, a + a_at, b + b_at, y, &epilogue, context);
  }
}

const EnsOp ens_op_matmul = {.name = "MatMul",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_PLAIN,
                             .params_size = sizeof (EnsMatMulParams),
                             .parse = matmul_parse,
                             .write = matmul_write,
                             .shape = matmul_shape,
                             .flops = matmul_flops,
                             .reference = matmul_reference,
                             .cpu = matmul_cpu,
                             .cpu_plan = matmul_cpu_plan};
