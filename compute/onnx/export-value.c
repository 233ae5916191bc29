/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, tensors and orders of dimensions of a network that is written. */
#include <string.h>

#include "onnx/export.h"

gpointer
ens_onnx_export_keep (EnsOnnxExport *export, gconstpointer contents, gsize size)
{
  gpointer copy = g_memdup2 (contents, size);

  g_ptr_array_add (export->memory, copy);
  return copy;
}

char *
ens_onnx_export_text (EnsOnnxExport *export, const char *text)
{
  return ens_onnx_export_keep (export, text, strlen (text) + 1);
}

gpointer
ens_onnx_export_list (EnsOnnxExport *export, const GPtrArray *array)
{
  return ens_onnx_export_keep (export, array->pdata, array->len * sizeof (gpointer));
}

/* Tensors */

static void
set_contents (EnsOnnxExport *export, Onnx__TensorProto *proto, EnsTensor *tensor)
{
  gsize size = ens_tensor_size (tensor), width = ens_type_size (tensor->type);

  g_ptr_array_add (export->tensors, ens_tensor_ref (tensor));
  proto->has_raw_data = TRUE;
  proto->raw_data = (ProtobufCBinaryData) {size, tensor->data};
  if (G_BYTE_ORDER == G_BIG_ENDIAN && size > 0) {
    const guint8 *source = tensor->data;

    proto->raw_data.data = ens_onnx_export_keep (export, tensor->data, size);
    for (gsize i = 0; i < size; i++)
      proto->raw_data.data[i] = source[i / width * width + width - 1 - i % width];
  }
}

Onnx__TensorProto *
ens_onnx_export_tensor (EnsOnnxExport *export, const char *name, EnsTensor *tensor)
{
  Onnx__TensorProto *proto =
      ens_onnx_export_message (export, Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);

  proto->name = ens_onnx_export_text (export, name);
  proto->has_data_type = TRUE;
  proto->data_type = ens_onnx_type_number (tensor->type);
  proto->n_dims = tensor->shape.rank;
  proto->dims = ens_onnx_export_keep (export, tensor->shape.dims,
                                      tensor->shape.rank * sizeof *tensor->shape.dims);
  set_contents (export, proto, tensor);
  return proto;
}

const char *
ens_onnx_export_take_name (EnsOnnxExport *export, const char *name)
{
  g_autofree char *unique = g_strdup (name);

  for (guint i = 2; g_hash_table_contains (export->names, unique); i++) {
    g_free (unique);
    unique = g_strdup_printf ("%s_%u", name, i);
  }
  name = ens_onnx_export_text (export, unique);
  g_hash_table_add (export->names, (gpointer)name);
  return name;
}

const char *
ens_onnx_export_initializer (EnsOnnxExport *export, const char *name, EnsTensor *tensor)
{
  name = ens_onnx_export_take_name (export, name);
  g_ptr_array_add (export->initializers, ens_onnx_export_tensor (export, name, tensor));
  return name;
}

/* Forms */

gboolean
ens_onnx_export_is_constant (const EnsValue *value)
{
  return value->constant != NULL && value->producer == NULL;
}

/* Which of a value's forms has its own name: the one that import finds channels-last values by, and
 * the one that the graph's inputs and outputs are in; the other one if that is another value. */
static gboolean
is_named_first (const EnsOnnxForms *forms, const EnsValue *value)
{
  if (!forms->is_output && forms->first != NULL && strcmp (forms->first, forms->name) != 0)
    return FALSE;
  if (value->shape.rank == 4)
    return forms->is_last || forms->is_output;
  return forms->is_last && !forms->is_output;
}

const char *
ens_onnx_export_name (EnsOnnxExport *export, const EnsValue *value, gboolean first)
{
  const EnsOnnxForms *forms = &export->forms[value->index];
  g_autofree char *name = NULL;

  if (value->shape.rank < 3 || is_named_first (forms, value) == first)
    return forms->name;
  name = g_strconcat (forms->name, first ? ":nchw" : ":nhwc", NULL);
  return ens_onnx_export_take_name (export, name);
}

