/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "networks/fused.h"

#include <math.h>

#include "base/fail.h"
#include "engine/feature-layers.h"
#include "graph/infer.h"
#include "ops/registry.h"
#include "passes/label-layer.h"

#define FUSION "fusion"

const char *const ens_fused_kind_names[] = {"convolve", "concat", NULL};

/* -- the backbone -- */

static gboolean
check_backbone (const EnsFusedParams *params, GError **error)
{
  const EnsValue *input = ens_graph_only_input (params->backbone);
  g_autofree char *shape = NULL;

  if (input == NULL)
    return ens_fail (error, ENS_ERROR_SHAPE, params->backbone->name,
                     "expected one input of float32 images with 3 channels, found %u inputs",
                     params->backbone->inputs->len);
  shape = ens_shape_to_string (&input->shape);
  return (input->shape.rank == 4 && input->type == ENS_TYPE_FLOAT32
          && ens_order_channels (params->backbone_pixels.order) == 3
          && (input->shape.dims[3] < 0 || input->shape.dims[3] == 3))
         || ens_fail (error, ENS_ERROR_SHAPE, params->backbone->name,
                      "expected one input of float32 images with 3 channels, found “%s” %s",
                      input->name, shape);
}

/* Where a node stands; the number of nodes if it is none of the graph's. */
static guint
find_position (const EnsGraph *graph, const EnsNode *node)
{
  guint position = 0;

  if (!g_ptr_array_find (graph->nodes, node, &position))
    return graph->nodes->len;
  return position;
}

char *
ens_fused_find_tap (const EnsGraph *backbone, guint size, GError **error)
{
  g_autoptr (EnsGraph) shaped = ens_graph_copy (backbone);
  const EnsNode *labels = ens_label_layer_find (shaped, error);
  const EnsShape shape = ENS_SHAPE (1, size, size, 3);
  g_autoptr (GArray) layers = NULL;
  guint end;

  if (labels == NULL)
    return NULL;
  end = find_position (shaped, labels);
  layers = ens_graph_list_feature_layers (shaped, &shape, error);
  for (guint i = layers != NULL ? layers->len : 0; i-- > 0;) {
    const EnsFeatureLayer *layer = &g_array_index (layers, EnsFeatureLayer, i);

    if (layer->shape.rank == 4 && layer->shape.dims[1] * layer->shape.dims[2] > 1
        && find_position (shaped, layer->value->producer) < end)
      return g_strdup (layer->value->name);
  }
  if (layers != NULL)
    ens_fail (error, ENS_ERROR_UNSUPPORTED, backbone->name,
              "has no map of several positions in front of its label layer “%s”; name one",
              labels->name);
  return NULL;
}

/* The backbone up to its map, for pictures of any size. (transfer full) */
static EnsGraph *
cut_backbone (const EnsFusedParams *params, EnsMap *map, EnsShape *shape, GError **error)
{
  g_autofree char *tap = params->tap != NULL
                             ? g_strdup (params->tap)
                             : ens_fused_find_tap (params->backbone, params->size, error);
  g_autoptr (EnsGraph) graph = ens_graph_copy (params->backbone), shaped = NULL;
  EnsValue *input = ens_graph_only_input (graph);

  if (tap == NULL)
    return NULL;
  map->value = ens_graph_find (graph, tap);
  if (map->value == NULL) {
    ens_fail (error, ENS_ERROR_FORMAT, graph->name, "there is no value “%s”", tap);
    return NULL;
  }
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, map->value);
  ens_graph_remove_unused (graph);
  input->shape = ENS_SHAPE (-1, -1, -1, 3);
  shaped = ens_graph_copy (graph);
  if (!ens_infer_graph (shaped, &ENS_SHAPE (1, params->size, params->size, 3), error))
    return NULL;
  *shape = ((EnsValue *)g_ptr_array_index (shaped->outputs, 0))->shape;
  if (shape->rank != 4) {
    g_autofree char *found = ens_shape_to_string (shape);

    ens_fail (error, ENS_ERROR_SHAPE, graph->name, "value “%s”: expected a map, found %s", tap,
              found);
    return NULL;
  }
  map->channels = (guint)shape->dims[3];
  return g_steal_pointer (&graph);
}

/* -- the contour branch -- */

static EnsValue *
add_row (EnsGraph *graph, const char *name, const float values[3])
{
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 1, 1, 3), values);

  return ens_graph_add_constant (graph, name, tensor);
}

static EnsValue *
reverse_channels (EnsLayers *layers, EnsValue *pixels)
{
  const EnsSliceParams params = {
      .starts = {.n = 1, .present = TRUE, .values = {-1}},
      .ends = {.n = 1, .present = TRUE, .values = {G_MININT32}},
      .axes = {.n = 1, .present = TRUE, .values = {3}},
      .steps = {.n = 1, .present = TRUE, .values = {-1}},
  };

  return ens_graph_add_node (layers->graph, &ens_op_slice, ENS_FUSED_CONTOUR "/order", &params,
                             &pixels, 1, 1)
      ->outputs[0];
}

/* From the backbone's normalisation to the contour network's: with (p − m) s = x, what it takes is
 * (p − M) S = x S/s + (m − M) S. */
