/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elementwise operators of several inputs, with numpy's broadcasting. */
#include "ops/binary.h"
#include "ops/elementwise.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/strided.h"

#include <math.h>

#include "push/binary.h"

/* Shapes. */

static gboolean
arithmetic_shape (EnsOperands *operands, GError **error)
{
  return ens_check_present (operands, error)
         && ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
         && ens_check_same_types (operands, 1, error)
         && ens_set_broadcast_output (operands, operands->inputs[0]->type, error);
}

static gboolean
mean_shape (EnsOperands *operands, GError **error)
{
  return ens_check_present (operands, error) && ens_check_type (operands, 0, ENS_TYPES_REAL, error)
         && arithmetic_shape (operands, error);
}

/* The exponent may have a type of its own. */
static gboolean
pow_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
         && ens_check_type (operands, 1, ENS_TYPES_NUMBER, error)
         && ens_set_broadcast_output (operands, operands->inputs[0]->type, error);
}

static gboolean
prelu_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[0]->shape;

  if (!ens_broadcast (&shape, &operands->inputs[1]->shape)
      || !ens_shape_equal (&shape, &operands->inputs[0]->shape)) {
    g_autofree char *x = ens_shape_to_string (&operands->inputs[0]->shape);
    g_autofree char *slope = ens_shape_to_string (&operands->inputs[1]->shape);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "slope %s can't be broadcast to %s",
                         slope, x);
  }
  return arithmetic_shape (operands, error);
}

/* Integers. Overflow wraps; division by zero gives zero. */

static gint64
integer_add (gint64 a, gint64 b)
{
  return (gint64)((guint64)a + (guint64)b);
}

static gint64
integer_sub (gint64 a, gint64 b)
{
  return (gint64)((guint64)a - (guint64)b);
}

static gint64
integer_mul (gint64 a, gint64 b)
{
  return (gint64)((guint64)a * (guint64)b);
}

static gint64
integer_div (gint64 a, gint64 b)
{
  if (b == 0)
    return 0;
  return b == -1 ? integer_sub (0, a) : a / b;
}

static gint64
integer_pow (gint64 a, gint64 b)
{
  gint64 power = 1;

  if (b < 0)
    return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  for (; b > 0; b /= 2) {
    if (b % 2 == 1)
      power = integer_mul (power, a);
    a = integer_mul (a, a);
  }
  return power;
}

/* References. */

typedef double (*RealFunc) (double a, double b);
typedef gint64 (*IntegerFunc) (gint64 a, gint64 b);

/* output = func (accumulated, input i), where the output itself accumulates from the second on. */
static void
combine_reference (const EnsOperands *operands, guint i, RealFunc real, IntegerFunc integer)
{
  const EnsView *output = operands->outputs[0], *b = operands->inputs[i];
  const EnsView *a = i == 1 ? operands->inputs[0] : output;
  EnsWalk walk;

  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output, a, b}, 3);
       walk.remaining > 0; ens_walk_next (&walk))
    if (ens_type_is_real (a->type) || ens_type_is_real (b->type))
      ens_view_set_real (
          output, walk.offsets[0],
          real (ens_view_real (a, walk.offsets[1]), ens_view_real (b, walk.offsets[2])));
    else
      ens_view_set_integer (
          output, walk.offsets[0],
          integer (ens_view_integer (a, walk.offsets[1]), ens_view_integer (b, walk.offsets[2])));
}

/* With one input alone: a copy. With `mean`: divided by the number of inputs. */
static void
finish_reference (const EnsOperands *operands, gboolean mean)
{
  const EnsView *output = operands->outputs[0];
  const EnsView *from = operands->n_inputs == 1 ? operands->inputs[0] : output;
  const EnsBinaryParams *params = operands->params;
  gsize n = ens_view_elements (output);

  for (gsize i = 0; i < n; i++) {
    gsize at = ens_view_offset (output, i), from_at = ens_view_offset (from, i);
    double x;

    if (!ens_type_is_real (output->type)) {
      ens_view_set_integer (output, at, ens_view_integer (from, from_at));
      continue;
    }
    x = ens_view_real (from, from_at);
    if (mean)
      x /= operands->n_inputs;
    if (params != NULL)
      x = ens_activation_apply (&params->activation, x);
    ens_view_set_real (output, at, x);
  }
}

static void
run_reference (const EnsOperands *operands, RealFunc real, IntegerFunc integer)
{
  for (guint i = 1; i < operands->n_inputs; i++)
    combine_reference (operands, i, real, integer);
  finish_reference (operands, FALSE);
}

/* Fast kernels. */

