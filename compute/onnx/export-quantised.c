/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What FakeQuantize and FakeQuantizeRange are in a file: quantised and dequantised at once. */
#include <string.h>

#include "onnx/export.h"

static gboolean
is_range (const EnsNode *node)
{
  return strcmp (node->op->name, "FakeQuantizeRange") == 0;
}

gboolean
ens_onnx_export_is_quantised (const EnsNode *node)
{
  return is_range (node) || strcmp (node->op->name, "FakeQuantize") == 0;
}

static const char *
add_name (EnsOnnxExport *export, const char *name, const char *suffix)
{
  g_autofree char *whole = g_strconcat (name, suffix, NULL);

  return ens_onnx_export_take_name (export, whole);
}

static const char *
add_constant (EnsOnnxExport *export, const char *name, const char *suffix, EnsType type,
              gconstpointer number)
{
  g_autofree char *whole = g_strconcat (name, suffix, NULL);
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (type, &ENS_SHAPE_SCALAR, number);

  return ens_onnx_export_initializer (export, whole, tensor);
}

static void
add_node (EnsOnnxExport *export, const char *op, const char *name, const char *const *inputs,
          guint n_inputs, const char *const *outputs, guint n_outputs)
{
  g_autoptr (GPtrArray) from = g_ptr_array_new ();
  g_autoptr (GPtrArray) to = g_ptr_array_new ();

  for (guint i = 0; i < n_inputs; i++)
    g_ptr_array_add (from, (gpointer)inputs[i]);
  for (guint i = 0; i < n_outputs; i++)
    g_ptr_array_add (to, (gpointer)outputs[i]);
  ens_onnx_export_add (export, op, name, from, to);
}

void
ens_onnx_export_quantised (EnsOnnxExport *export, const EnsNode *node, const char *input,
                           const char *output)
{
  const EnsUnaryParams *params = node->params;
  const char *names[3], *inputs[3] = {input, NULL, NULL};
  g_autofree char *dequantise = g_strconcat (node->name, ":dequantised", NULL);

  names[0] = add_name (export, output, ":quantised");
  if (is_range (node)) {
    names[1] = add_name (export, output, ":scale");
    names[2] = add_name (export, output, ":zero");
    add_node (export, "DynamicQuantizeLinear", node->name, inputs, 1, names, 3);
  } else {
    guint8 zero = (guint8)-params->beta;

    inputs[1] = names[1] =
        add_constant (export, output, ":scale", ENS_TYPE_FLOAT32, &params->alpha);
    inputs[2] = names[2] = add_constant (export, output, ":zero", ENS_TYPE_UINT8, &zero);
    add_node (export, "QuantizeLinear", node->name, inputs, 3, names, 1);
  }
  add_node (export, "DequantizeLinear", dequantise, names, 3, &output, 1);
}

void
ens_onnx_export_find_bounds (EnsOnnxExport *export)
{
  const EnsGraph *graph = export->graph;

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < graph->nodes->len; i++) {
      const EnsNode *node = g_ptr_array_index (graph->nodes, i);

      for (guint j = 0; j < node->n_inputs; j++)
        if (node->inputs[j] != NULL && (is_range (node) && j > 0) == (pass == 0))
          export->forms[node->inputs[j]->index].is_bound = pass == 0;
    }
}

gboolean
ens_onnx_export_computes_bounds (const EnsOnnxExport *export, const EnsNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsOnnxForms *forms = &export->forms[node->outputs[i]->index];

    if (!forms->is_bound || forms->is_output)
      return FALSE;
  }
  return TRUE;
}
