/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pad */
#include "ops/pad.h"

#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

#include "push/pad.h"

static const char *const mode_names[] = {
    [ENS_PAD_CONSTANT] = "constant",
    [ENS_PAD_REFLECT] = "reflect",
    [ENS_PAD_EDGE] = "edge",
    [ENS_PAD_WRAP] = "wrap",
    NULL,
};

#define PADS                                                                                    \
  .kind = ENS_ATTRIBUTE_INTS, ENS_MEMBER (EnsPadParams, begin),                                 \
  .second = G_STRUCT_OFFSET (EnsPadParams, end), .count = G_STRUCT_OFFSET (EnsPadParams, rank), \
  .present = G_STRUCT_OFFSET (EnsPadParams, has_pads), .length = ENS_MAX_RANK

static const EnsAttribute pad_attributes[] = {
    {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsPadParams, mode), .names = mode_names},
    {"paddings", PADS, .until = 1},
    {"pads", PADS, .input = 1, .input_since = 11},
    {"value", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (EnsPadParams, value), .input = 2, .input_since = 11},
    {"axes", ENS_LIST_MEMBER (EnsPadParams, axes), .since = 18, .input = 3, .input_since = 18},
    ENS_ATTRIBUTE_END};

/* Makes pads of some axes pads of all. FALSE if they don't fit. */
static gboolean
spread (EnsPadParams *params, guint rank)
{
  EnsPadParams some = *params;

  if (!some.axes.present)
    return TRUE;
  if (some.axes.n != some.rank)
    return FALSE;
  memset (params->begin, 0, sizeof params->begin);
  memset (params->end, 0, sizeof params->end);
  memset (&params->axes, 0, sizeof params->axes);
  params->rank = rank;
  for (guint i = 0; i < some.rank; i++) {
    gint64 axis = some.axes.values[i] + (some.axes.values[i] < 0 ? rank : 0);

    if (axis < 0 || axis >= rank)
      return FALSE;
    params->begin[axis] = some.begin[i];
    params->end[axis] = some.end[i];
  }
  return TRUE;
}

static gboolean
pad_permute (gpointer data, guint rank, const guint *map)
{
  EnsPadParams *params = data;
  EnsPadParams old;

  /* Pads that are an input follow the order of the axes. */
  if (!params->has_pads && params->axes.present) {
    ens_permute_list (&params->axes, rank, map);
    return TRUE;
  }
  if (!params->has_pads || !spread (params, rank))
    return FALSE;
  old = *params;
  for (guint i = 0; i < MIN (params->rank, rank); i++) {
    params->begin[map[i]] = old.begin[i];
    params->end[map[i]] = old.end[i];
  }
  return TRUE;
}

/* The pads of each axis, and the value; all known while planning. */
static gboolean
resolve (const EnsOperands *operands, EnsPadParams *resolved, GError **error)
{
  const EnsView *pads = ens_operands_input (operands, 1), *value = ens_operands_input (operands, 2);
  guint rank = operands->inputs[0]->shape.rank, n;
  EnsList axes;

  *resolved = *(const EnsPadParams *)operands->params;
  axes = resolved->axes;
  if (!ens_check_list_or (operands, 3, &axes, &resolved->axes, error)
      || !ens_check_axes (operands, &resolved->axes, rank, &axes, error))
    return FALSE;
  n = axes.present ? axes.n : rank;
  if (pads != NULL) {
    if (!ens_check_type (operands, 1, ENS_TYPES (ENS_TYPE_INT64), error)
        || !ens_check_vector (operands, 1, 2 * (gint64)n, error))
      return FALSE;
    if (pads->data == NULL)
      return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                           "the pads are not known before running");
    resolved->has_pads = TRUE;
    resolved->rank = n;
    for (guint i = 0; i < n; i++) {
      resolved->begin[i] = ens_view_integer (pads, i);
      resolved->end[i] = ens_view_integer (pads, n + i);
    }
  }
  if (value != NULL) {
    if (value->data == NULL || ens_view_elements (value) != 1)
      return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                           "the value is not a scalar known before running");
    resolved->value = (float)ens_view_real (value, 0);
  }
  if (!resolved->has_pads || resolved->rank != n)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "pads for %u axes, expected %u as %s",
                         resolved->rank, n, axes.present ? "“axes”" : "the input");
  spread (resolved, rank);
  return TRUE;
}

