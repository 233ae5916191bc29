/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/executor.h"

#include <string.h>
#include <time.h>

#include "base/cancel.h"
#include "base/fail.h"
#include "graph/infer.h"
#include "passes/memory.h"
#include "passes/rewrite.h"

/* A node ready to run. */
typedef struct {
  const EnsNode *node;
  EnsOperands operands;
  EnsCpuPlan plan;
  gsize scratch;                                                           /* offset in the arena */
  void (*run) (const EnsOperands *operands, const EnsCpuContext *context); /* NULL: reference */
} Step;

struct _EnsExecutor {
  EnsGraph *graph;
  EnsThreadPool *pool;
  EnsMemoryPlan *memory;
  EnsView *views; /* by value index; each run sets where they point */
  Step *steps;
  guint n_steps;
};

/* Making */

static void
init_views (EnsExecutor *executor)
{
  const EnsGraph *graph = executor->graph;

  executor->views = g_new0 (EnsView, graph->values->len);
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsValue *value = g_ptr_array_index (graph->values, i);

    executor->views[i] = (EnsView) {value->type, value->shape, executor->memory->places[i].pitch,
                                    value->constant != NULL ? value->constant->data : NULL};
  }
}

/* Decided by input 0 and output 0: other inputs may be indices and sizes. */
static gboolean
is_float32 (const EnsOperands *operands)
{
  const EnsView *input = ens_operands_input (operands, 0);

  return operands->outputs[0]->type == ENS_TYPE_FLOAT32
         && (input == NULL || input->type == ENS_TYPE_FLOAT32);
}

static void
init_step (EnsExecutor *executor, Step *step, const EnsNode *node, const EnsCpuPlan *given)
{
  step->node = node;
  ens_operands_init (&step->operands, node, executor->views, sizeof *executor->views);
  step->plan = *given;
  if (node->op->cpu == NULL || !is_float32 (&step->operands))
    return;
  step->run = node->op->cpu;
  step->plan.kernel = "vector";
  if (node->op->cpu_plan != NULL)
    node->op->cpu_plan (&step->operands, &step->plan);
}

static void
lay_out_memory (EnsExecutor *executor, const guint *positions)
{
  g_autofree gsize *scratch_sizes = g_new0 (gsize, executor->graph->nodes->len);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < executor->n_steps; i++)
    scratch_sizes[positions[i]] = executor->steps[i].plan.scratch_size;
  ens_memory_plan_lay_out (executor->memory, scratch_sizes);
  if (!ens_memory_plan_check (executor->memory, executor->graph, scratch_sizes, &error))
    g_error ("%s", error->message);
  for (guint i = 0; i < executor->n_steps; i++)
    executor->steps[i].scratch = executor->memory->scratch[positions[i]];
}

static gboolean
fail_step (const Step *step, GCancellable *cancellable, GError **error)
{
  return ens_check_cancelled (cancellable, error)
         && ens_fail (error, ENS_ERROR_RESOURCE, step->node->name,
                      "there is no memory left for this node's weights in the order in which its "
                      "kernel reads them");
}

/* positions: of steps, in the graph. */
static gboolean
init_steps (EnsExecutor *executor, EnsPackedWeights *weights, guint *positions,
            GCancellable *cancellable, GError **error)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new_cancellable (executor->pool, cancellable);
  const EnsCpuPlan given = {.n_threads = ens_thread_pool_get_threads (executor->pool),
                            .weights = weights,
                            .pool = pool,
                            .kernel = "reference"};

  for (guint i = 0; i < executor->graph->nodes->len; i++) {
    Step *step = &executor->steps[executor->n_steps];

    if (executor->memory->skip[i])
      continue;
    positions[executor->n_steps++] = i;
    init_step (executor, step, g_ptr_array_index (executor->graph->nodes, i), &given);
    if (step->plan.failed || g_cancellable_is_cancelled (cancellable))
      return fail_step (step, cancellable, error);
    step->plan.pool = NULL;
  }
  return TRUE;
}

