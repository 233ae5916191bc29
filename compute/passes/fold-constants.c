/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "graph/infer.h"
#include "passes/rewrite.h"

static gboolean
is_constant (const EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
fold (EnsGraph *graph, EnsNode *node)
{
  /* A node that can't be inferred is reported when a plan is made, with the shapes of that. */
  return is_constant (node) && node->outputs[0]->constant == NULL
         && ens_infer_node (node, TRUE, NULL) && node->outputs[0]->constant != NULL;
}

gboolean
ens_pass_fold_constants (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fold);
}
