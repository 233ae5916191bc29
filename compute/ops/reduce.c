/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare,
 * ReduceLogSum, ReduceLogSumExp. All accumulate in double precision, element by element in C order,
 * so that reference and kernels differ by the order of no addition. */
#include "graph/infer.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/reduce.h"

/* Axes are an input of ReduceSum since opset 13, of the others since 18. */
#define REDUCE_ATTRIBUTES(opset)                                                                \
  {                                                                                             \
    {"axes", ENS_LIST_MEMBER (EnsReduceParams, axes), .input = 1, .input_since = (opset)},      \
        {"keepdims", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsReduceParams, keepdims), .integer = 1}, \
        {"noop_with_empty_axes", ENS_ATTRIBUTE_FLAG,                                            \
         ENS_MEMBER (EnsReduceParams, noop_with_empty_axes), .since = (opset)},                 \
        ENS_ATTRIBUTE_END                                                                       \
  }

static const EnsAttribute sum_attributes[] = REDUCE_ATTRIBUTES (13);
static const EnsAttribute reduce_attributes[] = REDUCE_ATTRIBUTES (18);

static gboolean
reduce_permute (gpointer data, guint rank, const guint *map)
{
  EnsReduceParams *params = data;

  return params->axes.present && ens_permute_reduced (&params->axes, params->keepdims, rank, map);
}

/* Which axes are reduced, as bits. */
static gboolean
find_reduced (const EnsOperands *operands, guint *reduced, GError **error)
{
  const EnsReduceParams *params = operands->params;
  guint rank = operands->inputs[0]->shape.rank;
  EnsList given, axes;

  if (!ens_check_list_or (operands, 1, &params->axes, &given, error)
      || !ens_check_axes (operands, &given, rank, &axes, error))
    return FALSE;
  *reduced = axes.n == 0 && !params->noop_with_empty_axes ? (1u << rank) - 1 : 0;
  for (guint i = 0; i < axes.n; i++)
    *reduced |= 1u << axes.values[i];
  return TRUE;
}

static gboolean
reduce_shape (EnsOperands *operands, GError **error)
{
  const EnsReduceParams *params = operands->params;
  const EnsShape *input = &operands->inputs[0]->shape;
  EnsShape shape = {0};
  guint reduced;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !find_reduced (operands, &reduced, error))
    return FALSE;
  for (guint i = 0; i < input->rank; i++)
    if (!(reduced & 1u << i))
      shape.dims[shape.rank++] = input->dims[i];
    else if (params->keepdims)
      shape.dims[shape.rank++] = 1;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* How values are put together. */
typedef struct {
  double initial;
  double (*add) (double accumulated, double x);
  /* The same for n values into one, and into n. */
  double (*along) (double accumulated, const float *x, gint64 step, gsize n);
  void (*across) (double *accumulated, const float *x, gint64 step, gsize n);
  double (*finish) (double accumulated, double n);
} Reduction;

/* Kept axes walk output [0] and input [1], reduced axes the input [0] alone. */
static void
split_axes (const EnsOperands *operands, EnsStrided *kept, EnsStrided *reduced)
{
  const EnsReduceParams *params = operands->params;
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gint64 input_strides[ENS_MAX_RANK], output_strides[ENS_MAX_RANK];
  guint bits = 0, output_axis = 0;

  *kept = (EnsStrided) {.n = 2};
  *reduced = (EnsStrided) {.n = 1};
  find_reduced (operands, &bits, NULL);
  ens_view_strides (input, input_strides);
  ens_view_strides (output, output_strides);
  for (guint i = 0; i < input->shape.rank; i++) {
    if (bits & 1u << i) {
      reduced->dims[reduced->rank] = input->shape.dims[i];
      reduced->strides[0][reduced->rank++] = input_strides[i];
      output_axis += params->keepdims ? 1 : 0;
    } else {
      kept->dims[kept->rank] = input->shape.dims[i];
      kept->strides[0][kept->rank] = output_strides[output_axis++];
      kept->strides[1][kept->rank++] = input_strides[i];
    }
  }
  ens_strided_merge (kept);
  ens_strided_merge (reduced);
}