EnsExecutor *
ens_executor_new (EnsGraph *graph, EnsThreadPool *pool, EnsPackedWeights *weights,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (EnsExecutor) executor = g_new0 (EnsExecutor, 1);
  g_autofree guint *positions = g_new (guint, graph->nodes->len);

  executor->graph = graph;
  executor->pool = ens_thread_pool_ref (pool);
  executor->memory = ens_memory_plan_new (graph);
  init_views (executor);
  executor->steps = g_new0 (Step, graph->nodes->len);
  if (!ens_graph_check_inferred (graph, error)
      || !init_steps (executor, weights, positions, cancellable, error))
    return NULL;
  lay_out_memory (executor, positions);
  return g_steal_pointer (&executor);
}

void
ens_executor_free (EnsExecutor *executor)
{
  for (guint i = 0; i < executor->n_steps; i++) {
    Step *step = &executor->steps[i];

    if (step->plan.free_state != NULL)
      step->plan.free_state (step->plan.state);
    ens_operands_clear (&step->operands);
  }
  g_free (executor->steps);
  g_free (executor->views);
  ens_memory_plan_free (executor->memory);
  ens_graph_free (executor->graph);
  ens_thread_pool_unref (executor->pool);
  g_free (executor);
}

const EnsGraph *
ens_executor_get_graph (const EnsExecutor *executor)
{
  return executor->graph;
}

gsize
ens_executor_get_arena_size (const EnsExecutor *executor)
{
  return executor->memory->arena_size;
}

guint
ens_executor_get_n_steps (const EnsExecutor *executor)
{
  return executor->n_steps;
}

/* Running */

static void
bind_views (EnsExecutor *executor, const gconstpointer *inputs, const gpointer *outputs,
            gpointer arena)
{
  for (guint i = 0; i < executor->memory->n_values; i++) {
    const EnsPlace *place = &executor->memory->places[i];
    EnsView *view = &executor->views[i];

    switch (place->kind) {
    case ENS_PLACE_ARENA:
      view->data = (char *)arena + place->offset;
      break;
    case ENS_PLACE_INPUT:
      view->data = (char *)inputs[place->index] + place->offset;
      break;
    case ENS_PLACE_OUTPUT:
      view->data = (char *)outputs[place->index] + place->offset;
      break;
    case ENS_PLACE_CONSTANT: {
      const EnsValue *value = g_ptr_array_index (executor->graph->values, place->index);

      view->data = (char *)value->constant->data + place->offset;
      break;
    }
    }
  }
}

/* What a run was given. */
typedef struct {
  EnsThreadPool *pool;
  char *arena;
} Run;

static void
run_step (const Step *step, const Run *run)
{
  EnsCpuContext context = {
      .pool = run->pool, .scratch = run->arena + step->scratch, .state = step->plan.state};

  if (step->run != NULL)
    step->run (&step->operands, &context);
  else
    step->node->op->reference (&step->operands);
}

/* Outputs that could not be computed in the caller's array. */
static void
copy_outputs (const EnsExecutor *executor, const gpointer *outputs)
{
  const EnsGraph *graph = executor->graph;

  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);
    const EnsPlace *place = &executor->memory->places[output->index];

    if (place->kind != ENS_PLACE_OUTPUT || place->index != i)
      memcpy (outputs[i], executor->views[output->index].data, ens_value_size (output));
  }
}

static gint64
get_nanoseconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
time_step (const Step *step, const Run *run, EnsNodeTime *time)
{
  const EnsNode *node = step->node;
  gint64 start = get_nanoseconds ();

  run_step (step, run);
  time->nanoseconds += get_nanoseconds () - start;
  time->node = node->name;
  time->op = node->op->name;
  time->kernel = step->plan.kernel;
  time->flops = node->op->flops != NULL ? node->op->flops (&step->operands) : 0;
}

gboolean
ens_executor_run (EnsExecutor *executor, const gconstpointer *inputs, const gpointer *outputs,
                  gpointer arena, EnsNodeTime *times, GCancellable *cancellable)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new_cancellable (executor->pool, cancellable);
  const Run run = {pool, arena};

  bind_views (executor, inputs, outputs, arena);
  for (guint i = 0; i < executor->n_steps; i++) {
    if (times != NULL)
      time_step (&executor->steps[i], &run, &times[i]);
    else
      run_step (&executor->steps[i], &run);
    /* What the next step would read, maybe as positions to write to, is undefined now. */
    if (g_cancellable_is_cancelled (cancellable))
      return FALSE;
  }
  copy_outputs (executor, outputs);
  return TRUE;
}
