/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "passes/rewrite.h"

/* Of further outputs (Dropout's mask, MaxPool's indices) the input tells nothing. */
static gboolean
has_one_output (const EnsGraph *graph, const EnsNode *node)
{
  for (guint i = 1; i < node->n_outputs; i++)
    if (ens_graph_is_read (graph, node->outputs[i]))
      return FALSE;
  return TRUE;
}

static gboolean
remove_identity (EnsGraph *graph, EnsNode *node)
{
  return ens_node_is_identity (node) && has_one_output (graph, node)
         && ens_graph_replace_uses (graph, node->outputs[0], node->inputs[0]);
}

gboolean
ens_pass_remove_identities (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, remove_identity);
}
