/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fully connected layers as convolutions, after Long, Shelhamer and Darrell, “Fully Convolutional
 * Networks for Semantic Segmentation”, CVPR 2015, section 3.1.
 *
 * The pass walks through the network once and notes for each value the map (N, h, w, C) that it is
 * another way of writing of. Where a fully connected layer reads such a value, a convolution whose
 * kernel is as large as the map at nominal size takes its place, and what follows is repeated on
 * maps. What the outputs no longer need disappears. */
#include "passes/passes.h"

#include <string.h>

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/linear.h"
#include "passes/rewrite.h"

/* The map behind a value. */
typedef struct {
  EnsValue *value;      /* NULL: there is none */
  gint64 height, width; /* at nominal size */
  gint64 channels;
  gboolean channels_first; /* the value's order is (N, C, h, w), flattened or not */
} Map;

typedef struct {
  EnsGraph *graph;
  EnsGraph *sample;  /* a copy at nominal size; the same values by index */
  Map *maps;         /* by value index of the original graph */
  gboolean *is_head; /* by value index: nothing computed from the value has positions */
  GPtrArray *turned; /* nodes that something was appended for, in order */
} Conversion;

static const EnsShape *
get_shape (const Conversion *conversion, const EnsValue *value)
{
  return &ens_graph_value (conversion->sample, value->index)->shape;
}

static Map *
get_map (const Conversion *conversion, const EnsValue *value)
{
  return &conversion->maps[value->index];
}

/* Whether the value is its own map. */
static gboolean
is_plain (const Conversion *conversion, const EnsValue *value)
{
  return get_map (conversion, value)->value == value;
}

static gboolean
is_single (const Map *map)
{
  return map->value != NULL && map->height == 1 && map->width == 1;
}

static void
set_plain (Conversion *conversion, EnsValue *value)
{
  const EnsShape *shape = get_shape (conversion, value);

  if (shape->rank == 4)
    *get_map (conversion, value) =
        (Map) {value, shape->dims[1], shape->dims[2], shape->dims[3], FALSE};
}

/* Appends what stands for `node` on maps; what it computes is a map like `map`. */
static void
append (Conversion *conversion, const EnsNode *node, EnsNewNode replacement, Map map)
{
  EnsNode *added =
      ens_graph_add_node (conversion->graph, ens_op_find (replacement.op), node->name,
                          replacement.params, replacement.inputs, replacement.n_inputs, 1);

  g_ptr_array_add (conversion->turned, (gpointer)node);
  map.value = added->outputs[0];
  *get_map (conversion, node->outputs[0]) = map;
}

static Map
one_position (gint64 channels)
{
  return (Map) {.height = 1, .width = 1, .channels = channels};
}

/* Families of operators. Each function takes a node whose first input has a map and may give its
 * output one. */

static void
convert_transpose (Conversion *conversion, const EnsNode *node)
{
  const EnsList *perm = &((const EnsTransposeParams *)node->params)->perm;
  const Map *input = get_map (conversion, node->inputs[0]);
  Map *output = get_map (conversion, node->outputs[0]);
  static const gint64 to_first[] = {0, 3, 1, 2}, to_last[] = {0, 2, 3, 1};
  const gint64 *expected = input->channels_first ? to_last : to_first;

  if (!perm->present || perm->n != 4)
    return;
  for (guint i = 0; i < 4; i++)
    if (perm->values[i] != expected[i])
      return;
  *output = *input;
  output->channels_first = !input->channels_first;
}

/* Of a map of one position to any shape, else to none but the same and to rows. */
static void
convert_view (Conversion *conversion, const EnsNode *node)
{
  const Map *input = get_map (conversion, node->inputs[0]);
  const EnsShape *shape = get_shape (conversion, node->outputs[0]);
  const EnsShape *before = get_shape (conversion, node->inputs[0]);
  gboolean keeps_images = shape->rank >= 2 && shape->dims[0] == before->dims[0];

  /* A map behind a dropout is a map as the one before it, for convolutions, too. */
  if (ens_node_is_identity (node) && is_plain (conversion, node->inputs[0]))
    set_plain (conversion, node->outputs[0]);
  else if (ens_shape_equal (shape, before)
           || (keeps_images && (shape->rank == 2 || is_single (input))))
    *get_map (conversion, node->outputs[0]) = *input;
}

/* From channels first to channels last, for each output. */
static void
reorder_weights (float *weights, gint64 n_outputs, const Map *map)
{
  gint64 positions = map->height * map->width, n = positions * map->channels;
  g_autofree float *row = g_new (float, n);

  for (gint64 output = 0; output < n_outputs; output++) {
    float *to = &weights[output * n];

    memcpy (row, to, (gsize)n * sizeof *row);
    for (gint64 position = 0; position < positions; position++)
      for (gint64 from = position; from < n; from += positions)
        *to++ = row[from];
  }
}

