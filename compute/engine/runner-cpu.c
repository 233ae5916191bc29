/* Stages on the CPU, a few images at a time. */
#include "engine/runner.h"

#include <unistd.h>

#include "engine/stage-run.h"
#include "passes/rewrite.h"

#define ALIGNMENT 64

typedef struct {
  EnsRunner parent;
  const EnsGraph *inferred;
  GPtrArray *stages; /* EnsStageRun */
  EnsArenas *arenas;
  gsize arena_size;
  gboolean reserved; /* the arena */
  gsize *kept;       /* by value index: offset in the arena of values kept between stages */
} CpuRunner;

/* Making */

/* Bytes of this machine's memory; G_MAXSIZE if nobody knows. */
static gsize
get_physical_memory (void)
{
  long n_pages = sysconf (_SC_PHYS_PAGES), page = sysconf (_SC_PAGESIZE);

  return n_pages > 0 && page > 0 ? (gsize)n_pages * (gsize)page : G_MAXSIZE;
}

static gsize
sum_sizes (const GPtrArray *values)
{
  gsize size = 0;

  for (guint i = 0; i < values->len; i++)
    size += ens_value_size (g_ptr_array_index (values, i));
  return size;
}

/* The arrays that it runs on are the caller's, but they too must fit. */
static gboolean
check_memory (const CpuRunner *self, GError **error)
{
  gsize limit = get_physical_memory ();
  const GPtrArray *inputs = self->inferred->inputs;
  gsize size = self->arena_size + sum_sizes (inputs) + sum_sizes (self->inferred->outputs);
  g_autofree char *shape = NULL, *found = NULL, *expected = NULL;

  if (size <= limit)
    return TRUE;
  shape = inputs->len > 0 ? ens_shape_to_string (&((EnsValue *)inputs->pdata[0])->shape)
                          : g_strdup ("no input");
  found = g_format_size (size);
  expected = g_format_size (limit);
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "running %s on %s would take %s of memory, this machine has %s; take smaller "
               "images, or fewer at a time",
               self->inferred->name, shape, found, expected);
  return FALSE;
}

static gboolean
plan_stages (CpuRunner *self, const GPtrArray *stages, const EnsRunnerParams *params,
             GError **error)
{
  g_ptr_array_set_size (self->stages, 0);
  for (guint i = 0; i < stages->len; i++) {
    EnsStageRun *run =
        ens_stage_run_new (g_ptr_array_index (stages, i), self->inferred,
                           ens_device_get_pool (params->device), params->weights->packed, error);

    if (run == NULL)
      return FALSE;
    g_ptr_array_add (self->stages, run);
  }
  return TRUE;
}

/* Stages take turns in the same memory; behind it are the values that they leave to each other. */
static void
lay_out (CpuRunner *self, const GPtrArray *stages)
{
  for (guint i = 0; i < self->stages->len; i++)
    self->arena_size =
        MAX (self->arena_size, ens_stage_run_get_arena_size (g_ptr_array_index (self->stages, i)));
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
make (CpuRunner *self, const EnsRunnerParams *params, GError **error)
{
  g_autoptr (GPtrArray) stages = ens_graph_cut (params->graph, params->inferred);

  /* A network that has its batch's size written into it can only be run on all of it. */
  if (!plan_stages (self, stages, params, NULL)) {
    g_ptr_array_unref (stages);
    stages = ens_graph_keep_whole (params->graph);
    if (!plan_stages (self, stages, params, error))
      return FALSE;
  }
  lay_out (self, stages);
  return check_memory (self, error);
}

static void
free_runner (EnsRunner *runner)
{
  CpuRunner *self = (CpuRunner *)runner;

  if (self->reserved)
    ens_arenas_release (self->arenas, self->arena_size);
  ens_arenas_unref (self->arenas);
  g_ptr_array_unref (self->stages);
  g_free (self->kept);
  g_free (self);
}

static gsize
get_arena_size (const EnsRunner *runner)
{
  return ((const CpuRunner *)runner)->arena_size;
}

static guint
get_n_nodes (const EnsRunner *runner)
{
  const CpuRunner *self = (const CpuRunner *)runner;
  guint n = 0;

  for (guint i = 0; i < self->stages->len; i++)
    n += ens_stage_run_get_n_steps (g_ptr_array_index (self->stages, i));
  return n;
}

static gboolean
run (EnsRunner *runner, const gconstpointer *inputs, const gpointer *outputs, EnsNodeTime *times,
     GError **error)
{
  CpuRunner *self = (CpuRunner *)runner;
  EnsStageArrays arrays = {inputs, outputs, self->kept, ens_arenas_borrow (self->arenas)};

  for (guint i = 0; i < self->stages->len; i++) {
    EnsStageRun *stage = g_ptr_array_index (self->stages, i);

    ens_stage_run (stage, &arrays, times);
    if (times != NULL)
      times += ens_stage_run_get_n_steps (stage);
  }
  ens_arenas_return (self->arenas, arrays.arena);
  return TRUE;
}

static const EnsRunnerClass cpu_class = {free_runner, get_arena_size, get_n_nodes, run};

EnsRunner *
ens_cpu_runner_new (const EnsRunnerParams *params, GError **error)
{
  CpuRunner *self = g_new0 (CpuRunner, 1);

  self->parent.class = &cpu_class;
  self->inferred = params->inferred;
  self->arenas = ens_arenas_ref (ens_device_get_arenas (params->device));
  self->stages = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_stage_run_free);
  self->kept = g_new0 (gsize, params->graph->values->len);
  if (!make (self, params, error)) {
    free_runner (&self->parent);
    return NULL;
  }
  self->reserved = TRUE;
  ens_arenas_reserve (self->arenas, self->arena_size);
  return &self->parent;
}
