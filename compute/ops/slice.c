/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slice and Gather: parts of a tensor. */
#include "graph/infer.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/indices.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

#include "push/gather.h"

/* Slice */

#define LIST(attribute, member, index)                                                     \
  {                                                                                        \
    attribute, ENS_LIST_MEMBER (EnsSliceParams, member), .input = index, .input_since = 10 \
  }

static const EnsAttribute slice_attributes[] = {LIST ("starts", starts, 1), LIST ("ends", ends, 2),
                                                LIST ("axes", axes, 3), LIST ("steps", steps, 4),
                                                ENS_ATTRIBUTE_END};

static void
name_first_axes (EnsList *axes, guint n)
{
  *axes = (EnsList) {.present = TRUE, .n = n};
  for (guint i = 0; i < n; i++)
    axes->values[i] = i;
}

static gboolean
slice_permute (gpointer data, guint rank, const guint *map)
{
  EnsSliceParams *params = data;

  if (!params->starts.present)
    return FALSE;
  if (!params->axes.present)
    name_first_axes (&params->axes, params->starts.n);
  ens_permute_list (&params->axes, rank, map);
  return TRUE;
}

/* What is taken along each axis of the input. */
typedef struct {
  gint64 start[ENS_MAX_RANK], step[ENS_MAX_RANK];
  EnsShape shape;
} Range;

static gint64
clamp_position (gint64 position, gint64 length, gint64 min, gint64 max)
{
  return CLAMP (position < 0 ? position + length : position, min, max);
}

static void
take (Range *range, guint axis, gint64 start, gint64 end, gint64 step)
{
  gint64 length = range->shape.dims[axis];

  step = CLAMP (step, -length - 1, length + 1);
  if (step > 0) {
    start = clamp_position (start, length, 0, length);
    end = clamp_position (end, length, 0, length);
    range->shape.dims[axis] = end > start ? (end - start + step - 1) / step : 0;
  } else {
    start = clamp_position (start, length, -1, length - 1);
    end = clamp_position (end, length, -1, length - 1);
    range->shape.dims[axis] = start > end ? (start - end - step - 1) / -step : 0;
  }
  range->start[axis] = start;
  range->step[axis] = step;
}

static gboolean
find_lists (const EnsOperands *operands, EnsSliceParams *lists, GError **error)
{
  const EnsSliceParams *params = operands->params;

  if (!ens_check_list_or (operands, 1, &params->starts, &lists->starts, error)
      || !ens_check_list_or (operands, 2, &params->ends, &lists->ends, error)
      || !ens_check_list_or (operands, 3, &params->axes, &lists->axes, error)
      || !ens_check_list_or (operands, 4, &params->steps, &lists->steps, error))
    return FALSE;
  if (!lists->starts.present || !lists->ends.present)
    return ens_op_error (operands, error, ENS_ERROR_FORMAT, "starts or ends are missing");
  if (!lists->axes.present)
    name_first_axes (&lists->axes, lists->starts.n);
  if (lists->ends.n != lists->starts.n || lists->axes.n != lists->starts.n
      || (lists->steps.present && lists->steps.n != lists->starts.n))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%u starts, %u ends, %u axes: expected equal numbers", lists->starts.n,
                         lists->ends.n, lists->axes.n);
  return TRUE;
}

static gboolean
find_range (const EnsOperands *operands, Range *range, GError **error)
{
  EnsSliceParams lists;
  EnsList axes;

  *range = (Range) {.shape = operands->inputs[0]->shape};
  for (guint i = 0; i < ENS_MAX_RANK; i++)
    range->step[i] = 1;
  if (!find_lists (operands, &lists, error)
      || !ens_check_axes (operands, &lists.axes, range->shape.rank, &axes, error))
    return FALSE;
  for (guint i = 0; i < axes.n; i++) {
    gint64 step = lists.steps.present ? lists.steps.values[i] : 1;

    if (step == 0)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE, "a step is 0");
    take (range, (guint)axes.values[i], lists.starts.values[i], lists.ends.values[i], step);
  }
  return TRUE;
}

static gboolean
slice_shape (EnsOperands *operands, GError **error)
{
  Range range;

  return find_range (operands, &range, error)
         && ens_set_output (operands, 0, operands->inputs[0]->type, &range.shape, error);
}

