/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that give the same elements another shape: Reshape, Flatten, Squeeze, Unsqueeze,
 * Identity, Dropout (which does nothing in inference); and those that repeat them: Expand, Tile. */
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

/* All views: executors that let the output be the input's memory need no kernel. */
static void
view_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];

  if (input->data != output->data)
    memcpy (output->data, input->data, ens_view_elements (output) * ens_type_size (output->type));
}

static gboolean
view_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  if (!ens_commands_in_place (commands, input, 0, output))
    ens_record_function (commands, input, output, ENS_FUNCTION_NONE, 0, 0);
  return TRUE;
}

static gboolean
view_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[0] =
      ens_gradient_reshape (gradient, gradient->outputs[0], &gradient->node->inputs[0]->shape);
  return TRUE;
}

#define VIEW_OP                                                                       \
  .min_inputs = 1, .min_outputs = 1, .kind = ENS_KIND_VIEW, .flags = ENS_OP_IN_PLACE, \
  .reference = view_reference, .gpu = view_gpu, .gradient = view_gradient

/* Reshape: the shape is input 1, where 0 means as in the input (unless allowzero says that it means
 * 0) and one −1 what is left. */

static const EnsAttribute reshape_attributes[] = {
    {"allowzero", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (EnsReshapeParams, allow_zero), .since = 14},
    {"shape", ENS_ATTRIBUTE_INPUT, .input = 1, .until = 4},
    ENS_ATTRIBUTE_END};

static gboolean
reshape_error (const EnsOperands *operands, const EnsList *target, GError **error)
{
  EnsShape shape = {.rank = target->n};
  g_autofree char *found = ens_shape_to_string (&operands->inputs[0]->shape);
  g_autofree char *expected = NULL;

  memcpy (shape.dims, target->values, target->n * sizeof *shape.dims);
  expected = ens_shape_to_string (&shape);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%s can't be reshaped to %s", found,
                       expected);
}

static gboolean
reshape_shape (EnsOperands *operands, GError **error)
{
  const EnsReshapeParams *params = operands->params;
  const EnsShape *input = &operands->inputs[0]->shape;
  gint64 elements = ens_shape_elements (input), known;
  EnsShape shape;
  EnsList target;
  gint open = -1;

  if (!ens_check_list (operands, 1, &target, error))
    return FALSE;
  shape = (EnsShape) {.rank = target.n};
  for (guint i = 0; i < target.n; i++) {
    shape.dims[i] = target.values[i];
    if (shape.dims[i] == 0 && !params->allow_zero) {
      if (i >= input->rank)
        return reshape_error (operands, &target, error);
      shape.dims[i] = input->dims[i];
    } else if (shape.dims[i] == -1 && open < 0) {
      open = (gint)i;
      shape.dims[i] = 1;
    }
  }
  known = ens_shape_elements (&shape);
  if (open >= 0 && known > 0 && elements % known == 0)
    shape.dims[open] = elements / known;
  if (ens_shape_elements (&shape) != elements || (open >= 0 && known == 0))
    return reshape_error (operands, &target, error);
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static const EnsOpExample reshape_examples[] = {{"2x6x4 =[2,-1]"}, {NULL}};

const EnsOp ens_op_reshape = {.name = "Reshape",
                              VIEW_OP,
                              .max_inputs = 2,
                              .max_outputs = 1,
                              .layout = ENS_LAYOUT_PLAIN,
                              .params_size = sizeof (EnsReshapeParams),
                              .attributes = reshape_attributes,
                              .shape = reshape_shape,
                              .per_image = ens_per_image_with_constants,
                              .example = reshape_examples};

/* Flatten: to two axes. */

static const EnsAttribute flatten_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAxisParams, axis), .integer = 1}, ENS_ATTRIBUTE_END};

static gboolean
flatten_shape (EnsOperands *operands, GError **error)
{
  const EnsAxisParams *params = operands->params;
  const EnsShape *input = &operands->inputs[0]->shape;
  guint axis = input->rank;

  if (params->axis != (gint64)input->rank
      && !ens_check_axis (operands, params->axis, input->rank, &axis, error))
    return FALSE;
  return ens_set_output (
      operands, 0, operands->inputs[0]->type,
      &ENS_SHAPE (ens_shape_span (input, 0, axis), ens_shape_span (input, axis, input->rank)),
      error);
}