/* The reference: one output after another. */

typedef struct {
  const EnsView *input;
  gint64 base, step;
  const Reduction *reduction;
  double *accumulated;
} Accumulation;

static void
accumulate (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Accumulation *accumulation = data;
  gint64 at = accumulation->base + offsets[0];

  for (gsize i = 0; i < n; i++)
    *accumulation->accumulated = accumulation->reduction->add (
        *accumulation->accumulated,
        ens_view_real (accumulation->input, (gsize)(at + (gint64)i * accumulation->step)));
}

static void
reduce_reference (const EnsOperands *operands, const Reduction *reduction)
{
  const EnsView *output = operands->outputs[0];
  gsize outputs = ens_view_elements (output), n;
  EnsStrided kept, reduced;

  split_axes (operands, &kept, &reduced);
  n = ens_strided_elements (&reduced);
  for (gsize i = 0; i < outputs; i++) {
    double accumulated = reduction->initial;
    gint64 at = 0;
    gsize rest = i;

    for (guint axis = kept.rank; axis-- > 0;) {
      at += (gint64)(rest % (gsize)kept.dims[axis]) * kept.strides[1][axis];
      rest /= (gsize)kept.dims[axis];
    }
    ens_strided_run (&reduced, 0, n, accumulate,
                     &(Accumulation) {.input = operands->inputs[0],
                                      .base = at,
                                      .step = reduced.strides[0][reduced.rank - 1],
                                      .reduction = reduction,
                                      .accumulated = &accumulated});
    ens_view_set_real (output, ens_view_offset (output, i),
                       reduction->finish (accumulated, (double)n));
  }
}

/* Fast: neighbouring outputs together, if there are some, or one along the input. */

#define BLOCK 128

typedef struct {
  const Reduction *reduction;
  EnsStrided kept, reduced;
  const float *input;
  float *output;
} Fast;

typedef struct {
  const Fast *fast;
  const float *input;
  double *accumulated;
  gsize n;
} Block;

static void
block_run (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Block *block = data;
  const Fast *fast = block->fast;
  gint64 step = fast->reduced.strides[0][fast->reduced.rank - 1];
  gint64 across = fast->kept.strides[1][fast->kept.rank - 1];
  const float *input = block->input + offsets[0];

  if (block->n == 1) {
    *block->accumulated = fast->reduction->along (*block->accumulated, input, step, n);
    return;
  }
  for (gsize i = 0; i < n; i++)
    fast->reduction->across (block->accumulated, input + (gint64)i * step, across, block->n);
}

static void
kept_run (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Fast *fast = data;
  guint last = fast->kept.rank - 1;
  gsize count = ens_strided_elements (&fast->reduced);

  for (gsize begin = 0; begin < n; begin += BLOCK) {
    double accumulated[BLOCK];
    Block block = {.fast = fast, .accumulated = accumulated, .n = MIN (BLOCK, n - begin)};
    float *output = fast->output + offsets[0] + (gint64)begin * fast->kept.strides[0][last];

    block.input = fast->input + offsets[1] + (gint64)begin * fast->kept.strides[1][last];
    for (gsize i = 0; i < block.n; i++)
      accumulated[i] = fast->reduction->initial;
    ens_strided_run (&fast->reduced, 0, count, block_run, &block);
    for (gsize i = 0; i < block.n; i++)
      output[(gint64)i * fast->kept.strides[0][last]] =
          (float)fast->reduction->finish (accumulated[i], (double)count);
  }
}

static void
kept_range (gconstpointer data, gsize begin, gsize end)
{
  const Fast *fast = data;

  ens_strided_run (&fast->kept, begin, end, kept_run, fast);
}

static void
reduce_cpu (const EnsOperands *operands, const EnsCpuContext *context, const Reduction *reduction)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  Fast fast = {.reduction = reduction, .input = input->data, .output = output->data};

  split_axes (operands, &fast.kept, &fast.reduced);
  ens_parallel (context->pool, ens_view_elements (output), ens_strided_elements (&fast.reduced),
                kept_range, &fast);
}

