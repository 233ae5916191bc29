/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/interpret.h"

#include "graph/infer.h"

/* What is known by value index: dense tensors and views of them. */
typedef struct {
  GPtrArray *tensors; /* EnsTensor, owned */
  EnsView *views;
} Contents;

static void
set_contents (Contents *contents, const EnsValue *value, EnsTensor *tensor)
{
  g_ptr_array_index (contents->tensors, value->index) = ens_tensor_ref (tensor);
  contents->views[value->index] = ens_view_dense (tensor->type, &tensor->shape, tensor->data);
}

static void
run_node (Contents *contents, const EnsNode *node)
{
  g_autofree const EnsView **inputs = g_new0 (const EnsView *, node->n_inputs);
  g_autofree EnsView **outputs = g_new0 (EnsView *, node->n_outputs);
  EnsOperands operands = {node, node->params, node->n_inputs, node->n_outputs, inputs, outputs};

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL)
      inputs[i] = &contents->views[node->inputs[i]->index];
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsValue *value = node->outputs[i];
    g_autoptr (EnsTensor) tensor = ens_tensor_new (value->type, &value->shape);

    set_contents (contents, value, tensor);
    outputs[i] = &contents->views[value->index];
  }
  node->op->reference (&operands);
}

static void
unref_tensor (gpointer tensor)
{
  if (tensor != NULL)
    ens_tensor_unref (tensor);
}

static void
set_known_contents (Contents *contents, const EnsGraph *graph, EnsTensor *const *inputs)
{
  g_ptr_array_set_size (contents->tensors, graph->values->len);
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsValue *value = g_ptr_array_index (graph->values, i);

    if (value->constant != NULL && value->producer == NULL)
      set_contents (contents, value, value->constant);
  }
  for (guint i = 0; i < graph->inputs->len; i++)
    set_contents (contents, g_ptr_array_index (graph->inputs, i), inputs[i]);
}

GPtrArray *
ens_interpret (const EnsGraph *graph, EnsTensor *const *inputs, GError **error)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);
  g_autofree EnsShape *shapes = g_new (EnsShape, graph->inputs->len);
  g_autofree EnsView *views = g_new0 (EnsView, graph->values->len);
  g_autoptr (GPtrArray) tensors = g_ptr_array_new_with_free_func (unref_tensor);
  Contents contents = {tensors, views};
  GPtrArray *outputs;

  for (guint i = 0; i < graph->inputs->len; i++)
    shapes[i] = inputs[i]->shape;
  if (!ens_infer_graph (copy, shapes, error))
    return NULL;
  set_known_contents (&contents, copy, inputs);
  for (guint i = 0; i < copy->nodes->len; i++)
    run_node (&contents, g_ptr_array_index (copy->nodes, i));
  outputs = g_ptr_array_new_with_free_func (unref_tensor);
  for (guint i = 0; i < copy->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (copy->outputs, i);

    g_ptr_array_add (outputs, ens_tensor_ref (g_ptr_array_index (tensors, output->index)));
  }
  return outputs;
}
