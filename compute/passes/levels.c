/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/levels.h"

#include <stdlib.h>

#include "passes/rewrite.h"

typedef struct {
  EnsNode *node;
  guint level, position;
} Ranked;

static gint
compare (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;

  if (x->level != y->level)
    return x->level < y->level ? -1 : 1;
  return x->position < y->position ? -1 : x->position > y->position;
}

/* value_levels: by value index, of the node that computes it; 0: none does. */
static guint
rank (const EnsNode *node, guint *value_levels)
{
  guint level = 0;

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL)
      level = MAX (level, value_levels[node->inputs[i]->index]);
  if (node->op->kind != ENS_KIND_VIEW)
    level++;
  for (guint i = 0; i < node->n_outputs; i++)
    value_levels[node->outputs[i]->index] = level;
  return level;
}

guint *
ens_graph_order_by_level (EnsGraph *graph)
{
  guint n = graph->nodes->len;
  g_autofree guint *value_levels = g_new0 (guint, graph->values->len);
  g_autofree Ranked *ranked = g_new (Ranked, n);
  guint *levels = g_new (guint, n);

  for (guint i = 0; i < n; i++) {
    EnsNode *node = ens_graph_node (graph, i);

    ranked[i] = (Ranked) {node, rank (node, value_levels), i};
  }
  if (n > 0)
    qsort (ranked, n, sizeof *ranked, compare);
  for (guint i = 0; i < n; i++) {
    graph->nodes->pdata[i] = ranked[i].node;
    levels[i] = ranked[i].level;
  }
  return levels;
}
