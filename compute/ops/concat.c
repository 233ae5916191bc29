/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Concat and Split. Where the planner lets producers write into slices of the output, Concat finds
 * its inputs in place and copies nothing. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

#define MANY 1024

static gboolean
axis_permute (gpointer params, guint rank, const guint *map)
{
  ens_permute_axis (&((EnsAxisParams *)params)->axis, rank, map);
  return TRUE;
}

/* The part of `whole` that begins at `start` along an axis, with the length of `part`. */
static EnsView
slice_along (const EnsView *whole, const EnsView *part, guint axis, gint64 start)
{
  EnsView slice = *whole;
  gint64 strides[ENS_MAX_RANK];

  ens_view_strides (whole, strides);
  slice.shape = part->shape;
  slice.data = (char *)whole->data + start * strides[axis] * (gint64)ens_type_size (whole->type);
  return slice;
}

/* Copies between `part` and its place in `whole`, whose strides are those of the whole. */
static void
copy_part (const EnsView *whole, const EnsView *part, guint axis, gint64 start, gboolean into_whole,
           EnsThreadPool *pool)
{
  EnsView slice = slice_along (whole, part, axis, start);
  EnsStrided strided = {.n = 2, .rank = part->shape.rank};
  guint to = into_whole ? 0 : 1;

  memcpy (strided.dims, part->shape.dims, part->shape.rank * sizeof *strided.dims);
  ens_view_strides (whole, strided.strides[to]);
  ens_view_strides (part, strided.strides[1 - to]);
  if (slice.data != part->data)
    ens_strided_copy (&strided, ens_type_size (whole->type), into_whole ? slice.data : part->data,
                      into_whole ? part->data : slice.data, pool);
}

/* The same, element by element. */
static void
copy_part_reference (const EnsView *whole, const EnsView *part, guint axis, gint64 start,
                     gboolean into_whole)
{
  gint64 n = ens_shape_elements (&part->shape);
  gint64 inner = ens_shape_span (&part->shape, axis + 1, part->shape.rank);
  gint64 block = inner * part->shape.dims[axis], whole_block = inner * whole->shape.dims[axis];

  for (gint64 i = 0; i < n; i++) {
    gsize at = ens_view_offset (part, (gsize)i);
    gsize whole_at =
        ens_view_offset (whole, (gsize)(i / block * whole_block + start * inner + i % block));

    if (into_whole)
      ens_view_copy_element (whole, whole_at, part, at);
    else
      ens_view_copy_element (part, at, whole, whole_at);
  }
}

/* The same on a GPU, unless the part is in its place already. */
static void
record_part (EnsCommands *commands, const EnsView *whole, const EnsView *part, guint axis,
             gint64 start, gboolean into_whole)
{
  EnsCopy copy = {.strided = {.n = 2, .rank = part->shape.rank}};
  guint to = into_whole ? 0 : 1;

  memcpy (copy.strided.dims, part->shape.dims, part->shape.rank * sizeof *copy.strided.dims);
  ens_view_strides (whole, copy.strided.strides[to]);
  ens_view_strides (part, copy.strided.strides[1 - to]);
  start *= copy.strided.strides[to][axis];
  copy.x = into_whole ? part : whole;
  copy.y = into_whole ? whole : part;
  copy.x_start = into_whole ? 0 : start;
  copy.y_start = into_whole ? start : 0;
  if (!ens_commands_in_place (commands, whole, (gsize)start, part))
    ens_record_copy (commands, &copy);
}

/* Concat */

static const EnsAttribute concat_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAxisParams, axis), .integer = 1, .until = 3},
    {"axis", ENS_ATTRIBUTE_INT, ENS_ATTRIBUTE_REQUIRED, ENS_MEMBER (EnsAxisParams, axis)},
    ENS_ATTRIBUTE_END};

