/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/feature-layers.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* Whether its output is its input in another shape or order. */
static gboolean
is_rewriting (const EnsNode *node)
{
  return node->op->kind == ENS_KIND_VIEW || node->op->kind == ENS_KIND_TRANSPOSE;
}

/* Belongs to the layer that computes its input. */
static gboolean
continues_layer (const EnsNode *node)
{
  EnsFusedActivation activation;

  return ens_node_is (node, "BatchNormalization") || ens_node_as_activation (node, &activation);
}

gboolean
ens_node_is_label_function (const EnsGraph *graph, const EnsNode *node)
{
  return node->op->kind == ENS_KIND_SOFTMAX
         || (ens_node_is (node, "Sigmoid") && ens_graph_is_output (graph, node->outputs[0]));
}

/* Whether the layer continues. A value that several nodes read is one to go on from, as the sum
 * that a block of normalisation before convolution and its shortcut begin with. */
static gboolean
is_within_layer (const EnsGraph *graph, const EnsValue *value)
{
  const EnsNode *reader = ens_graph_only_reader (graph, value);

  return reader != NULL && continues_layer (reader) && !ens_node_is_label_function (graph, reader);
}

/* Whether the node's output is the result of a layer. */
static gboolean
ends_layer (const EnsGraph *graph, const EnsNode *node)
{
  return !is_rewriting (node) && !is_within_layer (graph, node->outputs[0]);
}

/* Layers from each value to the nearest output, by value index; G_MAXUINT: none is reached. */
static guint *
measure_distances (const EnsGraph *graph)
{
  guint *distances = g_new (guint, graph->values->len);

  for (guint i = 0; i < graph->values->len; i++)
    distances[i] = ens_graph_is_output (graph, ens_graph_value (graph, i)) ? 0 : G_MAXUINT;
  for (guint i = graph->nodes->len; i-- > 0;) {
    const EnsNode *node = ens_graph_node (graph, i);
    guint distance = G_MAXUINT;

    for (guint j = 0; j < node->n_outputs; j++)
      distance = MIN (distance, distances[node->outputs[j]->index]);
    if (distance == G_MAXUINT)
      continue;
    if (ends_layer (graph, node))
      distance++;
    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] != NULL)
        distances[node->inputs[j]->index] = MIN (distances[node->inputs[j]->index], distance);
  }
  return distances;
}

/* By value index: the last node that reads it, the number of nodes for an output; 0 if none does.
 */
static guint *
find_last_readers (const EnsGraph *graph)
{
  guint *last = g_new0 (guint, graph->values->len);

  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] != NULL)
        last[node->inputs[j]->index] = i;
  }
  for (guint i = 0; i < graph->outputs->len; i++)
    last[((const EnsValue *)g_ptr_array_index (graph->outputs, i))->index] = graph->nodes->len;
  return last;
}

/* Whether the value is of the pictures, rather than of shapes or constants. */
static gboolean
carries_pictures (const EnsValue *value, const gboolean *depends)
{
  return depends[value->index] && value->type == ENS_TYPE_FLOAT32;
}

/* By value index: whether nothing else that was computed before it is read behind it. Nodes are in
 * an order of computation, so that a path around a value has one of its values waiting when that is
 * computed. */
static gboolean *
find_passages (const EnsGraph *graph)
{
  g_autofree guint *last = find_last_readers (graph);
  g_autofree gboolean *depends = g_new0 (gboolean, graph->values->len);
  gboolean *passages = g_new0 (gboolean, graph->values->len);
  g_autoptr (GHashTable) waiting = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < graph->inputs->len; i++) {
    depends[((EnsValue *)graph->inputs->pdata[i])->index] = TRUE;
    g_hash_table_add (waiting, graph->inputs->pdata[i]);
  }
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);
    gboolean any = FALSE;

    for (guint j = 0; j < node->n_inputs; j++) {
      any = any || (node->inputs[j] != NULL && depends[node->inputs[j]->index]);
      if (node->inputs[j] != NULL && last[node->inputs[j]->index] == i)
        g_hash_table_remove (waiting, node->inputs[j]);
    }
    for (guint j = 0; j < node->n_outputs; j++) {
      depends[node->outputs[j]->index] = any;
      if (last[node->outputs[j]->index] > i && carries_pictures (node->outputs[j], depends))
        g_hash_table_add (waiting, node->outputs[j]);
    }
    passages[node->outputs[0]->index] =
        g_hash_table_size (waiting) == 1 && g_hash_table_contains (waiting, node->outputs[0]);
  }
  return passages;
}

/* Maps and vectors for each image of the batch. */
static gboolean
is_feature (const EnsValue *inferred, gint64 batch)
{
  return inferred->type == ENS_TYPE_FLOAT32 && inferred->constant == NULL
         && (inferred->shape.rank == 2 || inferred->shape.rank == 4)
         && inferred->shape.dims[0] == batch;
}

GArray *
ens_graph_list_feature_layers (const EnsGraph *graph, const EnsShape *input_shapes, GError **error)
{
  g_autoptr (EnsGraph) inferred = ens_graph_copy (graph);
  g_autofree guint *distances = NULL;
  g_autofree gboolean *passages = NULL;
  GArray *layers;

  if (!ens_infer_graph (inferred, input_shapes, error))
    return NULL;
  ens_graph_begin_edit (inferred);
  distances = measure_distances (inferred);
  passages = find_passages (graph);
  layers = g_array_new (FALSE, FALSE, sizeof (EnsFeatureLayer));
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);
    const EnsValue *value = node->outputs[0];
    const EnsValue *at_size = ens_graph_value (inferred, value->index);
    EnsFeatureLayer layer = {.value = value,
                             .shape = at_size->shape,
                             .distance = distances[value->index],
                             .is_bypassed = !passages[value->index]};

    /* What sorts out scores gives each picture's in another order. */
    if (layer.distance == G_MAXUINT || ens_node_is (node, "TopK")
        || !ends_layer (inferred, ens_graph_node (inferred, i))
        || !is_feature (at_size, input_shapes[0].dims[0]))
      continue;
    layer.channels = (guint)ens_shape_run (&at_size->shape);
    g_array_append_val (layers, layer);
  }
  ens_graph_end_edit (inferred);
  return layers;
}