static gboolean
pad_axis (const EnsOperands *operands, const EnsPadParams *params, guint axis, EnsShape *shape,
          GError **error)
{
  gint64 length = shape->dims[axis], begin = params->begin[axis], end = params->end[axis];
  gint64 available = params->mode == ENS_PAD_REFLECT ? length - 1 : G_MAXINT64;

  if ((params->mode == ENS_PAD_EDGE || params->mode == ENS_PAD_WRAP) && length == 0)
    available = 0;
  if (__builtin_add_overflow (length, begin, &length)
      || __builtin_add_overflow (length, end, &length) || length < 0 || begin < -shape->dims[axis]
      || end < -shape->dims[axis] || (begin > 0 && begin > available)
      || (end > 0 && end > available))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                         " don't fit an axis of %" G_GINT64_FORMAT " in mode %s",
                         begin, end, shape->dims[axis], mode_names[params->mode]);
  shape->dims[axis] = length;
  return TRUE;
}

static gboolean
pad_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[0]->shape;
  EnsPadParams params;

  if (!resolve (operands, &params, error))
    return FALSE;
  for (guint axis = 0; axis < shape.rank; axis++)
    if (!pad_axis (operands, &params, axis, &shape, error))
      return FALSE;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* The input's position that position `at` of the padded axis shows; −1: the value. */
static gint64
source (const EnsPadParams *params, guint axis, gint64 at, gint64 length)
{
  gint64 from = at - params->begin[axis];

  if (from >= 0 && from < length)
    return from;
  switch (params->mode) {
  case ENS_PAD_REFLECT:
    return from < 0 ? -from : 2 * (length - 1) - from;
  case ENS_PAD_EDGE:
    return from < 0 ? 0 : length - 1;
  case ENS_PAD_WRAP:
    return (from % length + length) % length;
  case ENS_PAD_CONSTANT:
    break;
  }
  return -1;
}

static void
pad_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsPadParams params;
  EnsWalk walk;

  resolve (operands, &params, NULL);
  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gboolean inside = TRUE;
    gint64 at = 0;

    for (guint i = 0; i < input->shape.rank; i++) {
      gint64 from = source (&params, i, walk.index[i], input->shape.dims[i]);

      inside = inside && from >= 0;
      at = at * input->shape.dims[i] + from;
    }
    if (inside)
      ens_view_copy_element (output, walk.offsets[0], input, (gsize)at);
    else
      ens_view_set_real (output, walk.offsets[0], params.value);
  }
}

typedef struct {
  float *data;
  float value;
} Fill;

static void
fill_range (gconstpointer data, gsize begin, gsize end)
{
  const Fill *fill = data;

  for (gsize i = begin; i < end; i++)
    fill->data[i] = fill->value;
}

/* Fills the output and copies what it shows of the input. */
static void
pad_constant (const EnsOperands *operands, const EnsPadParams *params, EnsThreadPool *pool)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsStrided strided = {.n = 2, .rank = input->shape.rank};
  Fill fill = {.data = output->data, .value = params->value};
  gint64 to = 0, from = 0;

  ens_parallel (pool, ens_view_elements (output), 1, fill_range, &fill);
  ens_view_strides (output, strided.strides[0]);
  ens_view_strides (input, strided.strides[1]);
  for (guint i = 0; i < strided.rank; i++) {
    gint64 begin = params->begin[i], end = params->end[i];

    to += MAX (begin, 0) * strided.strides[0][i];
    from += MAX (-begin, 0) * strided.strides[1][i];
    strided.dims[i] = input->shape.dims[i] + MIN (begin, 0) + MIN (end, 0);
    if (strided.dims[i] <= 0)
      return;
  }
  ens_strided_copy (&strided, sizeof (float), (float *)output->data + to,
                    (const float *)input->data + from, pool);
}

/* Modes that show the input again: rows of the last axis are copied from where they are shown, and
 * only their ends, if that axis is padded too, element by element. */
typedef struct {
  const EnsPadParams *params;
  const EnsView *input, *output;
} Mirror;

static gsize
find_row (const Mirror *mirror, gsize row)
{
  const EnsShape *from = &mirror->input->shape, *to = &mirror->output->shape;
  gint64 at = 0, stride = 1;

  for (guint i = to->rank - 1; i-- > 0;) {
    gint64 index = (gint64)(row % (gsize)to->dims[i]);

    row /= (gsize)to->dims[i];
    at += source (mirror->params, i, index, from->dims[i]) * stride;
    stride *= from->dims[i];
  }
  return (gsize)at;
}

/* FALSE where more is cut off than there is, so that what remains is padding alone. */
static gboolean
can_mirror (const EnsOperands *operands, const EnsPadParams *params)
{
  const EnsShape *shape = &operands->inputs[0]->shape;
  guint last = shape->rank - 1;

  return shape->rank > 0
         && shape->dims[last] + MIN (params->begin[last], 0) + MIN (params->end[last], 0) >= 0;
}

