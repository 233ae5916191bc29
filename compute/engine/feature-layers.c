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

/* Whether the layer continues: all nodes that read the value belong to it. */
static gboolean
is_within_layer (const EnsGraph *graph, const EnsValue *value)
{
  gboolean any = FALSE;

  if (ens_graph_is_output (graph, value))
    return FALSE;
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_inputs; j++) {
      if (node->inputs[j] != value)
        continue;
      if (!continues_layer (node))
        return FALSE;
      any = TRUE;
    }
  }
  return any;
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
  GArray *layers;

  if (!ens_infer_graph (inferred, input_shapes, error))
    return NULL;
  distances = measure_distances (graph);
  layers = g_array_new (FALSE, FALSE, sizeof (EnsFeatureLayer));
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);
    const EnsValue *value = node->outputs[0];
    const EnsValue *at_size = ens_graph_value (inferred, value->index);
    EnsFeatureLayer layer = {
        .value = value, .shape = at_size->shape, .distance = distances[value->index]};

    if (layer.distance == G_MAXUINT || !ends_layer (graph, node)
        || !is_feature (at_size, input_shapes[0].dims[0]))
      continue;
    layer.channels = (guint)ens_shape_run (&at_size->shape);
    g_array_append_val (layers, layer);
  }
  return layers;
}
