/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "networks/contour.h"

#include <string.h>

#include "base/fail.h"
#include "graph/op.h"
#include "ops/registry.h"

#define GROWTH 16 /* channels that each convolution of a dense module adds */
#define SQUEEZE 4

gboolean
ens_contour_check (const EnsContourParams *params, GError **error)
{
  const char *where = "contour network";

  if (params->n_levels < 1 || params->n_levels > ENS_CONTOUR_MAX_LEVELS)
    return ens_fail (error, ENS_ERROR_SHAPE, where, "expected 1 to %u levels, found %u",
                     ENS_CONTOUR_MAX_LEVELS, params->n_levels);
  if (params->n_unified < 1)
    return ens_fail (error, ENS_ERROR_SHAPE, where,
                     "expected at least 1 channel of each level in the feature, found 0");
  for (guint i = 0; i < params->n_levels; i++)
    if (params->channels[i] < SQUEEZE)
      return ens_fail (error, ENS_ERROR_SHAPE, where,
                       "level %u: expected at least %u channels, found %u", i + 1, SQUEEZE,
                       params->channels[i]);
  return TRUE;
}

/* -- levels -- */

/* A convolution and its batch normalisation, called LEVEL/PART and LEVEL/PART/norm. */
static EnsMap
convolve (EnsLayers *layers, const char *level, const char *part, EnsMap input,
          const EnsConvLayer *conv)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", level, part);
  g_autofree char *norm = g_strdup_printf ("%s/norm", name);

  return ens_layers_batch_norm (layers, norm, ens_layers_conv (layers, name, input, conv));
}

static EnsMap
rectify (EnsLayers *layers, EnsMap input)
{
  g_autofree char *name = g_strdup_printf ("%s/relu", input.value->name);

  return ens_layers_activate (layers, name, &ens_op_relu, 0, input);
}

static EnsMap
append_branch (EnsLayers *layers, const char *level, EnsMap x)
{
  const EnsConvLayer conv = {.filters = x.channels, .kernel = 3};
  EnsMap y = rectify (layers, convolve (layers, level, "conv1", x, &conv));

  return convolve (layers, level, "conv2", y, &conv);
}

/* The branch, each channel times a number in (0, 1) that depends on the averages of all. */
static EnsMap
append_gate (EnsLayers *layers, const char *level, EnsMap branch)
{
  const EnsConvLayer squeeze = {branch.channels / SQUEEZE, .kernel = 1, .bias = TRUE};
  const EnsConvLayer excite = {branch.channels, .kernel = 1, .bias = TRUE};
  g_autofree char *first = g_strdup_printf ("%s/squeeze", level);
  g_autofree char *second = g_strdup_printf ("%s/excite", level);
  EnsMap gate = ens_layers_activate (layers, NULL, &ens_op_global_average_pool, 0, branch);

  gate = rectify (layers, ens_layers_conv (layers, first, gate, &squeeze));
  gate = ens_layers_conv (layers, second, gate, &excite);
  gate = ens_layers_activate (layers, NULL, &ens_op_sigmoid, 0, gate);
  return ens_layers_combine (layers, NULL, &ens_op_mul, branch, gate);
}

static EnsMap
append_dense (EnsLayers *layers, const char *level, EnsMap x)
{
  const EnsConvLayer grow = {GROWTH, .kernel = 3}, join = {x.channels, .kernel = 1};
  EnsMap maps[3] = {x}, all = x;

  for (guint i = 1; i < G_N_ELEMENTS (maps); i++) {
    g_autofree char *part = g_strdup_printf ("conv%u", i);

    maps[i] = rectify (layers, convolve (layers, level, part, all, &grow));
    all = ens_layers_concat (layers, NULL, maps, i + 1);
  }
  return convolve (layers, level, "join", all, &join);
}

static EnsMap
append_module (EnsLayers *layers, const char *level, EnsContourModule module, EnsMap x)
{
  EnsMap branch;

  if (module == ENS_CONTOUR_DENSENET)
    return append_dense (layers, level, x);
  branch = append_branch (layers, level, x);
  if (module == ENS_CONTOUR_SENET)
    branch = append_gate (layers, level, branch);
  return ens_layers_combine (layers, NULL, &ens_op_add, branch, x);
}

