/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Softmax, LogSoftmax, ArgMax, ArgMin. */
#include "kernels/softmax.h"
#include "ops/exponential.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/arg.h"
#include "push/softmax.h"

static gsize
line_start (const EnsLines *lines, gsize line)
{
  return line / lines->inner * lines->length * lines->inner + line % lines->inner;
}

/* Softmax. Up to opset 12 it runs over all axes from `axis` on. */

/* `flatten` is ours, for networks of older opsets: newer ones can't say it in one node. */
#define AXIS ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsSoftmaxParams, axis)
#define FLATTEN ENS_ATTRIBUTE_FLAG, ENS_ATTRIBUTE_INTERNAL, ENS_MEMBER (EnsSoftmaxParams, flatten)

static const EnsAttribute softmax_attributes[] = {{"axis", AXIS, .integer = 1, .until = 12},
                                                  {"axis", AXIS, .integer = -1},
                                                  {"flatten", FLATTEN, .integer = 1, .until = 12},
                                                  {"flatten", FLATTEN},
                                                  ENS_ATTRIBUTE_END};

static gboolean
softmax_permute (gpointer data, guint rank, const guint *map)
{
  EnsSoftmaxParams *params = data;

  if (params->flatten && params->axis != (gint64)rank - 1 && params->axis != -1)
    return FALSE;
  params->flatten = FALSE;
  ens_permute_axis (&params->axis, rank, map);
  return TRUE;
}

static gboolean
softmax_shape (EnsOperands *operands, GError **error)
{
  const EnsSoftmaxParams *params = operands->params;
  guint rank = operands->inputs[0]->shape.rank, axis;

  if (!ens_check_type (operands, 0, ENS_TYPES_REAL, error))
    return FALSE;
  /* axis = rank is allowed where flattening leaves one element in each line. */
  if (!(params->flatten && params->axis == (gint64)rank)
      && !ens_check_axis (operands, params->axis, rank, &axis, error))
    return FALSE;
  return ens_set_output_like_input (operands, error);
}

static EnsLines
softmax_lines (const EnsOperands *operands)
{
  const EnsSoftmaxParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[0]->shape;
  guint axis = (guint)(params->axis < 0 ? params->axis + shape->rank : params->axis);

  return ens_lines_along (shape, axis, params->flatten ? shape->rank : axis + 1);
}

static void
softmax_reference_any (const EnsOperands *operands, gboolean logarithm)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsLines lines = softmax_lines (operands);

  for (gsize line = 0; line < lines.outer * lines.inner; line++) {
    gsize start = line_start (&lines, line);
    double max = -INFINITY, sum = 0;

    for (gsize i = 0; i < lines.length; i++)
      max = fmax (max, ens_view_real (x, start + i * lines.inner));
    for (gsize i = 0; i < lines.length; i++)
      sum += exp (ens_view_real (x, start + i * lines.inner) - max);
    for (gsize i = 0; i < lines.length; i++) {
      double difference = ens_view_real (x, start + i * lines.inner) - max;

      ens_view_set_real (y, start + i * lines.inner,
                         logarithm ? difference - log (sum) : exp (difference) / sum);
    }
  }
}

typedef void (*RowFunc) (const float *x, float *y, gsize n);

static float
find_max (const float *x, gsize n)
{
  float max = x[0];

  for (gsize i = 1; i < n; i++)
    max = x[i] > max ? x[i] : max;
  return max;
}

static void
softmax_row (const float *x, float *y, gsize n)
{
  ens_softmax_exponentials (
      ens_kernels_get (), &(EnsSoftmaxRow) {.x = x, .scale = 1, .n = n, .y = y, .normalise = TRUE});
}

static void
log_softmax_row (const float *x, float *y, gsize n)
{
  float max = find_max (x, n);
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += (double)ens_exp (x[i] - max);
  for (gsize i = 0; i < n; i++)
    y[i] = x[i] - max - (float)log (sum);
}

typedef struct {
  RowFunc func;
  const float *x;
  float *y;
  gsize length;
} Rows;

static void
rows_range (gconstpointer data, gsize begin, gsize end)
{
  const Rows *rows = data;

  for (gsize row = begin; row < end; row++)
    rows->func (rows->x + row * rows->length, rows->y + row * rows->length, rows->length);
}

static void
softmax_cpu_any (const EnsOperands *operands, const EnsCpuContext *context, RowFunc func,
                 gboolean logarithm)
{
  const EnsView *x = operands->inputs[0];
  EnsLines lines = softmax_lines (operands);
  Rows rows = {.func = func, .x = x->data, .y = operands->outputs[0]->data, .length = lines.length};

  if (lines.inner != 1 || lines.length == 0)
    softmax_reference_any (operands, logarithm);
  else
    ens_parallel (context->pool, lines.outer, 8 * lines.length, rows_range, &rows);
}

