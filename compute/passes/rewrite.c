/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/rewrite.h"

#include <string.h>

#include "graph/infer.h"

gboolean
ens_node_is (const EnsNode *node, const char *op)
{
  return node != NULL && strcmp (node->op->name, op) == 0;
}

gboolean
ens_graph_is_output (const EnsGraph *graph, const EnsValue *value)
{
  return g_ptr_array_find (graph->outputs, value, NULL);
}

gboolean
ens_graph_is_read (const EnsGraph *graph, const EnsValue *value)
{
  g_autofree guint *uses = ens_graph_count_uses (graph);

  return uses[value->index] > 0;
}

EnsNode *
ens_graph_only_reader (const EnsGraph *graph, const EnsValue *value)
{
  EnsNode *reader = NULL;

  if (ens_graph_is_output (graph, value))
    return NULL;
  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_inputs; j++) {
      if (node->inputs[j] != value)
        continue;
      if (reader != NULL)
        return NULL;
      reader = node;
    }
  }
  return reader;
}

gboolean
ens_graph_rewrite (EnsGraph *graph, EnsRewrite rewrite)
{
  guint n = graph->nodes->len;
  g_autofree EnsNode **nodes = g_memdup2 (graph->nodes->pdata, n * sizeof *nodes);
  gboolean progress = FALSE;

  for (guint i = 0; i < n; i++)
    progress = rewrite (graph, nodes[i]) || progress;
  return progress;
}

EnsNode *
ens_graph_insert_node (EnsGraph *graph, const EnsNode *before, const EnsNewNode *node)
{
  EnsNode *inserted = ens_graph_insert (graph, before, ens_op_find (node->op), node->params,
                                        node->inputs, node->n_inputs)
                          ->producer;

  if (node->name != NULL)
    ens_graph_rename_node (graph, inserted, node->name);
  return inserted;
}

void
ens_node_set_input (EnsNode *node, guint i, EnsValue *value)
{
  if (i >= node->n_inputs)
    ens_node_resize_inputs (node, i + 1);
  node->inputs[i] = value;
}

void
ens_graph_move_node (EnsGraph *graph, EnsNode *node, const EnsNode *before)
{
  guint from, to;

  g_ptr_array_find (graph->nodes, node, &from);
  g_ptr_array_steal_index (graph->nodes, from);
  g_ptr_array_find (graph->nodes, before, &to);
  g_ptr_array_insert (graph->nodes, to, node);
}

EnsValue *
ens_graph_add_vector (EnsGraph *graph, const char *name, const float *data, gint64 n)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (n), data);

  return ens_graph_add_constant (graph, name, tensor);
}

gboolean
ens_constant_as_channels (const EnsTensor *constant, guint rank, gint64 n_channels, float *channels)
{
  gint64 n = constant != NULL ? ens_shape_elements (&constant->shape) : 0;

  if (constant == NULL || constant->type != ENS_TYPE_FLOAT32 || constant->shape.rank > rank
      || (n != 1 && (n != n_channels || ens_shape_run (&constant->shape) != n)))
    return FALSE;
  for (gint64 i = 0; i < n_channels; i++)
    channels[i] = ((const float *)constant->data)[n == 1 ? 0 : i];
  return TRUE;
}

gboolean
ens_graph_infer_sample (EnsGraph *graph, const EnsShape *input_shapes, GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);

  if (!ens_infer_graph (sample, input_shapes, error))
    return FALSE;
  for (guint i = 0; i < graph->values->len; i++) {
    EnsValue *value = ens_graph_value (graph, i);

    if (value->producer == NULL)
      continue;
    value->type = ens_graph_value (sample, i)->type;
    value->shape = ens_graph_value (sample, i)->shape;
  }
  return TRUE;
}
