/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/parameters.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "ops/registry.h"
#include "passes/rewrite.h"

static gboolean
is_real_constant (const EnsValue *value)
{
  return value != NULL && value->constant != NULL && value->producer == NULL
         && value->type == ENS_TYPE_FLOAT32;
}

/* A vector added to a product of matrices is its bias. */
static gboolean
adds_bias (const EnsNode *node, guint input)
{
  const EnsValue *other = node->n_inputs == 2 ? node->inputs[1 - input] : NULL;

  return node->op->kind == ENS_KIND_ADD && node->n_inputs == 2
         && node->inputs[input]->shape.rank == 1 && other != NULL && other->producer != NULL
         && other->producer->op->kind == ENS_KIND_PRODUCT;
}

static EnsParameterKind
get_kind (const EnsNode *node, guint input)
{
  if (!is_real_constant (node->inputs[input]))
    return ENS_PARAMETER_NONE;
  if (input < ENS_MAX_PARAMETERS && node->op->parameters[input] != ENS_PARAMETER_NONE)
    return node->op->parameters[input];
  return adds_bias (node, input) ? ENS_PARAMETER_BIAS : ENS_PARAMETER_NONE;
}

/* Notes that a constant was met. FALSE: it was met before, and is still shared, as is what else
 * this layer has. */
static gboolean
meet (EnsGraph *graph, EnsNode *node, guint input, GHashTable *met, gboolean *is_shared)
{
  EnsValue *value = node->inputs[input];

  if (g_hash_table_add (met, value))
    return TRUE;
  *is_shared = *is_shared || value->shape.rank > 1;
  if (*is_shared)
    return FALSE;
  node->inputs[input] = ens_graph_add_constant (graph, value->name, value->constant);
  return TRUE;
}

GArray *
ens_graph_find_parameters (EnsGraph *graph)
{
  GArray *parameters = g_array_new (FALSE, FALSE, sizeof (EnsGraphParameter));
  g_autoptr (GHashTable) met = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);
    gboolean is_shared = FALSE;

    for (guint j = 0; j < node->n_inputs; j++) {
      EnsGraphParameter parameter = {node, j, get_kind (node, j)};

      if (parameter.kind != ENS_PARAMETER_NONE && meet (graph, node, j, met, &is_shared))
        g_array_append_val (parameters, parameter);
    }
  }
  return parameters;
}

EnsTensor *
ens_graph_free_constant (EnsGraph *graph, EnsValue *value)
{
  g_ptr_array_add (graph->inputs, value);
  return g_steal_pointer (&value->constant);
}

void
ens_graph_bind_input (EnsGraph *graph, EnsValue *value, EnsTensor *tensor)
{
  g_ptr_array_remove (graph->inputs, value);
  value->constant = ens_tensor_ref (tensor);
}

void
ens_graph_train_batch_norm (EnsGraph *graph, float momentum, EnsNodeFunc is_chosen, gpointer data)
{
  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);

    if (node->op == &ens_op_batch_normalization && is_chosen (node, data)) {
      const EnsNormalizationParams *params = node->params;
      const EnsBatchTrainingParams training = {.epsilon = params->epsilon, .momentum = momentum};

      ens_graph_change_node (graph, node, &ens_op_batch_normalization_training, &training, 5);
    }
  }
}

static void
train_dropout (EnsGraph *graph, EnsNode *node)
{
  const EnsBinaryParams params = {.activation = {ENS_ACTIVATION_NONE}};
  EnsValue *x = node->inputs[0];
  g_autofree char *name = g_strdup_printf ("%s:mask", node->name);
  EnsValue *mask = ens_graph_add_input (graph, name, x->type, &x->shape);
  EnsValue *inputs[] = {x, mask};
  EnsValue *product = ens_graph_insert (graph, node, &ens_op_mul, &params, inputs, 2);

  ens_infer_node (product->producer, FALSE, NULL);
  ens_graph_replace_uses (graph, node->outputs[0], product);
}

GArray *
ens_graph_train_dropout (EnsGraph *graph, EnsNodeFunc is_chosen, gpointer data)
{
  GArray *ratios = g_array_new (FALSE, FALSE, sizeof (float));
  guint n = graph->nodes->len;
  g_autofree EnsNode **nodes = g_memdup2 (graph->nodes->pdata, n * sizeof *nodes);

  for (guint i = 0; i < n; i++) {
    EnsNode *node = nodes[i];
    float ratio;

    if (node->op != &ens_op_dropout || !is_chosen (node, data))
      continue;
    ratio = ((const EnsDropoutParams *)node->params)->ratio;
    if (ratio <= 0)
      continue;
    train_dropout (graph, node);
    g_array_append_val (ratios, ratio);
  }
  return ratios;
}
