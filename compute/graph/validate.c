/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fail.h"
#include "graph/op.h"

#define fail(graph, error, ...) ens_fail (error, ENS_ERROR_FORMAT, (graph)->name, __VA_ARGS__)

static gboolean
is_member (const EnsGraph *graph, const EnsValue *value)
{
  return value->index < graph->values->len
         && g_ptr_array_index (graph->values, value->index) == value;
}

static gboolean
check_values (const EnsGraph *graph, GError **error)
{
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsValue *value = g_ptr_array_index (graph->values, i);

    if (value->index != i)
      return fail (graph, error, "value “%s” stands at %u and says %u", value->name, i,
                   value->index);
    if (ens_graph_find (graph, value->name) != value)
      return fail (graph, error, "value “%s” is not found by its name", value->name);
    if (value->constant != NULL
        && (value->constant->type != value->type
            || !ens_shape_equal (&value->constant->shape, &value->shape)))
      return fail (graph, error, "value “%s” has another type or shape than its contents",
                   value->name);
  }
  return g_hash_table_size (graph->by_name) == graph->values->len
         || fail (graph, error, "names without values");
}

static gboolean
check_counts (const EnsGraph *graph, const EnsNode *node, GError **error)
{
  const EnsOp *op = node->op;

  if (node->n_inputs < op->min_inputs || node->n_inputs > op->max_inputs)
    return fail (graph, error, "node “%s” (%s) has %u inputs, expected %u to %u", node->name,
                 op->name, node->n_inputs, op->min_inputs, op->max_inputs);
  if (node->n_outputs < op->min_outputs || node->n_outputs > op->max_outputs)
    return fail (graph, error, "node “%s” (%s) has %u outputs, expected %u to %u", node->name,
                 op->name, node->n_outputs, op->min_outputs, op->max_outputs);
  for (guint i = 0; i < op->min_inputs; i++)
    if (node->inputs[i] == NULL)
      return fail (graph, error, "node “%s” (%s) lacks input %u", node->name, op->name, i);
  return TRUE;
}

/* `ready` tells by value index what exists before the node runs; its outputs are added. */
static gboolean
check_node (const EnsGraph *graph, const EnsNode *node, gboolean *ready, GError **error)
{
  if (g_hash_table_lookup (graph->nodes_by_name, node->name) != node)
    return fail (graph, error, "node “%s” is not found by its name", node->name);
  if (!check_counts (graph, node, error))
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL)
      continue;
    if (!is_member (graph, input))
      return fail (graph, error, "node “%s” (%s): input %u is not a value of this graph",
                   node->name, node->op->name, i);
    if (!ready[input->index])
      return fail (graph, error, "node “%s” (%s) reads “%s” before it is computed", node->name,
                   node->op->name, input->name);
  }
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsValue *output = node->outputs[i];

    if (!is_member (graph, output) || output->producer != node)
      return fail (graph, error, "node “%s” (%s): output %u is not its own", node->name,
                   node->op->name, i);
    ready[output->index] = TRUE;
  }
  return TRUE;
}

gboolean
ens_graph_validate (const EnsGraph *graph, GError **error)
{
  g_autofree gboolean *ready = g_new0 (gboolean, graph->values->len);

  if (!check_values (graph, error))
    return FALSE;
  for (guint i = 0; i < graph->values->len; i++)
    ready[i] = ((EnsValue *)g_ptr_array_index (graph->values, i))->constant != NULL;
  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    if (!is_member (graph, input) || input->producer != NULL)
      return fail (graph, error, "input %u is computed or not a value of this graph", i);
    ready[input->index] = TRUE;
  }
  for (guint i = 0; i < graph->nodes->len; i++)
    if (!check_node (graph, g_ptr_array_index (graph->nodes, i), ready, error))
      return FALSE;
  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);

    if (!is_member (graph, output) || !ready[output->index])
      return fail (graph, error, "output %u is not computed", i);
  }
  return TRUE;
}
