/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/per-image.h"

#include "passes/rewrite.h"

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

static gboolean
has_images (const EnsValue *value, gint64 batch)
{
  return value->shape.rank > 0 && value->shape.dims[0] == batch;
}

/* carried: by value index, a batch whose images depend on the same image of the graph's inputs. */
static gboolean
check_node (const EnsNode *node, gint64 batch, const gboolean *carried)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (!has_images (node->outputs[i], batch))
      return FALSE;
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input != NULL && input->constant == NULL && !carried[input->index])
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

/* Sets by node position and by value index what holds for each. */
static void
find (const EnsGraph *graph, gint64 batch, gboolean *per_image, gboolean *carried)
{
  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    carried[input->index] = has_images (input, batch);
  }
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    per_image[i] = is_known (node) || check_node (node, batch, carried);
    for (guint j = 0; j < node->n_outputs; j++)
      carried[node->outputs[j]->index] = per_image[i] && !is_known (node);
  }
}

gboolean *
ens_graph_find_per_image (const EnsGraph *graph, gint64 batch)
{
  g_autofree gboolean *carried = g_new0 (gboolean, graph->values->len);
  gboolean *per_image = g_new0 (gboolean, graph->nodes->len);

  find (graph, batch, per_image, carried);
  return per_image;
}

gboolean
ens_graph_is_per_image (const EnsGraph *graph, gint64 batch)
{
  g_autofree gboolean *carried = g_new0 (gboolean, graph->values->len);
  g_autofree gboolean *per_image = g_new0 (gboolean, graph->nodes->len);

  find (graph, batch, per_image, carried);
  for (guint i = 0; i < graph->outputs->len; i++)
    if (!carried[((const EnsValue *)g_ptr_array_index (graph->outputs, i))->index])
      return FALSE;
  return TRUE;
}
