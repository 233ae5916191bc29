/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes of opset 1 to 6, made into those of opset 7.
 *
 * Source: the change log of ONNX's operators,
 * https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 */
#include <string.h>

#include "onnx/import.h"

/* The last opset of which these rules speak. */
#define LAST_OPSET 6

/* Known contents with trailing dimensions of 1. */
static gboolean
append_to_known (EnsOnnxStep *step, EnsOnnxImport *import, guint input, guint rank, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[input];
  g_autoptr (EnsTensor) contents = ens_onnx_tensor_contents (import, tensor, error);
  g_autoptr (EnsTensor) longer = NULL;
  EnsShape shape = tensor->shape;

  if (contents == NULL)
    return FALSE;
  while (shape.rank < rank)
    shape.dims[shape.rank++] = 1;
  longer = ens_tensor_new_copy (contents->type, &shape, contents->data);
  step->inputs[input] = ens_onnx_import_known (import, tensor->name, longer);
  return TRUE;
}

/* The input gets trailing dimensions of 1 until it has `rank`. */
static gboolean
append_dims (EnsOnnxStep *step, EnsOnnxImport *import, guint input, guint rank, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[input];
  guint missing = rank - tensor->shape.rank;
  g_autoptr (EnsAttributes) attributes = NULL;
  gint64 axes[ENS_MAX_RANK];
  EnsValue *value;

  if (ens_onnx_tensor_is_known (import, tensor))
    return append_to_known (step, import, input, rank, error);
  for (guint i = 0; i < missing; i++)
    axes[i] = tensor->shape.rank + i;
  attributes = ens_attributes_new ();
  ens_attributes_set_ints (attributes, "axes", axes, missing);
  value = ens_onnx_tensor_value (import, tensor, FALSE, error);
  if (value == NULL)
    return FALSE;
  value = ens_onnx_import_make (import, "Unsqueeze", attributes, value, error);
  if (value == NULL)
    return FALSE;
  step->inputs[input] = ens_onnx_import_wrap (import, value);
  return TRUE;
}

/* The second input may be stretched, from dimension `axis` of the first on or along the last ones.
 */
static gboolean
raise_broadcast (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  gboolean stretched = ens_attributes_int (step->attributes, "broadcast", 0) != 0;
  gboolean given = ens_attributes_has (step->attributes, "axis");
  gint64 axis = ens_attributes_int (step->attributes, "axis", 0), rank, end;

  if (!stretched || !given || step->n_inputs != 2 || !step->inputs[0] || !step->inputs[1])
    return TRUE;
  rank = step->inputs[0]->shape.rank;
  if (axis < 0)
    axis += rank;
  end = axis + step->inputs[1]->shape.rank;
  if (axis < 0 || end > rank)
    return ens_onnx_step_fail (step, error, ENS_ERROR_SHAPE,
                               "an input of %u dimensions can't begin at axis %" G_GINT64_FORMAT
                               " of %" G_GINT64_FORMAT,
                               step->inputs[1]->shape.rank, axis, rank);
  return end == rank || step->inputs[1]->shape.rank == 0
         || append_dims (step, import, 1, (guint)(rank - axis), error);
}

/* The slope has one number per channel, and no dimensions behind that. */
static gboolean
raise_slope (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  if (step->n_inputs != 2 || !step->inputs[0] || !step->inputs[1]
      || step->inputs[1]->shape.rank != 1 || step->inputs[0]->shape.rank < 3)
    return TRUE;
  return append_dims (step, import, 1, step->inputs[0]->shape.rank - 1, error);
}

static gboolean
raise_stretch (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  switch (step->op->versions.stretch) {
  case ENS_STRETCH_BY_ATTRIBUTES:
    return raise_broadcast (step, import, error);
  case ENS_STRETCH_CHANNELS:
    return raise_slope (step, import, error);
  case ENS_STRETCH_LAST:
    break;
  }
  return TRUE;
}

/* An attribute that newer opsets have as an input behind the others. */
static void
raise_attribute (EnsOnnxStep *step, EnsOnnxImport *import, const EnsAttribute *row)
{
  gint64 values[ENS_MAX_RANK];
  guint n;
  g_autoptr (EnsTensor) contents = NULL;

  if (step->n_inputs != row->input || !ens_attributes_has (step->attributes, row->name))
    return;
  n = ens_attributes_ints (step->attributes, row->name, values, ENS_MAX_RANK);
  contents = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (n), values);
  step->inputs = g_renew (EnsOnnxTensor *, step->inputs, step->n_inputs + 1);
  step->inputs[step->n_inputs++] = ens_onnx_import_known (import, step->name, contents);
}

gboolean
ens_onnx_step_raise (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  const EnsAttribute *row;

  if (step->opset > LAST_OPSET || !ens_onnx_is_own_domain (step->proto->domain))
    return TRUE;
  /* Which inputs may be overwritten; of no consequence. */
  ens_attributes_ignore (step->attributes, "consumed_inputs");
  if (step->op == NULL)
    return TRUE;
  for (row = step->op->attributes; row != NULL && row->name != NULL; row++)
    if (row->kind == ENS_ATTRIBUTE_INPUT && step->opset <= row->until)
      raise_attribute (step, import, row);
  return raise_stretch (step, import, error);
}
