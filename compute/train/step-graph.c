/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/step-private.h"

#include <string.h>

#include "base/fail.h"
#include "graph/infer.h"
#include "ops/registry.h"
#include "passes/backward.h"
#include "passes/parameters.h"
#include "passes/recompute.h"
#include "passes/rewrite.h"

typedef struct {
  const EnsStepParams *params;
  EnsStepGraph *step;
  EnsGraph *graph;    /* the step's */
  GHashTable *frozen; /* EnsNode whose parameters stay as they are */
  GPtrArray *values;  /* EnsValue of each parameter */
} Builder;

/* Outputs */

static EnsValue *
find_value (const EnsGraph *graph, const char *name, const char *what, GError **error)
{
  EnsValue *value = ens_graph_find (graph, name);

  if (value == NULL)
    ens_fail (error, ENS_ERROR_FORMAT, graph->name, "there is no value “%s”, %s", name, what);
  return value;
}

/* The loss and what else was asked for are the only outputs. */
static gboolean
choose_outputs (const Builder *builder, GError **error)
{
  const EnsStepParams *params = builder->params;
  EnsValue *value = find_value (builder->graph, params->loss, "the loss", error);

  g_ptr_array_set_size (builder->graph->outputs, 0);
  if (value == NULL)
    return FALSE;
  ens_graph_add_output (builder->graph, value);
  for (guint i = 0; params->outputs != NULL && params->outputs[i] != NULL; i++) {
    value = find_value (builder->graph, params->outputs[i], "which is to be returned", error);
    if (value == NULL)
      return FALSE;
    ens_graph_add_output (builder->graph, value);
  }
  builder->step->n_outputs = builder->graph->outputs->len - 1;
  return TRUE;
}

/* What stays as it is */

/* What only the shape of is read stays free. */
static void
freeze_above (const Builder *builder, gboolean *frozen)
{
  for (guint i = builder->graph->nodes->len; i-- > 0;) {
    EnsNode *node = ens_graph_node (builder->graph, i);
    gboolean any = FALSE;

    for (guint j = 0; j < node->n_outputs; j++)
      any = any || frozen[node->outputs[j]->index];
    if (!any)
      continue;
    g_hash_table_add (builder->frozen, node);
    for (guint j = 0; j < node->n_inputs && !(node->op->flags & ENS_OP_SHAPE_ONLY); j++)
      if (node->inputs[j] != NULL)
        frozen[node->inputs[j]->index] = TRUE;
  }
}

static gboolean
freeze (const Builder *builder, GError **error)
{
  const char *const *names = builder->params->frozen;
  g_autofree gboolean *frozen = g_new0 (gboolean, builder->graph->values->len);

  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    const EnsValue *value = find_value (
        builder->graph, names[i],
        "which is to be frozen; gst-ensemble-1.0 inspect prints the layers' names", error);

    if (value == NULL)
      return FALSE;
    frozen[value->index] = TRUE;
  }
  freeze_above (builder, frozen);
  return TRUE;
}

/* Parameters */

static void
append_parameter (GArray *parameters, const EnsGraphParameter *from)
{
  const EnsValue *value = from->node->inputs[from->input];
  const EnsParameter *last =
      parameters->len > 0 ? &g_array_index (parameters, EnsParameter, parameters->len - 1) : NULL;
  EnsParameter parameter = {
      .name = g_intern_string (value->name),
      .node = g_intern_string (from->node->name),
      .input = from->input,
      .kind = from->kind,
      .shape = value->shape,
      .offset = last != NULL ? last->offset + last->size : 0,
      .size = (gsize)ens_shape_elements (&value->shape),
  };

  g_array_append_val (parameters, parameter);
}

static void
free_parameter (const Builder *builder, const EnsGraphParameter *parameter, GArray *list)
{
  EnsValue *value = parameter->node->inputs[parameter->input];

  append_parameter (list, parameter);
  g_ptr_array_add (builder->values, value);
  g_ptr_array_add (builder->step->initial, ens_graph_free_constant (builder->graph, value));
}