static gboolean
add_input (const EnsOperands *operands, guint i, guint axis, EnsShape *shape, GError **error)
{
  const EnsShape *input = &operands->inputs[i]->shape;
  EnsShape expected = *shape;

  expected.dims[axis] = input->rank > axis ? input->dims[axis] : 0;
  if (!ens_shape_equal (input, &expected)) {
    g_autofree char *first = ens_shape_to_string (&operands->inputs[0]->shape);
    g_autofree char *found = ens_shape_to_string (input);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "input %u is %s, expected %s but for axis %u", i, found, first, axis);
  }
  if (__builtin_add_overflow (shape->dims[axis], input->dims[axis], &shape->dims[axis]))
    shape->dims[axis] = -1; /* refused as too large */
  return TRUE;
}

static gboolean
concat_shape (EnsOperands *operands, GError **error)
{
  const EnsAxisParams *params = operands->params;
  EnsShape shape;
  guint axis;

  for (guint i = 0; i < operands->n_inputs; i++)
    if (operands->inputs[i] == NULL)
      return ens_op_error (operands, error, ENS_ERROR_FORMAT, "input %u is missing", i);
  shape = operands->inputs[0]->shape;
  if (!ens_check_same_types (operands, 1, error)
      || !ens_check_axis (operands, params->axis, shape.rank, &axis, error))
    return FALSE;
  for (guint i = 1; i < operands->n_inputs; i++)
    if (!add_input (operands, i, axis, &shape, error))
      return FALSE;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static guint
concat_axis (const EnsOperands *operands)
{
  const EnsAxisParams *params = operands->params;

  return (guint)(params->axis < 0 ? params->axis + operands->outputs[0]->shape.rank : params->axis);
}

static void
concat_reference (const EnsOperands *operands)
{
  guint axis = concat_axis (operands);
  gint64 start = 0;

  for (guint i = 0; i < operands->n_inputs; i++) {
    copy_part_reference (operands->outputs[0], operands->inputs[i], axis, start, TRUE);
    start += operands->inputs[i]->shape.dims[axis];
  }
}

static void
concat_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  guint axis = concat_axis (operands);
  gint64 start = 0;

  for (guint i = 0; i < operands->n_inputs; i++) {
    copy_part (operands->outputs[0], operands->inputs[i], axis, start, TRUE, context->pool);
    start += operands->inputs[i]->shape.dims[axis];
  }
}

static gboolean
concat_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  guint axis = concat_axis (operands);
  gint64 start = 0;
  EnsType storage;

  if (!ens_record_storage (operands, 0, operands->n_inputs, &storage))
    return FALSE;
  for (guint i = 0; i < operands->n_inputs; i++) {
    record_part (commands, operands->outputs[0], operands->inputs[i], axis, start, TRUE);
    start += operands->inputs[i]->shape.dims[axis];
  }
  return TRUE;
}

/* Whether all images are the same, such as a class token that a network repeats for each. */
static gboolean
repeats_image (const EnsTensor *batch)
{
  gint64 n = batch->shape.dims[0];
  gsize size = ens_tensor_size (batch) / (gsize)MAX (n, 1);

  for (gint64 i = 1; i < n; i++)
    if (memcmp (batch->data, (const char *)batch->data + (gsize)i * size, size) != 0)
      return FALSE;
  return TRUE;
}

static gboolean
concat_per_image (const EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i]->constant != NULL && !repeats_image (node->inputs[i]->constant))
      return FALSE;
  return !ens_axis_is_batch (node, ((const EnsAxisParams *)node->params)->axis);
}

static gboolean
concat_is_identity (const EnsNode *node)
{
  return node->n_inputs == 1;
}

static const EnsOpExample concat_examples[] = {{"2x5x4x7 2x5x4x3", &(const EnsAxisParams) {3}},
                                               {NULL}};

