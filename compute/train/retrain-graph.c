/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/fail.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "ops/registry.h"
#include "passes/label-layer.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "train/losses.h"
#include "train/retrain-private.h"

/* Where the file leaves the size open. */
#define USUAL_SIZE 224

void
ens_retrain_graph_clear (EnsRetrainGraph *graph)
{
  g_clear_pointer (&graph->network, ens_graph_free);
  g_clear_pointer (&graph->dense, ens_graph_free);
  g_clear_pointer (&graph->tail, ens_graph_free);
  g_free (graph->label_node);
  g_free (graph->output_name);
  g_free (graph->logits_name);
}

/* -- the network -- */

static gboolean
check_input (EnsRetrainGraph *graph, const EnsRetrainParams *params, GError **error)
{
  const EnsGraph *network = graph->network;
  const EnsValue *input = ens_graph_only_input (network);
  guint n_channels = ens_order_channels (params->normalise.order);
  g_autofree char *shape = NULL;

  if (input == NULL)
    return ens_fail (error, ENS_ERROR_SHAPE, params->network,
                     "expected one input of float32 images with %u channels, found %u inputs",
                     n_channels, network->inputs->len);
  shape = ens_shape_to_string (&input->shape);
  if (input->shape.rank != 4 || input->type != ENS_TYPE_FLOAT32
      || (input->shape.dims[3] >= 0 && input->shape.dims[3] != n_channels))
    return ens_fail (error, ENS_ERROR_SHAPE, params->network,
                     "expected one input of float32 images with %u channels, found “%s” %s %s",
                     n_channels, input->name, ens_type_name (input->type), shape);
  graph->n_channels = n_channels;
  if (graph->size == 0)
    graph->size = input->shape.dims[1] > 0 ? (guint)input->shape.dims[1] : USUAL_SIZE;
  return TRUE;
}

/* What a value passes on. */
static EnsValue *
skip_identities (EnsValue *value)
{
  while (ens_node_is (value->producer, "Identity"))
    value = value->producer->inputs[0];
  return value;
}

static gboolean
takes_size (const EnsRetrainGraph *graph, guint side)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph->dense);
  const EnsShape shape = ENS_SHAPE (1, side, side, graph->n_channels);

  return ens_infer_graph (sample, &shape, NULL);
}

/* By how many pixels larger images are tried: the stride of most networks. */
#define USUAL_STRIDE 32

/* Where nothing but its own size fits the network, as where it has a vector for each position, its
 * forms say so. */
static void
fix_size (EnsRetrainGraph *graph)
{
  EnsGraph *const forms[] = {graph->network, graph->dense};

  if (takes_size (graph, graph->size + USUAL_STRIDE) && takes_size (graph, USUAL_SIZE))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    EnsValue *input = g_ptr_array_index (forms[i]->inputs, 0);

    input->shape.dims[1] = input->shape.dims[2] = graph->size;
  }
}

static gboolean
import (EnsRetrainGraph *graph, const EnsRetrainParams *params, guint n_classes, GError **error)
{
  g_autofree float *bias = g_new0 (float, n_classes);
  const EnsLabelLayerParams labels = {n_classes, params->recipe.seed, bias};
  const EnsNode *layer;
  EnsShape nominal;
  EnsValue *input;

  graph->size = params->size;
  graph->network =
      ens_onnx_import (params->network, &(EnsOnnxOptions) {.nominal_size = graph->size}, error);
  if (graph->network == NULL || !check_input (graph, params, error))
    return FALSE;
  graph->output_name = g_strdup (((EnsValue *)graph->network->outputs->pdata[0])->name);
  nominal = ENS_SHAPE (1, graph->size, graph->size, graph->n_channels);
  layer = ens_label_layer_replace (graph->network, &labels, &nominal, error);
  if (layer == NULL)
    return FALSE;
  graph->label_node = g_strdup (layer->name);
  graph->logits_name = g_strdup (skip_identities (graph->network->outputs->pdata[0])->name);
  input = g_ptr_array_index (graph->network->inputs, 0);
  input->shape = ENS_SHAPE (-1, -1, -1, graph->n_channels);
  graph->dense = ens_graph_copy (graph->network);
  if (!ens_pass_convolutionalise (graph->dense, &nominal, error) && *error != NULL)
    return FALSE;
  fix_size (graph);
  return TRUE;
}

/* -- the loss -- */

static EnsValue *
add_sigmoid (EnsGraph *graph, const char *name, EnsValue *logits)
{
  return ens_graph_add_node (graph, &ens_op_sigmoid, name, NULL, &logits, 1, 1)->outputs[0];
}

