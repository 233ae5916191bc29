/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/per-image.h"

#include <string.h>

#include "graph/infer.h"
#include "passes/rewrite.h"

/* What holds for each node and value is found out from the graph as it is for the batch, and as it
 * is for twice as many images. */
typedef struct {
  const EnsGraph *graph, *larger; /* larger: NULL if there can't be more images */
  gint64 batch;
  /* By value index: images that depend on the same image of the graph's inputs alone. */
  gboolean *carried;
} Search;

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
has_images (const Search *search, const EnsValue *value)
{
  EnsShape shape = value->shape;

  if (shape.rank == 0 || shape.dims[0] != search->batch)
    return FALSE;
  shape.dims[0] *= 2;
  return search->larger == NULL
         || ens_shape_equal (&shape, &ens_graph_value (search->larger, value->index)->shape);
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
         || !(ens_shape_equal (&more->shape, &tensor->shape) || has_images (search, value))
         || memcmp (tensor->data, more->data, ens_tensor_size (tensor)) != 0;
}

/* The input says nothing but what shape the output has. */
static gboolean
is_shape (const EnsNode *node, guint input)
{
  return input > 0 && (node->op->kind == ENS_KIND_VIEW || node->op->kind == ENS_KIND_REPEAT);
}

static gboolean
check_node (const Search *search, const EnsNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (!has_images (search, node->outputs[i]))
      return FALSE;
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL)
      continue;
    if (input->constant == NULL ? !search->carried[input->index]
                                : !is_shape (node, i) && counts_images (search, input))
      return FALSE;
  }
  return node->op->per_image != NULL && node->op->per_image (node);
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

  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    search->carried[input->index] = has_images (search, input);
  }
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    per_image[i] = is_known (node) || check_node (search, node);
    for (guint j = 0; j < node->n_outputs; j++)
      search->carried[node->outputs[j]->index] = per_image[i] && !is_known (node);
  }
  return per_image;
}

gboolean *
ens_graph_find_per_image (const EnsGraph *graph, gint64 batch)
{
  g_autoptr (EnsGraph) larger = enlarge (graph, batch);
  g_autofree gboolean *carried = g_new0 (gboolean, graph->values->len);

  return find (&(Search) {graph, larger, batch, carried});
}

gboolean
ens_graph_is_per_image (const EnsGraph *graph, gint64 batch)
{
  g_autoptr (EnsGraph) larger = enlarge (graph, batch);
  g_autofree gboolean *carried = g_new0 (gboolean, graph->values->len);
  g_autofree gboolean *per_image = find (&(Search) {graph, larger, batch, carried});

  for (guint i = 0; i < graph->outputs->len; i++)
    if (!carried[((const EnsValue *)g_ptr_array_index (graph->outputs, i))->index])
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