static gboolean
concat_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsAxisParams *params = node->params;
  EnsSplitParams split = {.axis = params->axis, .n_sizes = node->n_inputs};
  gint64 axis = params->axis + (params->axis < 0 ? node->outputs[0]->shape.rank : 0);
  const EnsNode *parts;

  if (node->n_inputs > ENS_MAX_SPLIT)
    return ens_gradient_error (gradient, error, "it has too many inputs");
  for (guint i = 0; i < node->n_inputs; i++)
    split.sizes[i] = node->inputs[i]->shape.dims[axis];
  parts = ens_gradient_add (gradient, &ens_op_split, &split, gradient->outputs, 1, node->n_inputs);
  for (guint i = 0; i < node->n_inputs; i++)
    gradient->inputs[i] = gradient->wanted[i] ? parts->outputs[i] : NULL;
  return TRUE;
}

const EnsOp ens_op_concat = {.name = "Concat",
                             .min_inputs = 1,
                             .max_inputs = MANY,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_FOLLOWS,
                             .flags = ENS_OP_PITCHED,
                             .params_size = sizeof (EnsAxisParams),
                             .attributes = concat_attributes,
                             .permute = axis_permute,
                             .shape = concat_shape,
                             .reference = concat_reference,
                             .cpu = concat_cpu,
                             .gpu = concat_gpu,
                             .gradient = concat_gradient,
                             .per_image = concat_per_image,
                             .example = concat_examples,
                             .is_identity = concat_is_identity};

/* Split */

static const EnsAttribute split_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsSplitParams, axis)},
    {"split", ENS_ATTRIBUTE_INTS, ENS_MEMBER (EnsSplitParams, sizes),
     .count = G_STRUCT_OFFSET (EnsSplitParams, n_sizes), .length = ENS_MAX_SPLIT, .input = 1,
     .input_since = 13},
    {"num_outputs", ENS_ATTRIBUTE_OUTPUTS, .count = G_STRUCT_OFFSET (EnsSplitParams, n_sizes),
     .present = G_STRUCT_OFFSET (EnsSplitParams, uneven), .since = 18},
    ENS_ATTRIBUTE_END};

static gboolean
split_permute (gpointer params, guint rank, const guint *map)
{
  ens_permute_axis (&((EnsSplitParams *)params)->axis, rank, map);
  return TRUE;
}

/* The sizes as they are known; 0 if the parts are equal. */
static gboolean
find_sizes (const EnsOperands *operands, guint *n, gint64 *sizes, GError **error)
{
  const EnsSplitParams *params = operands->params;
  const EnsView *input = ens_operands_input (operands, 1);

  *n = params->n_sizes;
  memcpy (sizes, params->sizes, sizeof params->sizes);
  if (input == NULL)
    return TRUE;
  if (!ens_check_type (operands, 1, ENS_TYPES (ENS_TYPE_INT64), error)
      || !ens_check_rank (operands, 1, 1, 1, error))
    return FALSE;
  if (input->data == NULL || input->shape.dims[0] > ENS_MAX_SPLIT)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "the sizes are not known before running, or more than %d", ENS_MAX_SPLIT);
  *n = (guint)input->shape.dims[0];
  for (guint i = 0; i < *n; i++)
    sizes[i] = ens_view_integer (input, i);
  return TRUE;
}

static gboolean
equal_sizes (const EnsOperands *operands, gint64 length, gint64 *sizes, GError **error)
{
  const EnsSplitParams *params = operands->params;
  gint64 part = (length + operands->n_outputs - 1) / operands->n_outputs;

  if (length % operands->n_outputs != 0 && !params->uneven)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT " can't be split into %u equal parts", length,
                         operands->n_outputs);
  for (guint i = 0; i < operands->n_outputs; i++)
    sizes[i] = CLAMP (length - i * part, 0, part);
  return TRUE;
}