/* y = f (a, b) for n values; of a and b one may be a single value (step 0). */
typedef void (*Loop) (const float *a, gint64 a_step, const float *b, gint64 b_step, float *y,
                      gsize n);

typedef struct {
  EnsStrided strided;
  Loop loop;
  const float *a, *b;
  float *y;
} Combination;

static void
combine_run (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Combination *combination = data;
  guint last = combination->strided.rank - 1;

  combination->loop (combination->a + offsets[1], combination->strided.strides[1][last],
                     combination->b + offsets[2], combination->strided.strides[2][last],
                     combination->y + offsets[0], n);
}

static void
combine_range (gconstpointer data, gsize begin, gsize end)
{
  const Combination *combination = data;

  ens_strided_run (&combination->strided, begin, end, combine_run, combination);
}

static void
combine (const EnsView *a, const EnsView *b, const EnsView *y, Loop loop, EnsThreadPool *pool)
{
  Combination combination = {.loop = loop, .a = a->data, .b = b->data, .y = y->data};

  combination.strided = ens_strided_broadcast (&y->shape, (const EnsView *[]) {y, a, b}, 3);
  ens_strided_merge (&combination.strided);
  ens_strided_keep_contiguous (&combination.strided, 1);
  ens_parallel (pool, ens_strided_elements (&combination.strided), 1, combine_range, &combination);
}

static gboolean
all_float32 (const EnsOperands *operands)
{
  for (guint i = 0; i < operands->n_inputs; i++)
    if (operands->inputs[i]->type != ENS_TYPE_FLOAT32)
      return FALSE;
  return TRUE;
}

static gboolean
is_fused (const EnsOperands *operands)
{
  const EnsBinaryParams *params = operands->params;

  return params != NULL && params->activation.kind != ENS_ACTIVATION_NONE;
}

/* FALSE if it can't. */
static gboolean
run_fast (const EnsOperands *operands, const EnsCpuContext *context, Loop loop)
{
  const EnsView *y = operands->outputs[0];

  if (!all_float32 (operands) || operands->n_inputs == 1)
    return FALSE;
  combine (operands->inputs[0], operands->inputs[1], y, loop, context->pool);
  for (guint i = 2; i < operands->n_inputs; i++)
    combine (y, operands->inputs[i], y, loop, context->pool);
  return TRUE;
}

static void
run_cpu (const EnsOperands *operands, const EnsCpuContext *context, Loop loop, RealFunc real,
         IntegerFunc integer)
{
  const EnsBinaryParams *params = operands->params;

  if (!run_fast (operands, context, loop))
    run_reference (operands, real, integer);
  else if (is_fused (operands))
    ens_activation_run (operands->outputs[0], operands->outputs[0], &params->activation,
                        context->pool);
}

#define LOOP(id, formula)                                                                         \
  ENS_INLINE float id##_float (float a, float b)                                                  \
  {                                                                                               \
    return formula;                                                                               \
  }                                                                                               \
                                                                                                  \
  ENS_CLONES static void id##_loop (const float *a, gint64 a_step, const float *b, gint64 b_step, \
                                    float *y, gsize n)                                            \
  {                                                                                               \
    if (a_step == 1 && b_step == 1)                                                               \
      for (gsize i = 0; i < n; i++)                                                               \
        y[i] = id##_float (a[i], b[i]);                                                           \
    else if (a_step == 1 && b_step == 0)                                                          \
      for (gsize i = 0; i < n; i++)                                                               \
        y[i] = id##_float (a[i], *b);                                                             \
    else if (a_step == 0 && b_step == 1)                                                          \
      for (gsize i = 0; i < n; i++)                                                               \
        y[i] = id##_float (*a, b[i]);                                                             \
    else                                                                                          \
      for (gsize i = 0; i < n; i++)                                                               \
        y[i] = id##_float (a[(gint64)i * a_step], b[(gint64)i * b_step]);                         \
  }

