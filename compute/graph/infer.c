/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/infer.h"

#include <string.h>

/* Results of up to this size are computed beforehand even where that takes more memory than the
 * inputs did; it is ample for the arithmetic of shapes. */
#define MAX_FOLDED_GROWTH 65536

/* … and those that take more steps are left for running, which can be cancelled. */
#define MAX_FOLDED_STEPS 0x1p29

void
ens_node_views_init (EnsNodeViews *node_views, const EnsNode *node)
{
  node_views->views = g_new0 (EnsView, node->n_inputs + node->n_outputs);
  node_views->inputs = g_new0 (const EnsView *, node->n_inputs);
  node_views->outputs = g_new0 (EnsView *, node->n_outputs);
  node_views->operands = (EnsOperands) {.node = node,
                                        .params = node->params,
                                        .n_inputs = node->n_inputs,
                                        .n_outputs = node->n_outputs,
                                        .inputs = node_views->inputs,
                                        .outputs = node_views->outputs};
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *value = node->inputs[i];

    if (value == NULL)
      continue;
    node_views->views[i] =
        ens_view_dense (value->type, &value->shape, value->constant ? value->constant->data : NULL);
    node_views->inputs[i] = &node_views->views[i];
  }
  for (guint i = 0; i < node->n_outputs; i++)
    node_views->outputs[i] = &node_views->views[node->n_inputs + i];
}

void
ens_node_views_clear (EnsNodeViews *node_views)
{
  g_free (node_views->views);
  g_free (node_views->inputs);
  g_free (node_views->outputs);
}

/* Of a node whose outputs' shapes are known. */
static void
init_all_views (EnsNodeViews *node_views, const EnsNode *node)
{
  ens_node_views_init (node_views, node);
  for (guint i = 0; i < node->n_outputs; i++)
    *node_views->outputs[i] =
        ens_view_dense (node->outputs[i]->type, &node->outputs[i]->shape, NULL);
}

double
ens_node_count_flops (const EnsNode *node)
{
  g_auto (EnsNodeViews) node_views = {0};

  if (node->op->flops == NULL)
    return 0;
  init_all_views (&node_views, node);
  return node->op->flops (&node_views.operands);
}

double
ens_node_count_steps (const EnsNode *node)
{
  g_auto (EnsNodeViews) node_views = {0};

  init_all_views (&node_views, node);
  return ens_op_count_steps (node->op, &node_views.operands);
}

static gboolean
check_inputs (const EnsNode *node, const EnsOperands *operands, GError **error)
{
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsView *input = ens_operands_input (operands, i);
    g_autofree char *shape = NULL;

    if (input == NULL || ens_shape_is_countable (&input->shape))
      continue;
    shape = ens_shape_to_string (&input->shape);
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "the size of input “%s” (%s) is %s",
                         node->inputs[i]->name, shape,
                         strchr (shape, '?') != NULL ? "unknown" : "too large");
  }
  return TRUE;
}

static gboolean
take_outputs (EnsNode *node, const EnsOperands *operands, GError **error)
{
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsView *output = operands->outputs[i];

    if (!ens_shape_is_countable (&output->shape)) {
      g_autofree char *shape = ens_shape_to_string (&output->shape);

      return ens_op_error (operands, error, ENS_ERROR_SHAPE, "output “%s” can't be as large as %s",
                           node->outputs[i]->name, shape);
    }
    node->outputs[i]->type = output->type;
    node->outputs[i]->shape = output->shape;
  }
  return TRUE;
}

static gboolean
is_foldable (const EnsNode *node, const EnsOperands *operands)
{
  gsize input_size = 0, output_size = 0;

  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *value = node->inputs[i];

    if (value == NULL)
      continue;
    if (value->constant != NULL)
      input_size += ens_tensor_size (value->constant);
    else if (!(node->op->flags & ENS_OP_SHAPE_ONLY))
      return FALSE;
  }
  for (guint i = 0; i < node->n_outputs; i++) {
    gsize size = (gsize)ens_shape_elements (&node->outputs[i]->shape);

    if (size > G_MAXSIZE / 16 - output_size)
      return FALSE;
    output_size += size * ens_type_size (node->outputs[i]->type);
  }
  return output_size <= MAX (input_size, MAX_FOLDED_GROWTH)
         && ens_op_count_steps (node->op, operands) <= MAX_FOLDED_STEPS;
}

static void
fold_node (EnsNode *node, const EnsOperands *operands)
{
  for (guint i = 0; i < node->n_outputs; i++) {
    EnsView *output = operands->outputs[i];
    EnsTensor *tensor = ens_tensor_new (output->type, &output->shape);

    *output = ens_view_dense (tensor->type, &tensor->shape, tensor->data);
    node->outputs[i]->constant = tensor;
  }
  node->op->reference (operands);
}

gboolean
ens_infer_node (EnsNode *node, gboolean fold, GError **error)
{
  g_auto (EnsNodeViews) node_views;
  EnsOperands *operands = &node_views.operands;

  ens_node_views_init (&node_views, node);
  for (guint i = 0; i < node->n_outputs; i++)
    g_clear_pointer (&node->outputs[i]->constant, ens_tensor_unref);
  if (!check_inputs (node, operands, error) || !node->op->shape (operands, error)
      || !take_outputs (node, operands, error))
    return FALSE;
  if (fold && is_foldable (node, operands))
    fold_node (node, operands);
  return TRUE;
}

gboolean
ens_infer_graph (EnsGraph *graph, const EnsShape *input_shapes, GError **error)
{
  for (guint i = 0; i < graph->inputs->len; i++) {
    EnsValue *input = g_ptr_array_index (graph->inputs, i);

    if (input->shape.rank != input_shapes[i].rank) {
      g_autofree char *expected = ens_shape_to_string (&input->shape);
      g_autofree char *found = ens_shape_to_string (&input_shapes[i]);

      g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE, "%s: input “%s” is %s, expected %s",
                   graph->name, input->name, found, expected);
      return FALSE;
    }
    input->shape = input_shapes[i];
  }
  for (guint i = 0; i < graph->nodes->len; i++)
    if (!ens_infer_node (g_ptr_array_index (graph->nodes, i), TRUE, error)) {
      g_prefix_error (error, "%s: ", graph->name);
      return FALSE;
    }
  return TRUE;
}

/* What shape () says of a node's outputs is what these have. */
static gboolean
check_outputs (const EnsNode *node, const EnsOperands *operands, GError **error)
{
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsValue *output = node->outputs[i];
    const EnsView *found = operands->outputs[i];
    g_autofree char *planned = NULL, *inferred = NULL;

    if (output->type == found->type && ens_shape_equal (&output->shape, &found->shape))
      continue;
    planned = ens_shape_to_string (&output->shape);
    inferred = ens_shape_to_string (&found->shape);
    return ens_op_error (
        operands, error, ENS_ERROR_SHAPE, "output “%s” is %s %s, but was planned as %s %s",
        output->name, ens_type_name (found->type), inferred, ens_type_name (output->type), planned);
  }
  return TRUE;
}

gboolean
ens_graph_check_inferred (const EnsGraph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = g_ptr_array_index (graph->nodes, i);
    g_auto (EnsNodeViews) node_views;
    EnsOperands *operands = &node_views.operands;

    ens_node_views_init (&node_views, node);
    if (!check_inputs (node, operands, error) || !node->op->shape (operands, error)
        || !check_outputs (node, operands, error)) {
      g_prefix_error (error, "%s: ", graph->name);
      return FALSE;
    }
  }
  return TRUE;
}
