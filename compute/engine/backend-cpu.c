/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stages on the CPU, a few images at a time. */
#include "engine/backend.h"

#include "engine/limits.h"
#include "engine/stage-executor.h"
#include "passes/rewrite.h"

#define ALIGNMENT 64

typedef struct {
  EnsBackend parent;
  const EnsGraph *inferred;
  GPtrArray *stages; /* EnsStageExecutor */
  EnsArenas *arenas;
  gsize arena_size;
  gboolean reserved; /* the arena */
  gsize *kept;       /* by value index: offset in the arena of values kept between stages */
} CpuBackend;

/* Making */

static gboolean
plan_stages (CpuBackend *self, const GPtrArray *stages, const EnsBackendParams *params,
             GError **error)
{
  const EnsStageContext context = {ens_device_get_pool (params->device), params->weights->packed,
                                   params->cancellable};

  g_ptr_array_set_size (self->stages, 0);
  for (guint i = 0; i < stages->len; i++) {
    EnsStageExecutor *run =
        ens_stage_executor_new (g_ptr_array_index (stages, i), self->inferred, &context, error);

    if (run == NULL)
      return FALSE;
    g_ptr_array_add (self->stages, run);
  }
  return TRUE;
}

/* Stages take turns in the same memory; behind it are the values that they leave to each other. */
static void
lay_out (CpuBackend *self, const GPtrArray *stages)
{
  for (guint i = 0; i < self->stages->len; i++)
    self->arena_size = MAX (
        self->arena_size, ens_stage_executor_get_arena_size (g_ptr_array_index (self->stages, i)));
  for (guint i = 0; i < stages->len; i++) {
    const EnsStage *stage = g_ptr_array_index (stages, i);

    for (guint j = 0; j < stage->outputs->len; j++) {
      const EnsStagePort *port = &g_array_index (stage->outputs, EnsStagePort, j);

      if (port->array != ENS_STAGE_KEPT)
        continue;
      self->arena_size = (self->arena_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      self->kept[port->value] = self->arena_size;
      self->arena_size += ens_value_size (ens_graph_value (self->inferred, port->value));
    }
  }
}

static gboolean
make (CpuBackend *self, const EnsBackendParams *params, GError **error)
{
  g_autoptr (GPtrArray) stages = ens_graph_cut (params->graph, params->inferred);
  EnsLimits limits;

  /* A network that has its batch's size written into it can only be run on all of it. */
  if (!plan_stages (self, stages, params, NULL)) {
    if (!ens_check_cancelled (params->cancellable, error))
      return FALSE;
    g_ptr_array_unref (stages);
    stages = ens_graph_keep_whole (params->graph);
    if (!plan_stages (self, stages, params, error))
      return FALSE;
  }
  lay_out (self, stages);
  limits = ens_device_get_limits (params->device);
  return ens_limits_check_memory (&limits, self->inferred, self->arena_size, error);
}

static void
free_backend (EnsBackend *backend)
{
  CpuBackend *self = (CpuBackend *)backend;

  if (self->reserved)
    ens_arenas_release (self->arenas, self->arena_size);
  ens_arenas_unref (self->arenas);
  g_ptr_array_unref (self->stages);
  g_free (self->kept);
  g_free (self);
}

static gsize
get_arena_size (const EnsBackend *backend)
{
  return ((const CpuBackend *)backend)->arena_size;
}

/* Plans share the arena, but threads that work side by side have a copy of the graph each. */
static gsize
get_own_size (const EnsBackend *backend)
{
  const CpuBackend *self = (const CpuBackend *)backend;
  gsize n = 0;

  for (guint i = 0; i < self->stages->len; i++) {
    const EnsStageExecutor *stage = g_ptr_array_index (self->stages, i);

    n += (gsize)ens_stage_executor_get_n_steps (stage)
         * (ens_stage_executor_get_n_copies (stage) - 1);
  }
  return ENS_PLAN_COPY_SIZE * n;
}

static guint
get_n_nodes (const EnsBackend *backend)
{
  const CpuBackend *self = (const CpuBackend *)backend;
  guint n = 0;

  for (guint i = 0; i < self->stages->len; i++)
    n += ens_stage_executor_get_n_steps (g_ptr_array_index (self->stages, i));
  return n;
}

static gboolean
run (EnsBackend *backend, const EnsBackendRun *run, GError **error)
{
  CpuBackend *self = (CpuBackend *)backend;
  EnsStageArrays arrays = {run->inputs, run->outputs, self->kept,
                           ens_arenas_borrow (self->arenas, error), run->cancellable};
  EnsNodeTime *times = run->times;
  gboolean done = TRUE;

  if (arrays.arena == NULL)
    return FALSE;
  for (guint i = 0; done && i < self->stages->len; i++) {
    EnsStageExecutor *stage = g_ptr_array_index (self->stages, i);

    done = ens_stage_executor_run (stage, &arrays, times);
    if (times != NULL)
      times += ens_stage_executor_get_n_steps (stage);
  }
  ens_arenas_return (self->arenas, arrays.arena);
  return done || ens_check_cancelled (run->cancellable, error);
}

static const EnsBackendClass cpu_class = {free_backend, get_arena_size, get_own_size, get_n_nodes,
                                          run};

EnsBackend *
ens_cpu_backend_new (const EnsBackendParams *params, GError **error)
{
  CpuBackend *self = g_new0 (CpuBackend, 1);

  self->parent.class = &cpu_class;
  self->inferred = params->inferred;
  self->arenas = ens_arenas_ref (ens_device_get_arenas (params->device));
  self->stages = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_stage_executor_free);
  self->kept = g_new0 (gsize, params->graph->values->len);
  self->reserved =
      make (self, params, error) && ens_arenas_reserve (self->arenas, self->arena_size, error);
  if (self->reserved)
    return &self->parent;
  free_backend (&self->parent);
  return NULL;
}
