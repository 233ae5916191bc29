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

gboolean
ens_pass_fold_constants (EnsGraph *graph)
{
  gboolean progress = FALSE;

  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);

    /* A node that can't be inferred is reported when a plan is made, with the shapes of that. */
    if (is_constant (node) && node->outputs[0]->constant == NULL
        && ens_infer_node (node, TRUE, NULL))
      progress = progress || node->outputs[0]->constant != NULL;
  }
  return progress;
}