/* The fully connected layer as a convolution whose kernel is as large as the map. */
static void
convert_product (Conversion *conversion, const EnsNode *node)
{
  const Map *map = get_map (conversion, node->inputs[0]);
  const EnsNode *sample = ens_graph_value (conversion->sample, node->outputs[0]->index)->producer;
  g_autoptr (EnsLinear) linear = ens_linear_read (sample);
  const EnsValue *bias = ens_node_input (node, 2);
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  EnsNewNode conv = {.op = "Conv", .params = &params, .inputs = {map->value}, .n_inputs = 2};
  g_autoptr (EnsTensor) weights = NULL;
  float *data;

  if (linear == NULL || linear->n_inputs != map->height * map->width * map->channels)
    return;
  if (map->channels_first)
    reorder_weights (linear->weights, linear->n_outputs, map);
  data = g_steal_pointer (&linear->weights);
  weights = ens_tensor_new_wrapped (
      ENS_TYPE_FLOAT32, &ENS_SHAPE (linear->n_outputs, map->height, map->width, map->channels),
      data, g_free, data);
  conv.inputs[1] = ens_graph_add_constant (conversion->graph, node->inputs[1]->name, weights);
  if (bias != NULL)
    conv.inputs[conv.n_inputs++] =
        ens_graph_add_vector (conversion->graph, bias->name, linear->bias, linear->n_outputs);
  append (conversion, node, conv, one_position (linear->n_outputs));
}

/* Arithmetic with a constant per channel, or of two maps of one position. */
static void
convert_arithmetic (Conversion *conversion, const EnsNode *node)
{
  EnsNewNode replacement = {.op = node->op->name, .params = node->params, .n_inputs = 2};
  gint64 channels = get_map (conversion, node->inputs[0])->channels;
  g_autofree float *ignored = NULL;

  if (node->n_inputs != 2)
    return;
  ignored = g_new (float, channels);
  for (guint i = 0; i < 2; i++) {
    EnsValue *input = node->inputs[i];
    const Map *map = get_map (conversion, input);

    replacement.inputs[i] = input->constant != NULL ? input : map->value;
    if (input->constant != NULL ? !ens_constant_as_channels (input->constant, 2, channels, ignored)
                                : !is_single (map) || map->channels != channels)
      return;
  }
  append (conversion, node, replacement, one_position (channels));
}

static void
convert_activation (Conversion *conversion, const EnsNode *node)
{
  const Map *map = get_map (conversion, node->inputs[0]);
  EnsFusedActivation activation;

  if (node->n_inputs == 1 && ens_node_as_activation (node, &activation))
    append (
        conversion, node,
        (EnsNewNode) {
            .op = node->op->name, .params = node->params, .inputs = {map->value}, .n_inputs = 1},
        *map);
}

static void
convert_softmax (Conversion *conversion, const EnsNode *node)
{
  const Map *map = get_map (conversion, node->inputs[0]);
  const EnsShape *shape = get_shape (conversion, node->inputs[0]);
  const EnsSoftmaxParams *params = node->params;
  EnsSoftmaxParams along_channels = {.axis = -1};
  gint64 axis = params->axis < 0 ? params->axis + shape->rank : params->axis;

  if (is_single (map) && axis > 0 && (params->flatten || shape->dims[axis] == map->channels))
    append (
        conversion, node,
        (EnsNewNode) {
            .op = node->op->name, .params = &along_channels, .inputs = {map->value}, .n_inputs = 1},
        one_position (map->channels));
}

/* Pooling over the map as pooling over a window of nominal size, at each position. */
static void
append_pool (Conversion *conversion, const EnsNode *node, const char *pool)
{
  const Map *map = get_map (conversion, node->inputs[0]);
  EnsPoolParams params = {.sliding = ENS_SLIDING_DEFAULT};

  params.sliding.rank = 2;
  params.sliding.kernel[0] = map->height;
  params.sliding.kernel[1] = map->width;
  append (conversion, node,
          (EnsNewNode) {.op = pool, .params = &params, .inputs = {map->value}, .n_inputs = 1},
          one_position (map->channels));
}

static void
convert_global_pool (Conversion *conversion, const EnsNode *node)
{
  if (!get_map (conversion, node->inputs[0])->channels_first)
    append_pool (conversion, node, ens_node_is (node, "GlobalMaxPool") ? "MaxPool" : "AveragePool");
}