static void
slice_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  Range range;
  EnsWalk walk;

  find_range (operands, &range, NULL);
  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gint64 at = 0;

    for (guint i = 0; i < input->shape.rank; i++)
      at = at * input->shape.dims[i] + range.start[i] + walk.index[i] * range.step[i];
    ens_view_copy_element (output, walk.offsets[0], input, ens_view_offset (input, (gsize)at));
  }
}

/* The copy that the slice is: the output's strides, the input's, and where the input starts. */
static gint64
slice_strided (const EnsOperands *operands, EnsStrided *strided)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gint64 start = 0;
  Range range;

  *strided = (EnsStrided) {.n = 2, .rank = input->shape.rank};
  find_range (operands, &range, NULL);
  memcpy (strided->dims, output->shape.dims, sizeof output->shape.dims);
  ens_view_strides (output, strided->strides[0]);
  ens_view_strides (input, strided->strides[1]);
  for (guint i = 0; i < strided->rank; i++) {
    start += range.start[i] * strided->strides[1][i];
    strided->strides[1][i] *= range.step[i];
  }
  return start;
}

static void
slice_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gint64 size = (gint64)ens_type_size (input->type), start;
  EnsStrided strided;

  start = slice_strided (operands, &strided);
  if (ens_view_elements (output) > 0)
    ens_strided_copy (&strided, (gsize)size, output->data, (const char *)input->data + start * size,
                      context->pool);
}

static gboolean
slice_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsCopy copy = {.x = operands->inputs[0], .y = operands->outputs[0]};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  copy.x_start = slice_strided (operands, &copy.strided);
  ens_record_copy (commands, &copy);
  return TRUE;
}

static gboolean
slice_per_image (const EnsNode *node)
{
  g_auto (EnsNodeViews) views = {0};
  Range range;

  if (!ens_per_image_with_constants (node))
    return FALSE;
  ens_node_views_init (&views, node);
  return find_range (&views.operands, &range, NULL) && range.start[0] == 0 && range.step[0] == 1
         && range.shape.dims[0] == node->inputs[0]->shape.dims[0];
}

/* Zeroes behind each element along an axis, step − 1 of them. */
static EnsValue *
spread_apart (EnsGradient *gradient, EnsValue *dy, guint axis, gint64 step)
{
  EnsShape shape = dy->shape, split = {.rank = shape.rank + 1};

  memcpy (split.dims, shape.dims, (axis + 1) * sizeof *split.dims);
  split.dims[axis + 1] = 1;
  memcpy (split.dims + axis + 2, shape.dims + axis + 1,
          (shape.rank - axis - 1) * sizeof *split.dims);
  shape.dims[axis] *= step;
  dy = ens_gradient_pad (gradient, ens_gradient_reshape (gradient, dy, &split), axis + 1, 0,
                         step - 1);
  return ens_gradient_reshape (gradient, dy, &shape);
}

/* Puts back what was taken along one axis of `length`: backwards if it was taken so, with zeroes
 * between where elements were left out, and zeroes around. */
static EnsValue *
put_back (EnsGradient *gradient, EnsValue *dy, guint axis, gint64 length, gint64 start, gint64 step)
{
  gint64 n = dy->shape.dims[axis];

  if (step < 0) {
    dy = ens_gradient_slice (gradient, dy, axis, n - 1, n, -1);
    start += (n - 1) * step;
    step = -step;
  }
  if (step > 1)
    dy = spread_apart (gradient, dy, axis, step);
  return ens_gradient_pad (gradient, dy, axis, start, length - start - n * step);
}

static gboolean
slice_gradient (EnsGradient *gradient, GError **error)
{
  const EnsShape *shape = &gradient->node->inputs[0]->shape;
  EnsValue *dy = gradient->outputs[0];
  g_auto (EnsNodeViews) views;
  Range range;

  ens_node_views_init (&views, gradient->node);
  find_range (&views.operands, &range, NULL);
  if (ens_shape_elements (&dy->shape) == 0)
    return TRUE;
  for (guint i = 0; i < shape->rank; i++) {
    if (ABS (range.step[i]) > 1 && shape->rank == ENS_MAX_RANK)
      return ens_gradient_error (gradient, error, "it has too many axes");
    dy = put_back (gradient, dy, i, shape->dims[i], range.start[i], range.step[i]);
  }
  gradient->inputs[0] = dy;
  return TRUE;
}

