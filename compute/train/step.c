/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/step.h"

#include <string.h>

#include "base/fail.h"
#include "base/random.h"
#include "engine/device-private.h"
#include "engine/network-private.h"
#include "train/step-private.h"

struct _EnsStep {
  EnsStepGraph graph; /* whose graph is the network's */
  EnsDevice *device;
  EnsPlan *plan;
  float *values, *own_values; /* own: NULL where the caller has an array for them */
  /* As they were before a step, and as it leaves them. */
  float *statistics, *new_statistics;
  gsize n_values, n_statistics;
  gconstpointer *inputs; /* of the plan, as outputs */
  gpointer *outputs;
  GPtrArray *masks; /* EnsTensor of what dropout multiplies with */
  guint64 seed;
};

/* Making */

static gsize
sum_sizes (const GArray *parameters)
{
  const EnsParameter *last;

  if (parameters->len == 0)
    return 0;
  last = &g_array_index (parameters, EnsParameter, parameters->len - 1);
  return last->offset + last->size;
}

static float *
take_values (const GArray *parameters, EnsTensor *const *initial)
{
  float *values = g_new (float, sum_sizes (parameters) + 1);

  for (guint i = 0; i < parameters->len; i++) {
    const EnsParameter *parameter = &g_array_index (parameters, EnsParameter, i);

    memcpy (values + parameter->offset, initial[i]->data, parameter->size * sizeof *values);
  }
  return values;
}

/* Inputs and outputs that are the same in every step. */
static void
bind_arrays (EnsStep *step)
{
  EnsStepGraph *graph = &step->graph;
  guint input = graph->n_inputs, output = 1 + graph->n_outputs + graph->parameters->len;

  for (guint i = 0; i < graph->parameters->len; i++)
    step->inputs[input++] =
        step->values + g_array_index (graph->parameters, EnsParameter, i).offset;
  input += graph->taken->len;
  for (guint i = 0; i < graph->statistics->len; i++) {
    gsize offset = g_array_index (graph->statistics, EnsParameter, i).offset;

    step->inputs[input++] = step->statistics + offset;
    step->outputs[output++] = step->new_statistics + offset;
  }
}

static gboolean
make_plan (EnsStep *step, GError **error)
{
  EnsGraph *graph = g_steal_pointer (&step->graph.graph);
  guint n = graph->inputs->len;
  g_autofree EnsShape *shapes = g_new (EnsShape, n);
  g_autoptr (EnsNetwork) network = NULL;

  step->inputs = g_new0 (gconstpointer, n);
  step->outputs = g_new0 (gpointer, graph->outputs->len);
  for (guint i = 0; i < n; i++)
    shapes[i] = ((EnsValue *)graph->inputs->pdata[i])->shape;
  for (guint i = n - step->graph.ratios->len; i < n; i++) {
    g_ptr_array_add (step->masks, ens_tensor_new (ENS_TYPE_FLOAT32, &shapes[i]));
    step->inputs[i] = ((EnsTensor *)g_ptr_array_index (step->masks, step->masks->len - 1))->data;
  }
  network = ens_network_new (graph, step->device, error);
  if (network != NULL)
    step->plan = ens_network_plan (network, shapes, error);
  return step->plan != NULL;
}

/* NULL if it can't be made. */
static EnsStep *
make_step (const EnsStepParams *params, EnsDevice *device, guint n_segments, GError **error)
{
  g_autoptr (EnsStep) step = g_new0 (EnsStep, 1);
  EnsStepGraph *graph = &step->graph;

  if (!ens_step_graph_init (graph, params, n_segments, error)) {
    g_free (g_steal_pointer (&step));
    return NULL;
  }
  step->device = ens_device_ref (device);
  step->seed = params->seed;
  step->masks = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  step->n_values = sum_sizes (graph->parameters);
  step->n_statistics = sum_sizes (graph->statistics);
  step->own_values = take_values (graph->parameters, (EnsTensor **)graph->initial->pdata);
  step->values = step->own_values;
  step->statistics =
      take_values (graph->statistics, (EnsTensor **)graph->initial->pdata + graph->parameters->len);
  step->new_statistics = g_new (float, step->n_statistics + 1);
  if (!make_plan (step, error))
    return NULL;
  bind_arrays (step);
  g_ptr_array_set_size (graph->initial, 0);
  return g_steal_pointer (&step);
}