static gboolean
record (const EnsOperands *operands, EnsCommands *commands, guint32 kind)
{
  EnsReduction reduction = {.kind = kind, .x = operands->inputs[0], .y = operands->outputs[0]};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage) || ens_view_elements (reduction.x) == 0)
    return FALSE;
  split_axes (operands, &reduction.kept, &reduction.reduced);
  return ens_record_reduction (commands, &reduction);
}

static double
log_add_exp (double a, double b)
{
  if (isinf (a) && a < 0)
    return b;
  return fmax (a, b) + log1p (exp (-fabs (a - b)));
}

static gboolean
reduce_per_image (const EnsNode *node)
{
  const EnsList *axes = &((const EnsReduceParams *)node->params)->axes;

  for (guint i = 0; i < axes->n; i++)
    if (ens_axis_is_batch (node, axes->values[i]))
      return FALSE;
  return node->n_inputs == 1 && axes->n > 0;
}

/* Gradients. The output and its gradient get their reduced axes back, with length 1. */

typedef struct {
  EnsGradient *gradient;
  EnsShape kept; /* with those axes */
  EnsValue *x, *dy;
  double n; /* elements of which each output is made */
} Reduced;

static Reduced
keep_reduced_axes (EnsGradient *gradient)
{
  const EnsNode *node = gradient->node;
  Reduced reduced = {gradient, node->inputs[0]->shape, node->inputs[0], .n = 1};
  g_auto (EnsNodeViews) views;
  guint axes = 0;

  ens_node_views_init (&views, node);
  find_reduced (&views.operands, &axes, NULL);
  for (guint i = 0; i < reduced.kept.rank; i++)
    if (axes & 1u << i) {
      reduced.n *= (double)reduced.kept.dims[i];
      reduced.kept.dims[i] = 1;
    }
  reduced.dy = ens_gradient_reshape (gradient, gradient->outputs[0], &reduced.kept);
  return reduced;
}

static EnsValue *
get_output (const Reduced *reduced)
{
  return ens_gradient_reshape (reduced->gradient, reduced->gradient->node->outputs[0],
                               &reduced->kept);
}

static EnsValue *
apply (const Reduced *reduced, const EnsOp *op, EnsValue *a, EnsValue *b)
{
  return ens_gradient_apply (reduced->gradient, op, NULL, a, b, NULL);
}

static EnsValue *
scale (const Reduced *reduced, double factor)
{
  return apply (reduced, &ens_op_mul, reduced->dy,
                ens_gradient_number (reduced->gradient, reduced->dy->type, factor));
}

static EnsValue *
reduce_sum_back (const Reduced *reduced)
{
  return ens_gradient_expand (reduced->gradient, reduced->dy, &reduced->x->shape);
}

static EnsValue *
reduce_mean_back (const Reduced *reduced)
{
  return ens_gradient_expand (reduced->gradient, scale (reduced, 1 / reduced->n),
                              &reduced->x->shape);
}

/* To all elements that are the largest, or the least. */
static EnsValue *
reduce_extreme_back (const Reduced *reduced)
{
  EnsValue *taken = apply (reduced, &ens_op_equal, reduced->x, get_output (reduced));
  EnsValue *zero = ens_gradient_number (reduced->gradient, reduced->dy->type, 0);

  return ens_gradient_apply (reduced->gradient, &ens_op_where, NULL, taken, reduced->dy, zero,
                             NULL);
}

#define reduce_max_back reduce_extreme_back
#define reduce_min_back reduce_extreme_back

static EnsValue *
reduce_as (const Reduced *reduced, const EnsOp *op, EnsValue *value)
{
  EnsValue *y =
      ens_gradient_add (reduced->gradient, op, reduced->gradient->node->params,
                        (EnsValue *[]) {value, ens_node_input (reduced->gradient->node, 1)},
                        reduced->gradient->node->n_inputs, 1)
          ->outputs[0];

  return ens_gradient_reshape (reduced->gradient, y, &reduced->kept);
}

