/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "passes/activation.h"
#include "passes/rewrite.h"

EnsFusedActivation *
ens_node_fused_activation (const EnsNode *node)
{
  if (node == NULL || !(node->op->flags & ENS_OP_FUSES) || node->params == NULL)
    return NULL;
  return (EnsFusedActivation *)((char *)node->params + node->op->activation_offset);
}

static gboolean
fuse (EnsGraph *graph, EnsNode *node)
{
  EnsFusedActivation activation, *fused;
  const EnsValue *input;

  if (!ens_node_as_activation (node, &activation))
    return FALSE;
  input = node->inputs[0];
  fused = ens_node_fused_activation (input->producer);
  if (fused == NULL || fused->kind != ENS_ACTIVATION_NONE || !ens_type_fuses (input->type)
      || ens_graph_only_reader (graph, input) != node)
    return FALSE;
  *fused = activation;
  ens_graph_replace_uses (graph, node->outputs[0], node->inputs[0]);
  return TRUE;
}

gboolean
ens_pass_fuse_activation (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
