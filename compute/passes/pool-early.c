/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "passes/rewrite.h"

static gboolean
is_global_pool (const EnsNode *node)
{
  return node->op->kind == ENS_KIND_GLOBAL_POOL;
}

/* The first position behind what computes the node's input, and behind other such nodes there. */
static guint
find_position (const EnsGraph *graph, const EnsNode *node)
{
  guint position;

  g_ptr_array_find (graph->nodes, node->inputs[0]->producer, &position);
  do
    position++;
  while (is_global_pool (ens_graph_node (graph, position))
         && ens_graph_node (graph, position) != node);
  return position;
}

static gboolean
move (EnsGraph *graph, EnsNode *node)
{
  guint position;

  if (!is_global_pool (node) || node->inputs[0]->producer == NULL)
    return FALSE;
  position = find_position (graph, node);
  if (ens_graph_node (graph, position) == node)
    return FALSE;
  ens_graph_move_node (graph, node, ens_graph_node (graph, position));
  return TRUE;
}

gboolean
ens_pass_pool_early (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, move);
}
