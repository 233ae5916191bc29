#include "engine/stage-run.h"

#include "cpu/executor.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

#define ALIGNMENT 64

/* An input or output of the stage. */
typedef struct {
  EnsStagePort port;
  gsize image_size; /* bytes of each image */
} Port;

/* An executor with what running it needs. */
typedef struct {
  EnsExecutor *executor; /* NULL: not used */
  gsize arena;           /* offset, bytes */
  gconstpointer *inputs;
  gpointer *outputs;
  EnsNodeTime *times; /* NULL: not asked for */
  guint n_runs;       /* since times were set */
} Runner;

struct _EnsStageRun {
  EnsThreadPool *pool, *one_thread;
  guint n_inputs, n_outputs;
  Port *inputs, *outputs;
  guint batch, chunk;
  guint n_parallel; /* chunks that run side by side, the first ones */
  guint n_per_thread;
  Runner *per_thread; /* for these, one per thread */
  Runner all_threads; /* for the other full chunks, all threads on one */
  Runner remainder;   /* for the images left */
  gsize arena_size;

  const EnsStageArrays *arrays; /* of the run in progress */
};

/* Making */

static Port *
list_ports (const EnsStage *stage, const GArray *from, const EnsGraph *inferred)
{
  Port *ports = g_new (Port, from->len);

  for (guint i = 0; i < from->len; i++) {
    ports[i].port = g_array_index (from, EnsStagePort, i);
    ports[i].image_size =
        ens_value_size (ens_graph_value (inferred, ports[i].port.value)) / stage->batch;
  }
  return ports;
}

/* The shape at one of the stage's ports for so many images. */
static EnsShape
get_shape (const EnsStage *stage, const GArray *ports, guint i, const EnsGraph *inferred,
           guint n_images)
{
  EnsShape shape = ens_graph_value (inferred, g_array_index (ports, EnsStagePort, i).value)->shape;

  if (n_images != stage->batch)
    shape.dims[0] = n_images;
  return shape;
}

/* The stage's graph for so many images, or NULL if it can't be run on fewer than all. */
static EnsGraph *
plan_graph (const EnsStage *stage, const EnsGraph *inferred, guint n_images, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_graph_copy (stage->graph);
  g_autofree EnsShape *shapes = g_new (EnsShape, stage->inputs->len);

  for (guint i = 0; i < stage->inputs->len; i++)
    shapes[i] = get_shape (stage, stage->inputs, i, inferred, n_images);
  if (!ens_passes_plan (graph, shapes, error))
    return NULL;
  for (guint i = 0; i < stage->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);
    EnsShape expected = get_shape (stage, stage->outputs, i, inferred, n_images);

    if (ens_shape_equal (&output->shape, &expected))
      continue;
    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE, "“%s” of %s depends on the number of images",
                 output->name, graph->name);
    return NULL;
  }
  return g_steal_pointer (&graph);
}

static void
runner_init (Runner *runner, const EnsStageRun *run, EnsGraph *graph, EnsThreadPool *pool,
             EnsPackedWeights *weights)
{
  runner->executor = ens_executor_new (graph, pool, weights);
  runner->inputs = g_new0 (gconstpointer, run->n_inputs);
  runner->outputs = g_new0 (gpointer, run->n_outputs);
}

static void
runner_clear (Runner *runner)
{
  g_clear_pointer (&runner->executor, ens_executor_free);
  g_free (runner->inputs);
  g_free (runner->outputs);
}

