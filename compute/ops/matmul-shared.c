/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/matmul-shared.h"

#include "kernels/gemm.h"
#include "ops/conv-gpu.h"
#include "ops/record.h"
#include "ops/strided.h"

#include "push/matmul.h"

gboolean
ens_matmul_inner_error (const EnsOperands *operands, gint64 a, gint64 b, GError **error)
{
  g_autofree char *a_shape = ens_shape_to_string (&operands->inputs[0]->shape);
  g_autofree char *b_shape = ens_shape_to_string (&operands->inputs[1]->shape);

  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "%s can't be multiplied by %s: %" G_GINT64_FORMAT
                       " columns meet %" G_GINT64_FORMAT " rows",
                       a_shape, b_shape, a, b);
}

gboolean
ens_matmul_check (const EnsOperands *operands, const EnsMatMul *product, GError **error)
{
  if (product->rows <= G_MAXINT32 && product->inner <= G_MAXINT32 && product->columns <= G_MAXINT32)
    return TRUE;
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "a matrix has more than %d rows or columns", G_MAXINT32);
}

/* Product `i` of the batch: where its matrices begin. */
void
ens_matmul_find (const EnsMatMul *product, gint64 i, gsize *a, gsize *b)
{
  *a = *b = 0;
  for (guint axis = product->batch.rank; axis-- > 0;) {
    gint64 index = i % product->batch.dims[axis];

    i /= product->batch.dims[axis];
    *a += (gsize)(index * product->a_strides[axis]);
    *b += (gsize)(index * product->b_strides[axis]);
  }
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
order_of (const EnsMatMul *product)
{
  return product->trans_b ? ENS_GEMM_COLUMNS_FIRST : ENS_GEMM_INNER_FIRST;
}

static gsize
pitch_of_b (const EnsMatMul *product)
{
  return (gsize)(product->trans_b ? product->inner : product->columns);
}

typedef struct {
  const EnsGemmPlan *plan;
  const EnsMatMul *product;
} Packing;

static void
pack (gpointer data, const EnsTensor *constant, gpointer packed, EnsThreadPool *pool)
{
  const Packing *packing = data;

  ens_gemm_pack (packing->plan, order_of (packing->product), constant->data,
                 pitch_of_b (packing->product), packed, pool);
}

void
ens_matmul_plan (const EnsOperands *operands, const EnsMatMul *product, EnsCpuPlan *plan)
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
        plan, constant, product->trans_b ? "gemm/columns" : "gemm/inner",
        state->plan.packed_size * sizeof (float), pack, &(Packing) {&state->plan, product});
  else
    state->pack = align (state->plan.packed_size * sizeof (float));
  plan->scratch_size =
      state->transposed + state->pack + align (state->plan.scratch_size * sizeof (float));
}

/* The scratch memory's parts, in this order: A', packed B, the kernel's own. */
void
ens_matmul_run (const EnsMatMul *product, const EnsMatMulMatrices *matrices,
                const EnsCpuContext *context)
{
  const State *state = context->state;
  char *scratch = context->scratch;
  EnsConvArguments arguments = {.packed = state->packed,
                                .input = matrices->a,
                                .input_pitch = (gsize)product->inner,
                                .output = matrices->y,
                                .output_pitch = (gsize)product->columns,
                                .epilogue = matrices->epilogue};

  if (product->trans_a) {
    EnsStrided strided = {.n = 2,
                          .rank = 2,
                          .dims = {product->rows, product->inner},
                          .strides = {{product->inner, 1}, {1, product->rows}}};

    ens_strided_copy (&strided, sizeof (float), scratch, matrices->a, context->pool);
    arguments.input = (const float *)scratch;
    scratch += state->transposed;
  }
  if (state->packed == NULL) {
    ens_gemm_pack (&state->plan, order_of (product), matrices->b, pitch_of_b (product),
                   (float *)scratch, context->pool);
    arguments.packed = (const float *)scratch;
    scratch += state->pack;
  }
  arguments.scratch = (float *)scratch;
  ens_gemm_run (&state->plan, &arguments, context->pool);
}

EnsEpilogue
ens_matmul_epilogue (const EnsFusedActivation *activation)
{
  return (EnsEpilogue) {
      .activation = activation->kind, .alpha = activation->alpha, .beta = activation->beta};
}

/* On a GPU. */

