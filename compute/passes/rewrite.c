/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/rewrite.h"

#include <string.h>

#include "graph/infer.h"
#include "ops/operands.h"

gboolean
ens_node_is (const EnsNode *node, const char *op)
{
  return node != NULL && strcmp (node->op->name, op) == 0;
}

gboolean
ens_node_is_plain (const EnsNode *node, EnsOpKind kind)
{
  return node != NULL && node->op->kind == kind && node->n_inputs == 2
         && ((const EnsBinaryParams *)node->params)->activation.kind == ENS_ACTIVATION_NONE;
}

gboolean
ens_value_read_number (const EnsValue *value, guint rank, double *number)
{
  EnsView view;

  if (value->constant == NULL || value->shape.rank > rank
      || ens_shape_elements (&value->shape) != 1)
    return FALSE;
  view = ens_view_dense (value->type, &value->shape, value->constant->data);
  *number = ens_view_real (&view, 0);
  return TRUE;
}

static gboolean
rewrite_all (EnsGraph *graph, EnsRewrite rewrite, gboolean backwards)
{
  guint n = graph->nodes->len;
  g_autofree EnsNode **nodes = g_memdup2 (graph->nodes->pdata, n * sizeof *nodes);
  gboolean progress = FALSE;

  ens_graph_begin_edit (graph);
  for (guint i = 0; i < n; i++)
    progress = rewrite (graph, nodes[backwards ? n - 1 - i : i]) || progress;
  ens_graph_end_edit (graph);
  return progress;
}

gboolean
ens_graph_rewrite (EnsGraph *graph, EnsRewrite rewrite)
{
  return rewrite_all (graph, rewrite, FALSE);
}

gboolean
ens_graph_rewrite_backwards (EnsGraph *graph, EnsRewrite rewrite)
{
  return rewrite_all (graph, rewrite, TRUE);
}

EnsNode *
ens_graph_insert_node (EnsGraph *graph, const EnsNode *before, const EnsNewNode *node)
{
  EnsNode *inserted = ens_graph_insert (graph, before, ens_op_find (node->op), node->params,
                                        node->inputs, node->n_inputs)
                          ->producer;

  if (node->name != NULL)
    ens_graph_rename_node (graph, inserted, node->name);
  return inserted;
}

EnsValue *
ens_graph_add_vector (EnsGraph *graph, const char *name, const float *data, gint64 n)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (n), data);

  return ens_graph_add_constant (graph, name, tensor);
}

EnsValue *
ens_graph_insert_reshape (EnsGraph *graph, const EnsNode *before, EnsValue *value,
                          const EnsShape *shape)
{
  const EnsReshapeParams params = {.allow_zero = TRUE};
  g_autoptr (EnsTensor) list =
      ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (shape->rank), shape->dims);
  EnsNode *node;

  node = ens_graph_insert_node (
      graph, before,
      &(EnsNewNode) {.op = "Reshape",
                     .params = &params,
                     .inputs = {value, ens_graph_add_constant (graph, "shape", list)},
                     .n_inputs = 2});
  ens_infer_node (node, TRUE, NULL);
  return node->outputs[0];
}

EnsValue *
ens_graph_insert_transpose (EnsGraph *graph, const EnsNode *before, EnsValue *value,
                            const gint64 *perm)
{
  EnsTransposeParams params = {.perm = {.present = TRUE, .n = value->shape.rank}};
  gboolean moves = FALSE;
  EnsNode *node;

  for (guint i = 0; i < value->shape.rank; i++) {
    params.perm.values[i] = perm[i];
    moves |= perm[i] != i;
  }
  if (!moves)
    return value;
  node = ens_graph_insert_node (
      graph, before,
      &(EnsNewNode) {.op = "Transpose", .params = &params, .inputs = {value}, .n_inputs = 1});
  ens_infer_node (node, TRUE, NULL);
  return node->outputs[0];
}

EnsValue *
ens_value_find_view (EnsValue *value, const EnsShape *shape)
{
  while (!ens_shape_equal (&value->shape, shape)) {
    if (value->producer == NULL || value->producer->op->kind != ENS_KIND_VIEW
        || value->producer->n_outputs > 1)
      return NULL;
    value = value->producer->inputs[0];
  }
  return value;
}

void
ens_node_get_perm (const EnsNode *node, gint64 *perm)
{
  const EnsList *list = &((const EnsTransposeParams *)node->params)->perm;
  gint64 rank = node->inputs[0]->shape.rank;

  for (gint64 i = 0; i < rank; i++)
    perm[i] = list->present ? (list->values[i] + rank) % rank : rank - 1 - i;
}

gboolean
ens_value_read_scaled (const EnsValue *value, EnsScaled *scaled)
{
  const EnsNode *node = value->producer;
  guint rank = value->shape.rank;

  for (guint i = 0; i < 2 && ens_node_is_plain (node, ENS_KIND_MULTIPLY); i++)
    if (ens_value_read_number (node->inputs[1 - i], rank, &scaled->number)) {
      scaled->input = node->inputs[i];
      return ens_shape_equal (&scaled->input->shape, &value->shape);
    }
  if (ens_node_is_plain (node, ENS_KIND_DIVIDE)
      && ens_value_read_number (node->inputs[1], rank, &scaled->number)) {
    scaled->input = node->inputs[0];
    scaled->number = 1 / scaled->number;
    return ens_shape_equal (&scaled->input->shape, &value->shape);
  }
  return FALSE;
}

gboolean
ens_constant_as_channels (const EnsTensor *constant, guint rank, gint64 n_channels, float *channels)
{
  gint64 n = constant != NULL ? ens_shape_elements (&constant->shape) : 0;

  if (constant == NULL || constant->type != ENS_TYPE_FLOAT32 || constant->shape.rank > rank
      || (n != 1 && (n != n_channels || ens_shape_run (&constant->shape) != n)))
    return FALSE;
  for (gint64 i = 0; i < n_channels; i++)
    channels[i] = ((const float *)constant->data)[n == 1 ? 0 : i];
  return TRUE;
}

gboolean
ens_graph_infer_sample (EnsGraph *graph, const EnsShape *input_shapes, GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);

  if (!ens_infer_graph (sample, input_shapes, error))
    return FALSE;
  for (guint i = 0; i < graph->values->len; i++) {
    EnsValue *value = ens_graph_value (graph, i);

    if (value->producer == NULL)
      continue;
    value->type = ens_graph_value (sample, i)->type;
    value->shape = ens_graph_value (sample, i)->shape;
  }
  return TRUE;
}
