/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mod, BitShift, BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot: arithmetic of indices and masks.
 * They belong to the arithmetic of shapes for the most part: references are enough. */
#include "ops/elementwise.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/registry.h"

#include <math.h>

typedef gint64 (*IntegerFunc) (gint64 a, gint64 b);

/* output = func (a, b) of integers, both broadcast. */
static void
combine (const EnsOperands *operands, IntegerFunc func)
{
  const EnsView *y = operands->outputs[0], *a = operands->inputs[0], *b = operands->inputs[1];
  EnsWalk walk;

  for (ens_walk_begin (&walk, &y->shape, (const EnsView *[]) {y, a, b}, 3); walk.remaining > 0;
       ens_walk_next (&walk))
    ens_view_set_integer (
        y, walk.offsets[0],
        func (ens_view_integer (a, walk.offsets[1]), ens_view_integer (b, walk.offsets[2])));
}

static gboolean
integer_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_INTEGER, error)
         && ens_check_same_types (operands, 1, error)
         && ens_set_broadcast_output (operands, operands->inputs[0]->type, error);
}

static const EnsOpExample integer_examples[] = {{"=[5,6,7,8] =[3,2,1,4]"}, {NULL}};

#define INTEGER_OP(id, onnx, opset, ...)                             \
  const EnsOp ens_op_##id = {.name = onnx,                           \
                             .min_inputs = 2,                        \
                             .max_inputs = 2,                        \
                             .min_outputs = 1,                       \
                             .max_outputs = 1,                       \
                             .layout = ENS_LAYOUT_FOLLOWS,           \
                             .versions = {.since = opset},           \
                             .reference = id##_reference,            \
                             .per_image = ens_per_image_elementwise, \
                             __VA_ARGS__}

#define BITWISE_OP(id, onnx, operator)                     \
  static gint64 id##_integer (gint64 a, gint64 b)          \
  {                                                        \
    return a operator b;                                   \
  }                                                        \
                                                           \
  static void id##_reference (const EnsOperands *operands) \
  {                                                        \
    combine (operands, id##_integer);                      \
  }                                                        \
                                                           \
  INTEGER_OP (id, onnx, 18, .shape = integer_shape, .example = integer_examples)

BITWISE_OP (bitwise_and, "BitwiseAnd", &);
BITWISE_OP (bitwise_or, "BitwiseOr", |);
BITWISE_OP (bitwise_xor, "BitwiseXor", ^);

static gboolean
bitwise_not_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_INTEGER, error)
         && ens_set_output_like_input (operands, error);
}

static void
bitwise_not_reference (const EnsOperands *operands)
{
  gsize n = ens_view_elements (operands->outputs[0]);

  for (gsize i = 0; i < n; i++)
    ens_view_set_integer (operands->outputs[0], i, ~ens_view_integer (operands->inputs[0], i));
}

static const EnsOpExample bitwise_not_examples[] = {{"=[5,6,7,8]"}, {NULL}};

const EnsOp ens_op_bitwise_not = {.name = "BitwiseNot",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .min_outputs = 1,
                                  .max_outputs = 1,
                                  .layout = ENS_LAYOUT_FOLLOWS,
                                  .versions = {.since = 18},
                                  .shape = bitwise_not_shape,
                                  .reference = bitwise_not_reference,
                                  .per_image = ens_per_image_elementwise,
                                  .example = bitwise_not_examples};

/* BitShift: what is shifted out is lost; to the right, the sign is repeated. */

typedef struct {
  gboolean right; /* counts shift_names */
} ShiftParams;

static const char *const shift_names[] = {"LEFT", "RIGHT", NULL};

static const EnsAttribute shift_attributes[] = {
    {"direction", ENS_ATTRIBUTE_NAME, ENS_ATTRIBUTE_REQUIRED, ENS_MEMBER (ShiftParams, right),
     .names = shift_names},
    ENS_ATTRIBUTE_END};

static gint64
shift_left (gint64 a, gint64 b)
{
  return b < 0 || b > 63 ? 0 : (gint64)((guint64)a << b);
}

static gint64
shift_right (gint64 a, gint64 b)
{
  return b < 0 || b > 63 ? (a < 0 ? -1 : 0) : a >> b;
}

static void
bit_shift_reference (const EnsOperands *operands)
{
  combine (operands, ((const ShiftParams *)operands->params)->right ? shift_right : shift_left);
}

static const EnsOpExample shift_examples[] = {
    {"=[5,6,7,8] =[3,2,1,4]", &(const ShiftParams) {TRUE}}, {NULL}};

INTEGER_OP (bit_shift, "BitShift", 11, .params_size = sizeof (ShiftParams),
            .attributes = shift_attributes, .shape = integer_shape, .example = shift_examples);

/* Mod: the remainder has the sign of the divisor or, with fmod, that of the dividend. Of a division
 * of integers by zero it is zero. */

typedef struct {
  gboolean fmod;
} ModParams;

static const EnsAttribute mod_attributes[] = {
    {"fmod", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (ModParams, fmod)}, ENS_ATTRIBUTE_END};

static gboolean
mod_shape (EnsOperands *operands, GError **error)
{
  return ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
         && ens_check_same_types (operands, 1, error)
         && ens_set_broadcast_output (operands, operands->inputs[0]->type, error);
}

static gint64
truncated_remainder (gint64 a, gint64 b)
{
  return b == 0 || b == -1 ? 0 : a % b;
}

static gint64
floored_remainder (gint64 a, gint64 b)
{
  gint64 remainder = truncated_remainder (a, b);

  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

static double
real_remainder (double a, double b, gboolean floored)
{
  double remainder = fmod (a, b);

  if (!floored || isnan (remainder))
    return remainder;
  if (remainder == 0)
    return copysign (0, b);
  return (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

static void
mod_reference (const EnsOperands *operands)
{
  const ModParams *params = operands->params;
  const EnsView *y = operands->outputs[0], *a = operands->inputs[0], *b = operands->inputs[1];
  EnsWalk walk;

  if (!ens_type_is_real (y->type)) {
    combine (operands, params->fmod ? truncated_remainder : floored_remainder);
    return;
  }
  for (ens_walk_begin (&walk, &y->shape, (const EnsView *[]) {y, a, b}, 3); walk.remaining > 0;
       ens_walk_next (&walk))
    ens_view_set_real (y, walk.offsets[0],
                       real_remainder (ens_view_real (a, walk.offsets[1]),
                                       ens_view_real (b, walk.offsets[2]), !params->fmod));
}

/* y = a − b · n, with n constant in between. */
static gboolean
mod_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *a = node->inputs[0], *b = node->inputs[1], *dy = gradient->outputs[0], *quotient;

  if (gradient->wanted[0])
    gradient->inputs[0] = ens_gradient_sum_to (gradient, dy, &a->shape);
  if (!gradient->wanted[1])
    return TRUE;
  quotient = ens_gradient_apply (gradient, &ens_op_sub, NULL, node->outputs[0], a, NULL);
  quotient = ens_gradient_apply (gradient, &ens_op_div, NULL, quotient, b, NULL);
  quotient = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, quotient, NULL);
  gradient->inputs[1] = ens_gradient_sum_to (gradient, quotient, &b->shape);
  return TRUE;
}

INTEGER_OP (mod, "Mod", 10, .params_size = sizeof (ModParams), .attributes = mod_attributes,
            .shape = mod_shape, .gradient = mod_gradient, .example = integer_examples);