/* For each product of the batch, where its matrices begin; NULL if there are too many. */
static const EnsView *
get_beginnings (const EnsMatMul *product, EnsCommands *commands)
{
  enum { MAX_PRODUCTS = 1 << 16 };
  gint64 n = ens_shape_elements (&product->batch);
  g_autofree guint32 *table = NULL;

  if (n > MAX_PRODUCTS)
    return NULL;
  table = g_new (guint32, 2 * n);
  for (gint64 i = 0; i < n; i++) {
    gsize a, b;

    ens_matmul_find (product, i, &a, &b);
    table[2 * i] = (guint32)a;
    table[2 * i + 1] = (guint32)b;
  }
  return ens_commands_table (commands, table, (gsize)n * 2 * sizeof *table);
}

/* By the definition: what no faster shader takes. */
static gboolean
record_direct (const EnsOperands *operands, const EnsMatMul *product,
               const EnsMatMulAddition *addition, const EnsFusedActivation *activation,
               EnsCommands *commands)
{
  const EnsView *a = operands->inputs[0], *b = operands->inputs[1], *y = operands->outputs[0];
  const EnsView *beginnings = get_beginnings (product, commands);
  EnsMatMulPush push = {.n = (guint)ens_view_elements (y),
                        .rows = (guint)product->rows,
                        .inner = (guint)product->inner,
                        .columns = (guint)product->columns,
                        .a_row = (guint)(product->trans_a ? 1 : product->inner),
                        .a_column = (guint)(product->trans_a ? product->rows : 1),
                        .b_row = (guint)(product->trans_b ? 1 : product->columns),
                        .b_column = (guint)(product->trans_b ? product->inner : 1),
                        .c_row = (guint)addition->c_row,
                        .c_column = (guint)addition->c_column,
                        .factor = addition->factor,
                        .c_factor = addition->c_factor,
                        .alpha = activation->alpha,
                        .beta = activation->beta};
  EnsDispatch dispatch = {.shader = "matmul",
                          .storage = y->type,
                          .bindings = {{a, ENS_ACCESS_READ},
                                       {b, ENS_ACCESS_READ},
                                       {ens_gpu_operand (addition->c, a), ENS_ACCESS_READ},
                                       {y, ENS_ACCESS_WRITE},
                                       {beginnings, ENS_ACCESS_READ}},
                          .n_bindings = 5,
                          .constants = {activation->kind, addition->c != NULL},
                          .n_constants = 2,
                          .push = &push,
                          .push_size = sizeof push};

  if (beginnings == NULL || addition->residual != NULL || product->inner > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  ens_commands_cover (commands, &dispatch, push.n, 64);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* One product by constant B, as the convolution that it is. */
static gboolean
record_as_conv (const EnsOperands *operands, const EnsMatMul *product,
                const EnsMatMulAddition *addition, const EnsFusedActivation *activation,
                EnsCommands *commands)
{
  const EnsView *y = operands->outputs[0];
  EnsGpuConv conv = {.shape = {.batch = (guint)product->rows,
                               .height = 1,
                               .width = 1,
                               .channels = (guint)product->inner,
                               .filters = (guint)product->columns,
                               .kernel_height = 1,
                               .kernel_width = 1,
                               .stride_y = 1,
                               .stride_x = 1,
                               .dilation_y = 1,
                               .dilation_x = 1,
                               .groups = 1},
                     .x = operands->inputs[0],
                     .y = y,
                     .x_pitch = (guint)product->inner,
                     .y_pitch = (guint)product->columns,
                     .residual_pitch = (guint)product->columns,
                     .constant = operands->node->inputs[1]->constant,
                     .order =
                         product->trans_b ? ENS_GPU_WEIGHTS_PLAIN : ENS_GPU_WEIGHTS_CHANNELS_FIRST,
                     .activation = activation};

  conv.residual = addition->residual;
  if (conv.constant == NULL || product->batch.rank > 0 || product->trans_a || addition->factor != 1)
    return FALSE;
  if (addition->c != NULL) {
    if (addition->c_factor != 1 || addition->c_column != 1)
      return FALSE;
    if (addition->c_row == 0)
      conv.bias = addition->c;
    else if (addition->residual != NULL)
      return FALSE;
    else
      conv.residual = addition->c;
  }
  return ens_gpu_conv_record (&conv, commands);
}

gboolean
ens_matmul_record (const EnsOperands *operands, const EnsMatMul *product,
                   const EnsMatMulAddition *addition, const EnsFusedActivation *activation,
                   EnsCommands *commands)
{
  EnsType storage;

  return ens_record_storage (operands, 0, 4, &storage) && product->inner > 0
         && ens_view_elements (operands->outputs[0]) > 0
         && (record_as_conv (operands, product, addition, activation, commands)
             || record_direct (operands, product, addition, activation, commands));
}
