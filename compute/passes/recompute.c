/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/recompute.h"

#include "graph/infer.h"
#include "passes/rewrite.h"

typedef struct {
  EnsGraph *graph;
  guint n_forward, n_values; /* before anything was computed twice */
  EnsNode **nodes;           /* all, in the order that they had */
  guint n_nodes;
  guint *segments;  /* by value index: of the forward node that computes it */
  EnsValue **twins; /* by value index: what stands for it in the gradient; NULL: itself */
  guint n_segments;
} Recomputation;

/* Cutting */

static gsize
output_size (const EnsNode *node)
{
  gsize size = 0;

  for (guint i = 0; i < node->n_outputs; i++)
    size += ens_value_size (node->outputs[i]);
  return size;
}

/* Bytes that nodes from `position` on read of what nodes before it compute, by position. (transfer
 * full) */
static gsize *
find_crossing (const EnsGraph *graph, guint n_forward)
{
  gsize *crossing = g_new0 (gsize, n_forward + 1);
  g_autofree guint *born = g_new0 (guint, graph->values->len);
  g_autofree guint *dies = g_new0 (guint, graph->values->len);

  for (guint i = 0; i < n_forward; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_outputs; j++)
      born[node->outputs[j]->index] = i + 1;
    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] != NULL)
        dies[node->inputs[j]->index] = i;
  }
  for (guint i = 0; i < graph->values->len; i++)
    for (guint at = born[i]; born[i] > 0 && at <= dies[i]; at++)
      crossing[at] += ens_value_size (ens_graph_value (graph, i));
  return crossing;
}

/* Where the next part begins: each gets its share of all bytes, give or take a half, and of those
 * positions the one that the fewest cross. */
static guint
find_cut (const EnsGraph *graph, const gsize *crossing, guint start, guint n_forward, gsize share)
{
  gsize size = 0;
  guint best = n_forward;

  for (guint i = start; i < n_forward && size < share + share / 2; i++) {
    size += output_size (ens_graph_node (graph, i));
    if (size >= share / 2 && (best == n_forward || crossing[i + 1] < crossing[best]))
      best = i + 1;
  }
  return MIN (best, n_forward);
}

static void
cut (Recomputation *self, guint n_segments)
{
  g_autofree gsize *crossing = find_crossing (self->graph, self->n_forward);
  gsize total = 0;
  guint start = 0;

  for (guint i = 0; i < self->n_forward; i++)
    total += output_size (self->nodes[i]);
  while (start < self->n_forward) {
    guint end = find_cut (self->graph, crossing, start, self->n_forward, total / n_segments);

    for (guint i = start; i < end; i++)
      for (guint j = 0; j < self->nodes[i]->n_outputs; j++)
        self->segments[self->nodes[i]->outputs[j]->index] = self->n_segments;
    self->n_segments++;
    start = end;
  }
}

/* Computing again */

static gboolean
is_computed (const Recomputation *self, const EnsValue *value)
{
  return value != NULL && value->index < self->n_values && value->constant == NULL
         && self->segments[value->index] != G_MAXUINT;
}

/* What stands for a value of a part; a value of another part is itself. */
static EnsValue *get_twin (Recomputation *self, EnsValue *value, guint segment,
                           const EnsNode *before);

static void
compute_again (Recomputation *self, EnsNode *node, guint segment, const EnsNode *before)
{
  g_autofree EnsValue **inputs = g_new0 (EnsValue *, node->n_inputs);
  g_autofree char *name = g_strdup_printf ("%s:again", node->name);
  EnsNode *twin;

  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = get_twin (self, node->inputs[i], segment, before);
  twin = ens_graph_add_node (self->graph, node->op, name, node->params, inputs, node->n_inputs,
                             node->n_outputs);
  ens_infer_node (twin, FALSE, NULL);
  ens_graph_move_node (self->graph, twin, before);
  for (guint i = 0; i < node->n_outputs; i++)
    self->twins[node->outputs[i]->index] = twin->outputs[i];
}

static EnsValue *
get_twin (Recomputation *self, EnsValue *value, guint segment, const EnsNode *before)
{
  if (!is_computed (self, value) || self->segments[value->index] != segment)
    return value;
  if (self->twins[value->index] == NULL)
    compute_again (self, value->producer, segment, before);
  return self->twins[value->index];
}

/* Lets a node of the gradient read what was, or is now, computed again. */
static void
redirect (Recomputation *self, EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++) {
    EnsValue *value = node->inputs[i];

    if (is_computed (self, value) && self->segments[value->index] + 1 < self->n_segments)
      node->inputs[i] = get_twin (self, value, self->segments[value->index], node);
  }
}

void
ens_graph_recompute (EnsGraph *graph, guint n_forward, guint n_segments)
{
  guint n = graph->nodes->len;
  g_autofree EnsNode **nodes = g_memdup2 (graph->nodes->pdata, n * sizeof *nodes);
  g_autofree guint *segments = g_new (guint, graph->values->len);
  g_autofree EnsValue **twins = g_new0 (EnsValue *, graph->values->len);
  Recomputation self = {graph, n_forward, graph->values->len, nodes, n, segments, twins, 0};

  for (guint i = 0; i < self.n_values; i++)
    segments[i] = G_MAXUINT;
  cut (&self, MAX (n_segments, 1));
  for (guint i = n_forward; i < n; i++)
    redirect (&self, nodes[i]);
}