static EnsMap
append_level (EnsLayers *layers, const EnsContourParams *params, guint i, EnsMap x)
{
  const EnsConvLayer conv = {params->channels[i], .kernel = 3, .stride = i > 0 ? 2 : 1};
  g_autofree char *name = g_strdup_printf ("level%u", i + 1);

  x = rectify (layers, convolve (layers, name, "conv", x, &conv));
  x = append_module (layers, name, params->module, x);
  return ens_layers_activate (layers, name, &ens_op_relu, 0, x);
}

/* -- unifying layers -- */

/* The common size as it is found when the network runs. */
typedef struct {
  EnsValue *sides;   /* height and width, int64 */
  guint stride;      /* of the picture */
  gboolean is_first; /* it is level 1's */
} Size;

static Size
find_size (EnsLayers *layers, EnsValue *level1, const EnsContourSize *size)
{
  const EnsTransposeParams first = {{.n = 4, .present = TRUE, .values = {0, 3, 1, 2}}};
  EnsValue *like = size != NULL ? size->like : level1;

  like = ens_graph_apply (layers->graph, &ens_op_transpose, &first, like, NULL);
  return (Size) {
      ens_graph_apply (layers->graph, &ens_op_shape, &(EnsShapeParams) {2, 4}, like, NULL),
      size != NULL ? size->stride : 1, size == NULL};
}

static EnsMap
average (EnsLayers *layers, EnsMap x, guint factor)
{
  EnsPoolParams params = {.sliding = ENS_SLIDING_DEFAULT};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    params.sliding.kernel[i] = params.sliding.strides[i] = factor;
  x.value = ens_graph_apply (layers->graph, &ens_op_average_pool, &params, x.value, NULL);
  return x;
}

static EnsMap
resize (EnsLayers *layers, const char *name, EnsMap x, const Size *size, EnsResizeMode mode)
{
  const EnsResizeParams params = {.mode = mode,
                                  .coordinates = ENS_RESIZE_HALF_PIXEL,
                                  .cubic_a = -0.75f,
                                  .axes = {.n = 2, .present = TRUE, .values = {2, 3}}};
  EnsValue *inputs[] = {x.value, NULL, NULL, size->sides};

  return (EnsMap) {
      ens_graph_add_node (layers->graph, &ens_op_resize, name, &params, inputs, 4, 1)->outputs[0],
      x.channels};
}

/* Weights of linear interpolation: Long, Shelhamer and Darrell, "Fully Convolutional Networks for
 * Semantic Segmentation", CVPR 2015. (transfer full) */
static EnsTensor *
make_interpolation (guint channels, guint factor)
{
  guint width = 2 * factor;
  EnsTensor *tensor = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (channels, width, width, 1));
  float *weights = tensor->data;

  for (guint c = 0; c < channels; c++)
    for (guint y = 0; y < width; y++)
      for (guint x = 0; x < width; x++, weights++) {
        double far_y = ABS (y + 0.5 - factor) / factor, far_x = ABS (x + 0.5 - factor) / factor;

        *weights = (float)((1 - far_y) * (1 - far_x));
      }
  return tensor;
}

/* n elements become n · factor. */
static EnsMap
enlarge (EnsLayers *layers, const char *level, EnsMap x, guint factor)
{
  EnsConvTransposeParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = x.channels};
  g_autofree char *name = g_strdup_printf ("%s/enlarge", level);
  g_autofree char *weights = g_strdup_printf ("%s.weight", name);
  g_autoptr (EnsTensor) tensor = make_interpolation (x.channels, factor);
  EnsValue *inputs[] = {x.value, ens_graph_add_constant (layers->graph, weights, tensor)};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = 2 * factor;
    params.sliding.strides[i] = factor;
    params.sliding.pads_begin[i] = factor / 2;
    params.sliding.pads_end[i] = factor / 2;
  }
  x.value = ens_graph_add_node (layers->graph, &ens_op_conv_transpose, name, &params, inputs, 2, 1)
                ->outputs[0];
  return x;
}