static gboolean
record (const EnsOperands *operands, EnsCommands *commands, guint32 kind)
{
  EnsLines lines = softmax_lines (operands);

  return ens_record_lines (operands, commands, &lines, kind);
}

static gboolean
softmax_per_image (const EnsNode *node)
{
  return !ens_axis_is_batch (node, ((const EnsSoftmaxParams *)node->params)->axis);
}

/* The axes that a line runs along, as bits. */
static guint
softmax_axes (const EnsNode *node)
{
  const EnsSoftmaxParams *params = node->params;
  guint rank = node->inputs[0]->shape.rank;
  guint axis = (guint)(params->axis < 0 ? params->axis + rank : params->axis);

  return params->flatten ? ((1u << rank) - 1) & ~((1u << axis) - 1) : 1u << axis;
}

/* dx = (dy − Σ dy · y) · y */
static gboolean
softmax_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *dy = gradient->outputs[0], *y = gradient->node->outputs[0];
  EnsValue *sum = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, y, NULL);

  sum = ens_gradient_sum (gradient, sum, softmax_axes (gradient->node));
  dy = ens_gradient_apply (gradient, &ens_op_sub, NULL, dy, sum, NULL);
  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, y, NULL);
  return TRUE;
}

/* dx = dy − eʸ · Σ dy */
static gboolean
log_softmax_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *dy = gradient->outputs[0];
  EnsValue *sum = ens_gradient_sum (gradient, dy, softmax_axes (gradient->node));
  EnsValue *share =
      ens_gradient_apply (gradient, &ens_op_exp, NULL, gradient->node->outputs[0], NULL);

  share = ens_gradient_apply (gradient, &ens_op_mul, NULL, share, sum, NULL);
  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_sub, NULL, dy, share, NULL);
  return TRUE;
}

static const EnsOpExample softmax_examples[] = {{"2x5x7", &(const EnsSoftmaxParams) {.axis = -1}},
                                                {NULL}};

#define SOFTMAX_OP(id, onnx, logarithm)                                                      \
  static void id##_reference (const EnsOperands *operands)                                   \
  {                                                                                          \
    softmax_reference_any (operands, logarithm);                                             \
  }                                                                                          \
                                                                                             \
  static void id##_cpu (const EnsOperands *operands, const EnsCpuContext *context)           \
  {                                                                                          \
    softmax_cpu_any (operands, context, id##_row, logarithm);                                \
  }                                                                                          \
                                                                                             \
  static gboolean id##_gpu (const EnsOperands *operands, EnsCommands *commands)              \
  {                                                                                          \
    return record (operands, commands, logarithm ? ENS_LINE_LOG_SOFTMAX : ENS_LINE_SOFTMAX); \
  }                                                                                          \
                                                                                             \
  const EnsOp ens_op_##id = {.name = onnx,                                                   \
                             .min_inputs = 1,                                                \
                             .max_inputs = 1,                                                \
                             .min_outputs = 1,                                               \
                             .max_outputs = 1,                                               \
                             .layout = ENS_LAYOUT_FOLLOWS,                                   \
                             .kind = ENS_KIND_SOFTMAX,                                       \
                             .flags = ENS_OP_IN_PLACE,                                       \
                             .params_size = sizeof (EnsSoftmaxParams),                       \
                             .attributes = softmax_attributes,                               \
                             .permute = softmax_permute,                                     \
                             .shape = softmax_shape,                                         \
                             .reference = id##_reference,                                    \
                             .cpu = id##_cpu,                                                \
                             .gpu = id##_gpu,                                                \
                             .gradient = id##_gradient,                                      \
                             .per_image = softmax_per_image,                                 \
                             .example = softmax_examples}

SOFTMAX_OP (softmax, "Softmax", FALSE);
SOFTMAX_OP (log_softmax, "LogSoftmax", TRUE);

/* ArgMax, ArgMin */

static const EnsAttribute arg_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsArgParams, axis)},
    {"keepdims", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsArgParams, keepdims), .integer = 1},
    {"select_last_index", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsArgParams, select_last_index)},
    ENS_ATTRIBUTE_END};

static gboolean
arg_permute (gpointer data, guint rank, const guint *map)
{
  EnsArgParams *params = data;
  EnsList axes = {.present = TRUE, .n = 1, .values = {params->axis}};

  if (!ens_permute_reduced (&axes, params->keepdims, rank, map))
    return FALSE;
  params->axis = axes.values[0];
  return TRUE;
}

