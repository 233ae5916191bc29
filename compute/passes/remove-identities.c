/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "ops/operands.h"
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

/* Whether the integers of an input are known and in the range. Absent: there are none. */
static gboolean
are_between (const EnsNode *node, guint input, gint64 min, gint64 max)
{
  const EnsValue *value = ens_node_input (node, input);
  EnsView view;

  if (value == NULL)
    return TRUE;
  if (value->constant == NULL || value->type != ENS_TYPE_INT64)
    return FALSE;
  view = ens_view_dense (value->type, &value->shape, value->constant->data);
  for (gsize i = 0; i < ens_view_elements (&view); i++)
    if (ens_view_integer (&view, i) < min || ens_view_integer (&view, i) > max)
      return FALSE;
  return TRUE;
}

/* Of a result that is as large as the input: nothing is turned around. */
static gboolean
takes_all (const EnsNode *node)
{
  const EnsSliceParams *params = node->params;

  for (guint i = 0; i < params->steps.n; i++)
    if (params->steps.values[i] < 0)
      return FALSE;
  return are_between (node, 4, 0, G_MAXINT64);
}

static gboolean
pads_nothing (const EnsNode *node)
{
  const EnsPadParams *params = node->params;

  for (guint i = 0; i < params->rank; i++)
    if (params->begin[i] != 0 || params->end[i] != 0)
      return FALSE;
  return are_between (node, 1, 0, 0);
}

static gboolean
remove_copy (EnsGraph *graph, EnsNode *node)
{
  gboolean copies = ens_node_is (node, "Slice") ? takes_all (node)
                                                : ens_node_is (node, "Pad") && pads_nothing (node);

  return copies && ens_shape_equal (&node->inputs[0]->shape, &node->outputs[0]->shape)
         && ens_graph_replace_uses (graph, node->outputs[0], node->inputs[0]);
}

gboolean
ens_pass_remove_copies (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, remove_copy);
}