/* The upper left part. */
static EnsMap
crop (EnsLayers *layers, const char *name, EnsMap x, const Size *size)
{
  const EnsSliceParams params = {.starts = {.n = 2, .present = TRUE},
                                 .axes = {.n = 2, .present = TRUE, .values = {1, 2}}};
  EnsValue *inputs[] = {x.value, NULL, size->sides};

  return (EnsMap) {
      ens_graph_add_node (layers->graph, &ens_op_slice, name, &params, inputs, 3, 1)->outputs[0],
      x.channels};
}

static EnsMap
unify (EnsLayers *layers, const EnsContourParams *params, guint i, EnsMap x, const Size *size)
{
  const EnsConvLayer conv = {params->n_unified, .kernel = 1, .bias = TRUE};
  g_autofree char *level = g_strdup_printf ("level%u", i + 1);
  g_autofree char *reduce = g_strdup_printf ("%s/unify", level);
  g_autofree char *name = g_strdup_printf ("unified%u", i + 1);
  guint stride = 1 << i;
  EnsContourUnify how = params->unify[i];

  x = ens_layers_conv (layers, reduce, x, &conv);
  if (size->is_first && i == 0) {
    ens_graph_rename (layers->graph, x.value, name);
    return x;
  }
  if (how == ENS_CONTOUR_TRANSPOSED && stride > size->stride) {
    x = enlarge (layers, level, x, stride);
    if (size->is_first)
      return crop (layers, name, x, size);
    stride = 1;
  }
  if (stride < size->stride)
    x = average (layers, x, size->stride / stride);
  return resize (layers, name, x, size,
                 how == ENS_CONTOUR_NEAREST ? ENS_RESIZE_NEAREST : ENS_RESIZE_LINEAR);
}

/* -- the network -- */

EnsMap
ens_contour_append (EnsLayers *layers, EnsValue *pictures, const EnsContourParams *params,
                    const EnsContourSize *size)
{
  EnsMap levels[ENS_CONTOUR_MAX_LEVELS], unified[ENS_CONTOUR_MAX_LEVELS], x = {pictures, 3};
  Size common;

  for (guint i = 0; i < params->n_levels; i++)
    levels[i] = x = append_level (layers, params, i, x);
  common = find_size (layers, levels[0].value, size);
  for (guint i = 0; i < params->n_levels; i++)
    unified[i] = unify (layers, params, i, levels[i], &common);
  return ens_layers_concat (layers, "feature", unified, params->n_levels);
}

EnsGraph *
ens_contour_new (const EnsContourParams *params, GError **error)
{
  const EnsConvLayer head = {.filters = 1, .kernel = 1, .bias = TRUE};
  g_autoptr (EnsGraph) graph = NULL;
  EnsLayers layers;
  EnsMap x;

  if (!ens_contour_check (params, error))
    return NULL;
  graph = ens_graph_new ("contour");
  layers = (EnsLayers) {graph, params->seed};
  x.value = ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  x = ens_contour_append (&layers, x.value, params, NULL);
  x = ens_layers_conv (&layers, "logits", x, &head);
  x = ens_layers_activate (&layers, "probability", &ens_op_sigmoid, 0, x);
  ens_graph_add_output (graph, x.value);
  return g_steal_pointer (&graph);
}

EnsGraph *
ens_contour_drop_head (const EnsGraph *graph)
{
  EnsGraph *copy = ens_graph_copy (graph);

  g_ptr_array_set_size (copy->outputs, 0);
  ens_graph_add_output (copy, ens_graph_find (copy, "feature"));
  ens_graph_remove_unused (copy);
  return copy;
}

/* -- what a graph was built with, and its weights -- */

/* The number of a convolution's filters; FALSE: there is none of that name. */
static gboolean
find_conv (const EnsGraph *graph, guint level, const char *part, guint *filters)
{
  g_autofree char *name = g_strdup_printf ("level%u/%s", level, part);
  const EnsNode *node = g_hash_table_lookup (graph->nodes_by_name, name);
  const EnsTensor *weights = node != NULL ? ens_node_constant (node, 1) : NULL;

  if (weights == NULL || weights->shape.rank != 4)
    return FALSE;
  *filters = (guint)weights->shape.dims[0];
  return TRUE;
}

