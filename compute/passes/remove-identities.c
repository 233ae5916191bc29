/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "passes/rewrite.h"

/* A node whose further outputs are read (Dropout's mask, MaxPool's indices) stays for these. */
static gboolean
remove_identity (EnsGraph *graph, EnsNode *node)
{
  return ens_node_is_identity (node)
         && ens_graph_replace_uses (graph, node->outputs[0], node->inputs[0]);
}

gboolean
ens_pass_remove_identities (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, remove_identity);
}
