/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/per-image.h"

#include <string.h>

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* What holds for each node and value is found out from the graph as it is for the batch, and as it
 * is for twice as many images. */
typedef struct {
  const EnsGraph *graph, *larger; /* larger: NULL if there can't be more images */
  gint64 batch;
  /* By value index: the axis of images that depend on the same image of the graph's inputs alone,
   * NOWHERE if there are none. Along it an image may have several neighbours, as many in all. */
  gint8 *axes;
} Search;

#define NOWHERE (-1)

gint64
ens_graph_get_batch (const EnsGraph *graph)
{
  gint64 batch = 0;

  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsShape *shape = &((const EnsValue *)g_ptr_array_index (graph->inputs, i))->shape;

    if (shape->rank == 0 || (i > 0 && shape->dims[0] != batch))
      return 0;
    batch = shape->dims[0];
  }
  return batch <= G_MAXINT ? batch : 0;
}

/* The graph for twice as many images. (transfer full) */
static EnsGraph *
enlarge (const EnsGraph *graph, gint64 batch)
{
  g_autoptr (EnsGraph) larger = ens_graph_copy (graph);
  g_autofree EnsShape *shapes = g_new (EnsShape, graph->inputs->len);

  for (guint i = 0; i < graph->inputs->len; i++) {
    shapes[i] = ((const EnsValue *)g_ptr_array_index (graph->inputs, i))->shape;
    shapes[i].dims[0] = 2 * batch;
  }
  return ens_infer_graph (larger, shapes, NULL) ? g_steal_pointer (&larger) : NULL;
}

static gboolean
has_images (const Search *search, const EnsValue *value, guint axis)
{
  EnsShape shape = value->shape;

  if (axis >= shape.rank || shape.dims[axis] == 0 || shape.dims[axis] % search->batch != 0)
    return FALSE;
  if (search->larger == NULL)
    return axis == 0 && shape.dims[axis] == search->batch;
  shape.dims[axis] *= 2;
  return ens_shape_equal (&shape, &ens_graph_value (search->larger, value->index)->shape);
}

/* Along the first axis, each with one row. */
static gboolean
is_batch (const Search *search, const EnsValue *value)
{
  return value->shape.rank > 0 && value->shape.dims[0] == search->batch
         && has_images (search, value, 0);
}

/* Whether a known value is computed from the number of images: whether it is another one for twice
 * as many, apart from images that it has itself. */
static gboolean
counts_images (const Search *search, const EnsValue *value)
{
  const EnsTensor *tensor = value->constant, *more;

  if (search->larger == NULL)
    return FALSE;
  more = ens_graph_value (search->larger, value->index)->constant;
  if (more == tensor)
    return FALSE;
  return more == NULL
         || !(ens_shape_equal (&more->shape, &tensor->shape) || is_batch (search, value))
         || memcmp (tensor->data, more->data, ens_tensor_size (tensor)) != 0;
}

/* The input says nothing but what shape the output has. */
static gboolean
is_shape (const EnsNode *node, guint input)
{
  return input > 0 && (node->op->kind == ENS_KIND_VIEW || node->op->kind == ENS_KIND_REPEAT);
}

/* Input 0 alone is computed, and nothing else counts images. */
static gboolean
reads_one (const Search *search, const EnsNode *node)
{
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL
        && (node->inputs[i]->constant == NULL
            || (!is_shape (node, i) && counts_images (search, node->inputs[i]))))
      return FALSE;
  return node->n_inputs > 0 && node->inputs[0] != NULL && node->inputs[0]->constant == NULL
         && search->axes[node->inputs[0]->index] != NOWHERE;
}

/* Axis a of the output is axis perm[a] of the input. */
static gint8
move_axis (const EnsNode *node, gint8 axis)
{
  gint64 perm[ENS_MAX_RANK] = {0};

  ens_node_get_perm (node, perm);
  for (guint i = 0; i < node->outputs[0]->shape.rank; i++)
    if (perm[i] == axis)
      return (gint8)i;
  return NOWHERE;
}

/* Elements keep their order: where nothing but ones precedes the images, they can be anywhere
 * where that holds again. */
static gint8
view_axis (const Search *search, const EnsNode *node, gint8 axis)
{
  const EnsShape *to = &node->outputs[0]->shape;

  if (ens_shape_span (&node->inputs[0]->shape, 0, (guint)axis) != 1)
    return NOWHERE;
  for (guint i = 0; i < to->rank && ens_shape_span (to, 0, i) == 1; i++)
    if (has_images (search, node->outputs[0], i))
      return (gint8)i;
  return NOWHERE;
}

/* Parts along another axis. */
static gint8
split_axis (const EnsNode *node, gint8 axis)
{
  gint64 along = ((const EnsSplitParams *)node->params)->axis;

  along += along < 0 ? node->inputs[0]->shape.rank : 0;
  return along != axis ? axis : NOWHERE;
}

/* Of the nodes that may move images from one axis to another. */
static gint8
follow_axis (const Search *search, const EnsNode *node)
{
  gint8 axis;

  if (!reads_one (search, node))
    return NOWHERE;
  axis = search->axes[node->inputs[0]->index];
  if (node->op->kind == ENS_KIND_TRANSPOSE)
    return move_axis (node, axis);
  if (node->op->kind == ENS_KIND_VIEW && node->n_outputs == 1)
    return view_axis (search, node, axis);
  return ens_node_is (node, "Split") ? split_axis (node, axis) : NOWHERE;
}

