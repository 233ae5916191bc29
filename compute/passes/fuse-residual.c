/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "ops/params.h"
#include "passes/rewrite.h"

#define RESIDUAL 3 /* Conv's input */

/* Whether the value comes from a Conv that could add something to it, for `add` alone. */
static gboolean
can_add (const EnsGraph *graph, const EnsValue *value, const EnsNode *add)
{
  const EnsNode *conv = value->producer;

  return ens_node_is (conv, "Conv") && ens_node_input (conv, RESIDUAL) == NULL
         && ((const EnsConvParams *)conv->params)->activation.kind == ENS_ACTIVATION_NONE
         && ens_graph_only_reader (graph, value) == add;
}

/* Which of the Add's inputs is to take over the addition: of two convolutions the one that was made
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
  EnsNode *conv;
  int i;

  if (add->op->kind != ENS_KIND_ADD || add->n_inputs != 2 || !ens_type_fuses (add->outputs[0]->type)
      || !ens_shape_equal (&add->inputs[0]->shape, &add->inputs[1]->shape))
    return FALSE;
  i = choose_input (graph, add);
  if (i < 0)
    return FALSE;
  conv = add->inputs[i]->producer;
  ens_node_set_input (graph, conv, RESIDUAL, add->inputs[1 - i]);
  ((EnsConvParams *)conv->params)->activation = ((const EnsBinaryParams *)add->params)->activation;
  ens_graph_replace_uses (graph, add->outputs[0], conv->outputs[0]);
  /* The residual may be computed between the two. */
  ens_graph_move_node (graph, conv, add);
  return TRUE;
}

gboolean
ens_pass_fuse_residual (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
