/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shape, Size, Range, ConstantOfShape: tensors made of sizes, mostly for the arithmetic of shapes.
 * References are enough. */
#include "ops/operands.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

/* Shape */

static const EnsAttribute shape_attributes[] = {
    {"start", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsShapeParams, start), .since = 15},
    {"end", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsShapeParams, end), .integer = G_MAXINT64,
     .since = 15},
    ENS_ATTRIBUTE_END};

static gint64
clamp_axis (gint64 axis, guint rank)
{
  return CLAMP (axis < 0 ? axis + rank : axis, 0, (gint64)rank);
}

static gboolean
shape_shape (EnsOperands *operands, GError **error)
{
  const EnsShapeParams *params = operands->params;
  guint rank = operands->inputs[0]->shape.rank;
  gint64 n = clamp_axis (params->end, rank) - clamp_axis (params->start, rank);

  return ens_set_output (operands, 0, ENS_TYPE_INT64, &ENS_SHAPE (MAX (n, 0)), error);
}

static void
shape_reference (const EnsOperands *operands)
{
  const EnsShapeParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[0]->shape;

  memcpy (operands->outputs[0]->data, shape->dims + clamp_axis (params->start, shape->rank),
          (gsize)operands->outputs[0]->shape.dims[0] * sizeof (gint64));
}

static const EnsOpExample shape_examples[] = {{"2x5x4x7"}, {NULL}};

const EnsOp ens_op_shape = {.name = "Shape",
                            .min_inputs = 1,
                            .max_inputs = 1,
                            .min_outputs = 1,
                            .max_outputs = 1,
                            .layout = ENS_LAYOUT_PLAIN,
                            .flags = ENS_OP_SHAPE_ONLY,
                            .params_size = sizeof (EnsShapeParams),
                            .attributes = shape_attributes,
                            .shape = shape_shape,
                            .reference = shape_reference,
                            .example = shape_examples};

/* Size */

static gboolean
size_shape (EnsOperands *operands, GError **error)
{
  return ens_set_output (operands, 0, ENS_TYPE_INT64, &ENS_SHAPE_SCALAR, error);
}

static void
size_reference (const EnsOperands *operands)
{
  *(gint64 *)operands->outputs[0]->data = ens_shape_elements (&operands->inputs[0]->shape);
}

static const EnsOpExample size_examples[] = {{"2x5x4x7"}, {NULL}};

const EnsOp ens_op_size = {.name = "Size",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_PLAIN,
                           .flags = ENS_OP_SHAPE_ONLY,
                           .shape = size_shape,
                           .reference = size_reference,
                           .example = size_examples};

/* Range: start, start + delta, … up to but without limit. */

static gboolean
range_shape (EnsOperands *operands, GError **error)
{
  double value[3], n;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_same_types (operands, 1, error))
    return FALSE;
  for (guint i = 0; i < 3; i++) {
    const EnsView *input = operands->inputs[i];

    if (input->data == NULL || ens_view_elements (input) != 1)
      return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                           "input %u is not a scalar known before running", i);
    value[i] = ens_view_real (input, 0);
  }
  n = ceil ((value[1] - value[0]) / value[2]);
  if (value[2] == 0 || !(n < 0x1p40))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "from %g to %g by %g is not a finite number of steps", value[0], value[1],
                         value[2]);
  return ens_set_output (operands, 0, operands->inputs[0]->type, &ENS_SHAPE (n > 0 ? (gint64)n : 0),
                         error);
}

static void
range_reference (const EnsOperands *operands)
{
  const EnsView *start = operands->inputs[0], *delta = operands->inputs[2];
  const EnsView *output = operands->outputs[0];

  for (gint64 i = 0; i < output->shape.dims[0]; i++)
    if (ens_type_is_real (output->type))
      ens_view_set_real (output, (gsize)i,
                         ens_view_real (start, 0) + (double)i * ens_view_real (delta, 0));
    else
      ens_view_set_integer (output, (gsize)i,
                            (gint64)((guint64)ens_view_integer (start, 0)
                                     + (guint64)i * (guint64)ens_view_integer (delta, 0)));
}

static const EnsOpExample range_examples[] = {{"=[2] =[11] =[3]"}, {NULL}};

const EnsOp ens_op_range = {.name = "Range",
                            .min_inputs = 3,
                            .max_inputs = 3,
                            .min_outputs = 1,
                            .max_outputs = 1,
                            .layout = ENS_LAYOUT_PLAIN,
                            .shape = range_shape,
                            .reference = range_reference,
                            .example = range_examples};

/* ConstantOfShape: one value in the shape that input 0 lists. */

static void
set_fill (const EnsFillParams *params, const EnsView *view, gsize i)
{
  if (ens_type_is_real (params->type))
    ens_view_set_real (view, i, params->real);
  else
    ens_view_set_integer (view, i, params->integer);
}

/* A value of one element has its own small functions, because params can't own a tensor. */

static const char *
read_fill (const EnsTensor *tensor, gpointer member)
{
  EnsFillParams *params = member;
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);

  if (ens_shape_elements (&tensor->shape) != 1)
    return "a single element";
  params->type = tensor->type;
  params->real = ens_view_real (&view, 0);
  params->integer = ens_view_integer (&view, 0);
  return NULL;
}

static EnsTensor *
write_fill (gconstpointer member)
{
  const EnsFillParams *params = member;
  EnsTensor *tensor = ens_tensor_new (params->type, &ENS_SHAPE (1));
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);

  set_fill (params, &view, 0);
  return tensor;
}

static const EnsAttribute fill_attributes[] = {
    {"value", ENS_ATTRIBUTE_TENSOR, .read = read_fill, .write = write_fill}, ENS_ATTRIBUTE_END};

static gboolean
fill_shape (EnsOperands *operands, GError **error)
{
  const EnsFillParams *params = operands->params;
  EnsList list;
  EnsShape shape;

  if (!ens_check_list (operands, 0, &list, error))
    return FALSE;
  shape = (EnsShape) {.rank = list.n};
  memcpy (shape.dims, list.values, list.n * sizeof *shape.dims);
  return ens_set_output (operands, 0, params->type, &shape, error);
}

static void
fill_reference (const EnsOperands *operands)
{
  const EnsView *output = operands->outputs[0];
  gsize n = ens_view_elements (output);

  for (gsize i = 0; i < n; i++)
    set_fill (operands->params, output, i);
}

static const EnsOpExample constant_examples[] = {
    {"=[2,3]", &(const EnsFillParams) {ENS_TYPE_FLOAT32, .real = 1.5}}, {NULL}};

const EnsOp ens_op_constant_of_shape = {.name = "ConstantOfShape",
                                        .min_inputs = 1,
                                        .max_inputs = 1,
                                        .min_outputs = 1,
                                        .max_outputs = 1,
                                        .layout = ENS_LAYOUT_PLAIN,
                                        .params_size = sizeof (EnsFillParams),
                                        .attributes = fill_attributes,
                                        .shape = fill_shape,
                                        .reference = fill_reference,
                                        .example = constant_examples};