static void
convert_reduce_mean (Conversion *conversion, const EnsNode *node)
{
  const EnsReduceParams *params = node->params;
  const Map *map = get_map (conversion, node->inputs[0]);
  gint64 first = map->channels_first ? 2 : 1;
  guint seen = 0;

  if (get_shape (conversion, node->inputs[0])->rank != 4 || params->axes.n != 2
      || ens_node_input (node, 1) != NULL)
    return;
  for (guint i = 0; i < 2; i++) {
    gint64 axis = params->axes.values[i];

    seen |= 1u << (axis < 0 ? axis + 4 : axis);
  }
  if (seen == 3u << first)
    append_pool (conversion, node, "AveragePool");
}

/* Pooling over all of the map: by single steps on a larger one. */
static void
convert_pool (Conversion *conversion, const EnsNode *node)
{
  const Map *map = get_map (conversion, node->inputs[0]);
  EnsPoolParams params = *(const EnsPoolParams *)node->params;

  if (params.sliding.rank != 2 || params.sliding.kernel[0] != map->height
      || params.sliding.kernel[1] != map->width || params.sliding.auto_pad != ENS_AUTO_PAD_NOTSET)
    return;
  for (guint i = 0; i < 2; i++) {
    if (params.sliding.pads_begin[i] != 0 || params.sliding.pads_end[i] != 0)
      return;
    params.sliding.strides[i] = 1;
  }
  append (
      conversion, node,
      (EnsNewNode) {.op = node->op->name, .params = &params, .inputs = {map->value}, .n_inputs = 1},
      one_position (map->channels));
}

static const struct {
  void (*convert) (Conversion *conversion, const EnsNode *node);
  gboolean anywhere; /* only another way of writing: not just where no positions follow */
} families[] = {
    [ENS_KIND_VIEW] = {convert_view, TRUE},     [ENS_KIND_TRANSPOSE] = {convert_transpose, TRUE},
    [ENS_KIND_ADD] = {convert_arithmetic},      [ENS_KIND_SUBTRACT] = {convert_arithmetic},
    [ENS_KIND_MULTIPLY] = {convert_arithmetic}, [ENS_KIND_DIVIDE] = {convert_arithmetic},
    [ENS_KIND_PRODUCT] = {convert_product},     [ENS_KIND_SOFTMAX] = {convert_softmax},
    [ENS_KIND_POOL] = {convert_pool},           [ENS_KIND_GLOBAL_POOL] = {convert_global_pool},
};

/* The first input has a map. */
static void
convert_known (Conversion *conversion, const EnsNode *node, gboolean is_head)
{
  EnsOpKind kind = node->op->kind;

  if (kind < G_N_ELEMENTS (families) && families[kind].convert != NULL
      && (is_head || families[kind].anywhere))
    families[kind].convert (conversion, node);
  else if (is_head && ens_node_is (node, "ReduceMean"))
    convert_reduce_mean (conversion, node);
}

/* Whether the node works in channels-last order on maps as they are, and one of them is new. */
static gboolean
reads_maps (const Conversion *conversion, const EnsNode *node)
{
  gboolean any = FALSE;

  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];
    const Map *map;

    if (input == NULL || input->constant != NULL)
      continue;
    map = get_map (conversion, input);
    if (map->value == NULL || map->channels_first || get_shape (conversion, input)->rank != 4)
      return FALSE;
    any = any || map->value != input;
  }
  return any && node->op->layout != ENS_LAYOUT_PLAIN && node->n_outputs == 1
         && get_shape (conversion, node->outputs[0])->rank == 4;
}

/* Appends the same node, reading maps. */
static void
convert_any (Conversion *conversion, const EnsNode *node)
{
  EnsNewNode replacement = {
      .op = node->op->name, .params = node->params, .n_inputs = node->n_inputs};

  if (node->n_inputs > G_N_ELEMENTS (replacement.inputs))
    return;
  for (guint i = 0; i < node->n_inputs; i++) {
    EnsValue *input = node->inputs[i];

    replacement.inputs[i] =
        input == NULL || input->constant != NULL ? input : get_map (conversion, input)->value;
  }
  append (conversion, node, replacement,
          one_position (ens_shape_run (get_shape (conversion, node->outputs[0]))));
}

/* A tensor with positions is in channels-last order where what it is computed from is. */
static gboolean
is_plain_too (const Conversion *conversion, const EnsNode *node)
{
  if (node->op->layout == ENS_LAYOUT_PLAIN)
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && is_plain (conversion, node->inputs[i]))
      return TRUE;
  return FALSE;
}