static void
mirror_rows (gconstpointer data, gsize begin, gsize end)
{
  const Mirror *mirror = data;
  guint last = mirror->input->shape.rank - 1;
  gint64 length = mirror->input->shape.dims[last], padded = mirror->output->shape.dims[last];
  gint64 first = MAX (mirror->params->begin[last], 0);
  gint64 n = length + MIN (mirror->params->begin[last], 0) + MIN (mirror->params->end[last], 0);

  for (gsize row = begin; row < end; row++) {
    const float *from = (const float *)mirror->input->data + find_row (mirror, row) * (gsize)length;
    float *to = (float *)mirror->output->data + row * (gsize)padded;

    for (gint64 i = 0; i < first; i++)
      to[i] = from[source (mirror->params, last, i, length)];
    memcpy (to + first, from + MAX (-mirror->params->begin[last], 0), (gsize)n * sizeof *to);
    for (gint64 i = first + n; i < padded; i++)
      to[i] = from[source (mirror->params, last, i, length)];
  }
}

static void
pad_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  EnsPadParams params;

  resolve (operands, &params, NULL);
  if (ens_view_elements (operands->outputs[0]) == 0)
    return;
  if (params.mode == ENS_PAD_CONSTANT) {
    pad_constant (operands, &params, context->pool);
  } else if (can_mirror (operands, &params)) {
    Mirror mirror = {&params, operands->inputs[0], operands->outputs[0]};

    ens_parallel (context->pool, ens_view_rows (mirror.output), ens_view_columns (mirror.output),
                  mirror_rows, &mirror);
  } else {
    pad_reference (operands);
  }
}

G_STATIC_ASSERT (ENS_PADDING_CONSTANT == (int)ENS_PAD_CONSTANT);
G_STATIC_ASSERT (ENS_PADDING_REFLECT == (int)ENS_PAD_REFLECT);
G_STATIC_ASSERT (ENS_PADDING_EDGE == (int)ENS_PAD_EDGE);
G_STATIC_ASSERT (ENS_PADDING_WRAP == (int)ENS_PAD_WRAP);

static const EnsView *
record_axes (EnsCommands *commands, const EnsView *x, const EnsView *y, const EnsPadParams *params,
             guint n)
{
  gint32 table[ENS_MAX_RANK * ENS_PADDING_WORDS] = {0}, *words = table;
  gint64 strides[ENS_MAX_RANK];

  ens_view_strides (x, strides);
  for (guint axis = n; axis-- > 0; words += ENS_PADDING_WORDS) {
    words[0] = (gint32)y->shape.dims[axis];
    words[1] = (gint32)x->shape.dims[axis];
    words[2] = (gint32)params->begin[axis];
    words[3] = (gint32)strides[axis];
  }
  return ens_commands_table (commands, table, sizeof table);
}

/* Invocations of a workgroup, and elements of each. */
#define GROUP 128
#define LANES 4

static gboolean
pad_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  guint rank = x->shape.rank;
  EnsPadPush push = {.n_axes = rank, .columns = 1};
  EnsDispatch dispatch = {
      .shader = "pad",
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 3,
      .n_constants = 1,
      .push = &push,
      .push_size = sizeof push,
  };
  EnsPadParams params;

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage) || !resolve (operands, &params, NULL)
      || ens_view_elements (x) == 0)
    return FALSE;
  push.value = params.value;
  if (rank > 0 && params.begin[rank - 1] == 0 && params.end[rank - 1] == 0) {
    push.n_axes--;
    push.columns = (guint32)ens_view_columns (y);
  }
  push.rows = (guint32)(ens_view_elements (y) / MAX (push.columns, 1));
  if (push.rows == 0)
    return TRUE;
  dispatch.constants[0] = params.mode;
  dispatch.bindings[2] =
      (EnsBinding) {record_axes (commands, x, y, &params, push.n_axes), ENS_ACCESS_READ};
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

gboolean
ens_pad_read (const EnsNode *node, EnsPadParams *params)
{
  g_auto (EnsNodeViews) views = {0};

  ens_node_views_init (&views, node);
  return resolve (&views.operands, params, NULL);
}

static gboolean
pad_per_image (const EnsNode *node)
{
  EnsPadParams params;

  return ens_per_image_with_constants (node) && ens_pad_read (node, &params) && params.begin[0] == 0
         && params.end[0] == 0;
}

static gboolean
pad_is_identity (const EnsNode *node)
{
  const EnsPadParams *params = node->params;

  if (!params->has_pads || ens_node_input (node, 1) != NULL)
    return FALSE;
  for (guint i = 0; i < params->rank; i++)
    if (params->begin[i] != 0 || params->end[i] != 0)
      return FALSE;
  return TRUE;
}

/* Gradients, one axis after the other: `length` elements of the input between `begin` and `end`
 * others. */

