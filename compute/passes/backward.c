/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reverse-mode differentiation: S. Linnainmaa, “Taylor expansion of the accumulated rounding
 * error”, BIT 16, 1976. Nodes are visited from the last to the first; by the time one is reached,
 * all that read its outputs have told what the loss's gradient with respect to them is. */
#include "passes/backward.h"

#include "base/fail.h"
#include "ops/gradient.h"
#include "ops/operands.h"
#include "ops/registry.h"
#include "passes/activation.h"
#include "passes/rewrite.h"

typedef struct {
  EnsGraph *graph;
  guint n_values;        /* before any were appended */
  gboolean *depends;     /* by value index: on a value whose gradient is asked for */
  GPtrArray **gradients; /* by value index: summands; NULL: none yet */
} Backward;

static void
backward_init (Backward *backward, EnsGraph *graph)
{
  backward->graph = graph;
  backward->n_values = graph->values->len;
  backward->depends = g_new0 (gboolean, graph->values->len);
  backward->gradients = g_new0 (GPtrArray *, graph->values->len);
}

static void
backward_clear (Backward *backward)
{
  for (guint i = 0; i < backward->n_values; i++)
    g_clear_pointer (&backward->gradients[i], g_ptr_array_unref);
  g_free (backward->gradients);
  g_free (backward->depends);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Backward, backward_clear)

static gboolean
is_wanted (const Backward *backward, const EnsValue *value)
{
  return value != NULL && backward->depends[value->index] && ens_type_is_real (value->type);
}

/* Marks what can be reached from marked values by differentiable numbers. */
static void
mark_dependent (Backward *backward)
{
  for (guint i = 0; i < backward->graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (backward->graph, i);
    gboolean depends = FALSE;

    for (guint j = 0; j < node->n_inputs; j++)
      depends = depends || is_wanted (backward, node->inputs[j]);
    for (guint j = 0; j < node->n_outputs && depends; j++)
      backward->depends[node->outputs[j]->index] = TRUE;
  }
}

static void
add_gradient (Backward *backward, const EnsValue *value, EnsValue *gradient)
{
  GPtrArray **list = &backward->gradients[value->index];

  if (*list == NULL)
    *list = g_ptr_array_new ();
  g_ptr_array_add (*list, gradient);
}

/* The sum of all that was added for a value, appended for `node`; NULL if nothing was. */
static EnsValue *
sum_gradients (Backward *backward, const EnsNode *node, const EnsValue *value)
{
  GPtrArray *list = backward->gradients[value->index];
  EnsGradient gradient = {.graph = backward->graph, .node = node};
  EnsValue *sum;

  if (list == NULL)
    return NULL;
  if (list->len == 1)
    return list->pdata[0];
  sum = ens_gradient_add (&gradient, list->len == 2 ? &ens_op_add : &ens_op_sum, NULL,
                          (EnsValue **)list->pdata, list->len, 1)
            ->outputs[0];
  g_ptr_array_set_size (list, 0);
  g_ptr_array_add (list, sum);
  return sum;
}

static gboolean
check_node (const Backward *backward, const EnsNode *node, GError **error)
{
  const EnsFusedActivation *activation = ens_node_fused_activation (node);
  const char *graph = backward->graph->name;

  if (node->op->gradient == NULL)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, graph,
                     "node “%s” (%s) has no gradient; freeze “%s”, and train what is behind it",
                     node->name, node->op->name, node->outputs[0]->name);
  if (activation != NULL && activation->kind != ENS_ACTIVATION_NONE)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, graph,
                     "node “%s” (%s) has an activation fused into it and can't be differentiated; "
                     "differentiate the graph before it is planned",
                     node->name, node->op->name);
  return TRUE;
}

/* Given the gradients of all the node's outputs, adds to those of its inputs. */
static gboolean
visit (Backward *backward, const EnsNode *node, GError **error)
{
  g_autofree EnsValue **outputs = g_new0 (EnsValue *, node->n_outputs);
  g_autofree EnsValue **inputs = g_new0 (EnsValue *, node->n_inputs);
  g_autofree gboolean *wanted = g_new0 (gboolean, node->n_inputs);
  EnsGradient gradient = {backward->graph, node, outputs, wanted, inputs};
  gboolean any_output = FALSE, any_input = FALSE;

  for (guint i = 0; i < node->n_inputs; i++)
    any_input = (wanted[i] = is_wanted (backward, node->inputs[i])) || any_input;
  for (guint i = 0; i < node->n_outputs && any_input; i++) {
    outputs[i] = sum_gradients (backward, node, node->outputs[i]);
    any_output = any_output || outputs[i] != NULL;
  }
  if (!any_output)
    return TRUE;
  if (!check_node (backward, node, error))
    return FALSE;
  if (!node->op->gradient (&gradient, error)) {
    g_prefix_error (error, "%s: ", backward->graph->name);
    return FALSE;
  }
  for (guint i = 0; i < node->n_inputs; i++)
    if (inputs[i] != NULL)
      add_gradient (backward, node->inputs[i], inputs[i]);
  return TRUE;
}

static EnsValue *
add_one (EnsGraph *graph, const EnsValue *loss)
{
  g_autofree char *name = g_strdup_printf ("%s:gradient", loss->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (loss->type, &loss->shape);
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);

  ens_view_set_real (&view, 0, 1);
  return ens_graph_add_constant (graph, name, tensor);
}

static gboolean
check_loss (const EnsGraph *graph, const EnsValue *loss, GError **error)
{
  g_autofree char *shape = ens_shape_to_string (&loss->shape);

  if (ens_shape_elements (&loss->shape) == 1 && ens_type_is_real (loss->type))
    return TRUE;
  return ens_fail (error, ENS_ERROR_SHAPE, graph->name,
                   "the loss “%s” is %s %s, expected one real number", loss->name,
                   ens_type_name (loss->type), shape);
}

gboolean
ens_graph_backward (EnsGraph *graph, EnsValue *loss, EnsValue *const *values, guint n_values,
                    EnsValue **gradients, GError **error)
{
  g_auto (Backward) backward;

  backward_init (&backward, graph);
  if (!check_loss (graph, loss, error))
    return FALSE;
  for (guint i = 0; i < n_values; i++)
    backward.depends[values[i]->index] = TRUE;
  mark_dependent (&backward);
  add_gradient (&backward, loss, add_one (graph, loss));
  for (guint i = graph->nodes->len; i-- > 0;)
    if (!visit (&backward, ens_graph_node (graph, i), error))
      return FALSE;
  for (guint i = 0; i < n_values; i++) {
    const EnsNode *node = values[i]->producer != NULL ? values[i]->producer : loss->producer;

    gradients[i] = sum_gradients (&backward, node, values[i]);
  }
  return TRUE;
}