static EnsValue *
choose (const Reduced *reduced, EnsValue *a, EnsValue *b, EnsValue *if_equal, EnsValue *otherwise)
{
  return ens_gradient_apply (reduced->gradient, &ens_op_where, NULL,
                             apply (reduced, &ens_op_equal, a, b), if_equal, otherwise, NULL);
}

/* The product of all other elements, which is 0 where one of them is. */
static EnsValue *
reduce_prod_back (const Reduced *reduced)
{
  EnsValue *x = reduced->x, *zero = ens_gradient_number (reduced->gradient, x->type, 0);
  EnsValue *one = ens_gradient_number (reduced->gradient, x->type, 1);
  EnsValue *factors = choose (reduced, x, zero, one, x);
  EnsValue *zeroes = choose (reduced, x, zero, one, zero);
  EnsValue *others =
      apply (reduced, &ens_op_div, reduce_as (reduced, &ens_op_reduce_prod, factors), factors);

  return choose (reduced, reduce_as (reduced, &ens_op_reduce_sum, zeroes), zeroes,
                 apply (reduced, &ens_op_mul, reduced->dy, others), zero);
}

static EnsValue *
reduce_l1_back (const Reduced *reduced)
{
  return apply (reduced, &ens_op_mul, reduced->dy, apply (reduced, &ens_op_sign, reduced->x, NULL));
}

/* Of a vector of zeroes, where there is no derivative, 0, as PyTorch has it. */
static EnsValue *
reduce_l2_back (const Reduced *reduced)
{
  EnsValue *share = ens_gradient_quotient (reduced->gradient, reduced->dy, get_output (reduced));

  return apply (reduced, &ens_op_mul, share, reduced->x);
}

static EnsValue *
reduce_sum_square_back (const Reduced *reduced)
{
  return apply (reduced, &ens_op_mul, scale (reduced, 2), reduced->x);
}

static EnsValue *
reduce_log_sum_back (const Reduced *reduced)
{
  EnsValue *sum = apply (reduced, &ens_op_exp, get_output (reduced), NULL);

  return ens_gradient_expand (reduced->gradient, apply (reduced, &ens_op_div, reduced->dy, sum),
                              &reduced->x->shape);
}

static EnsValue *
reduce_log_sum_exp_back (const Reduced *reduced)
{
  EnsValue *share = apply (reduced, &ens_op_exp,
                           apply (reduced, &ens_op_sub, reduced->x, get_output (reduced)), NULL);

  return apply (reduced, &ens_op_mul, reduced->dy, share);
}

static const EnsOpExample reduce_examples[] = {
    {"2x5x4x7", &(const EnsReduceParams) {.axes = ENS_EXAMPLE_LIST (2, 1, 2), .keepdims = TRUE},
     .positive = TRUE},
    {NULL}};

