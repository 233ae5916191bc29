/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/stage-executor.h"

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
} ChunkExecutor;

struct _EnsStageExecutor {
  EnsThreadPool *pool, *one_thread;
  guint n_inputs, n_outputs;
  Port *inputs, *outputs;
  guint batch, chunk;
  guint n_parallel; /* chunks that run side by side, the first ones */
  guint n_per_thread;
  ChunkExecutor *per_thread; /* for these, one per thread */
  ChunkExecutor all_threads; /* for the other full chunks, all threads on one */
  ChunkExecutor remainder;   /* for the images left */
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

static gboolean
chunk_init (ChunkExecutor *chunk, const EnsStageExecutor *self, EnsGraph *graph,
            EnsThreadPool *pool, const EnsStageContext *context, GError **error)
{
  chunk->executor = ens_executor_new (graph, pool, context->weights, context->cancellable, error);
  chunk->inputs = g_new0 (gconstpointer, self->n_inputs);
  chunk->outputs = g_new0 (gpointer, self->n_outputs);
  return chunk->executor != NULL;
}

static void
chunk_clear (ChunkExecutor *chunk)
{
  g_clear_pointer (&chunk->executor, ens_executor_free);
  g_free (chunk->inputs);
  g_free (chunk->outputs);
}

static gsize
get_size (const ChunkExecutor *chunk)
{
  gsize size = chunk->executor != NULL ? ens_executor_get_arena_size (chunk->executor) : 0;

  return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Threads working side by side need memory each; what runs before or after uses the same. */
static void
lay_out (EnsStageExecutor *self)
{
  for (guint i = 0; i < self->n_per_thread; i++) {
    self->per_thread[i].arena = self->arena_size;
    self->arena_size += get_size (&self->per_thread[i]);
  }
  self->arena_size = MAX (self->arena_size, get_size (&self->all_threads));
  self->arena_size = MAX (self->arena_size, get_size (&self->remainder));
}

/* graph, remainder: of full chunks and of the images left, if there are any; both are taken over.
 */
static gboolean
make_executors (EnsStageExecutor *self, EnsGraph *graph, EnsGraph *remainder,
                const EnsStageContext *context, GError **error)
{
  g_autoptr (EnsGraph) full = graph, left = remainder;
  gboolean done = TRUE;

  for (guint i = 0; done && i < self->n_per_thread; i++)
    done = chunk_init (&self->per_thread[i], self, ens_graph_copy (full), self->one_thread, context,
                       error);
  if (done && self->batch / self->chunk > self->n_parallel)
    done =
        chunk_init (&self->all_threads, self, g_steal_pointer (&full), self->pool, context, error);
  if (done && left != NULL)
    done = chunk_init (&self->remainder, self, g_steal_pointer (&left), self->pool, context, error);
  return done;
}

EnsStageExecutor *
ens_stage_executor_new (const EnsStage *stage, const EnsGraph *inferred,
                        const EnsStageContext *context, GError **error)
{
  g_autoptr (EnsGraph) graph = plan_graph (stage, inferred, stage->chunk, error);
  g_autoptr (EnsGraph) remainder = NULL;
  g_autoptr (EnsStageExecutor) self = NULL;
  guint n_threads = ens_thread_pool_get_threads (context->pool);
  guint n_chunks = stage->batch / stage->chunk, n_remainder = stage->batch % stage->chunk;

  if (graph == NULL)
    return NULL;
  if (n_remainder > 0 && (remainder = plan_graph (stage, inferred, n_remainder, error)) == NULL)
    return NULL;
  self = g_new0 (EnsStageExecutor, 1);
  self->pool = ens_thread_pool_ref (context->pool);
  self->one_thread = ens_thread_pool_new (1);
  self->batch = stage->batch;
  self->chunk = stage->chunk;
  self->n_inputs = stage->inputs->len;
  self->inputs = list_ports (stage, stage->inputs, inferred);
  self->n_outputs = stage->outputs->len;
  self->outputs = list_ports (stage, stage->outputs, inferred);
  if (n_threads > 1)
    self->n_parallel = n_chunks - n_chunks % n_threads;
  self->n_per_thread = self->n_parallel > 0 ? n_threads : 0;
  self->per_thread = g_new0 (ChunkExecutor, self->n_per_thread);
  if (!make_executors (self, g_steal_pointer (&graph), g_steal_pointer (&remainder), context,
                       error))
    return NULL;
  lay_out (self);
  return g_steal_pointer (&self);
}

void
ens_stage_executor_free (EnsStageExecutor *self)
{
  for (guint i = 0; i < self->n_per_thread; i++)
    chunk_clear (&self->per_thread[i]);
  chunk_clear (&self->all_threads);
  chunk_clear (&self->remainder);
  g_free (self->per_thread);
  g_free (self->inputs);
  g_free (self->outputs);
  ens_thread_pool_unref (self->one_thread);
  ens_thread_pool_unref (self->pool);
  g_free (self);
}

gsize
ens_stage_executor_get_arena_size (const EnsStageExecutor *self)
{
  return self->arena_size;
}

/* Steps of a full chunk; those of the rest are counted apart. */
static guint
count_chunk_steps (const EnsStageExecutor *self)
{
  return ens_executor_get_n_steps (self->n_per_thread > 0 ? self->per_thread[0].executor
                                                          : self->all_threads.executor);
}

guint
ens_stage_executor_get_n_copies (const EnsStageExecutor *self)
{
  return self->n_per_thread + (self->all_threads.executor != NULL ? 1 : 0)
         + (self->remainder.executor != NULL ? 1 : 0);
}

guint
ens_stage_executor_get_n_steps (const EnsStageExecutor *self)
{
  return count_chunk_steps (self)
         + (self->remainder.executor != NULL ? ens_executor_get_n_steps (self->remainder.executor)
                                             : 0);
}

/* Running */

/* The address of the images from `first` on. */
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
run_images (EnsStageExecutor *self, ChunkExecutor *chunk, gsize first)
{
  for (guint i = 0; i < self->n_inputs; i++)
    chunk->inputs[i] = locate (self->arrays, &self->inputs[i], first);
  for (guint i = 0; i < self->n_outputs; i++)
    chunk->outputs[i] = locate (self->arrays, &self->outputs[i], first);
  ens_executor_run (chunk->executor, chunk->inputs, chunk->outputs,
                    self->arrays->arena + chunk->arena, chunk->times, self->arrays->cancellable);
  chunk->n_runs++;
}

static void
run_chunk (gpointer data, guint task, guint worker)
{
  EnsStageExecutor *self = data;

  run_images (self, &self->per_thread[worker], (gsize)task * self->chunk);
}

static void
run_all (EnsStageExecutor *self)
{
  GCancellable *cancellable = self->arrays->cancellable;
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new_cancellable (self->pool, cancellable);
  guint n_chunks = self->batch / self->chunk;

  if (self->n_parallel > 0)
    ens_thread_pool_run (pool, self->n_parallel, run_chunk, self);
  for (guint i = self->n_parallel; i < n_chunks && !g_cancellable_is_cancelled (cancellable); i++)
    run_images (self, &self->all_threads, (gsize)i * self->chunk);
  if (self->remainder.executor != NULL && !g_cancellable_is_cancelled (cancellable))
    run_images (self, &self->remainder, (gsize)n_chunks * self->chunk);
}

static void
start_times (ChunkExecutor *chunk)
{
  chunk->n_runs = 0;
  if (chunk->executor != NULL)
    chunk->times = g_new0 (EnsNodeTime, ens_executor_get_n_steps (chunk->executor));
}

/* Adds the chunk's times to those of the stage, whose flops are of all images. */
static void
take_times (ChunkExecutor *chunk, EnsNodeTime *times)
{
  for (guint i = 0; chunk->n_runs > 0 && i < ens_executor_get_n_steps (chunk->executor); i++) {
    const EnsNodeTime *time = &chunk->times[i];

    times[i].node = time->node;
    times[i].op = time->op;
    times[i].kernel = time->kernel;
    times[i].nanoseconds += time->nanoseconds;
    times[i].flops += time->flops * chunk->n_runs;
  }
  g_clear_pointer (&chunk->times, g_free);
}

static void
profile_all (EnsStageExecutor *self, EnsNodeTime *times)
{
  EnsNodeTime *remainder_times = times + count_chunk_steps (self);

  for (guint i = 0; i < ens_stage_executor_get_n_steps (self); i++)
    times[i].flops = 0;
  for (guint i = 0; i < self->n_per_thread; i++)
    start_times (&self->per_thread[i]);
  start_times (&self->all_threads);
  start_times (&self->remainder);
  run_all (self);
  for (guint i = 0; i < self->n_per_thread; i++)
    take_times (&self->per_thread[i], times);
  take_times (&self->all_threads, times);
  take_times (&self->remainder, remainder_times);
}

gboolean
ens_stage_executor_run (EnsStageExecutor *self, const EnsStageArrays *arrays, EnsNodeTime *times)
{
  self->arrays = arrays;
  if (times != NULL)
    profile_all (self, times);
  else
    run_all (self);
  return !g_cancellable_is_cancelled (arrays->cancellable);
}