/* Σ m (S (z) - y')² / Σ m */
static void
append_loss (EnsGraph *graph, const EnsShape *map)
{
  EnsValue *logits = g_ptr_array_index (graph->outputs, 0);
  EnsValue *targets = ens_graph_add_input (graph, "retrain/targets", ENS_TYPE_FLOAT32, map);
  EnsValue *weights = ens_graph_add_input (graph, "retrain/weights", ENS_TYPE_FLOAT32, map);
  EnsValue *y = add_sigmoid (graph, ENS_RETRAIN_PROBABILITIES, logits);
  EnsValue *loss = ens_loss_squared_error (graph, y, targets, weights);

  ens_graph_rename (graph, loss, ENS_RETRAIN_LOSS);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, loss);
  ens_graph_add_output (graph, y);
}

static gboolean
check_logits (const EnsRetrainGraph *graph, const EnsRetrainParams *params, guint n_classes,
              GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph->dense);
  const EnsShape input = ENS_SHAPE (1, graph->map.input, graph->map.input, graph->n_channels);
  const EnsShape *shape;
  g_autofree char *found = NULL;

  if (!ens_infer_graph (sample, &input, error))
    return FALSE;
  shape = &((const EnsValue *)g_ptr_array_index (sample->outputs, 0))->shape;
  if ((shape->rank == 2 || shape->rank == 4) && shape->dims[0] == 1
      && shape->dims[shape->rank - 1] == n_classes)
    return TRUE;
  found = ens_shape_to_string (shape);
  return ens_fail (error, ENS_ERROR_SHAPE, params->network,
                   "output “%s”: expected a vector or map of %u classes, found %s",
                   graph->output_name, n_classes, found);
}

gboolean
ens_retrain_graph_init (EnsRetrainGraph *graph, const EnsRetrainParams *params, guint n_classes,
                        GError **error)
{
  guint side;
  gboolean is_map;

  if (!import (graph, params, n_classes, error))
    return FALSE;
  side = params->sub_image_size > 0 ? params->sub_image_size : ens_sub_image_size (graph->size);
  if (side < graph->size)
    return ens_fail (error, ENS_ERROR_DATA, params->network,
                     "sub-images: expected a side of at least %u pixels, the network's size, found "
                     "%u",
                     graph->size, side);
  if (!ens_dense_map_find (graph->dense, graph->size, side, &graph->map, NULL))
    side = graph->size;
  if (!ens_dense_map_find (graph->dense, graph->size, side, &graph->map, error)
      || !check_logits (graph, params, n_classes, error))
    return FALSE;
  is_map = ((EnsValue *)graph->dense->outputs->pdata[0])->shape.rank == 4;
  graph->map_shape = is_map ? ENS_SHAPE (-1, graph->map.rows, graph->map.columns, n_classes)
                            : ENS_SHAPE (-1, n_classes);
  graph->input_shape = ENS_SHAPE (-1, side, side, graph->n_channels);
  append_loss (graph->dense, &graph->map_shape);
  return TRUE;
}

/* -- frozen layers -- */

/* The shape of a value of one sub-image. */
static gboolean
find_shape (const EnsRetrainGraph *graph, const char *name, EnsShape *shape, GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph->dense);
  EnsShape shapes[ENS_RETRAIN_N_INPUTS];
  const EnsValue *value;

  ens_retrain_graph_get_shapes (graph, 1, shapes);
  if (!ens_infer_graph (sample, shapes, error))
    return FALSE;
  value = ens_graph_find (sample, name);
  if (value == NULL)
    return ens_fail (
        error, ENS_ERROR_FORMAT, graph->network->name,
        "there is no value “%s” to freeze; gst-ensemble-1.0 inspect prints the layers' names",
        name);
  *shape = value->shape;
  return TRUE;
}

gboolean
ens_retrain_graph_cut (EnsRetrainGraph *graph, const char *name, GError **error)
{
  g_autoptr (EnsGraph) tail = ens_graph_copy (graph->dense);
  EnsValue *pixels = g_ptr_array_index (tail->inputs, ENS_RETRAIN_PIXELS), *features;
  EnsShape shape;

  if (!find_shape (graph, name, &shape, error))
    return FALSE;
  if (shape.rank == 0 || shape.dims[0] != 1)
    return TRUE;
  shape.dims[0] = -1;
  features = ens_graph_add_input (tail, "retrain/features", ENS_TYPE_FLOAT32, &shape);
  ens_graph_replace_uses (tail, ens_graph_find (tail, name), features);
  ens_graph_remove_unused (tail);
  if (ens_graph_is_read (tail, pixels))
    return TRUE;
  tail->inputs->pdata[ENS_RETRAIN_PIXELS] = features;
  g_ptr_array_set_size (tail->inputs, ENS_RETRAIN_N_INPUTS);
  graph->tail = g_steal_pointer (&tail);
  graph->input_shape = shape;
  return TRUE;
}