static void
convert_node (Conversion *conversion, const EnsNode *node)
{
  EnsValue *output = node->outputs[0];
  gboolean is_head = conversion->is_head[output->index];

  if (node->n_inputs == 0 || node->inputs[0] == NULL)
    return;
  if (get_map (conversion, node->inputs[0])->value != NULL)
    convert_known (conversion, node, is_head);
  if (get_map (conversion, output)->value != NULL)
    return;
  if (is_head && reads_maps (conversion, node))
    convert_any (conversion, node);
  else if (is_head && get_map (conversion, node->inputs[0])->value != NULL
           && !is_plain (conversion, node->inputs[0]))
    convert_activation (conversion, node);
  else if (is_plain_too (conversion, node))
    set_plain (conversion, output);
}

static gboolean
has_positions (const EnsShape *shape)
{
  guint n = 0;

  for (guint i = 1; i < shape->rank; i++)
    n += shape->dims[i] > 1;
  return n > 1;
}

static void
find_head (Conversion *conversion)
{
  for (guint i = 0; i < conversion->sample->values->len; i++)
    conversion->is_head[i] = !has_positions (&ens_graph_value (conversion->sample, i)->shape);
  for (guint i = conversion->graph->nodes->len; i-- > 0;) {
    const EnsNode *node = ens_graph_node (conversion->graph, i);
    gboolean is_head = TRUE;

    for (guint j = 0; j < node->n_outputs; j++)
      is_head = is_head && conversion->is_head[node->outputs[j]->index];
    for (guint j = 0; j < node->n_inputs && !is_head; j++)
      if (node->inputs[j] != NULL)
        conversion->is_head[node->inputs[j]->index] = FALSE;
  }
}

/* Gives a map the name of what it stands for; the other one is called its vector. */
static void
take_over_name (Conversion *conversion, EnsValue *value, EnsValue *map)
{
  g_autofree char *name = g_strdup (value->name);
  g_autofree char *vector_name = g_strdup_printf ("%s:vector", name);

  ens_graph_rename (conversion->graph, value, vector_name);
  ens_graph_rename (conversion->graph, map, name);
}

static void
take_over_names (Conversion *conversion, const EnsNode *node)
{
  EnsValue *map = get_map (conversion, node->outputs[0])->value;
  g_autofree char *name = g_strdup (node->name);
  g_autofree char *vector_name = g_strdup_printf ("%s:vector", name);

  take_over_name (conversion, node->outputs[0], map);
  ens_graph_rename_node (conversion->graph, (EnsNode *)node, vector_name);
  ens_graph_rename_node (conversion->graph, map->producer, name);
}

/* Lets the outputs be maps where they can. */
static gboolean
replace_outputs (Conversion *conversion)
{
  gboolean progress = FALSE;

  for (guint i = 0; i < conversion->graph->outputs->len; i++) {
    EnsValue *output = g_ptr_array_index (conversion->graph->outputs, i);
    const Map *map = get_map (conversion, output);

    if (!is_single (map) || map->value == output)
      continue;
    g_ptr_array_index (conversion->graph->outputs, i) = map->value;
    progress = TRUE;
  }
  return progress;
}

/* The i-th output keeps its name even if it was only another way of writing a map. */
static void
name_output (Conversion *conversion, guint i)
{
  EnsValue *map = g_ptr_array_index (conversion->graph->outputs, i);
  const EnsValue *sample = g_ptr_array_index (conversion->sample->outputs, i);
  EnsValue *output = ens_graph_value (conversion->graph, sample->index);

  if (map != output && strcmp (map->name, sample->name) != 0)
    take_over_name (conversion, output, map);
}

gboolean
ens_pass_convolutionalise (EnsGraph *graph, const EnsShape *nominal, GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);
  g_autofree Map *maps = g_new0 (Map, graph->values->len);
  g_autofree gboolean *is_head = g_new (gboolean, graph->values->len);
  g_autoptr (GPtrArray) turned = g_ptr_array_new ();
  Conversion conversion = {graph, sample, maps, is_head, turned};
  guint n_nodes = graph->nodes->len;
  gboolean progress;

  if (!ens_infer_graph (sample, nominal, error))
    return FALSE;
  find_head (&conversion);
  for (guint i = 0; i < graph->inputs->len; i++)
    set_plain (&conversion, g_ptr_array_index (graph->inputs, i));
  for (guint i = 0; i < n_nodes; i++)
    convert_node (&conversion, ens_graph_node (graph, i));
  progress = replace_outputs (&conversion);
  for (guint i = 0; i < turned->len && progress; i++)
    take_over_names (&conversion, g_ptr_array_index (turned, i));
  for (guint i = 0; i < graph->outputs->len && progress; i++)
    name_output (&conversion, i);
  ens_graph_remove_unused (graph);
  return progress && ens_graph_infer_sample (graph, nominal, error);
}