static gsize
get_size (const Runner *runner)
{
  gsize size = runner->executor != NULL ? ens_executor_get_arena_size (runner->executor) : 0;

  return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Threads working side by side need memory each; what runs before or after uses the same. */
static void
lay_out (EnsStageRun *run)
{
  for (guint i = 0; i < run->n_per_thread; i++) {
    run->per_thread[i].arena = run->arena_size;
    run->arena_size += get_size (&run->per_thread[i]);
  }
  run->arena_size = MAX (run->arena_size, get_size (&run->all_threads));
  run->arena_size = MAX (run->arena_size, get_size (&run->remainder));
}

EnsStageRun *
ens_stage_run_new (const EnsStage *stage, const EnsGraph *inferred, EnsThreadPool *pool,
                   EnsPackedWeights *weights, GError **error)
{
  g_autoptr (EnsGraph) graph = plan_graph (stage, inferred, stage->chunk, error);
  g_autoptr (EnsGraph) remainder = NULL;
  guint n_threads = ens_thread_pool_get_threads (pool);
  guint n_chunks = stage->batch / stage->chunk, n_remainder = stage->batch % stage->chunk;
  EnsStageRun *run;

  if (graph == NULL)
    return NULL;
  if (n_remainder > 0 && (remainder = plan_graph (stage, inferred, n_remainder, error)) == NULL)
    return NULL;
  run = g_new0 (EnsStageRun, 1);
  run->pool = ens_thread_pool_ref (pool);
  run->one_thread = ens_thread_pool_new (1);
  run->batch = stage->batch;
  run->chunk = stage->chunk;
  run->n_inputs = stage->inputs->len;
  run->inputs = list_ports (stage, stage->inputs, inferred);
  run->n_outputs = stage->outputs->len;
  run->outputs = list_ports (stage, stage->outputs, inferred);
  if (n_threads > 1)
    run->n_parallel = n_chunks - n_chunks % n_threads;
  run->n_per_thread = run->n_parallel > 0 ? n_threads : 0;
  run->per_thread = g_new0 (Runner, run->n_per_thread);
  for (guint i = 0; i < run->n_per_thread; i++)
    runner_init (&run->per_thread[i], run, ens_graph_copy (graph), run->one_thread, weights);
  if (n_chunks > run->n_parallel)
    runner_init (&run->all_threads, run, g_steal_pointer (&graph), pool, weights);
  if (remainder != NULL)
    runner_init (&run->remainder, run, g_steal_pointer (&remainder), pool, weights);
  lay_out (run);
  return run;
}

void
ens_stage_run_free (EnsStageRun *run)
{
  for (guint i = 0; i < run->n_per_thread; i++)
    runner_clear (&run->per_thread[i]);
  runner_clear (&run->all_threads);
  runner_clear (&run->remainder);
  g_free (run->per_thread);
  g_free (run->inputs);
  g_free (run->outputs);
  ens_thread_pool_unref (run->one_thread);
  ens_thread_pool_unref (run->pool);
  g_free (run);
}

gsize
ens_stage_run_get_arena_size (const EnsStageRun *run)
{
  return run->arena_size;
}

/* Steps of a full chunk; those of the rest are counted apart. */
static guint
count_chunk_steps (const EnsStageRun *run)
{
  return ens_executor_get_n_steps (run->n_per_thread > 0 ? run->per_thread[0].executor
                                                         : run->all_threads.executor);
}

guint
ens_stage_run_get_n_steps (const EnsStageRun *run)
{
  return count_chunk_steps (run)
         + (run->remainder.executor != NULL ? ens_executor_get_n_steps (run->remainder.executor)
                                            : 0);
}

/* Running */

/* Where the images from `first` on lie. */
static char *
locate (const EnsStageArrays *arrays, const Port *port, gsize first)
{
  gsize offset = first * port->image_size;

  switch (port->port.array) {
  case ENS_STAGE_INPUT:
    return (char *)arrays->inputs[port->port.index] + offset;
  case ENS_STAGE_OUTPUT:
    return (char *)arrays->outputs[port->port.index] + offset;
  case ENS_STAGE_KEPT:
    break;
  }
  return arrays->arena + arrays->kept[port->port.value] + offset;
}

static void
run_images (EnsStageRun *run, Runner *runner, gsize first)
{
  for (guint i = 0; i < run->n_inputs; i++)
    runner->inputs[i] = locate (run->arrays, &run->inputs[i], first);
  for (guint i = 0; i < run->n_outputs; i++)
    runner->outputs[i] = locate (run->arrays, &run->outputs[i], first);
  ens_executor_run (runner->executor, runner->inputs, runner->outputs,
                    run->arrays->arena + runner->arena, runner->times);
  runner->n_runs++;
}

static void
run_chunk (gpointer data, guint task, guint worker)
{
  EnsStageRun *run = data;

  run_images (run, &run->per_thread[worker], (gsize)task * run->chunk);
}

static void
run_all (EnsStageRun *run)
{
  guint n_chunks = run->batch / run->chunk;

  if (run->n_parallel > 0)
    ens_thread_pool_run (run->pool, run->n_parallel, run_chunk, run);
  for (guint i = run->n_parallel; i < n_chunks; i++)
    run_images (run, &run->all_threads, (gsize)i * run->chunk);
  if (run->remainder.executor != NULL)
    run_images (run, &run->remainder, (gsize)n_chunks * run->chunk);
}

static void
start_times (Runner *runner)
{
  runner->n_runs = 0;
  if (runner->executor != NULL)
    runner->times = g_new0 (EnsNodeTime, ens_executor_get_n_steps (runner->executor));
}

/* Adds the runner's times to those of the stage, whose flops are of all images. */
static void
take_times (Runner *runner, EnsNodeTime *times)
{
  for (guint i = 0; runner->n_runs > 0 && i < ens_executor_get_n_steps (runner->executor); i++) {
    const EnsNodeTime *time = &runner->times[i];

    times[i].node = time->node;
    times[i].op = time->op;
    times[i].kernel = time->kernel;
    times[i].nanoseconds += time->nanoseconds;
    times[i].flops += time->flops * runner->n_runs;
  }
  g_clear_pointer (&runner->times, g_free);
}

static void
profile_all (EnsStageRun *run, EnsNodeTime *times)
{
  EnsNodeTime *remainder_times = times + count_chunk_steps (run);

  for (guint i = 0; i < ens_stage_run_get_n_steps (run); i++)
    times[i].flops = 0;
  for (guint i = 0; i < run->n_per_thread; i++)
    start_times (&run->per_thread[i]);
  start_times (&run->all_threads);
  start_times (&run->remainder);
  run_all (run);
  for (guint i = 0; i < run->n_per_thread; i++)
    take_times (&run->per_thread[i], times);
  take_times (&run->all_threads, times);
  take_times (&run->remainder, remainder_times);
}

void
ens_stage_run (EnsStageRun *run, const EnsStageArrays *arrays, EnsNodeTime *times)
{
  run->arrays = arrays;
  if (times != NULL)
    profile_all (run, times);
  else
    run_all (run);
}