#define KERNELS(id, real_formula, integer_formula, float_formula)                  \
  LOOP (id, float_formula)                                                         \
                                                                                   \
  static double id##_real (double a, double b)                                     \
  {                                                                                \
    return real_formula;                                                           \
  }                                                                                \
                                                                                   \
  static gint64 id##_integer (gint64 a, gint64 b)                                  \
  {                                                                                \
    return integer_formula;                                                        \
  }                                                                                \
                                                                                   \
  static void id##_reference (const EnsOperands *operands)                         \
  {                                                                                \
    run_reference (operands, id##_real, id##_integer);                             \
  }                                                                                \
                                                                                   \
  static void id##_cpu (const EnsOperands *operands, const EnsCpuContext *context) \
  {                                                                                \
    run_cpu (operands, context, id##_loop, id##_real, id##_integer);               \
  }

KERNELS (add, a + b, integer_add (a, b), a + b)
KERNELS (sub, a - b, integer_sub (a, b), a - b)
KERNELS (mul, a *b, integer_mul (a, b), a *b)
KERNELS (div, a / b, integer_div (a, b), a / b)
KERNELS (pow, pow (a, b), integer_pow (a, b), b == 2 ? a * a : powf (a, b))
KERNELS (min, fmin (a, b), MIN (a, b), a < b ? a : b)
KERNELS (max, fmax (a, b), MAX (a, b), a > b ? a : b)
KERNELS (prelu, a < 0 ? a * b : a, a < 0 ? integer_mul (a, b) : a, a < 0 ? a * b : a)

/* Mean: a sum, and a division at the end. */

static void
mean_reference (const EnsOperands *operands)
{
  for (guint i = 1; i < operands->n_inputs; i++)
    combine_reference (operands, i, add_real, add_integer);
  finish_reference (operands, TRUE);
}

static void
mean_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsBinaryParams *params = operands->params;
  const float share = 1.0f / operands->n_inputs;
  EnsView factor = ens_view_dense (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, (gpointer)&share);
  const EnsView *y = operands->outputs[0];

  if (!run_fast (operands, context, add_loop)) {
    mean_reference (operands);
    return;
  }
  combine (y, &factor, y, mul_loop, context->pool);
  if (is_fused (operands))
    ens_activation_run (y, y, &params->activation, context->pool);
}

/* Shaders. */

/* Invocations of a workgroup, and elements of each. */
#define GROUP 128
#define LANES 4

/* y = activation (factor · operation (a, b)) */
typedef struct {
  guint32 operation;
  const EnsView *a, *b, *y;
  float factor;
  EnsFusedActivation activation;
} Step;

static void
record_step (EnsCommands *commands, const Step *step)
{
  EnsBroadcast broadcast =
      ens_broadcast_record (step->y, (const EnsView *[]) {step->a, step->b}, 2, commands);
  EnsBinaryPush push = {
      .n_axes = broadcast.n_axes,
      .rows = broadcast.rows,
      .columns = broadcast.columns,
      .a_step = broadcast.steps[0],
      .b_step = broadcast.steps[1],
      .factor = step->factor,
      .alpha = step->activation.alpha,
      .beta = step->activation.beta,
  };
  EnsDispatch dispatch = {
      .shader = "binary",
      .storage = step->y->type,
      .bindings = {{step->a, ENS_ACCESS_READ},
                   {step->b, ENS_ACCESS_READ},
                   {step->y, ENS_ACCESS_WRITE},
                   {broadcast.axes, ENS_ACCESS_READ}},
      .n_bindings = 4,
      .constants = {step->operation, step->activation.kind},
      .n_constants = 2,
      .push = &push,
      .push_size = sizeof push,
  };

  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
}

/* One step for each input from the second on, the output accumulating as on the CPU. */
static gboolean
record (const EnsOperands *operands, EnsCommands *commands, guint32 operation, gboolean mean)
{
  const EnsBinaryParams *params = operands->params;
  const EnsFusedActivation *activation = &params->activation;
  const EnsView *y = operands->outputs[0];
  guint n = operands->n_inputs;
  EnsType storage;

  if (!ens_record_storage (operands, 0, n, &storage))
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  if (n == 1)
    ens_record_function (commands, operands->inputs[0], y, activation->kind, activation->alpha,
                         activation->beta);
  for (guint i = 1; i < n; i++)
    record_step (commands,
                 &(Step) {.operation = operation,
                          .a = i == 1 ? operands->inputs[0] : y,
                          .b = operands->inputs[i],
                          .y = y,
                          .factor = mean && i == n - 1 ? 1.0f / (float)n : 1,
                          .activation = i == n - 1 ? *activation : (EnsFusedActivation) {0}});
  return TRUE;
}

#define GPU(id, operation, mean)                                                \
  static gboolean id##_gpu (const EnsOperands *operands, EnsCommands *commands) \
  {                                                                             \
    return record (operands, commands, operation, mean);                        \
  }

GPU (add, ENS_BINARY_ADD, FALSE)
GPU (sub, ENS_BINARY_SUB, FALSE)
GPU (mul, ENS_BINARY_MUL, FALSE)
GPU (div, ENS_BINARY_DIV, FALSE)
GPU (pow, ENS_BINARY_POW, FALSE)
GPU (min, ENS_BINARY_MIN, FALSE)
GPU (max, ENS_BINARY_MAX, FALSE)
GPU (mean, ENS_BINARY_ADD, TRUE)
GPU (prelu, ENS_BINARY_PRELU, FALSE)

static const EnsAttribute binary_attributes[] = {ENS_ACTIVATION_ATTRIBUTES (EnsBinaryParams),
                                                 ENS_ATTRIBUTE_END};

#define MANY 64

/* Sum, Mean, Min and Max of one. */
static gboolean
binary_is_identity (const EnsNode *node)
{
  const EnsBinaryParams *params = node->params;

  return node->n_inputs == 1 && (params == NULL || params->activation.kind == ENS_ACTIVATION_NONE);
}

static const EnsOpExample arithmetic_examples[] = {{"2x5x4x7 2x1x4x7", .positive = TRUE}, {NULL}};
static const EnsOpExample prelu_examples[] = {{"2x5x4x7 =7"}, {NULL}};

#define ARITHMETIC_OP(id, onnx, what, min, max, extra_flags, shape_func, gradient_func, examples, \
                      old, ...)                                                                   \
  const EnsOp ens_op_##id = {.name = onnx,                                                        \
                             .min_inputs = min,                                                   \
                             .max_inputs = max,                                                   \
                             .min_outputs = 1,                                                    \
                             .max_outputs = 1,                                                    \
                             .layout = ENS_LAYOUT_FOLLOWS,                                        \
                             .kind = ENS_KIND_##what,                                             \
                             .flags = ENS_OP_PITCHED | ENS_OP_IN_PLACE | (extra_flags),           \
                             .params_size = sizeof (EnsBinaryParams),                             \
                             .versions = {.stretch = old},                                        \
                             .attributes = binary_attributes,                                     \
                             .shape = shape_func,                                                 \
                             .reference = id##_reference,                                         \
                             .cpu = id##_cpu,                                                     \
                             .gpu = id##_gpu,                                                     \
                             .gradient = gradient_func,                                           \
                             .per_image = ens_per_image_elementwise,                              \
                             .example = examples,                                                 \
                             .is_identity = binary_is_identity,                                   \
                             .activation_offset = G_STRUCT_OFFSET (EnsBinaryParams, activation),  \
                             __VA_ARGS__}