static EnsValue *
append_pixels (EnsLayers *layers, const EnsFusedParams *params, EnsValue *pixels)
{
  const EnsNormalise *from = &params->backbone_pixels, *to = &params->contour_pixels;
  const gboolean reversed = from->order != to->order;
  float scale[3], shift[3];
  EnsMap x = {pixels, 3};

  if (reversed)
    x.value = reverse_channels (layers, pixels);
  for (guint c = 0; c < 3; c++) {
    guint k = reversed ? 2 - c : c;

    scale[c] = to->scale[c] / from->scale[k];
    shift[c] = (from->mean[k] - to->mean[c]) * to->scale[c];
  }
  x = ens_layers_combine (layers, ENS_FUSED_CONTOUR "/scaled", &ens_op_mul, x,
                          (EnsMap) {add_row (layers->graph, ENS_FUSED_CONTOUR "/scale", scale), 3});
  x = ens_layers_combine (layers, ENS_FUSED_CONTOUR "/pixels", &ens_op_add, x,
                          (EnsMap) {add_row (layers->graph, ENS_FUSED_CONTOUR "/shift", shift), 3});
  return x.value;
}

/* Pixels between positions of the map, as a power of two: level i of the contour network has a
 * position every 2^i. */
static guint
find_stride (const EnsFusedParams *params, const EnsShape *map)
{
  double stride = (double)params->size / (double)MAX (map->dims[1], map->dims[2]);

  return 1u << (guint)lrint (log2 (MAX (stride, 1)));
}

/* The trained network with its feature as large as a map. Inputs: pixels and the map. (transfer
 * full) */
static EnsGraph *
build_branch (const EnsFusedParams *params, const EnsShape *map, GError **error)
{
  g_autoptr (EnsGraph) branch = ens_graph_new (params->contour->name);
  EnsLayers layers = {branch};
  EnsContourParams contour;
  EnsContourSize size = {.stride = find_stride (params, map)};
  EnsValue *pixels =
      ens_graph_add_input (branch, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));

  if (!ens_contour_find_params (params->contour, &contour, error))
    return NULL;
  size.like =
      ens_graph_add_input (branch, "map", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, map->dims[3]));
  ens_graph_add_output (branch, ens_contour_append (&layers, pixels, &contour, &size).value);
  return ens_contour_take_weights (branch, params->contour, error) ? g_steal_pointer (&branch)
                                                                   : NULL;
}

static gboolean
append_branch (EnsLayers *layers, const EnsFusedParams *params, const EnsMap *map,
               const EnsShape *shape, EnsMap *feature, GError **error)
{
  g_autoptr (EnsGraph) branch = build_branch (params, shape, error);
  g_autoptr (GPtrArray) values = NULL;
  EnsContourParams contour;
  EnsValue *bindings[2];

  if (branch == NULL || !ens_contour_find_params (params->contour, &contour, error))
    return FALSE;
  bindings[0] = append_pixels (layers, params, layers->graph->inputs->pdata[0]);
  bindings[1] = map->value;
  values = ens_graph_embed (layers->graph, branch, ENS_FUSED_CONTOUR, bindings);
  feature->value = values->pdata[((EnsValue *)branch->outputs->pdata[0])->index];
  feature->channels = contour.n_levels * contour.n_unified;
  return TRUE;
}

/* -- the head -- */

static EnsMap
silence (EnsLayers *layers, EnsMap feature)
{
  g_autoptr (EnsTensor) zero = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR);

  *(float *)zero->data = 0;
  return ens_layers_combine (
      layers, ENS_FUSED_CONTOUR "/silent", &ens_op_mul, feature,
      (EnsMap) {ens_graph_add_constant (layers->graph, ENS_FUSED_CONTOUR "/zero", zero), 1});
}

static EnsMap
append_fusion (EnsLayers *layers, const EnsFusedParams *params, const EnsMap maps[2])
{
  EnsMap x = ens_layers_concat (layers, FUSION, maps, 2);

  for (guint i = 0; params->kind == ENS_FUSED_CONVOLVE && i < params->n_layers; i++) {
    const EnsConvLayer conv = {.filters = params->filters, .kernel = 3};
    g_autofree char *name = g_strdup_printf (FUSION "%u", i + 1);
    g_autofree char *layer = g_strconcat (name, "/conv", NULL);
    g_autofree char *norm = g_strconcat (name, "/norm", NULL);

    x = ens_layers_batch_norm (layers, norm, ens_layers_conv (layers, layer, x, &conv));
    x = ens_layers_activate (layers, name, &ens_op_relu, 0, x);
  }
  return x;
}

static EnsMap
append_labels (EnsLayers *layers, const EnsFusedParams *params, EnsMap x)
{
  const EnsDropoutParams dropout = {.ratio = (float)params->dropout};

  x = ens_layers_average (layers, "pooled", x);
  if (params->dropout > 0)
    x.value =
        ens_graph_add_node (layers->graph, &ens_op_dropout, "dropout", &dropout, &x.value, 1, 1)
            ->outputs[0];
  return ens_layers_fully_connected (layers, ENS_FUSED_LOGITS, x, params->n_classes);
}

const EnsValue *
ens_fused_get_tap (const EnsGraph *graph)
{
  return ens_graph_find (graph, FUSION)->producer->inputs[0];
}

char *
ens_fused_name_map (const EnsFusedParams *params)
{
  return params->kind == ENS_FUSED_CONVOLVE && params->n_layers > 0
             ? g_strdup_printf (FUSION "%u", params->n_layers)
             : g_strdup (FUSION);
}

EnsGraph *
ens_fused_new (const EnsFusedParams *params, GError **error)
{
  g_autoptr (EnsGraph) graph = NULL;
  EnsMap maps[2]; /* the backbone's and the contour network's */
  EnsLayers layers = {.seed = params->seed};
  EnsShape shape;

  if (!check_backbone (params, error))
    return NULL;
  layers.graph = graph = cut_backbone (params, &maps[0], &shape, error);
  if (graph == NULL || !append_branch (&layers, params, &maps[0], &shape, &maps[1], error))
    return NULL;
  if (params->without_contour)
    maps[1] = silence (&layers, maps[1]);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (
      graph, append_labels (&layers, params, append_fusion (&layers, params, maps)).value);
  return g_steal_pointer (&graph);
}