static const EnsOpExample flatten_examples[] = {{"2x5x4x7", &(const EnsAxisParams) {1}}, {NULL}};

const EnsOp ens_op_flatten = {.name = "Flatten",
                              VIEW_OP,
                              .max_inputs = 1,
                              .max_outputs = 1,
                              .layout = ENS_LAYOUT_PLAIN,
                              .params_size = sizeof (EnsAxisParams),
                              .attributes = flatten_attributes,
                              .shape = flatten_shape,
                              .per_image = ens_per_image_with_constants,
                              .example = flatten_examples};

/* Squeeze and Unsqueeze */

static const EnsAttribute axes_attributes[] = {
    {"axes", ENS_LIST_MEMBER (EnsAxesParams, axes), .input = 1, .input_since = 13},
    ENS_ATTRIBUTE_END};

static gboolean
find_axes (const EnsOperands *operands, guint rank, EnsList *axes, GError **error)
{
  const EnsAxesParams *params = operands->params;
  EnsList given;

  return ens_check_list_or (operands, 1, &params->axes, &given, error)
         && ens_check_axes (operands, &given, rank, axes, error);
}

static gboolean
contains (const EnsList *list, guint axis)
{
  for (guint i = 0; i < list->n; i++)
    if (list->values[i] == axis)
      return TRUE;
  return FALSE;
}