/* All have images along the first axis, with as many rows each. */
static gboolean
takes_rows (const Search *search, const EnsNode *node)
{
  gint64 rows = node->outputs[0]->shape.rank > 0 ? node->outputs[0]->shape.dims[0] : 0;

  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL)
      continue;
    if (input->constant == NULL ? search->axes[input->index] != 0 || input->shape.dims[0] != rows
                                : !is_shape (node, i) && counts_images (search, input))
      return FALSE;
  }
  return node->op->per_image != NULL && node->op->per_image (node);
}

/* The axis of images in the node's outputs. */
static gint8
find_axis (const Search *search, const EnsNode *node)
{
  gint8 axis = follow_axis (search, node);

  if (axis == NOWHERE && takes_rows (search, node))
    axis = 0;
  for (guint i = 0; i < node->n_outputs && axis != NOWHERE; i++)
    if (!has_images (search, node->outputs[i], (guint)axis))
      return NOWHERE;
  return axis;
}

static gboolean
is_known (const EnsNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i]->constant == NULL)
      return FALSE;
  return TRUE;
}

/* By node position. (transfer full) */
static gboolean *
find (Search *search)
{
  const EnsGraph *graph = search->graph;
  gboolean *per_image = g_new0 (gboolean, graph->nodes->len);

  memset (search->axes, NOWHERE, graph->values->len);
  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    search->axes[input->index] = is_batch (search, input) ? 0 : NOWHERE;
  }
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);
    gint8 axis = is_known (node) ? NOWHERE : find_axis (search, node);

    per_image[i] = is_known (node) || axis != NOWHERE;
    for (guint j = 0; j < node->n_outputs; j++)
      search->axes[node->outputs[j]->index] = axis;
  }
  return per_image;
}

gboolean *
ens_graph_find_per_image (const EnsGraph *graph, gint64 batch, gboolean *batches)
{
  g_autoptr (EnsGraph) larger = enlarge (graph, batch);
  g_autofree gint8 *axes = g_new (gint8, graph->values->len + 1);
  Search search = {graph, larger, batch, axes};
  gboolean *per_image = find (&search);

  for (guint i = 0; i < graph->values->len && batches != NULL; i++)
    batches[i] = axes[i] == 0 && is_batch (&search, ens_graph_value (graph, i));
  return per_image;
}

gboolean
ens_graph_is_per_image (const EnsGraph *graph, gint64 batch)
{
  g_autofree gboolean *batches = g_new (gboolean, graph->values->len + 1);
  g_autofree gboolean *per_image = ens_graph_find_per_image (graph, batch, batches);

  for (guint i = 0; i < graph->outputs->len; i++)
    if (!batches[((const EnsValue *)g_ptr_array_index (graph->outputs, i))->index])
      return FALSE;
  return TRUE;
}

/* ---- Groups ---- */

/* The first of so many shapes' dimension, if it is that of all; else 0. */
static gint64
get_common_batch (const EnsShape *shapes, guint n)
{
  for (guint i = 0; i < n; i++)
    if (shapes[i].rank == 0 || shapes[i].dims[0] != shapes[0].dims[0])
      return 0;
  return n > 0 && shapes[0].dims[0] > 0 && shapes[0].dims[0] <= G_MAXINT ? shapes[0].dims[0] : 0;
}

/* The graph for `batch` images, or NULL. (transfer full) */
static EnsGraph *
infer_batch (const EnsGraph *graph, const EnsShape *input_shapes, gint64 batch)
{
  g_autoptr (EnsGraph) inferred = ens_graph_copy (graph);
  g_autofree EnsShape *shapes = g_memdup2 (input_shapes, graph->inputs->len * sizeof *input_shapes);

  for (guint i = 0; i < graph->inputs->len; i++)
    shapes[i].dims[0] = batch;
  return ens_infer_graph (inferred, shapes, NULL) ? g_steal_pointer (&inferred) : NULL;
}

/* Whether so many images give all outputs so many rows. */
static gboolean
has_batches (const EnsGraph *inferred, gint64 batch)
{
  for (guint i = 0; i < inferred->outputs->len; i++) {
    const EnsShape *shape = &((const EnsValue *)g_ptr_array_index (inferred->outputs, i))->shape;

    if (shape->rank == 0 || shape->dims[0] != batch)
      return FALSE;
  }
  return TRUE;
}

guint
ens_graph_find_group (const EnsGraph *graph, const EnsShape *input_shapes)
{
  guint n = graph->inputs->len;
  g_autofree EnsShape *declared = g_new (EnsShape, n + 1);
  g_autoptr (EnsGraph) all = NULL, group = NULL;
  gint64 batch = get_common_batch (input_shapes, n), size;

  for (guint i = 0; i < n; i++)
    declared[i] = ((const EnsValue *)g_ptr_array_index (graph->inputs, i))->shape;
  size = get_common_batch (declared, n);
  if (batch == 0 || size == 0 || size == batch)
    return 0;
  all = infer_batch (graph, input_shapes, batch);
  if (all != NULL && ens_graph_is_per_image (all, batch))
    return 0;
  group = infer_batch (graph, input_shapes, size);
  return group != NULL && has_batches (group, size) ? (guint)size : 0;
}