#define REDUCE_OP(id, onnx, shader_kind, first, a_and_x, finished, table)                          \
  ENS_INLINE double id##_put (double a, double x)                                                  \
  {                                                                                                \
    return a_and_x;                                                                                \
  }                                                                                                \
                                                                                                   \
  static double id##_add (double a, double x)                                                      \
  {                                                                                                \
    return id##_put (a, x);                                                                        \
  }                                                                                                \
                                                                                                   \
  static double id##_along (double a, const float *x, gint64 step, gsize n)                        \
  {                                                                                                \
    for (gsize i = 0; i < n; i++)                                                                  \
      a = id##_put (a, x[(gint64)i * step]);                                                       \
    return a;                                                                                      \
  }                                                                                                \
                                                                                                   \
  ENS_CLONES static void id##_across (double *a, const float *x, gint64 step, gsize n)             \
  {                                                                                                \
    if (step == 1)                                                                                 \
      for (gsize i = 0; i < n; i++)                                                                \
        a[i] = id##_put (a[i], x[i]);                                                              \
    else                                                                                           \
      for (gsize i = 0; i < n; i++)                                                                \
        a[i] = id##_put (a[i], x[(gint64)i * step]);                                               \
  }                                                                                                \
                                                                                                   \
  static double id##_finish (double a, double n)                                                   \
  {                                                                                                \
    return finished;                                                                               \
  }                                                                                                \
                                                                                                   \
  static const Reduction id##_reduction = {first, id##_add, id##_along, id##_across, id##_finish}; \
                                                                                                   \
  static void id##_reference (const EnsOperands *operands)                                         \
  {                                                                                                \
    reduce_reference (operands, &id##_reduction);                                                  \
  }                                                                                                \
                                                                                                   \
  static void id##_cpu (const EnsOperands *operands, const EnsCpuContext *context)                 \
  {                                                                                                \
    reduce_cpu (operands, context, &id##_reduction);                                               \
  }                                                                                                \
                                                                                                   \
  static gboolean id##_gpu (const EnsOperands *operands, EnsCommands *commands)                    \
  {                                                                                                \
    return record (operands, commands, shader_kind);                                               \
  }                                                                                                \
                                                                                                   \
  static gboolean id##_gradient (EnsGradient *gradient, GError **error)                            \
  {                                                                                                \
    Reduced reduced = keep_reduced_axes (gradient);                                                \
                                                                                                   \
    gradient->inputs[0] = id##_back (&reduced);                                                    \
    return TRUE;                                                                                   \
  }                                                                                                \
                                                                                                   \
  const EnsOp ens_op_##id = {.name = onnx,                                                         \
                             .min_inputs = 1,                                                      \
                             .max_inputs = 2,                                                      \
                             .min_outputs = 1,                                                     \
                             .max_outputs = 1,                                                     \
                             .layout = ENS_LAYOUT_FOLLOWS,                                         \
                             .flags = ENS_OP_PITCHED,                                              \
                             .params_size = sizeof (EnsReduceParams),                              \
                             .attributes = table,                                                  \
                             .permute = reduce_permute,                                            \
                             .shape = reduce_shape,                                                \
                             .visits = ens_visit_input,                                            \
                             .reference = id##_reference,                                          \
                             .cpu = id##_cpu,                                                      \
                             .gpu = id##_gpu,                                                      \
                             .gradient = id##_gradient,                                            \
                             .per_image = reduce_per_image,                                        \
                             .example = reduce_examples}

REDUCE_OP (reduce_sum, "ReduceSum", ENS_REDUCE_SUM, 0, a + x, a, sum_attributes);
REDUCE_OP (reduce_mean, "ReduceMean", ENS_REDUCE_MEAN, 0, a + x, a / n, reduce_attributes);
REDUCE_OP (reduce_max, "ReduceMax", ENS_REDUCE_MAX, -INFINITY, x > a ? x : a, a, reduce_attributes);
REDUCE_OP (reduce_min, "ReduceMin", ENS_REDUCE_MIN, INFINITY, x < a ? x : a, a, reduce_attributes);
REDUCE_OP (reduce_prod, "ReduceProd", ENS_REDUCE_PROD, 1, a *x, a, reduce_attributes);
REDUCE_OP (reduce_l1, "ReduceL1", ENS_REDUCE_L1, 0, a + fabs (x), a, reduce_attributes);
REDUCE_OP (reduce_l2, "ReduceL2", ENS_REDUCE_L2, 0, a + x * x, sqrt (a), reduce_attributes);
REDUCE_OP (reduce_sum_square, "ReduceSumSquare", ENS_REDUCE_SUM_SQUARE, 0, a + x * x, a,
           reduce_attributes);
REDUCE_OP (reduce_log_sum, "ReduceLogSum", ENS_REDUCE_LOG_SUM, 0, a + x, log (a),
           reduce_attributes);
REDUCE_OP (reduce_log_sum_exp, "ReduceLogSumExp", ENS_REDUCE_LOG_SUM_EXP, -INFINITY,
           log_add_exp (a, x), a, reduce_attributes);