const EnsGraph *
ens_retrain_graph_get_trained (const EnsRetrainGraph *graph)
{
  return graph->tail != NULL ? graph->tail : graph->dense;
}

void
ens_retrain_graph_get_shapes (const EnsRetrainGraph *graph, guint batch,
                              EnsShape shapes[ENS_RETRAIN_N_INPUTS])
{
  shapes[ENS_RETRAIN_PIXELS] = graph->input_shape;
  shapes[ENS_RETRAIN_TARGETS] = shapes[ENS_RETRAIN_WEIGHTS] = graph->map_shape;
  for (guint i = 0; i < ENS_RETRAIN_N_INPUTS; i++)
    shapes[i].dims[0] = batch;
}

/* -- the result -- */

/* Whether a matrix's elements lie as those of the convolution that took its place. */
static gboolean
keeps_order (const EnsNode *node, const EnsParameter *parameter)
{
  const EnsGemmParams *params = node->params;

  if (node->op->kind != ENS_KIND_PRODUCT || parameter->shape.rank != 4)
    return TRUE;
  return ens_node_is (node, "Gemm") && params->trans_b && params->alpha == 1 && params->beta == 1
         && parameter->shape.dims[1] == 1 && parameter->shape.dims[2] == 1;
}

static gboolean
put_parameter (EnsGraph *network, const EnsParameter *parameter, const float *values)
{
  const EnsNode *node = g_hash_table_lookup (network->nodes_by_name, parameter->node);
  EnsValue *old = node != NULL ? ens_node_input (node, parameter->input) : NULL;
  g_autoptr (EnsTensor) tensor = NULL;

  if (old == NULL || old->constant == NULL || old->constant->type != ENS_TYPE_FLOAT32
      || ens_shape_elements (&old->constant->shape) != (gint64)parameter->size
      || !keeps_order (node, parameter))
    return FALSE;
  tensor =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &old->constant->shape, values + parameter->offset);
  return ens_graph_replace_uses (network, old, ens_graph_add_constant (network, old->name, tensor));
}

/* A copy of the network with the parameters as they are. NULL: its form does not take them.
 * (transfer full) */
static EnsGraph *
put_parameters (const EnsGraph *network, EnsStep *step)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (network);
  guint n_parameters;
  gsize n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n_parameters);
  const float *values = ens_step_get_values (step, &n);

  for (guint i = 0; i < n_parameters; i++)
    if (!put_parameter (copy, &parameters[i], values))
      return NULL;
  return g_steal_pointer (&copy);
}

/* The form that the file had, which takes inputs of any size if nothing but averages and 1×1
 * convolutions came into the place of fully connected layers; else the convolutional form without
 * the loss. (transfer full) */
static EnsGraph *
restore_network (const EnsRetrainGraph *graph, EnsStep *step)
{
  EnsGraph *network = put_parameters (graph->network, step);

  if (network != NULL)
    return network;
  network = put_parameters (graph->dense, step);
  g_ptr_array_set_size (network->inputs, 1);
  ens_graph_add_output (network,
                        ens_graph_find (network, ENS_RETRAIN_PROBABILITIES)->producer->inputs[0]);
  g_ptr_array_remove_range (network->outputs, 0, 2);
  return network;
}

/* Probabilities take the name of the file's output, unless that gave logits, which keep it. */
static void
append_sigmoid (const EnsRetrainGraph *graph, EnsGraph *network)
{
  EnsValue *output = g_ptr_array_index (network->outputs, 0), *logits = skip_identities (output);
  g_autofree char *old_name = g_strconcat (graph->output_name, ":logits", NULL);
  gboolean gave_logits = strcmp (graph->logits_name, graph->output_name) == 0;
  EnsValue *y;

  if (!gave_logits) {
    ens_graph_rename (network, output, old_name);
    ens_graph_rename_node (network, output->producer, old_name);
    ens_graph_rename (network, logits, graph->logits_name);
  }
  y = add_sigmoid (network, gave_logits ? "probabilities" : graph->output_name, logits);
  g_ptr_array_set_size (network->outputs, 0);
  ens_graph_add_output (network, y);
}

gboolean
ens_retrain_graph_export (const EnsRetrainGraph *graph, EnsStep *step,
                          const EnsRetrainParams *params, const char *const *classes,
                          GError **error)
{
  g_autoptr (EnsGraph) network = restore_network (graph, step);

  append_sigmoid (graph, network);
  ens_graph_remove_unused (network);
  return ens_recipe_export (&params->recipe, network, classes, error);
}