/* The parameter of a step beside this one. NULL: none has one of that name. */
static const EnsParameter *
find_beside (const Builder *builder, const EnsGraphParameter *parameter, EnsStep **step)
{
  EnsStep *const *beside = builder->params->beside;
  const char *name = parameter->node->inputs[parameter->input]->name;

  for (; beside != NULL && *beside != NULL; beside++) {
    guint n;
    const EnsParameter *parameters = ens_step_get_parameters (*beside, &n);

    *step = *beside;
    for (guint i = 0; i < n; i++)
      if (strcmp (parameters[i].name, name) == 0)
        return &parameters[i];
  }
  return NULL;
}

static gboolean
is_trained (const Builder *builder, const EnsGraphParameter *parameter)
{
  const EnsStepParams *params = builder->params;
  const char *name = parameter->node->inputs[parameter->input]->name;
  EnsStep *step;

  return parameter->kind < ENS_PARAMETER_MEAN && find_beside (builder, parameter, &step) == NULL
         && !g_hash_table_contains (builder->frozen, parameter->node)
         && (params->is_trained == NULL
             || params->is_trained (params->data, name, parameter->kind));
}

static void
free_parameters (const Builder *builder)
{
  g_autoptr (GArray) all = ens_graph_find_parameters (builder->graph);

  for (guint i = 0; i < all->len; i++) {
    const EnsGraphParameter *parameter = &g_array_index (all, EnsGraphParameter, i);

    if (is_trained (builder, parameter))
      free_parameter (builder, parameter, builder->step->parameters);
  }
}

static gboolean
take_parameter (const Builder *builder, EnsValue *value, const EnsParameter *from, EnsStep *step,
                GError **error)
{
  const EnsTakenParameter taken = {step, from->offset};
  g_autofree char *expected = ens_shape_to_string (&from->shape), *found = NULL;

  if (ens_shape_equal (&value->shape, &from->shape)) {
    ens_tensor_unref (ens_graph_free_constant (builder->graph, value));
    g_array_append_val (builder->step->taken, taken);
    return TRUE;
  }
  found = ens_shape_to_string (&value->shape);
  return ens_fail (error, ENS_ERROR_SHAPE, builder->graph->name,
                   "parameter “%s”: expected %s as in the step beside it, found %s", value->name,
                   expected, found);
}

/* What steps beside this one train. */
static gboolean
take_parameters (const Builder *builder, GError **error)
{
  g_autoptr (GArray) all = ens_graph_find_parameters (builder->graph);

  for (guint i = 0; i < all->len; i++) {
    const EnsGraphParameter *parameter = &g_array_index (all, EnsGraphParameter, i);
    EnsStep *step;
    const EnsParameter *from = find_beside (builder, parameter, &step);

    if (from != NULL
        && !take_parameter (builder, parameter->node->inputs[parameter->input], from, step, error))
      return FALSE;
  }
  return TRUE;
}

/* Batch normalisation and dropout */

static gboolean
is_not_frozen (const EnsNode *node, gpointer data)
{
  const Builder *builder = data;

  return !g_hash_table_contains (builder->frozen, node);
}

/* Batch normalisation that is trained keeps statistics; what it makes of them are outputs. */
static void
free_statistics (const Builder *builder)
{
  g_autoptr (GArray) all = ens_graph_find_parameters (builder->graph);

  for (guint i = 0; i < all->len; i++) {
    const EnsGraphParameter *parameter = &g_array_index (all, EnsGraphParameter, i);

    if (parameter->node->op == &ens_op_batch_normalization_training
        && parameter->kind >= ENS_PARAMETER_MEAN)
      free_parameter (builder, parameter, builder->step->statistics);
  }
}

static void
add_statistics (const Builder *builder)
{
  const GArray *statistics = builder->step->statistics;

  for (guint i = 0; i < statistics->len; i++) {
    const EnsParameter *parameter = &g_array_index (statistics, EnsParameter, i);
    const EnsNode *node = g_hash_table_lookup (builder->graph->nodes_by_name, parameter->node);

    ens_graph_add_output (builder->graph,
                          node->outputs[parameter->kind == ENS_PARAMETER_MEAN ? 1 : 2]);
  }
}

/* Shapes */