static gboolean
arg_shape (EnsOperands *operands, GError **error)
{
  const EnsArgParams *params = operands->params;
  EnsShape shape = operands->inputs[0]->shape;
  guint axis;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_axis (operands, params->axis, shape.rank, &axis, error))
    return FALSE;
  if (shape.dims[axis] == 0)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "axis %u is empty", axis);
  shape.dims[axis] = 1;
  if (!params->keepdims) {
    shape.rank--;
    for (guint i = axis; i < shape.rank; i++)
      shape.dims[i] = shape.dims[i + 1];
  }
  return ens_set_output (operands, 0, ENS_TYPE_INT64, &shape, error);
}

/* The position of the largest of sign · x. */
static gint64
find_position (const EnsView *x, const EnsLines *lines, gsize start, double sign, gboolean last)
{
  double best = sign * ens_view_real (x, start);
  gsize position = 0;

  for (gsize i = 1; i < lines->length; i++) {
    double value = sign * ens_view_real (x, start + i * lines->inner);

    if (value > best || (last && value == best)) {
      best = value;
      position = i;
    }
  }
  return (gint64)position;
}

static void
arg_reference (const EnsOperands *operands, double sign)
{
  const EnsArgParams *params = operands->params;
  const EnsView *x = operands->inputs[0];
  guint axis = 0;
  EnsLines lines;

  ens_check_axis (operands, params->axis, x->shape.rank, &axis, NULL);
  lines = ens_lines_along (&x->shape, axis, axis + 1);
  for (gsize line = 0; line < lines.outer * lines.inner; line++)
    ens_view_set_integer (
        operands->outputs[0], line,
        find_position (x, &lines, line_start (&lines, line), sign, params->select_last_index));
}

static void
arg_max_reference (const EnsOperands *operands)
{
  arg_reference (operands, 1);
}

static void
arg_min_reference (const EnsOperands *operands)
{
  arg_reference (operands, -1);
}

static gboolean
arg_gpu (const EnsOperands *operands, EnsCommands *commands, gboolean least)
{
  const EnsArgParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsArgPush push = {0};
  EnsDispatch dispatch = {
      .shader = "arg",
      .storage = x->type,
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .n_constants = 3,
      .push = &push,
      .push_size = sizeof push,
  };
  guint axis = 0;
  EnsLines lines;

  if (!ens_record_takes (x))
    return FALSE;
  ens_check_axis (operands, params->axis, x->shape.rank, &axis, NULL);
  lines = ens_lines_along (&x->shape, axis, axis + 1);
  push.n = (guint32)(lines.outer * lines.inner);
  push.extent = (guint32)lines.length;
  push.inner = (guint32)lines.inner;
  dispatch.constants[0] = ens_tile_across (
      &(EnsTileLines) {.columns = lines.length, .passes = 1, .neighbours = lines.inner > 1});
  if (dispatch.constants[0] == 0)
    return FALSE;
  dispatch.constants[1] = least;
  dispatch.constants[2] = params->select_last_index;
  if (push.n > 0) {
    ens_tile_cover (commands, &dispatch, push.n);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static gboolean
arg_max_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return arg_gpu (operands, commands, FALSE);
}

static gboolean
arg_min_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return arg_gpu (operands, commands, TRUE);
}

static gboolean
arg_per_image (const EnsNode *node)
{
  return !ens_axis_is_batch (node, ((const EnsArgParams *)node->params)->axis);
}

static const EnsOpExample arg_examples[] = {
    {"3x5x7", &(const EnsArgParams) {.axis = -1, .keepdims = TRUE}}, {NULL}};

#define ARG_OP(id, onnx)                                           \
  const EnsOp ens_op_##id = {.name = onnx,                         \
                             .min_inputs = 1,                      \
                             .max_inputs = 1,                      \
                             .min_outputs = 1,                     \
                             .max_outputs = 1,                     \
                             .layout = ENS_LAYOUT_FOLLOWS,         \
                             .params_size = sizeof (EnsArgParams), \
                             .attributes = arg_attributes,         \
                             .permute = arg_permute,               \
                             .shape = arg_shape,                   \
                             .visits = ens_visit_input,            \
                             .reference = id##_reference,          \
                             .gpu = id##_gpu,                      \
                             .per_image = arg_per_image,           \
                             .example = arg_examples}

ARG_OP (arg_max, "ArgMax");
ARG_OP (arg_min, "ArgMin");