static gboolean
split_shape (EnsOperands *operands, GError **error)
{
  const EnsSplitParams *params = operands->params;
  const EnsView *input = operands->inputs[0];
  EnsShape shape = input->shape;
  gint64 sizes[ENS_MAX_SPLIT], remaining;
  guint axis, n;

  if (!ens_check_axis (operands, params->axis, shape.rank, &axis, error)
      || !find_sizes (operands, &n, sizes, error))
    return FALSE;
  if (n == 0) {
    if (!equal_sizes (operands, shape.dims[axis], sizes, error))
      return FALSE;
  } else if (n != operands->n_outputs) {
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%u sizes for %u outputs", n,
                         operands->n_outputs);
  }
  remaining = input->shape.dims[axis];
  for (guint i = 0; i < operands->n_outputs; i++) {
    if (sizes[i] < 0 || sizes[i] > remaining)
      break;
    remaining -= sizes[i];
    shape.dims[axis] = sizes[i];
    if (!ens_set_output (operands, i, input->type, &shape, error))
      return FALSE;
    if (i + 1 == operands->n_outputs && remaining == 0)
      return TRUE;
  }
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "the sizes don't add up to %" G_GINT64_FORMAT, input->shape.dims[axis]);
}

static guint
split_axis (const EnsOperands *operands)
{
  const EnsSplitParams *params = operands->params;

  return (guint)(params->axis < 0 ? params->axis + operands->inputs[0]->shape.rank : params->axis);
}

static void
split_reference (const EnsOperands *operands)
{
  guint axis = split_axis (operands);
  gint64 start = 0;

  for (guint i = 0; i < operands->n_outputs; i++) {
    copy_part_reference (operands->inputs[0], operands->outputs[i], axis, start, FALSE);
    start += operands->outputs[i]->shape.dims[axis];
  }
}

static void
split_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  guint axis = split_axis (operands);
  gint64 start = 0;

  for (guint i = 0; i < operands->n_outputs; i++) {
    copy_part (operands->inputs[0], operands->outputs[i], axis, start, FALSE, context->pool);
    start += operands->outputs[i]->shape.dims[axis];
  }
}

static gboolean
split_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  guint axis = split_axis (operands);
  gint64 start = 0;
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  for (guint i = 0; i < operands->n_outputs; i++) {
    record_part (commands, operands->inputs[0], operands->outputs[i], axis, start, FALSE);
    start += operands->outputs[i]->shape.dims[axis];
  }
  return TRUE;
}

static gboolean
split_per_image (const EnsNode *node)
{
  return ens_per_image_with_constants (node)
         && !ens_axis_is_batch (node, ((const EnsSplitParams *)node->params)->axis);
}

static const EnsOpExample split_examples[] = {
    {"2x5x7", &(const EnsSplitParams) {.axis = 1, .n_sizes = 2, .sizes = {2, 3}}, .n_outputs = 2},
    {NULL}};

static gboolean
split_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsSplitParams *params = node->params;
  EnsValue *parts[ENS_MAX_SPLIT];

  for (guint i = 0; i < node->n_outputs; i++)
    parts[i] = gradient->outputs[i] != NULL ? gradient->outputs[i]
                                            : ens_gradient_zeroes (gradient, node->outputs[i]);
  gradient->inputs[0] = ens_gradient_add (gradient, &ens_op_concat, &(EnsAxisParams) {params->axis},
                                          parts, node->n_outputs, 1)
                            ->outputs[0];
  return TRUE;
}

const EnsOp ens_op_split = {.name = "Split",
                            .min_inputs = 1,
                            .max_inputs = 2,
                            .min_outputs = 1,
                            .max_outputs = ENS_MAX_SPLIT,
                            .layout = ENS_LAYOUT_FOLLOWS,
                            .flags = ENS_OP_PITCHED,
                            .params_size = sizeof (EnsSplitParams),
                            .attributes = split_attributes,
                            .permute = split_permute,
                            .shape = split_shape,
                            .reference = split_reference,
                            .cpu = split_cpu,
                            .gpu = split_gpu,
                            .gradient = split_gradient,
                            .per_image = split_per_image,
                            .example = split_examples};
