#include "engine/plan.h"

#include <unistd.h>

#include "cpu/executor.h"
#include "cpu/weights.h"
#include "engine/device.h"
#include "passes/passes.h"

struct _EnsPlan {
  gatomicrefcount references;
  GMutex lock; /* held while running: views and their memory belong to one run */
  EnsExecutor *executor;
  EnsPackedWeights *weights;
  EnsArenas *arenas;
};

/* Bytes of this machine's memory; G_MAXSIZE if nobody knows. */
static gsize
get_physical_memory (void)
{
  long n_pages = sysconf (_SC_PHYS_PAGES), page = sysconf (_SC_PAGESIZE);

  return n_pages > 0 && page > 0 ? (gsize)n_pages * (gsize)page : G_MAXSIZE;
}

static gboolean
check_memory (const EnsGraph *graph, const EnsShape *input_shapes, gsize needed, GError **error)
{
  gsize limit = get_physical_memory ();
  g_autofree char *input = NULL, *found = NULL, *expected = NULL;

  if (needed <= limit)
    return TRUE;
  input = ens_shape_to_string (&input_shapes[0]);
  found = g_format_size (needed);
  expected = g_format_size (limit);
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "running %s on %s would take %s of memory, this machine has %s", graph->name, input,
               found, expected);
  return FALSE;
}

EnsPlan *
ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
              EnsPackedWeights *weights, GError **error)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);
  g_autoptr (EnsExecutor) executor = NULL;
  EnsPlan *plan;

  if (!ens_passes_plan (copy, input_shapes, error))
    return NULL;
  executor = ens_executor_new (g_steal_pointer (&copy), ens_device_get_pool (device), weights);
  if (!check_memory (graph, input_shapes, ens_executor_get_arena_size (executor), error))
    return NULL;
  plan = g_new0 (EnsPlan, 1);
  g_atomic_ref_count_init (&plan->references);
  g_mutex_init (&plan->lock);
  plan->weights = ens_packed_weights_ref (weights);
  plan->executor = g_steal_pointer (&executor);
  plan->arenas = ens_arenas_ref (ens_device_get_arenas (device));
  ens_arenas_reserve (plan->arenas, ens_plan_get_arena_size (plan));
  return plan;
}

EnsPlan *
ens_plan_ref (EnsPlan *plan)
{
  g_atomic_ref_count_inc (&plan->references);
  return plan;
}

void
ens_plan_unref (EnsPlan *plan)
{
  if (!g_atomic_ref_count_dec (&plan->references))
    return;
  ens_arenas_release (plan->arenas, ens_plan_get_arena_size (plan));
  ens_arenas_unref (plan->arenas);
  ens_executor_free (plan->executor);
  ens_packed_weights_unref (plan->weights);
  g_mutex_clear (&plan->lock);
  g_free (plan);
}

const EnsShape *
ens_plan_get_output_shape (EnsPlan *plan, guint i)
{
  const EnsGraph *graph = ens_executor_get_graph (plan->executor);
  const EnsValue *output;

  g_return_val_if_fail (i < graph->outputs->len, NULL);
  output = g_ptr_array_index (graph->outputs, i);
  return &output->shape;
}

gsize
ens_plan_get_arena_size (EnsPlan *plan)
{
  return ens_executor_get_arena_size (plan->executor);
}

guint
ens_plan_get_n_nodes (EnsPlan *plan)
{
  return ens_executor_get_n_steps (plan->executor);
}

gboolean
ens_plan_run (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs, GError **error)
{
  return ens_plan_profile (plan, inputs, outputs, NULL, error);
}

gboolean
ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                  EnsNodeTime *times, GError **error)
{
  gpointer arena;

  g_mutex_lock (&plan->lock);
  arena = ens_arenas_borrow (plan->arenas);
  ens_executor_run (plan->executor, inputs, outputs, arena, times);
  ens_arenas_return (plan->arenas, arena);
  g_mutex_unlock (&plan->lock);
  return TRUE;
}
