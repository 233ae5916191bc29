/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/store-float16.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

typedef struct {
  EnsGraph *graph;
  const EnsFloat16Policy *float16;
  GHashTable *converted; /* EnsValue → EnsValue, the same in the other type; NULL: there is none */
} Rewrite;

static gboolean
contains (GHashTable *names, const char *name)
{
  return names != NULL && g_hash_table_contains (names, name);
}

static gboolean
is_wide (const Rewrite *rewrite, const EnsValue *value)
{
  return contains (rewrite->float16->float32_values, value->name);
}

static gboolean
is_float (const EnsValue *value)
{
  return value != NULL && (value->type == ENS_TYPE_FLOAT32 || value->type == ENS_TYPE_FLOAT16);
}

/* The constant as float16, or NULL. */
static EnsValue *
halve_constant (const Rewrite *rewrite, const EnsValue *value)
{
  g_autoptr (EnsTensor) half =
      rewrite->float16->to_float16 (rewrite->float16->data, value->constant);

  return half != NULL ? ens_graph_add_constant (rewrite->graph, value->name, half) : NULL;
}

/* The value in the other type, for a node to read. NULL: a constant that does not fit. */
static EnsValue *
convert (const Rewrite *rewrite, EnsValue *value, const EnsNode *before)
{
  const EnsCastParams params = {value->type == ENS_TYPE_FLOAT32 ? ENS_TYPE_FLOAT16
                                                                : ENS_TYPE_FLOAT32};
  gpointer found;
  EnsNode *node;

  if (g_hash_table_lookup_extended (rewrite->converted, value, NULL, &found))
    return found;
  if (value->constant != NULL && value->type == ENS_TYPE_FLOAT32) {
    found = halve_constant (rewrite, value);
  } else {
    node = ens_graph_insert_node (
        rewrite->graph, before,
        &(EnsNewNode) {.op = "Cast", .params = &params, .inputs = {value}, .n_inputs = 1});
    ens_infer_node (node, FALSE, NULL);
    found = node->outputs[0];
  }
  g_hash_table_insert (rewrite->converted, value, found);
  return found;
}

/* Whether the node has to compute in float32. */
static gboolean
needs_wide (const Rewrite *rewrite, const EnsNode *node)
{
  if (contains (rewrite->float16->float32_nodes, node->name))
    return TRUE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (is_wide (rewrite, node->outputs[i]))
      return TRUE;
  for (guint i = 0; i < node->n_inputs; i++) {
    EnsValue *input = node->inputs[i];

    if (!is_float (input))
      continue;
    if (is_wide (rewrite, input))
      return TRUE;
    if (input->constant != NULL && input->type == ENS_TYPE_FLOAT32
        && convert (rewrite, input, node) == NULL) {
      g_info ("%s: node “%s” (%s) computes in float32, its constant “%s” overflows float16",
              rewrite->graph->name, node->name, node->op->name, input->name);
      return TRUE;
    }
  }
  return FALSE;
}

static void
read_as (const Rewrite *rewrite, EnsNode *node, EnsType type)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (is_float (node->inputs[i]) && node->inputs[i]->type != type)
      ens_node_set_input (rewrite->graph, node, i, convert (rewrite, node->inputs[i], node));
}

/* Gives a node its float32 constants back after the attempt to convert them. */
static void
restore_constants (const Rewrite *rewrite, EnsNode *node, EnsValue *const *inputs)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (inputs[i] != NULL && inputs[i]->constant != NULL)
      ens_node_set_input (rewrite->graph, node, i, inputs[i]);
}

/* FALSE if the operator has no rule for float16, or reads sizes from numbers that were rounded. */
static gboolean
infer_again (EnsNode *node)
{
  g_autofree EnsShape *shapes = g_new (EnsShape, node->n_outputs);

  for (guint i = 0; i < node->n_outputs; i++)
    shapes[i] = node->outputs[i]->shape;
  if (!ens_infer_node (node, FALSE, NULL))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (!ens_shape_equal (&node->outputs[i]->shape, &shapes[i]))
      return FALSE;
  return TRUE;
}

static void
rewrite_node (const Rewrite *rewrite, EnsNode *node)
{
  g_autofree EnsValue **inputs = g_memdup2 (node->inputs, node->n_inputs * sizeof *inputs);

  if (!needs_wide (rewrite, node)) {
    read_as (rewrite, node, ENS_TYPE_FLOAT16);
    if (infer_again (node))
      return;
    restore_constants (rewrite, node, inputs);
  }
  read_as (rewrite, node, ENS_TYPE_FLOAT32);
  ens_infer_node (node, FALSE, NULL);
}

/* Nodes whose outputs are known already compute nothing. */
static gboolean
is_folded (const EnsNode *node)
{
  return node->n_outputs > 0 && node->outputs[0]->constant != NULL;
}

static void
rewrite_output (const Rewrite *rewrite, guint i)
{
  const EnsCastParams params = {ENS_TYPE_FLOAT32};
  EnsValue *output = g_ptr_array_index (rewrite->graph->outputs, i);

  if (output->type != ENS_TYPE_FLOAT16)
    return;
  output = ens_graph_apply (rewrite->graph, ens_op_find ("Cast"), &params, output, NULL);
  ens_infer_node (output->producer, FALSE, NULL);
  rewrite->graph->outputs->pdata[i] = output;
}

void
ens_graph_store_float16 (EnsGraph *graph, const EnsFloat16Policy *float16)
{
  guint n_nodes = graph->nodes->len;
  g_autoptr (GHashTable) converted = g_hash_table_new (NULL, NULL);
  g_autofree EnsNode **nodes = g_memdup2 (graph->nodes->pdata, n_nodes * sizeof *nodes);
  const Rewrite rewrite = {graph, float16, converted};
  g_autofree gboolean *is_single = g_new (gboolean, graph->outputs->len);

  for (guint i = 0; i < graph->outputs->len; i++)
    is_single[i] =
        ((const EnsValue *)g_ptr_array_index (graph->outputs, i))->type == ENS_TYPE_FLOAT32;
  for (guint i = 0; i < graph->inputs->len; i++) {
    EnsValue *input = g_ptr_array_index (graph->inputs, i);

    if (input->type == ENS_TYPE_FLOAT32 && !is_wide (&rewrite, input))
      input->type = ENS_TYPE_FLOAT16;
  }
  ens_graph_begin_edit (graph);
  for (guint i = 0; i < n_nodes; i++)
    if (!is_folded (nodes[i]))
      rewrite_node (&rewrite, nodes[i]);
  ens_graph_end_edit (graph);
  for (guint i = 0; i < graph->outputs->len; i++)
    if (is_single[i])
      rewrite_output (&rewrite, i);
  ens_graph_remove_unused (graph);
}
