/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "ops/params.h"
#include "passes/rewrite.h"

#define RESIDUAL 3 /* Conv's and MatMul's input */

static EnsFusedActivation *
get_activation (const EnsNode *node)
{
  return G_STRUCT_MEMBER_P (node->params, node->op->activation_offset);
}

/* Kernels add it where one matrix serves all rows. */
static gboolean
multiplies_by_constant (const EnsNode *node)
{
  return ens_node_is (node, "MatMul") && node->inputs[1]->constant != NULL
         && node->inputs[1]->shape.rank == 2 && node->inputs[0]->shape.rank >= 2;
}

/* Whether the value comes from a Conv or MatMul that could add something to it, for `add` alone. */
static gboolean
can_add (const EnsGraph *graph, const EnsValue *value, const EnsNode *add)
{
  const EnsNode *node = value->producer;

  return (ens_node_is (node, "Conv") || (node != NULL && multiplies_by_constant (node)))
         && ens_node_input (node, RESIDUAL) == NULL
         && get_activation (node)->kind == ENS_ACTIVATION_NONE
         && ens_graph_only_reader (graph, value) == add;
}

/* Which of the Add's inputs is to take over the addition: of two such nodes the one that was made
 * later, which is the later one in the file. −1: none can. */
static int
choose_input (const EnsGraph *graph, const EnsNode *add)
{
  gboolean first = can_add (graph, add->inputs[0], add);
  gboolean second = can_add (graph, add->inputs[1], add);

  if (first && second)
    return add->inputs[0]->index > add->inputs[1]->index ? 0 : 1;
  return first ? 0 : second ? 1 : -1;
}

static gboolean
fuse (EnsGraph *graph, EnsNode *add)
{
  EnsNode *node;
  int i;

  if (add->op->kind != ENS_KIND_ADD || add->n_inputs != 2 || !ens_type_fuses (add->outputs[0]->type)
      || !ens_shape_equal (&add->inputs[0]->shape, &add->inputs[1]->shape))
    return FALSE;
  i = choose_input (graph, add);
  if (i < 0)
    return FALSE;
  node = add->inputs[i]->producer;
  if (node->n_inputs < RESIDUAL)
    ens_node_resize_inputs (node, RESIDUAL);
  ens_node_set_input (graph, node, RESIDUAL, add->inputs[1 - i]);
  *get_activation (node) = ((const EnsBinaryParams *)add->params)->activation;
  ens_graph_replace_uses (graph, add->outputs[0], node->outputs[0]);
  /* The residual may be computed between the two. */
  ens_graph_move_node (graph, node, add);
  return TRUE;
}

gboolean
ens_pass_fuse_residual (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