typedef struct {
  EnsGradient *gradient;
  guint axis;
  gint64 begin, length, end;
} PadAxis;

/* What mirrors the elements next to an edge, mirrored back to them. `from` is the first of n in the
 * padded axis, `to` the first that they show in the input. */
static EnsValue *
fold_reflected (const PadAxis *pad, EnsValue *dy, gint64 from, gint64 n, gint64 to)
{
  EnsValue *part = ens_gradient_slice (pad->gradient, dy, pad->axis, from + n - 1, n, -1);

  return ens_gradient_pad (pad->gradient, part, pad->axis, to, pad->length - to - n);
}

/* What repeats an edge, summed to it. */
static EnsValue *
fold_repeated (const PadAxis *pad, EnsValue *dy, gint64 from, gint64 n, gint64 to)
{
  EnsValue *part = ens_gradient_slice (pad->gradient, dy, pad->axis, from, n, 1);

  return ens_gradient_pad (pad->gradient, ens_gradient_sum (pad->gradient, part, 1u << pad->axis),
                           pad->axis, to, pad->length - to - 1);
}

/* What repeats the other end, added to it. */
static EnsValue *
fold_wrapped (const PadAxis *pad, EnsValue *dy, gint64 from, gint64 n, gint64 to)
{
  EnsValue *part = ens_gradient_slice (pad->gradient, dy, pad->axis, from, n, 1);

  return ens_gradient_pad (pad->gradient, part, pad->axis, to, pad->length - to - n);
}

static EnsValue *
pad_axis_back (const PadAxis *pad, EnsValue *dy, EnsPadMode mode)
{
  gint64 begin = pad->begin, end = pad->end, behind = begin + pad->length;
  EnsValue *parts[3] = {ens_gradient_pad (pad->gradient, dy, pad->axis, -begin, -end)};
  guint n = 1;

  if (mode == ENS_PAD_REFLECT && begin > 0)
    parts[n++] = fold_reflected (pad, dy, 0, begin, 1);
  if (mode == ENS_PAD_REFLECT && end > 0)
    parts[n++] = fold_reflected (pad, dy, behind, end, pad->length - 1 - end);
  if (mode == ENS_PAD_EDGE && begin > 0)
    parts[n++] = fold_repeated (pad, dy, 0, begin, 0);
  if (mode == ENS_PAD_EDGE && end > 0)
    parts[n++] = fold_repeated (pad, dy, behind, end, pad->length - 1);
  if (mode == ENS_PAD_WRAP && begin > 0)
    parts[n++] = fold_wrapped (pad, dy, 0, begin, pad->length - begin);
  if (mode == ENS_PAD_WRAP && end > 0)
    parts[n++] = fold_wrapped (pad, dy, behind, end, 0);
  return n == 1 ? parts[0]
                : ens_gradient_add (pad->gradient, &ens_op_sum, NULL, parts, n, 1)->outputs[0];
}

static gboolean
pad_gradient (EnsGradient *gradient, GError **error)
{
  const EnsShape *shape = &gradient->node->inputs[0]->shape;
  EnsValue *dy = gradient->outputs[0];
  EnsPadParams params;
  g_auto (EnsNodeViews) views;

  ens_node_views_init (&views, gradient->node);
  resolve (&views.operands, &params, NULL);
  for (guint i = 0; i < shape->rank; i++)
    if (params.mode == ENS_PAD_WRAP && MAX (params.begin[i], params.end[i]) > shape->dims[i])
      return ens_gradient_error (gradient, error, "it repeats its input more than once");
  for (guint i = 0; i < shape->rank; i++)
    dy = pad_axis_back (&(PadAxis) {gradient, i, params.begin[i], shape->dims[i], params.end[i]},
                        dy, params.mode);
  gradient->inputs[0] = dy;
  return TRUE;
}

static const EnsOpExample pad_examples[] = {
    {"2x5x4x7",
     &(const EnsPadParams) {
         .has_pads = TRUE, .rank = 4, .begin = {0, 1, 2, 0}, .end = {0, 1, 0, 1}}},
    {NULL}};

const EnsOp ens_op_pad = {.name = "Pad",
                          .min_inputs = 1,
                          .max_inputs = 4,
                          .min_outputs = 1,
                          .max_outputs = 1,
                          .layout = ENS_LAYOUT_FOLLOWS,
                          .params_size = sizeof (EnsPadParams),
                          .attributes = pad_attributes,
                          .permute = pad_permute,
                          .shape = pad_shape,
                          .reference = pad_reference,
                          .cpu = pad_cpu,
                          .gpu = pad_gpu,
                          .gradient = pad_gradient,
                          .per_image = pad_per_image,
                          .example = pad_examples,
                          .is_identity = pad_is_identity};
