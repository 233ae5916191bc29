/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* If: where its condition is known, the branch that it chooses takes its place.
 *
 * Exporters write such nodes for questions about shapes ("is there a dimension to squeeze?"). An
 * answer that follows from the size of images holds for the nominal size at first; import-sizes.c
 * finds out whether it holds for others. */
#include <string.h>

#include "onnx/import.h"

static const Onnx__GraphProto *
find_branch (const EnsOnnxStep *step, gboolean condition)
{
  const char *name = condition ? "then_branch" : "else_branch";

  for (gsize i = 0; i < step->proto->n_attribute; i++)
    if (strcmp (ens_onnx_text (step->proto->attribute[i]->name), name) == 0)
      return step->proto->attribute[i]->g;
  return NULL;
}

/* Contents, also those that hold for the nominal size alone; NULL: they are computed from pictures.
 * (transfer full) */
static EnsTensor *
read_condition (const EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  EnsOnnxTensor *tensor = step->inputs[0];
  const EnsValue *value = tensor->first != NULL ? tensor->first : tensor->last;

  if (ens_onnx_tensor_is_known (import, tensor))
    return ens_onnx_tensor_contents (import, tensor, error);
  if (value != NULL && value->constant != NULL)
    return ens_tensor_ref (value->constant);
  ens_onnx_step_fail (
      step, error, ENS_ERROR_UNSUPPORTED,
      "the condition “%s” is computed from the pictures; export the network without "
      "control flow",
      tensor->name);
  return NULL;
}

/* The node's outputs are the branch's. */
static gboolean
take_outputs (EnsOnnxStep *step, EnsOnnxImport *import, const EnsOnnxBody *branch, GError **error)
{
  for (gsize i = 0; i < step->proto->n_output; i++) {
    Onnx__NodeProto identity = ONNX__NODE_PROTO__INIT;
    char *input = g_ptr_array_index (branch->outputs, i);

    if (*step->proto->output[i] == '\0')
      continue;
    identity.op_type = (char *)"Identity";
    identity.n_input = identity.n_output = 1;
    identity.input = &input;
    identity.output = &step->proto->output[i];
    if (!ens_onnx_import_part (import, &identity, ens_attributes_new (), import->opset, step->what,
                               error))
      return FALSE;
  }
  return TRUE;
}

gboolean
ens_onnx_import_if (EnsOnnxStep *step, EnsOnnxImport *import, GError **error)
{
  g_autoptr (EnsTensor) condition = NULL;
  const Onnx__GraphProto *graph;
  const EnsOnnxBody *branch;
  gboolean taken;

  if (step->n_inputs != 1 || step->inputs[0] == NULL)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT, "expected one input");
  condition = read_condition (step, import, error);
  if (condition == NULL)
    return FALSE;
  if (condition->type != ENS_TYPE_BOOL || ens_shape_elements (&condition->shape) != 1)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT,
                               "expected a condition of one truth value");
  taken = *(const guint8 *)condition->data != 0;
  if (!ens_onnx_tensor_is_known (import, step->inputs[0]))
    g_string_append_c (import->choices, taken ? 't' : 'e');
  graph = find_branch (step, taken);
  if (graph == NULL || graph->n_output < step->proto->n_output)
    return ens_onnx_step_fail (step, error, ENS_ERROR_FORMAT,
                               "the %s branch is missing, or gives fewer outputs",
                               taken ? "then" : "else");
  branch = ens_onnx_import_branch (import, step, graph, error);
  step->done = TRUE;
  return branch != NULL && take_outputs (step, import, branch, error);
}