static const EnsOpExample slice_examples[] = {
    {"3x6x7", &(const EnsSliceParams) {ENS_EXAMPLE_LIST (2, 1, 5), ENS_EXAMPLE_LIST (2, 4, 0),
                                       ENS_EXAMPLE_LIST (2, 1, 2), ENS_EXAMPLE_LIST (2, 1, -2)}},
    {NULL}};

const EnsOp ens_op_slice = {.name = "Slice",
                            .min_inputs = 1,
                            .max_inputs = 5,
                            .min_outputs = 1,
                            .max_outputs = 1,
                            .layout = ENS_LAYOUT_FOLLOWS,
                            .flags = ENS_OP_PITCHED,
                            .params_size = sizeof (EnsSliceParams),
                            .attributes = slice_attributes,
                            .permute = slice_permute,
                            .shape = slice_shape,
                            .reference = slice_reference,
                            .cpu = slice_cpu,
                            .gpu = slice_gpu,
                            .gradient = slice_gradient,
                            .per_image = slice_per_image,
                            .example = slice_examples};

/* Gather: slices of the data along an axis, in the order that input 1 lists. */

static const EnsAttribute gather_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAxisParams, axis)}, ENS_ATTRIBUTE_END};

static gboolean
gather_shape (EnsOperands *operands, GError **error)
{
  const EnsAxisParams *params = operands->params;
  const EnsShape *data = &operands->inputs[0]->shape, *indices = &operands->inputs[1]->shape;
  EnsShape shape = {0};
  guint axis;

  if (!ens_check_index_type (operands, error)
      || !ens_check_axis (operands, params->axis, data->rank, &axis, error)
      || !ens_check_indices (operands, data->dims[axis], error))
    return FALSE;
  if (data->rank - 1 + indices->rank > ENS_MAX_RANK)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "the output has rank %u, expected at most %d",
                         data->rank - 1 + indices->rank, ENS_MAX_RANK);
  for (guint i = 0; i < axis; i++)
    shape.dims[shape.rank++] = data->dims[i];
  for (guint i = 0; i < indices->rank; i++)
    shape.dims[shape.rank++] = indices->dims[i];
  for (guint i = axis + 1; i < data->rank; i++)
    shape.dims[shape.rank++] = data->dims[i];
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* Indices that were not known while planning are kept inside the data. */
static void
gather_reference (const EnsOperands *operands)
{
  const EnsAxisParams *params = operands->params;
  const EnsView *data = operands->inputs[0], *indices = operands->inputs[1];
  gsize n_indices = ens_view_elements (indices), inner, outer;
  gint64 length;
  guint axis = 0;

  ens_check_axis (operands, params->axis, data->shape.rank, &axis, NULL);
  length = data->shape.dims[axis];
  outer = (gsize)ens_shape_span (&data->shape, 0, axis);
  inner =
      (gsize)ens_shape_span (&data->shape, axis + 1, data->shape.rank) * ens_type_size (data->type);
  for (gsize i = 0; i < outer * n_indices; i++) {
    gint64 index = ens_view_integer (indices, i % n_indices);

    index = CLAMP (index < 0 ? index + length : index, 0, length - 1);
    memcpy ((char *)operands->outputs[0]->data + i * inner,
            (const char *)data->data + ((gint64)(i / n_indices) * length + index) * (gint64)inner,
            inner);
  }
}

/* Invocations of a workgroup, and elements of each. */
#define GROUP 128
#define LANES 4

static const EnsView *
record_indices (EnsCommands *commands, const EnsView *indices, gint64 length)
{
  gsize n = ens_view_elements (indices);
  g_autofree guint32 *words = g_new (guint32, n);

  for (gsize i = 0; i < n; i++) {
    gint64 index = ens_view_integer (indices, i);

    words[i] = (guint32)(index < 0 ? index + length : index);
  }
  return ens_commands_table (commands, words, n * sizeof *words);
}