/* So many parts at most: more of them save nothing. */
#define MAX_SEGMENTS 32

static void
fail_memory (const EnsStepParams *params, gsize least, GError **error)
{
  g_autofree char *found = g_format_size (least);
  g_autofree char *expected = g_format_size (params->memory_limit);

  ens_fail (
      error, ENS_ERROR_RESOURCE, params->graph->name,
      "a step takes at least %s of memory, the limit is %s; raise it, or take smaller batches "
      "or pictures",
      found, expected);
}

EnsStep *
ens_step_new (const EnsStepParams *params, EnsDevice *device, GError **error)
{
  gsize least = G_MAXSIZE;

  if (ens_device_wants_float16 (device)) {
    ens_fail (error, ENS_ERROR_UNSUPPORTED, ens_device_get_name (device),
              "training needs float32; open the device without “+float16”");
    return NULL;
  }
  for (guint n = 1; n <= MAX_SEGMENTS; n *= 2) {
    g_autoptr (EnsStep) step = make_step (params, device, n, error);

    if (step == NULL || params->memory_limit == 0
        || ens_step_get_arena_size (step) <= params->memory_limit)
      return g_steal_pointer (&step);
    least = MIN (least, ens_step_get_arena_size (step));
  }
  fail_memory (params, least, error);
  return NULL;
}

void
ens_step_free (EnsStep *step)
{
  ens_step_graph_clear (&step->graph);
  g_clear_pointer (&step->plan, ens_plan_unref);
  ens_device_unref (step->device);
  g_ptr_array_unref (step->masks);
  g_free (step->own_values);
  g_free (step->statistics);
  g_free (step->new_statistics);
  g_free (step->inputs);
  g_free (step->outputs);
  g_free (step);
}

/* Asking */

static const EnsParameter *
get_array (const GArray *parameters, guint *n)
{
  *n = parameters->len;
  return (const EnsParameter *)parameters->data;
}

const EnsParameter *
ens_step_get_parameters (const EnsStep *step, guint *n)
{
  return get_array (step->graph.parameters, n);
}

void
ens_step_place_values (EnsStep *step, float *values)
{
  memcpy (values, step->values, step->n_values * sizeof *values);
  g_clear_pointer (&step->own_values, g_free);
  step->values = values;
  bind_arrays (step);
}

const EnsParameter *
ens_step_get_statistics (const EnsStep *step, guint *n)
{
  return get_array (step->graph.statistics, n);
}

float *
ens_step_get_values (EnsStep *step, gsize *n)
{
  *n = step->n_values;
  return step->values;
}

float *
ens_step_get_statistic_values (EnsStep *step, gsize *n)
{
  *n = step->n_statistics;
  return step->statistics;
}

gsize
ens_step_get_arena_size (const EnsStep *step)
{
  return ens_plan_get_arena_size (step->plan);
}

/* Running */

static void
draw_mask (const EnsStep *step, guint i, guint64 number)
{
  const EnsTensor *mask = g_ptr_array_index (step->masks, i);
  const EnsRandomStream stream = {step->seed, ENS_RANDOM_DROPOUT, (guint32)number, i};
  float ratio = g_array_index (step->graph.ratios, float, i), kept = 1 / (1 - ratio);
  guint32 limit = (guint32)((double)ratio * G_MAXUINT32);
  gsize n = (gsize)ens_shape_elements (&mask->shape);
  EnsRandom random;

  ens_random_init (&random, &stream);
  for (gsize k = 0; k < n; k++)
    ((float *)mask->data)[k] = ens_random_next (&random) < limit ? 0 : kept;
}