static EnsContourUnify
find_unify (const EnsGraph *graph, guint level)
{
  g_autofree char *enlarge = g_strdup_printf ("level%u/enlarge", level);
  g_autofree char *unified = g_strdup_printf ("unified%u", level);
  const EnsNode *node = g_hash_table_lookup (graph->nodes_by_name, unified);

  if (g_hash_table_contains (graph->nodes_by_name, enlarge))
    return ENS_CONTOUR_TRANSPOSED;
  return node != NULL && node->op == &ens_op_resize
                 && ((const EnsResizeParams *)node->params)->mode == ENS_RESIZE_NEAREST
             ? ENS_CONTOUR_NEAREST
             : ENS_CONTOUR_LINEAR;
}

gboolean
ens_contour_find_params (const EnsGraph *graph, EnsContourParams *params, GError **error)
{
  guint filters;

  *params = (EnsContourParams) {0};
  while (params->n_levels < ENS_CONTOUR_MAX_LEVELS
         && find_conv (graph, params->n_levels + 1, "conv", &params->channels[params->n_levels])) {
    params->n_levels++;
    params->unify[params->n_levels - 1] = find_unify (graph, params->n_levels);
  }
  if (find_conv (graph, 1, "join", &filters))
    params->module = ENS_CONTOUR_DENSENET;
  else if (find_conv (graph, 1, "squeeze", &filters))
    params->module = ENS_CONTOUR_SENET;
  if (params->n_levels > 0 && find_conv (graph, 1, "unify", &params->n_unified))
    return ens_contour_check (params, error);
  return ens_fail (error, ENS_ERROR_FORMAT, graph->name,
                   "expected a contour network with nodes “level1/conv” and “level1/unify”, as "
                   "train-contour writes it; found none");
}

typedef gboolean (*WeightsFunc) (EnsValue *value, EnsTensor *trained);

/* Calls the function with the weights of each layer whose name begins with the prefix, until it
 * returns FALSE. */
static gboolean
for_each_weights (const EnsGraph *graph, const char *prefix, const EnsGraph *trained,
                  WeightsFunc function, const char *wrong, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = graph->nodes->pdata[i], *same;

    if (!g_str_has_prefix (node->name, prefix))
      continue;
    same = g_hash_table_lookup (trained->nodes_by_name, node->name + strlen (prefix));
    for (guint k = 1; k < node->n_inputs; k++) {
      EnsTensor *constant = ens_node_constant (node, k), *found;

      if (constant == NULL || constant->type != ENS_TYPE_FLOAT32
          || !g_str_has_prefix (node->name + strlen (prefix), "level"))
        continue;
      found = same != NULL ? ens_node_constant (same, k) : NULL;
      if (found == NULL || !ens_shape_equal (&found->shape, &constant->shape)
          || !function (node->inputs[k], found))
        return ens_fail (error, ENS_ERROR_DATA, node->name, "%s %s", wrong, trained->name);
    }
  }
  return TRUE;
}

static gboolean
take_weights (EnsValue *value, EnsTensor *trained)
{
  ens_tensor_unref (value->constant);
  value->constant = ens_tensor_ref (trained);
  return TRUE;
}

static gboolean
is_same (EnsValue *value, EnsTensor *trained)
{
  return memcmp (value->constant->data, trained->data, ens_tensor_size (trained)) == 0;
}

gboolean
ens_contour_take_weights (EnsGraph *graph, const EnsGraph *trained, GError **error)
{
  return for_each_weights (graph, "", trained, take_weights,
                           "expected weights of the same shape in", error);
}

gboolean
ens_contour_compare_weights (const EnsGraph *graph, const char *prefix, const EnsGraph *trained,
                             GError **error)
{
  return for_each_weights (graph, prefix, trained, is_same,
                           "has other weights than the contour network", error);
}