/* Indices that the network computes are the CPU's to follow. */
static gboolean
gather_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsAxisParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *indices = operands->inputs[1];
  const EnsView *y = operands->outputs[0];
  EnsGatherPush push = {0};
  EnsDispatch dispatch = {
      .shader = "gather", .n_bindings = 3, .push = &push, .push_size = sizeof push};
  guint axis = 0;

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage) || indices->data == NULL)
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  ens_check_axis (operands, params->axis, x->shape.rank, &axis, NULL);
  push.n_indices = (guint32)ens_view_elements (indices);
  push.extent = (guint32)x->shape.dims[axis];
  push.rows = (guint32)ens_shape_span (&x->shape, 0, axis) * push.n_indices;
  push.columns = (guint32)ens_shape_span (&x->shape, axis + 1, x->shape.rank);
  dispatch.bindings[0] = (EnsBinding) {x, ENS_ACCESS_READ};
  dispatch.bindings[1] =
      (EnsBinding) {record_indices (commands, indices, push.extent), ENS_ACCESS_READ};
  dispatch.bindings[2] = (EnsBinding) {y, ENS_ACCESS_WRITE};
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* Each image's own indices into a constant, or the same ones for all images. */
static gboolean
gather_per_image (const EnsNode *node)
{
  gboolean along_batch = ens_axis_is_batch (node, ((const EnsAxisParams *)node->params)->axis);

  return node->inputs[0]->constant != NULL ? along_batch
                                           : !along_batch && ens_per_image_with_constants (node);
}

/* Of one known slice, zeroes around it. */
static EnsValue *
put_slice_back (EnsGradient *gradient, const EnsTensor *indices, guint axis)
{
  EnsView view = ens_view_dense (indices->type, &indices->shape, indices->data);
  EnsShape shape = gradient->node->inputs[0]->shape;
  gint64 length = shape.dims[axis], index = ens_view_integer (&view, 0);

  index += index < 0 ? length : 0;
  shape.dims[axis] = 1;
  return ens_gradient_pad (gradient, ens_gradient_reshape (gradient, gradient->outputs[0], &shape),
                           axis, index, length - index - 1);
}

static EnsValue *
swap_first_axes (EnsGradient *gradient, EnsValue *value)
{
  EnsTransposeParams params = {.perm = {3, TRUE, {1, 0, 2}}};

  return ens_gradient_apply (gradient, &ens_op_transpose, &params, value, NULL);
}

/* Slices are added to zeroes where they come from, the axis being the first of three. */
static EnsValue *
add_slices_back (EnsGradient *gradient, guint axis)
{
  const EnsValue *x = gradient->node->inputs[0];
  EnsValue *indices = gradient->node->inputs[1], *dy = gradient->outputs[0], *zeroes, *dx;
  gint64 n = ens_shape_elements (&indices->shape), before = ens_shape_span (&x->shape, 0, axis);
  gint64 behind = ens_shape_span (&x->shape, axis + 1, x->shape.rank);
  EnsShape slices = ENS_SHAPE (x->shape.dims[axis], before, behind);

  indices = ens_gradient_cast (gradient, indices, ENS_TYPE_INT64);
  indices = ens_gradient_reshape (gradient, indices, &ENS_SHAPE (n, 1));
  dy = ens_gradient_reshape (gradient, dy, &ENS_SHAPE (before, n, behind));
  dy = swap_first_axes (gradient, dy);
  zeroes = ens_gradient_expand (gradient,
                                ens_gradient_reshape (gradient,
                                                      ens_gradient_number (gradient, x->type, 0),
                                                      &ENS_SHAPE (1, 1, 1)),
                                &slices);
  dx = ens_gradient_apply (gradient, &ens_op_scatter_nd, &(EnsScatterParams) {0, ENS_SCATTER_ADD},
                           zeroes, indices, dy, NULL);
  return ens_gradient_reshape (gradient, swap_first_axes (gradient, dx), &x->shape);
}

static gboolean
gather_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsTensor *indices = node->inputs[1]->constant;
  gint64 axis = ((const EnsAxisParams *)node->params)->axis;

  axis += axis < 0 ? node->inputs[0]->shape.rank : 0;
  gradient->inputs[0] = indices != NULL && ens_shape_elements (&indices->shape) == 1
                            ? put_slice_back (gradient, indices, (guint)axis)
                            : add_slices_back (gradient, (guint)axis);
  return TRUE;
}

static const EnsOpExample gather_examples[] = {{"5x4x3 =[2,0,4]", &(const EnsAxisParams) {0}},
                                               {NULL}};

const EnsOp ens_op_gather = {.name = "Gather",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_PLAIN,
                             .params_size = sizeof (EnsAxisParams),
                             .attributes = gather_attributes,
                             .shape = gather_shape,
                             .reference = gather_reference,
                             .gpu = gather_gpu,
                             .gradient = gather_gradient,
                             .parameters = {[0] = ENS_PARAMETER_BIAS},
                             .per_image = gather_per_image,
                             .example = gather_examples};