static gboolean
infer (const Builder *builder, GError **error)
{
  const GPtrArray *inputs = builder->graph->inputs;
  g_autofree EnsShape *shapes = g_new (EnsShape, inputs->len);

  for (guint i = 0; i < inputs->len; i++)
    shapes[i] = i < builder->step->n_inputs ? builder->params->input_shapes[i]
                                            : ((EnsValue *)inputs->pdata[i])->shape;
  if (!ens_infer_graph (builder->graph, shapes, error))
    return FALSE;
  ens_graph_remove_unused (builder->graph);
  return TRUE;
}

/* Gradients */

/* What the loss does not depend on becomes a constant again. */
static void
drop_parameter (const Builder *builder, guint i)
{
  EnsStepGraph *step = builder->step;
  gsize size = g_array_index (step->parameters, EnsParameter, i).size;

  ens_graph_bind_input (builder->graph, builder->values->pdata[i], step->initial->pdata[i]);
  g_array_remove_index (step->parameters, i);
  g_ptr_array_remove_index (step->initial, i);
  for (guint k = i; k < step->parameters->len; k++)
    g_array_index (step->parameters, EnsParameter, k).offset -= size;
}

static gboolean
differentiate (const Builder *builder, GError **error)
{
  guint n = builder->step->parameters->len;
  g_autofree EnsValue **gradients = g_new0 (EnsValue *, n);
  EnsGraph *graph = builder->graph;

  if (!ens_graph_backward (graph, graph->outputs->pdata[0], (EnsValue **)builder->values->pdata, n,
                           gradients, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (gradients[i] != NULL)
      ens_graph_add_output (graph, gradients[i]);
  for (guint i = n; i-- > 0;)
    if (gradients[i] == NULL)
      drop_parameter (builder, i);
  if (builder->step->parameters->len > 0)
    return TRUE;
  return ens_fail (error, ENS_ERROR_UNSUPPORTED, graph->name,
                   "the loss “%s” depends on no parameter that is trained; freeze fewer layers",
                   builder->params->loss);
}

static gboolean
build (const Builder *builder, guint n_segments, GError **error)
{
  const EnsStepParams *params = builder->params;
  guint n_forward;

  if (!choose_outputs (builder, error))
    return FALSE;
  ens_graph_remove_unused (builder->graph);
  if (!freeze (builder, error))
    return FALSE;
  free_parameters (builder);
  if (!take_parameters (builder, error))
    return FALSE;
  if (params->batch_statistics) {
    ens_graph_train_batch_norm (builder->graph, (float)params->momentum, is_not_frozen,
                                (gpointer)builder);
    free_statistics (builder);
  }
  if (!infer (builder, error))
    return FALSE;
  builder->step->ratios =
      ens_graph_train_dropout (builder->graph, is_not_frozen, (gpointer)builder);
  n_forward = builder->graph->nodes->len;
  if (!differentiate (builder, error))
    return FALSE;
  if (n_segments > 1)
    ens_graph_recompute (builder->graph, n_forward, n_segments);
  add_statistics (builder);
  return TRUE;
}

gboolean
ens_step_graph_init (EnsStepGraph *step, const EnsStepParams *params, guint n_segments,
                     GError **error)
{
  g_autoptr (GHashTable) frozen = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  Builder builder = {params, step, ens_graph_copy (params->graph), frozen, values};

  *step = (EnsStepGraph) {
      .graph = builder.graph,
      .n_inputs = params->graph->inputs->len,
      .parameters = g_array_new (FALSE, FALSE, sizeof (EnsParameter)),
      .statistics = g_array_new (FALSE, FALSE, sizeof (EnsParameter)),
      .taken = g_array_new (FALSE, FALSE, sizeof (EnsTakenParameter)),
      .initial = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref),
  };
  if (build (&builder, n_segments, error))
    return TRUE;
  ens_step_graph_clear (step);
  return FALSE;
}

void
ens_step_graph_clear (EnsStepGraph *step)
{
  g_clear_pointer (&step->graph, ens_graph_free);
  g_array_unref (step->parameters);
  g_array_unref (step->statistics);
  g_array_unref (step->taken);
  g_ptr_array_unref (step->initial);
  g_clear_pointer (&step->ratios, g_array_unref);
}
