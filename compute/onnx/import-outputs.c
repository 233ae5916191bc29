/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs of a file's graph: each in the order that the file's users expect, and under its name
 * there. */
#include <string.h>

#include "onnx/import.h"

/* Networks converted from TensorFlow end by transposing their output. */
static gboolean
is_left_last (const EnsOnnxImport *import, const char *name)
{
  static const gint64 nchw_to_nhwc[] = {0, 2, 3, 1};
  const Onnx__NodeProto *node = g_hash_table_lookup (import->written, name);

  return node != NULL && ens_onnx_is_transpose (node, nchw_to_nhwc);
}

/* Whether a value may take the tensor's name: what a Transpose in the file was left out for, or one
 * that was added. */
static gboolean
stands_for (const EnsOnnxImport *import, const EnsOnnxTensor *tensor, const EnsValue *value)
{
  g_autofree char *made = ens_onnx_tensor_name_order (tensor, FALSE);

  if (value->producer == NULL || value->constant != NULL
      || g_ptr_array_find (import->graph->outputs, value, NULL))
    return FALSE;
  return value == tensor->last || (value == tensor->first && strcmp (value->name, made) == 0);
}

/* Gives an output's value the output's name. The name may be with the tensor's value in the other
 * order, or the value may be another tensor's where a Transpose has cancelled. */
static EnsValue *
claim_name (EnsOnnxImport *import, const EnsOnnxTensor *tensor, EnsValue *value, GError **error)
{
  const EnsOp *identity = ens_op_find ("Identity");
  EnsValue *holder = ens_graph_find (import->graph, tensor->name);
  g_autofree char *other = NULL;
  EnsNode *node;

  if (holder == value)
    return value;
  if (holder != NULL && (holder == tensor->first || holder == tensor->last)) {
    other = ens_onnx_tensor_name_order (tensor, holder == tensor->last);
    ens_graph_rename (import->graph, value, "");
    ens_graph_rename (import->graph, holder, other);
    ens_graph_rename (import->graph, value, tensor->name);
    return value;
  }
  if (holder == NULL && stands_for (import, tensor, value)) {
    ens_graph_rename (import->graph, value, tensor->name);
    return value;
  }
  if (identity == NULL)
    return value;
  node = ens_onnx_import_apply (import, identity, tensor->name, NULL, &value, 1, 1, error);
  return node != NULL ? node->outputs[0] : NULL;
}

static gboolean
add_output (EnsOnnxImport *import, const char *name, GError **error)
{
  EnsOnnxTensor *tensor = ens_onnx_import_find (import, name);
  EnsValue *value;

  if (tensor == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "output “%s” is neither computed by a node nor an input or initializer", name);
    return FALSE;
  }
  value = ens_onnx_tensor_value (import, tensor,
                                 tensor->shape.rank == 4 && !is_left_last (import, name), error);
  if (value != NULL)
    value = claim_name (import, tensor, value, error);
  if (value == NULL)
    return FALSE;
  ens_graph_add_output (import->graph, value);
  return TRUE;
}

gboolean
ens_onnx_import_outputs (EnsOnnxImport *import, const EnsOnnxBody *body, GError **error)
{
  if (body->outputs->len == 0) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT, "the graph has no outputs");
    return FALSE;
  }
  for (guint i = 0; i < body->outputs->len; i++)
    if (!add_output (import, g_ptr_array_index (body->outputs, i), error))
      return FALSE;
  return TRUE;
}
