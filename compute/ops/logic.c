/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparisons, IsNaN, IsInf, logic and Where. They belong to the arithmetic of shapes for the most
 * part: references are enough on the CPU. */
#include "ops/elementwise.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

#include "push/logic.h"
#include "push/where.h"

#define GROUP 128 /* invocations of a workgroup of their shaders */

static gboolean
compare_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_ANY, error)
         && ens_check_same_types (operands, 1, error)
         && ens_set_broadcast_output (operands, ENS_TYPE_BOOL, error);
}

static gboolean
logic_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES (ENS_TYPE_BOOL), error)
         && compare_shape (operands, error);
}

static void
compare_reference (const EnsOperands *operands, gboolean (*real) (double a, double b),
                   gboolean (*integer) (gint64 a, gint64 b))
{
  const EnsView *output = operands->outputs[0], *a = operands->inputs[0], *b = operands->inputs[1];
  EnsWalk walk;

  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output, a, b}, 3);
       walk.remaining > 0; ens_walk_next (&walk))
    ((guint8 *)output->data)[walk.offsets[0]] =
        ens_type_is_real (a->type)
            ? real (ens_view_real (a, walk.offsets[1]), ens_view_real (b, walk.offsets[2]))
            : integer (ens_view_integer (a, walk.offsets[1]),
                       ens_view_integer (b, walk.offsets[2]));
}

/* Floats are compared, truth values combined; there are no shaders for other types, nor for the
 * order of truth values. */
static gboolean
truth_gpu (const EnsOperands *operands, EnsCommands *commands, guint32 compare, guint32 logic)
{
  const EnsView *a = operands->inputs[0], *b = operands->inputs[operands->n_inputs - 1];
  const EnsView *y = operands->outputs[0];
  gboolean combines = a->type == ENS_TYPE_BOOL;
  EnsLogicPush push = {0};
  EnsDispatch dispatch = {.shader = combines ? "logic" : "compare",
                          .storage = a->type == ENS_TYPE_FLOAT16 ? a->type : ENS_TYPE_FLOAT32,
                          .n_bindings = 4,
                          .constants = {combines ? logic : compare},
                          .n_constants = 1,
                          .push = &push,
                          .push_size = sizeof push};
  EnsBroadcast broadcast;

  if (combines ? logic == ENS_LOGIC_NONE : !ens_record_takes (a))
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  broadcast = ens_broadcast_record (y, (const EnsView *[]) {a, b}, 2, commands);
  push.n_axes = broadcast.n_axes;
  push.rows = broadcast.rows;
  push.columns = broadcast.columns;
  push.a_step = broadcast.steps[0];
  push.b_step = broadcast.steps[1];
  dispatch.bindings[0] = (EnsBinding) {a, ENS_ACCESS_READ};
  dispatch.bindings[1] = (EnsBinding) {b, ENS_ACCESS_READ};
  dispatch.bindings[2] = (EnsBinding) {y, ENS_ACCESS_WRITE};
  dispatch.bindings[3] = (EnsBinding) {broadcast.axes, ENS_ACCESS_READ};
  ens_commands_cover (commands, &dispatch, ens_view_elements (y), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static const EnsOpExample equal_examples[] = {{"3x5x7 5x1"}, {"?2x5x7 ?2x1x7"}, {NULL}};
static const EnsOpExample compare_examples[] = {{"3x5x7 5x1"}, {NULL}};
static const EnsOpExample logic_examples[] = {{"?2x5x7 ?2x1x7"}, {NULL}};

/* compare: how floats are compared; logic: how truth values are combined. */
#define COMPARE_OP(id, onnx, operator, shape_func, compare, logic, examples)     \
  static gboolean id##_real (double a, double b)                                 \
  {                                                                              \
    return a operator b;                                                         \
  }                                                                              \
                                                                                 \
  static gboolean id##_integer (gint64 a, gint64 b)                              \
  {                                                                              \
    return a operator b;                                                         \
  }                                                                              \
                                                                                 \
  static void id##_reference (const EnsOperands *operands)                       \
  {                                                                              \
    compare_reference (operands, id##_real, id##_integer);                       \
  }                                                                              \
                                                                                 \
  static gboolean id##_gpu (const EnsOperands *operands, EnsCommands *commands)  \
  {                                                                              \
    return truth_gpu (operands, commands, compare, logic);                       \
  }                                                                              \
                                                                                 \
  const EnsOp ens_op_##id = {.name = onnx,                                       \
                             .min_inputs = 2,                                    \
                             .max_inputs = 2,                                    \
                             .min_outputs = 1,                                   \
                             .max_outputs = 1,                                   \
                             .layout = ENS_LAYOUT_FOLLOWS,                       \
                             .versions = {.stretch = ENS_STRETCH_BY_ATTRIBUTES}, \
                             .shape = shape_func,                                \
                             .reference = id##_reference,                        \
                             .gpu = id##_gpu,                                    \
                             .per_image = ens_per_image_elementwise,             \
                             .example = examples}

COMPARE_OP (equal, "Equal", ==, compare_shape, ENS_COMPARE_EQUAL, ENS_LOGIC_EQUAL, equal_examples);
COMPARE_OP (greater, "Greater", >, compare_shape, ENS_COMPARE_GREATER, ENS_LOGIC_NONE,
            compare_examples);
COMPARE_OP (greater_or_equal, "GreaterOrEqual", >=, compare_shape, ENS_COMPARE_GREATER_OR_EQUAL,
            ENS_LOGIC_NONE, compare_examples);
COMPARE_OP (less, "Less", <, compare_shape, ENS_COMPARE_LESS, ENS_LOGIC_NONE, compare_examples);
COMPARE_OP (less_or_equal, "LessOrEqual", <=, compare_shape, ENS_COMPARE_LESS_OR_EQUAL,
            ENS_LOGIC_NONE, compare_examples);
COMPARE_OP (and, "And", &&, logic_shape, ENS_COMPARE_NONE, ENS_LOGIC_AND, logic_examples);
COMPARE_OP (or, "Or", ||, logic_shape, ENS_COMPARE_NONE, ENS_LOGIC_OR, logic_examples);
COMPARE_OP (xor, "Xor", !=, logic_shape, ENS_COMPARE_NONE, ENS_LOGIC_XOR, logic_examples);

/* IsNaN, IsInf */

static gboolean
kind_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_REAL, error)
         && ens_set_output (operands, 0, ENS_TYPE_BOOL, &operands->inputs[0]->shape, error);
}