const char *
ens_onnx_export_constant (EnsOnnxExport *export, const EnsValue *value, EnsTensor *tensor)
{
  EnsOnnxForms *forms = &export->forms[value->index];

  if (forms->is_named)
    return ens_onnx_export_initializer (export, value->name, tensor);
  forms->is_named = TRUE;
  g_ptr_array_add (export->initializers, ens_onnx_export_tensor (export, value->name, tensor));
  return value->name;
}

/* If the graph gives the constant out, the form that it gives has the name. */
static const char *
add_constant (EnsOnnxExport *export, const EnsValue *value, gboolean first)
{
  EnsPermutation permutation = ens_permutation_to_first (value->shape.rank);
  g_autoptr (EnsTensor) tensor =
      first ? ens_tensor_permute (value->constant, &permutation) : ens_tensor_ref (value->constant);

  if (export->forms[value->index].is_output && first != (value->shape.rank == 4))
    return ens_onnx_export_initializer (export, value->name, tensor);
  return ens_onnx_export_constant (export, value, tensor);
}

static void
add_transpose (EnsOnnxExport *export, const char *node_name, const char *input, const char *output,
               const EnsPermutation *permutation)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  g_autoptr (GPtrArray) outputs = g_ptr_array_new ();
  Onnx__AttributeProto *perm =
      ens_onnx_export_message (export, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);
  gint64 from[ENS_MAX_RANK];
  Onnx__NodeProto *node;

  g_ptr_array_add (inputs, (gpointer)input);
  g_ptr_array_add (outputs, (gpointer)output);
  for (guint i = 0; i < permutation->rank; i++)
    from[i] = permutation->from[i];
  perm->name = ens_onnx_export_text (export, "perm");
  perm->has_type = TRUE;
  perm->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
  perm->n_ints = permutation->rank;
  perm->ints = ens_onnx_export_keep (export, from, permutation->rank * sizeof *from);
  node = ens_onnx_export_add (export, "Transpose", node_name, inputs, outputs);
  node->n_attribute = 1;
  node->attribute = ens_onnx_export_keep (export, &perm, sizeof perm);
}

static const char *
add_transposed (EnsOnnxExport *export, const EnsValue *value, gboolean first)
{
  const EnsOnnxForms *forms = &export->forms[value->index];
  EnsPermutation permutation = first ? ens_permutation_to_first (value->shape.rank)
                                     : ens_permutation_to_last (value->shape.rank);
  const char *name = ens_onnx_export_name (export, value, first);

  add_transpose (export, forms->node != NULL ? forms->node : name,
                 first ? forms->plain : forms->first, name, &permutation);
  return name;
}

const char *
ens_onnx_export_form (EnsOnnxExport *export, const EnsValue *value, gboolean first)
{
  EnsOnnxForms *forms = &export->forms[value->index];
  const char **slot = first ? &forms->first : &forms->plain;
  const char *other = first ? forms->plain : forms->first;

  if (*slot != NULL)
    return *slot;
  if (value->shape.rank < 3 && other != NULL)
    *slot = other;
  else if (ens_onnx_export_is_constant (value))
    *slot = add_constant (export, value, first);
  else
    *slot = add_transposed (export, value, first);
  return *slot;
}

/* Nodes */

Onnx__NodeProto *
ens_onnx_export_add (EnsOnnxExport *export, const char *op, const char *name,
                     const GPtrArray *inputs, const GPtrArray *outputs)
{
  Onnx__NodeProto *proto =
      ens_onnx_export_message (export, Onnx__NodeProto, ONNX__NODE_PROTO__INIT);

  proto->op_type = (char *)op;
  proto->name = ens_onnx_export_text (export, name);
  proto->n_input = inputs->len;
  proto->input = ens_onnx_export_list (export, inputs);
  proto->n_output = outputs->len;
  proto->output = ens_onnx_export_list (export, outputs);
  g_ptr_array_add (export->nodes, proto);
  return proto;
}