static gboolean
squeeze_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *input = &operands->inputs[0]->shape;
  EnsShape shape = {0};
  EnsList axes;

  if (!find_axes (operands, input->rank, &axes, error))
    return FALSE;
  for (guint i = 0; i < input->rank; i++) {
    gboolean remove = axes.present ? contains (&axes, i) : input->dims[i] == 1;

    if (!remove)
      shape.dims[shape.rank++] = input->dims[i];
    else if (input->dims[i] != 1)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "axis %u has length %" G_GINT64_FORMAT ", expected 1", i,
                           input->dims[i]);
  }
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static gboolean
unsqueeze_shape (EnsOperands *operands, GError **error)
{
  const EnsAxesParams *params = operands->params;
  const EnsShape *input = &operands->inputs[0]->shape;
  EnsShape shape = {0};
  EnsList axes;
  guint from = 0;

  if (!ens_check_list_or (operands, 1, &params->axes, &axes, error))
    return FALSE;
  if (!axes.present)
    return ens_op_error (operands, error, ENS_ERROR_FORMAT, "axes are missing");
  shape.rank = input->rank + axes.n;
  if (shape.rank > ENS_MAX_RANK)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "the output has rank %u, expected at most %d", shape.rank, ENS_MAX_RANK);
  if (!find_axes (operands, shape.rank, &axes, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = contains (&axes, i) ? 1 : input->dims[from++];
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static const EnsAxesParams example_axes = {ENS_EXAMPLE_LIST (1, 1)};
static const EnsOpExample squeeze_examples[] = {{"2x1x5", &example_axes}, {NULL}};
static const EnsOpExample unsqueeze_examples[] = {{"2x5", &example_axes}, {NULL}};

#define AXES_OP(id, onnx)                                               \
  const EnsOp ens_op_##id = {.name = onnx,                              \
                             VIEW_OP,                                   \
                             .max_inputs = 2,                           \
                             .max_outputs = 1,                          \
                             .layout = ENS_LAYOUT_PLAIN,                \
                             .params_size = sizeof (EnsAxesParams),     \
                             .attributes = axes_attributes,             \
                             .shape = id##_shape,                       \
                             .per_image = ens_per_image_with_constants, \
                             .example = id##_examples}

AXES_OP (squeeze, "Squeeze");
AXES_OP (unsqueeze, "Unsqueeze");

/* Identity, Dropout */

static gboolean
always_is_identity (const EnsNode *node)
{
  return TRUE;
}

static const EnsOpExample identity_examples[] = {{"2x5x4x7"}, {NULL}};

const EnsOp ens_op_identity = {.name = "Identity",
                               VIEW_OP,
                               .max_inputs = 1,
                               .max_outputs = 1,
                               .layout = ENS_LAYOUT_FOLLOWS,
                               .shape = ens_set_output_like_input,
                               .per_image = ens_per_image_with_constants,
                               .example = identity_examples,
                               .is_identity = always_is_identity};

static const EnsAttribute dropout_attributes[] = {{"is_test", ENS_ATTRIBUTE_IGNORED, .until = 6},
                                                  {"ratio", ENS_ATTRIBUTE_FLOAT,
                                                   ENS_MEMBER (EnsDropoutParams, ratio),
                                                   .real = 0.5F, .input = 1, .input_since = 12},
                                                  {"seed", ENS_ATTRIBUTE_IGNORED},
                                                  ENS_ATTRIBUTE_END};

/* Inputs: data, ratio, training_mode. The second output, the mask of what was kept, is all ones. */
static gboolean
dropout_shape (EnsOperands *operands, GError **error)
{
  const EnsView *training = ens_operands_input (operands, 2);

  if (training != NULL
      && (training->data == NULL || ens_view_elements (training) != 1
          || ens_view_integer (training, 0) != 0))
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "training_mode is set; export the network for inference");
  return ens_set_output_like_input (operands, error)
         && (operands->n_outputs < 2
             || ens_set_output (operands, 1, ENS_TYPE_BOOL, &operands->inputs[0]->shape, error));
}

static void
dropout_reference (const EnsOperands *operands)
{
  view_reference (operands);
  if (operands->n_outputs == 2)
    memset (operands->outputs[1]->data, 1, ens_view_elements (operands->outputs[1]));
}

const EnsOp ens_op_dropout = {.name = "Dropout",
                              .min_inputs = 1,
                              .max_inputs = 3,
                              .min_outputs = 1,
                              .max_outputs = 2,
                              .layout = ENS_LAYOUT_FOLLOWS,
                              .kind = ENS_KIND_VIEW,
                              .flags = ENS_OP_IN_PLACE,
                              .params_size = sizeof (EnsDropoutParams),
                              .attributes = dropout_attributes,
                              .shape = dropout_shape,
                              .reference = dropout_reference,
                              .gpu = view_gpu,
                              .per_image = ens_per_image_with_constants,
                              .example = identity_examples,
                              .is_identity = always_is_identity};

/* Expand: broadcasts to the shape in input 1. */

static gboolean
expand_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[0]->shape, target;
  EnsList list;

  if (!ens_check_list (operands, 1, &list, error))
    return FALSE;
  target = (EnsShape) {.rank = list.n};
  memcpy (target.dims, list.values, list.n * sizeof *target.dims);
  if (ens_shape_elements (&target) < 0 || !ens_broadcast (&shape, &target)) {
    g_autofree char *found = ens_shape_to_string (&operands->inputs[0]->shape);
    g_autofree char *expected = ens_shape_to_string (&target);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%s can't be broadcast with %s", found,
                         expected);
  }
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static void
expand_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsWalk walk;

  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output, input}, 2);
       walk.remaining > 0; ens_walk_next (&walk))
    ens_view_copy_element (output, walk.offsets[0], input, walk.offsets[1]);
}

static void
expand_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsStrided strided =
      ens_strided_broadcast (&output->shape, (const EnsView *[]) {output, input}, 2);

  ens_strided_copy (&strided, ens_type_size (output->type), output->data, input->data,
                    context->pool);
}

static gboolean
expand_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsCopy copy = {.x = input, .y = output};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  copy.strided = ens_strided_broadcast (&output->shape, (const EnsView *[]) {output, input}, 2);
  ens_record_copy (commands, &copy);
  return TRUE;
}

static gboolean
expand_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[0] =
      ens_gradient_sum_to (gradient, gradient->outputs[0], &gradient->node->inputs[0]->shape);
  return TRUE;
}

static const EnsOpExample expand_examples[] = {{"1x4x1 =[2,4,3]"}, {NULL}};

const EnsOp ens_op_expand = {.name = "Expand",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_PLAIN,
                             .kind = ENS_KIND_REPEAT,
                             .shape = expand_shape,
                             .reference = expand_reference,
                             .cpu = expand_cpu,
                             .gpu = expand_gpu,
                             .gradient = expand_gradient,
                             .per_image = ens_per_image_repeated,
                             .example = expand_examples};