static void
is_nan_reference (const EnsOperands *operands)
{
  gsize n = ens_view_elements (operands->outputs[0]);

  for (gsize i = 0; i < n; i++)
    ((guint8 *)operands->outputs[0]->data)[i] = isnan (ens_view_real (operands->inputs[0], i)) != 0;
}

static gboolean
is_nan_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return truth_gpu (operands, commands, ENS_COMPARE_NAN, ENS_LOGIC_NONE);
}

static const EnsOpExample kind_examples[] = {{"2x5x7"}, {NULL}};

const EnsOp ens_op_is_nan = {.name = "IsNaN",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_FOLLOWS,
                             .versions = {.since = 9},
                             .shape = kind_shape,
                             .reference = is_nan_reference,
                             .gpu = is_nan_gpu,
                             .per_image = ens_per_image_elementwise,
                             .example = kind_examples};

typedef struct {
  gboolean negative, positive;
} InfinityParams;

static const EnsAttribute is_inf_attributes[] = {
    {"detect_negative", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (InfinityParams, negative), .integer = 1},
    {"detect_positive", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (InfinityParams, positive), .integer = 1},
    ENS_ATTRIBUTE_END};

static void
is_inf_reference (const EnsOperands *operands)
{
  const InfinityParams *params = operands->params;
  gsize n = ens_view_elements (operands->outputs[0]);

  for (gsize i = 0; i < n; i++) {
    double x = ens_view_real (operands->inputs[0], i);

    ((guint8 *)operands->outputs[0]->data)[i] =
        isinf (x) && (x > 0 ? params->positive : params->negative);
  }
}

static gboolean
is_inf_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const InfinityParams *params = operands->params;

  if (!params->negative && !params->positive)
    return FALSE;
  return truth_gpu (operands, commands,
                    !params->negative   ? ENS_COMPARE_POSITIVE_INFINITE
                    : !params->positive ? ENS_COMPARE_NEGATIVE_INFINITE
                                        : ENS_COMPARE_INFINITE,
                    ENS_LOGIC_NONE);
}

static const EnsOpExample is_inf_examples[] = {{"2x5x7", &(const InfinityParams) {TRUE, TRUE}},
                                               {NULL}};

const EnsOp ens_op_is_inf = {.name = "IsInf",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_FOLLOWS,
                             .params_size = sizeof (InfinityParams),
                             .versions = {.since = 10},
                             .attributes = is_inf_attributes,
                             .shape = kind_shape,
                             .reference = is_inf_reference,
                             .gpu = is_inf_gpu,
                             .per_image = ens_per_image_elementwise,
                             .example = is_inf_examples};