#define sum_reference add_reference
#define sum_cpu add_cpu
#define sum_gpu add_gpu

ARITHMETIC_OP (add, "Add", ADD, 2, 2, ENS_OP_FUSES | ENS_OP_COMMUTATIVE, arithmetic_shape,
               ens_sum_gradient, arithmetic_examples, ENS_STRETCH_BY_ATTRIBUTES);
ARITHMETIC_OP (sub, "Sub", SUBTRACT, 2, 2, ENS_OP_FUSES, arithmetic_shape, ens_sub_gradient,
               arithmetic_examples, ENS_STRETCH_BY_ATTRIBUTES);
ARITHMETIC_OP (mul, "Mul", MULTIPLY, 2, 2, ENS_OP_FUSES | ENS_OP_COMMUTATIVE, arithmetic_shape,
               ens_mul_gradient, arithmetic_examples, ENS_STRETCH_BY_ATTRIBUTES);
ARITHMETIC_OP (div, "Div", DIVIDE, 2, 2, ENS_OP_FUSES, arithmetic_shape, ens_div_gradient,
               arithmetic_examples, ENS_STRETCH_BY_ATTRIBUTES);
ARITHMETIC_OP (pow, "Pow", OTHER, 2, 2, 0, pow_shape, ens_pow_gradient, arithmetic_examples,
               ENS_STRETCH_BY_ATTRIBUTES);
ARITHMETIC_OP (min, "Min", OTHER, 1, MANY, 0, arithmetic_shape, ens_extreme_gradient,
               arithmetic_examples, ENS_STRETCH_LAST);
ARITHMETIC_OP (max, "Max", OTHER, 1, MANY, 0, arithmetic_shape, ens_extreme_gradient,
               arithmetic_examples, ENS_STRETCH_LAST);
ARITHMETIC_OP (sum, "Sum", ADD, 1, MANY, ENS_OP_FUSES, arithmetic_shape, ens_sum_gradient,
               arithmetic_examples, ENS_STRETCH_LAST);
ARITHMETIC_OP (mean, "Mean", OTHER, 1, MANY, 0, mean_shape, ens_mean_gradient, arithmetic_examples,
               ENS_STRETCH_LAST);
ARITHMETIC_OP (prelu, "PRelu", OTHER, 2, 2, 0, prelu_shape, ens_prelu_gradient, prelu_examples,
               ENS_STRETCH_CHANNELS, .parameters = {[1] = ENS_PARAMETER_SCALE});
