/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file's tensors in both orders of dimensions: channels first, as ONNX means them, and channels
 * last, as we compute. */
#include <stdlib.h>
#include <string.h>

#include "onnx/import.h"

static gboolean
is_known_value (const EnsOnnxImport *import, EnsValue *value)
{
  return value != NULL && value->constant != NULL
         && !g_hash_table_contains (import->samples, value);
}

gboolean
ens_onnx_tensor_is_known (const EnsOnnxImport *import, const EnsOnnxTensor *tensor)
{
  return tensor->initializer != NULL || tensor->contents != NULL
         || is_known_value (import, tensor->first) || is_known_value (import, tensor->last);
}

/* Frees the parser's copy of contents that have been read. */
static void
drop_initializer (EnsOnnxTensor *tensor)
{
  free (tensor->initializer->raw_data.data);
  free (tensor->initializer->float_data);
  tensor->initializer->raw_data = (ProtobufCBinaryData) {0};
  tensor->initializer->float_data = NULL;
  tensor->initializer->n_float_data = 0;
  tensor->initializer = NULL;
}

EnsTensor *
ens_onnx_tensor_contents (EnsOnnxImport *import, EnsOnnxTensor *tensor, GError **error)
{
  EnsPermutation to_first = ens_permutation_to_first (tensor->shape.rank);

  if (tensor->contents != NULL)
    return ens_tensor_ref (tensor->contents);
  if (tensor->first != NULL)
    return ens_tensor_ref (tensor->first->constant);
  if (tensor->last != NULL)
    return ens_tensor_permute (tensor->last->constant, &to_first);

  g_autofree char *what = g_strdup_printf ("tensor “%s”", tensor->name);

  tensor->contents = ens_onnx_tensor_read (tensor->initializer, what, import->files, error);
  if (tensor->contents == NULL)
    return NULL;
  drop_initializer (tensor);
  return ens_tensor_ref (tensor->contents);
}

char *
ens_onnx_tensor_name_order (const EnsOnnxTensor *tensor, gboolean last)
{
  static const char *const suffixes[2][2] = {{":channels-first", ":channels-last"},
                                             {":nchw", ":nhwc"}};
  const char *suffix = suffixes[tensor->shape.rank == 4][last];

  /* Files that were written from such a graph have the suffix. */
  return g_strconcat (tensor->name, g_str_has_suffix (tensor->name, suffix) ? "" : suffix, NULL);
}

/* Names a tensor's second value. The one with channels last has the tensor's own name, so that
 * users find feature maps by the names in the file; inputs keep theirs. */
static void
name_second (EnsOnnxImport *import, const EnsOnnxTensor *tensor, EnsValue *value, EnsValue *first,
             gboolean last)
{
  gboolean is_input = first->producer == NULL && first->constant == NULL;
  g_autofree char *name = ens_onnx_tensor_name_order (tensor, last);

  if (last && !is_input && strcmp (first->name, tensor->name) == 0) {
    g_autofree char *other = ens_onnx_tensor_name_order (tensor, FALSE);

    ens_graph_rename (import->graph, first, other);
    ens_graph_rename (import->graph, value, tensor->name);
  } else {
    ens_graph_rename (import->graph, value, name);
  }
}

static EnsValue *
add_known (EnsOnnxImport *import, EnsOnnxTensor *tensor, gboolean last, GError **error)
{
  g_autoptr (EnsTensor) contents = ens_onnx_tensor_contents (import, tensor, error);
  EnsPermutation to_last = ens_permutation_to_last (tensor->shape.rank);

  if (contents == NULL)
    return NULL;
  if (last) {
    EnsTensor *permuted = ens_tensor_permute (contents, &to_last);

    ens_tensor_unref (contents);
    contents = permuted;
  }
  /* From now on the graph holds them. */
  g_clear_pointer (&tensor->contents, ens_tensor_unref);
  return ens_graph_add_constant (import->graph, tensor->name, contents);
}

static EnsValue *
add_transposed (EnsOnnxImport *import, EnsOnnxTensor *tensor, EnsValue *other, gboolean last,
                GError **error)
{
  guint rank = tensor->shape.rank, n_nodes = import->graph->nodes->len;
  EnsPermutation permutation =
      last ? ens_permutation_to_last (rank) : ens_permutation_to_first (rank);
  EnsValue *value = ens_onnx_import_transpose (import, other, &permutation, error);
  g_autofree char *node_name = ens_onnx_tensor_name_order (tensor, last);

  if (value == NULL || import->graph->nodes->len == n_nodes)
    return value;
  name_second (import, tensor, value, other, last);
  ens_graph_rename_node (import->graph, value->producer, node_name);
  return value;
}

EnsValue *
ens_onnx_tensor_value (EnsOnnxImport *import, EnsOnnxTensor *tensor, gboolean last, GError **error)
{
  EnsValue **slot = last ? &tensor->last : &tensor->first;
  EnsValue **other = last ? &tensor->first : &tensor->last;

  if (*slot != NULL)
    return *slot;
  if (tensor->shape.rank < 3 && *other != NULL)
    *slot = *other;
  else if (!ens_onnx_tensor_is_known (import, tensor))
    *slot = add_transposed (import, tensor, *other, last, error);
  else if ((*slot = add_known (import, tensor, last, error)) != NULL && *other != NULL)
    name_second (import, tensor, *slot, *other, last);
  return *slot;
}

void
ens_onnx_tensor_set_value (EnsOnnxTensor *tensor, EnsValue *value, gboolean last)
{
  EnsPermutation to_first;

  tensor->type = value->type;
  tensor->shape = value->shape;
  tensor->computed_last = last && value->shape.rank >= 3;
  if (!tensor->computed_last) {
    tensor->first = value;
    return;
  }
  tensor->last = value;
  to_first = ens_permutation_to_first (value->shape.rank);
  for (guint i = 0; i < value->shape.rank; i++)
    tensor->shape.dims[i] = value->shape.dims[to_first.from[i]];
}

/* Transposes */

static EnsValue *
add_transpose (EnsOnnxImport *import, EnsValue *value, const EnsPermutation *permutation,
               GError **error)
{
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();
  gint64 from[ENS_MAX_RANK];

  for (guint i = 0; i < permutation->rank; i++)
    from[i] = permutation->from[i];
  ens_attributes_set_ints (attributes, "perm", from, permutation->rank);
  return ens_onnx_import_make (import, "Transpose", attributes, value, error);
}

EnsValue *
ens_onnx_import_transpose (EnsOnnxImport *import, EnsValue *value,
                           const EnsPermutation *permutation, GError **error)
{
  const EnsOp *op = ens_op_find ("Transpose");
  EnsPermutation whole = *permutation;

  while (value->producer != NULL && value->producer->op == op) {
    EnsPermutation before;

    ens_onnx_read_permutation (value->producer->params, whole.rank, &before);
    whole = ens_permutation_compose (&before, &whole);
    value = value->producer->inputs[0];
  }
  if (ens_permutation_is_identity (&whole))
    return value;
  return add_transpose (import, value, &whole, error);
}
