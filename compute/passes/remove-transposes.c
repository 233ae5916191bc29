/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* Reads past a Transpose before this one. */
static gboolean
join_transposes (EnsGraph *graph, EnsNode *node)
{
  const EnsNode *first = node->inputs[0]->producer;
  EnsTransposeParams *params = node->params;
  gint64 perm[ENS_MAX_RANK] = {0}, first_perm[ENS_MAX_RANK] = {0};

  if (first == NULL || first->op->kind != ENS_KIND_TRANSPOSE)
    return FALSE;
  ens_node_get_perm (node, perm);
  ens_node_get_perm (first, first_perm);
  params->perm.present = TRUE;
  params->perm.n = node->inputs[0]->shape.rank;
  for (guint i = 0; i < params->perm.n; i++)
    params->perm.values[i] = first_perm[perm[i]];
  ens_node_set_input (graph, node, 0, first->inputs[0]);
  return TRUE;
}

/* Whether axes longer than 1 keep their order, so that all elements do. */
static gboolean
keeps_elements (const EnsNode *node)
{
  const EnsShape *shape = &node->inputs[0]->shape;
  gint64 perm[ENS_MAX_RANK] = {0}, last = -1;

  ens_node_get_perm (node, perm);
  for (guint i = 0; i < shape->rank; i++) {
    if (shape->dims[perm[i]] == 1)
      continue;
    if (perm[i] < last)
      return FALSE;
    last = perm[i];
  }
  return TRUE;
}

static gboolean
reshape_instead (EnsGraph *graph, EnsNode *node)
{
  EnsValue *value = node->inputs[0];

  if (!keeps_elements (node))
    return FALSE;
  if (!ens_shape_equal (&value->shape, &node->outputs[0]->shape)) {
    value = ens_graph_insert_reshape (graph, node, value, &node->outputs[0]->shape);
    ens_graph_rename_node (graph, value->producer, node->name);
  }
  return ens_graph_replace_uses (graph, node->outputs[0], value);
}

static gboolean
simplify (EnsGraph *graph, EnsNode *node)
{
  gboolean progress;

  if (node->op->kind != ENS_KIND_TRANSPOSE)
    return FALSE;
  progress = join_transposes (graph, node);
  return reshape_instead (graph, node) || progress;
}

gboolean
ens_pass_remove_transposes (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, simplify);
}