/* Tile: repeats along each axis as often as input 1 says. */

static gboolean
tile_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[0]->shape;
  EnsList repeats;

  if (!ens_check_list (operands, 1, &repeats, error))
    return FALSE;
  if (repeats.n != shape.rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%u repetitions for a tensor of rank %u",
                         repeats.n, shape.rank);
  for (guint i = 0; i < shape.rank; i++)
    if (repeats.values[i] < 0
        || __builtin_mul_overflow (shape.dims[i], repeats.values[i], &shape.dims[i]))
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "%" G_GINT64_FORMAT " repetitions along axis %u", repeats.values[i], i);
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static void
tile_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsWalk walk;

  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gint64 at = 0;

    for (guint i = 0; i < input->shape.rank; i++)
      at = at * input->shape.dims[i] + walk.index[i] % input->shape.dims[i];
    ens_view_copy_element (output, walk.offsets[0], input, (gsize)at);
  }
}

/* Each axis becomes two: repetitions, which the input does not move along, and the input's own. */
static EnsStrided
tile_strided (const EnsView *input, const EnsView *output)
{
  EnsStrided strided = {.n = 2, .rank = 2 * input->shape.rank};
  gint64 input_strides[ENS_MAX_RANK], output_strides[ENS_MAX_RANK];

  ens_view_strides (input, input_strides);
  ens_view_strides (output, output_strides);
  for (guint i = 0; i < input->shape.rank; i++) {
    gint64 length = input->shape.dims[i];

    strided.dims[2 * i] = output->shape.dims[i] / length;
    strided.dims[2 * i + 1] = length;
    strided.strides[0][2 * i] = output_strides[i] * length;
    strided.strides[0][2 * i + 1] = output_strides[i];
    strided.strides[1][2 * i + 1] = input_strides[i];
  }
  return strided;
}

static void
tile_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  EnsStrided strided;

  if (ens_view_elements (output) == 0)
    return;
  strided = tile_strided (input, output);
  ens_strided_copy (&strided, ens_type_size (output->type), output->data, input->data,
                    context->pool);
}

static gboolean
tile_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  EnsCopy copy = {.x = operands->inputs[0], .y = operands->outputs[0]};
  EnsType storage;

  if (!ens_record_storage (operands, 0, 1, &storage))
    return FALSE;
  if (ens_view_elements (copy.y) == 0)
    return TRUE;
  copy.strided = tile_strided (copy.x, copy.y);
  ens_record_copy (commands, &copy);
  return TRUE;
}

/* Repeated axes become two, of which the first one is summed over. */
static gboolean
tile_gradient (EnsGradient *gradient, GError **error)
{
  const EnsShape *to = &gradient->node->inputs[0]->shape;
  const EnsShape *from = &gradient->outputs[0]->shape;
  EnsValue *dy = gradient->outputs[0];
  EnsShape split = {0};
  guint axes = 0;

  for (guint i = 0; i < to->rank; i++) {
    if (to->dims[i] != from->dims[i]) {
      if (split.rank + to->rank - i >= ENS_MAX_RANK || to->dims[i] == 0)
        return ens_gradient_error (gradient, error, "too many axes are repeated");
      axes |= 1u << split.rank;
      split.dims[split.rank++] = from->dims[i] / to->dims[i];
    }
    split.dims[split.rank++] = to->dims[i];
  }
  dy = ens_gradient_sum (gradient, ens_gradient_reshape (gradient, dy, &split), axes);
  gradient->inputs[0] = ens_gradient_reshape (gradient, dy, to);
  return TRUE;
}

static const EnsOpExample tile_examples[] = {{"2x3x4 =[1,2,3]"}, {NULL}};

const EnsOp ens_op_tile = {.name = "Tile",
                           .min_inputs = 2,
                           .max_inputs = 2,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_PLAIN,
                           .kind = ENS_KIND_REPEAT,
                           .shape = tile_shape,
                           .reference = tile_reference,
                           .cpu = tile_cpu,
                           .gpu = tile_gpu,
                           .gradient = tile_gradient,
                           .per_image = ens_per_image_repeated,
                           .example = tile_examples};
