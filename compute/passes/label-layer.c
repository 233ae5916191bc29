/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/label-layer.h"

#include <string.h>

#include "base/fail.h"
#include "base/random.h"
#include "ops/params.h"
#include "passes/linear.h"
#include "passes/rewrite.h"

/* What a node does between the label layer and the output. */
typedef enum {
  LINK_LAYER,   /* it is the layer */
  LINK_KEPT,    /* its output's classes are its input's */
  LINK_RESHAPE, /* the same, to a shape that may count classes */
  LINK_DROPPED, /* changes the values class by class, or beside each other */
  LINK_UNKNOWN,
} Link;

/* The only input that is not constant; NULL: there are more, or none. */
static EnsValue *
find_data (const EnsNode *node)
{
  EnsValue *data = NULL;

  for (guint i = 0; i < node->n_inputs; i++) {
    if (node->inputs[i] == NULL || node->inputs[i]->constant != NULL)
      continue;
    if (data != NULL)
      return NULL;
    data = node->inputs[i];
  }
  return data;
}

static Link
classify (const EnsNode *node)
{
  EnsFusedActivation activation;
  EnsOpKind kind = node->op->kind;

  if (ens_node_is (node, "Conv") || kind == ENS_KIND_PRODUCT)
    return ens_node_constant (node, 1) != NULL ? LINK_LAYER : LINK_UNKNOWN;
  if (find_data (node) == NULL)
    return LINK_UNKNOWN;
  if (ens_node_is (node, "Reshape"))
    return LINK_RESHAPE;
  if (kind == ENS_KIND_POOL || kind == ENS_KIND_GLOBAL_POOL || kind == ENS_KIND_VIEW
      || kind == ENS_KIND_TRANSPOSE || ens_node_is (node, "ReduceMean"))
    return LINK_KEPT;
  return kind == ENS_KIND_SOFTMAX || ens_kind_is_arithmetic (kind)
                 || ens_node_as_activation (node, &activation)
             ? LINK_DROPPED
             : LINK_UNKNOWN;
}

EnsNode *
ens_label_layer_find (const EnsGraph *graph, GError **error)
{
  EnsValue *value = g_ptr_array_index (graph->outputs, 0);
  EnsNode *node;

  while ((node = value->producer) != NULL) {
    Link link = classify (node);

    if (link == LINK_LAYER)
      return node;
    if (link == LINK_UNKNOWN) {
      ens_fail (error, ENS_ERROR_UNSUPPORTED, graph->name,
                "node “%s” (%s) stands between the label layer and the output; expected pooling, "
                "flattening, dropout, softmax, an activation, or arithmetic with a constant",
                node->name, node->op->name);
      return NULL;
    }
    value = find_data (node);
  }
  ens_fail (error, ENS_ERROR_UNSUPPORTED, graph->name,
            "has no layer with constant weights (Conv, Gemm or MatMul) that gives its output “%s”",
            ((const EnsValue *)g_ptr_array_index (graph->outputs, 0))->name);
  return NULL;
}

/* -- other classes -- */

/* The node stays, so that both its values keep their names. */
static void
make_identity (EnsNode *node)
{
  node->inputs[0] = find_data (node);
  node->op = ens_op_find ("Identity");
  g_clear_pointer (&node->params, g_free);
  ens_node_resize_inputs (node, 1);
}

/* A shape that counts the old classes counts the new ones. */
static void
resize_shape (EnsGraph *graph, EnsNode *node, gint64 old, gint64 new)
{
  const EnsTensor *shape = ens_node_constant (node, 1);
  g_autoptr (EnsTensor) resized = NULL;
  gint64 *dims;

  if (shape == NULL || shape->type != ENS_TYPE_INT64)
    return;
  resized = ens_tensor_new_copy (ENS_TYPE_INT64, &shape->shape, shape->data);
  dims = resized->data;
  for (gint64 i = 0; i < ens_shape_elements (&shape->shape); i++)
    if (dims[i] == old)
      dims[i] = new;
  ens_node_set_input (graph, node, 1, ens_graph_add_constant (graph, NULL, resized));
}

/* Sets the layer's weights. */
static gboolean
clear_layer (EnsGraph *graph, EnsNode *node, const EnsLabelLayerParams *params, GError **error)
{
  g_autoptr (EnsLinear) linear = ens_linear_read (node);
  gsize n;
  EnsRandom random;

  if (linear == NULL || linear->n_inputs != linear->group_inputs)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, graph->name,
                     "node “%s” (%s): expected a label layer with constant float32 weights and "
                     "without groups",
                     node->name, node->op->name);
  n = (gsize)(params->n_classes * linear->n_taps * linear->n_inputs);
  linear->n_outputs = linear->shape.dims[0] = params->n_classes;
  linear->weights = g_renew (float, linear->weights, n);
  g_free (linear->bias);
  linear->bias = g_memdup2 (params->bias, params->n_classes * sizeof *params->bias);
  ens_random_init (&random, &(EnsRandomStream) {params->seed, ENS_RANDOM_WEIGHTS, 0, 0});
  for (gsize i = 0; i < n; i++)
    linear->weights[i] = (float)(ENS_LABEL_LAYER_DEVIATION * ens_random_normal (&random));
  ens_linear_write (linear, graph, node);
  return TRUE;
}

EnsNode *
ens_label_layer_replace (EnsGraph *graph, const EnsLabelLayerParams *params,
                         const EnsShape *nominal, GError **error)
{
  EnsNode *layer = ens_label_layer_find (graph, error);
  EnsValue *output = g_ptr_array_index (graph->outputs, 0);
  gint64 n_old;

  if (layer == NULL)
    return NULL;
  n_old = ens_shape_run (&layer->outputs[0]->shape);
  if (!clear_layer (graph, layer, params, error))
    return NULL;
  for (EnsNode *node = output->producer; node != layer; node = find_data (node)->producer) {
    Link link = classify (node);

    if (link == LINK_RESHAPE)
      resize_shape (graph, node, n_old, params->n_classes);
    else if (link == LINK_DROPPED)
      make_identity (node);
  }
  g_ptr_array_set_size (graph->outputs, 1);
  ens_graph_remove_unused (graph);
  return ens_graph_infer_sample (graph, nominal, error) ? layer : NULL;
}
