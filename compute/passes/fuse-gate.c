/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* x · sigmoid (x) is written as two nodes in files: SiLU (Elfwing et al. 2018), and Hard-Swish
 * (Howard et al. 2019) with the piecewise linear sigmoid. */
#include "passes/passes.h"

#include <math.h>

#include "passes/activation.h"
#include "passes/rewrite.h"

/* The activation that x · gate (x) is, or NONE. */
static EnsActivation
name_gate (const EnsNode *gate)
{
  EnsFusedActivation activation;

  if (gate == NULL || !ens_node_as_activation (gate, &activation))
    return ENS_ACTIVATION_NONE;
  if (activation.kind == ENS_ACTIVATION_SIGMOID)
    return ENS_ACTIVATION_SWISH;
  if (activation.kind == ENS_ACTIVATION_HARD_SIGMOID && fabsf (activation.alpha - 1 / 6.0f) < 1e-6f
      && activation.beta == 0.5f)
    return ENS_ACTIVATION_HARD_SWISH;
  return ENS_ACTIVATION_NONE;
}

/* Whether nothing but these two nodes reads the value. */
static gboolean
is_read_by (const EnsGraph *graph, const EnsValue *value, const EnsNode *a, const EnsNode *b)
{
  if (ens_graph_is_output (graph, value))
    return FALSE;
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] == value && node != a && node != b)
        return FALSE;
  }
  return TRUE;
}

static gboolean
fuse (EnsGraph *graph, EnsNode *mul)
{
  if (mul->op->kind != ENS_KIND_MULTIPLY)
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    EnsValue *x = mul->inputs[i];
    const EnsNode *gate = mul->inputs[1 - i]->producer;
    EnsActivation kind = name_gate (gate);
    EnsFusedActivation *fused = ens_node_fused_activation (x->producer);

    if (kind == ENS_ACTIVATION_NONE || gate->inputs[0] != x || fused == NULL
        || fused->kind != ENS_ACTIVATION_NONE || !ens_type_fuses (x->type)
        || ens_node_fused_activation (mul)->kind != ENS_ACTIVATION_NONE
        || !is_read_by (graph, x, mul, gate)
        || ens_graph_only_reader (graph, gate->outputs[0]) != mul)
      continue;
    *fused = (EnsFusedActivation) {kind, 1, 0};
    ens_graph_replace_uses (graph, mul->outputs[0], x);
    return TRUE;
  }
  return FALSE;
}

gboolean
ens_pass_fuse_gate (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