gboolean
ens_step_run (EnsStep *step, const EnsStepArrays *arrays, float *loss, GError **error)
{
  const EnsStepGraph *graph = &step->graph;
  gpointer *gradients = step->outputs + 1 + graph->n_outputs;

  memcpy (step->inputs, arrays->inputs, graph->n_inputs * sizeof *step->inputs);
  for (guint i = 0; i < graph->taken->len; i++) {
    const EnsTakenParameter *taken = &g_array_index (graph->taken, EnsTakenParameter, i);

    step->inputs[graph->n_inputs + graph->parameters->len + i] =
        taken->step->values + taken->offset;
  }
  step->outputs[0] = loss;
  if (graph->n_outputs > 0)
    memcpy (step->outputs + 1, arrays->outputs, graph->n_outputs * sizeof *step->outputs);
  for (guint i = 0; i < graph->parameters->len; i++)
    gradients[i] = arrays->gradients + g_array_index (graph->parameters, EnsParameter, i).offset;
  for (guint i = 0; i < step->masks->len; i++)
    draw_mask (step, i, arrays->number);
  if (!ens_plan_run (step->plan, step->inputs, step->outputs, error))
    return FALSE;
  memcpy (step->statistics, step->new_statistics, step->n_statistics * sizeof *step->statistics);
  return TRUE;
}

/* Storing */

/* Gives one place of a graph new contents; others that read the same constant keep theirs. */
static void
replace_constant (EnsGraph *graph, EnsNode *node, guint input, EnsTensor *tensor)
{
  EnsValue *value = node->inputs[input];
  g_autofree guint *uses = ens_graph_count_uses (graph);

  if (uses[value->index] > 1 && value->shape.rank <= 1) {
    node->inputs[input] = ens_graph_add_constant (graph, value->name, tensor);
    return;
  }
  ens_tensor_unref (value->constant);
  value->constant = ens_tensor_ref (tensor);
}

static gboolean
store (const EnsParameter *parameter, const float *values, EnsGraph *graph, GError **error)
{
  EnsNode *node = g_hash_table_lookup (graph->nodes_by_name, parameter->node);
  const EnsValue *value = node != NULL ? ens_node_input (node, parameter->input) : NULL;
  g_autoptr (EnsTensor) tensor = NULL;

  if (value == NULL || value->constant == NULL
      || !ens_shape_equal (&value->shape, &parameter->shape))
    return ens_fail (error, ENS_ERROR_FORMAT, graph->name,
                     "there is no constant “%s” that node “%s” reads; is this what was trained?",
                     parameter->name, parameter->node);
  tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &parameter->shape, values + parameter->offset);
  replace_constant (graph, node, parameter->input, tensor);
  return TRUE;
}

static gboolean
store_all (const GArray *parameters, const float *values, EnsGraph *graph, GError **error)
{
  for (guint i = 0; i < parameters->len; i++)
    if (!store (&g_array_index (parameters, EnsParameter, i), values, graph, error))
      return FALSE;
  return TRUE;
}

gboolean
ens_step_store (const EnsStep *step, EnsGraph *graph, GError **error)
{
  return store_all (step->graph.parameters, step->values, graph, error)
         && store_all (step->graph.statistics, step->statistics, graph, error);
}

EnsNetwork *
ens_step_open_network (const EnsStep *step, const EnsGraph *graph, const char *output,
                       GError **error)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);

  if (!ens_step_store (step, copy, error))
    return NULL;
  if (output != NULL) {
    g_ptr_array_set_size (copy->outputs, 0);
    ens_graph_add_output (copy, ens_graph_find (copy, output));
  }
  return ens_network_new (g_steal_pointer (&copy), step->device, error);
}