static gboolean
not_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES (ENS_TYPE_BOOL), error)
         && ens_set_output_like_input (operands, error);
}

static void
not_reference (const EnsOperands *operands)
{
  const guint8 *input = operands->inputs[0]->data;
  guint8 *output = operands->outputs[0]->data;
  gsize n = ens_view_elements (operands->outputs[0]);

  for (gsize i = 0; i < n; i++)
    output[i] = !input[i];
}

static gboolean
not_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return truth_gpu (operands, commands, ENS_COMPARE_NONE, ENS_LOGIC_NOT);
}

static const EnsOpExample not_examples[] = {{"?2x5x7"}, {NULL}};

const EnsOp ens_op_not = {.name = "Not",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .min_outputs = 1,
                          .max_outputs = 1,
                          .layout = ENS_LAYOUT_FOLLOWS,
                          .flags = ENS_OP_IN_PLACE,
                          .shape = not_shape,
                          .reference = not_reference,
                          .gpu = not_gpu,
                          .per_image = ens_per_image_elementwise,
                          .example = not_examples};

static gboolean
where_shape (EnsOperands *operands, GError **error)
{
  const EnsView *x = operands->inputs[1], *y = operands->inputs[2];

  if (x->type != y->type)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input 2 is %s, expected %s as input 1",
                         ens_type_name (y->type), ens_type_name (x->type));
  return ens_check_type (operands, 0, ENS_TYPES (ENS_TYPE_BOOL), error)
         && ens_set_broadcast_output (operands, x->type, error);
}

static void
where_reference (const EnsOperands *operands)
{
  const EnsView *output = operands->outputs[0];
  const EnsView *views[] = {output, operands->inputs[0], operands->inputs[1], operands->inputs[2]};
  EnsWalk walk;

  for (ens_walk_begin (&walk, &output->shape, views, 4); walk.remaining > 0;
       ens_walk_next (&walk)) {
    guint chosen = ens_view_integer (views[1], walk.offsets[1]) != 0 ? 2 : 3;

    ens_view_copy_element (output, walk.offsets[0], views[chosen], walk.offsets[chosen]);
  }
}

static gboolean
where_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *const *inputs = operands->inputs;
  const EnsView *y = operands->outputs[0];
  EnsWherePush push = {0};
  EnsDispatch dispatch = {
      .shader = "where",
      .n_bindings = 5,
      .push = &push,
      .push_size = sizeof push,
  };
  EnsBroadcast broadcast;

  if (!ens_record_storage (operands, 1, 3, &dispatch.storage))
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  broadcast = ens_broadcast_record (y, inputs, 3, commands);
  push.n_axes = broadcast.n_axes;
  push.rows = broadcast.rows;
  push.columns = broadcast.columns;
  push.condition_step = broadcast.steps[0];
  push.a_step = broadcast.steps[1];
  push.b_step = broadcast.steps[2];
  for (guint i = 0; i < 3; i++)
    dispatch.bindings[i] = (EnsBinding) {inputs[i], ENS_ACCESS_READ};
  dispatch.bindings[3] = (EnsBinding) {y, ENS_ACCESS_WRITE};
  dispatch.bindings[4] = (EnsBinding) {broadcast.axes, ENS_ACCESS_READ};
  ens_commands_cover (commands, &dispatch, ens_view_elements (y), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
where_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *dy = gradient->outputs[0], *zero = ens_gradient_number (gradient, dy->type, 0);

  for (guint i = 1; i <= 2; i++)
    if (gradient->wanted[i]) {
      EnsValue *part = ens_gradient_apply (gradient, &ens_op_where, NULL, node->inputs[0],
                                           i == 1 ? dy : zero, i == 1 ? zero : dy, NULL);

      gradient->inputs[i] = ens_gradient_sum_to (gradient, part, &node->inputs[i]->shape);
    }
  return TRUE;
}

static const EnsOpExample where_examples[] = {{"?2x5x7 2x5x7 2x1x7"}, {NULL}};

const EnsOp ens_op_where = {.name = "Where",
                            .min_inputs = 3,
                            .max_inputs = 3,
                            .min_outputs = 1,
                            .max_outputs = 1,
                            .layout = ENS_LAYOUT_FOLLOWS,
                            .shape = where_shape,
                            .reference = where_reference,
                            .gpu = where_gpu,
                            .gradient = where_gradient,
                            .per_image = ens_per_image_elementwise,
                            .example = where_examples};
