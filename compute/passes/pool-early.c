/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include <string.h>

#include "passes/rewrite.h"

static gboolean
is_global_pool (const EnsNode *node)
{
  return node->op->kind == ENS_KIND_GLOBAL_POOL;
}

/* A node, and behind it the pools that read what it computes, each with its own. */
static void
append (EnsNode *node, GHashTable *pools, GPtrArray *nodes)
{
  GPtrArray *list;
  guint i = nodes->len;

  /* Pools of pools of … are as deep as a file says: one after the other, not by recursion. */
  g_ptr_array_add (nodes, node);
  for (; i < nodes->len; i++) {
    list = g_hash_table_lookup (pools, g_ptr_array_index (nodes, i));
    for (guint j = 0; list != NULL && j < list->len; j++)
      g_ptr_array_add (nodes, g_ptr_array_index (list, j));
  }
}

/* The nodes in their new order: each one with the pools that read its outputs behind it. */
static GPtrArray *
order (const EnsGraph *graph)
{
  GPtrArray *nodes = g_ptr_array_new_full (graph->nodes->len, NULL);
  g_autoptr (GHashTable) pools =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);

  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);
    EnsNode *producer = is_global_pool (node) ? node->inputs[0]->producer : NULL;
    GPtrArray *list = producer != NULL ? g_hash_table_lookup (pools, producer) : NULL;

    if (producer != NULL && list == NULL) {
      list = g_ptr_array_new ();
      g_hash_table_insert (pools, producer, list);
    }
    if (list != NULL)
      g_ptr_array_add (list, node);
  }
  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);

    if (!is_global_pool (node) || node->inputs[0]->producer == NULL)
      append (node, pools, nodes);
  }
  return nodes;
}

gboolean
ens_pass_pool_early (EnsGraph *graph)
{
  g_autoptr (GPtrArray) nodes = order (graph);
  gsize size = nodes->len * sizeof (gpointer);

  if (size == 0 || memcmp (nodes->pdata, graph->nodes->pdata, size) == 0)
    return FALSE;
  memcpy (graph->nodes->pdata, nodes->pdata, size);
  return TRUE;
}
