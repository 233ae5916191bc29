#include "engine/plan.h"

#include <unistd.h>

#include "cpu/weights.h"
#include "engine/device.h"
#include "engine/stage-run.h"
#include "graph/infer.h"
#include "passes/rewrite.h"

#define ALIGNMENT 64

struct _EnsPlan {
  gatomicrefcount references;
  EnsGraph *sample;  /* for shapes */
  GPtrArray *stages; /* EnsStageRun */
  EnsPackedWeights *weights;
  EnsArenas *arenas;
  gsize arena_size;
  gboolean reserved; /* the arena */
  gsize *kept;       /* by value index: offset in the arena of values kept between stages */
  GMutex lock;       /* held while running: stages belong to one run */
};

/* Making */

/* Bytes of this machine's memory; G_MAXSIZE if nobody knows. */
static gsize
get_physical_memory (void)
{
  long n_pages = sysconf (_SC_PHYS_PAGES), page = sysconf (_SC_PAGESIZE);

  return n_pages > 0 && page > 0 ? (gsize)n_pages * (gsize)page : G_MAXSIZE;
}

static gboolean
check_memory (const EnsPlan *plan, GError **error)
{
  gsize limit = get_physical_memory ();
  const GPtrArray *inputs = plan->sample->inputs;
  g_autofree char *shape = NULL, *found = NULL, *expected = NULL;

  if (plan->arena_size <= limit)
    return TRUE;
  shape = inputs->len > 0 ? ens_shape_to_string (&((EnsValue *)inputs->pdata[0])->shape)
                          : g_strdup ("no input");
  found = g_format_size (plan->arena_size);
  expected = g_format_size (limit);
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "running %s on %s would take %s of memory, this machine has %s", plan->sample->name,
               shape, found, expected);
  return FALSE;
}

static gboolean
plan_stages (EnsPlan *plan, const GPtrArray *stages, EnsDevice *device, GError **error)
{
  g_ptr_array_set_size (plan->stages, 0);
  for (guint i = 0; i < stages->len; i++) {
    EnsStageRun *run = ens_stage_run_new (g_ptr_array_index (stages, i), plan->sample,
                                          ens_device_get_pool (device), plan->weights, error);

    if (run == NULL)
      return FALSE;
    g_ptr_array_add (plan->stages, run);
  }
  return TRUE;
}

/* Stages take turns in the same memory; behind it are the values that they leave to each other. */
static void
lay_out (EnsPlan *plan, const GPtrArray *stages)
{
  for (guint i = 0; i < plan->stages->len; i++)
    plan->arena_size =
        MAX (plan->arena_size, ens_stage_run_get_arena_size (g_ptr_array_index (plan->stages, i)));
  for (guint i = 0; i < stages->len; i++) {
    const EnsStage *stage = g_ptr_array_index (stages, i);

    for (guint j = 0; j < stage->outputs->len; j++) {
      const EnsStagePort *port = &g_array_index (stage->outputs, EnsStagePort, j);

      if (port->array != ENS_STAGE_KEPT)
        continue;
      plan->arena_size = (plan->arena_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      plan->kept[port->value] = plan->arena_size;
      plan->arena_size += ens_value_size (ens_graph_value (plan->sample, port->value));
    }
  }
}

static gboolean
make (EnsPlan *plan, const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
      GError **error)
{
  g_autoptr (GPtrArray) stages = NULL;

  if (!ens_infer_graph (plan->sample, input_shapes, error))
    return FALSE;
  stages = ens_graph_cut (graph, plan->sample);
  /* A network that has its batch's size written into it can only be run on all of it. */
  if (!plan_stages (plan, stages, device, NULL)) {
    g_ptr_array_unref (stages);
    stages = ens_graph_keep_whole (graph);
    if (!plan_stages (plan, stages, device, error))
      return FALSE;
  }
  lay_out (plan, stages);
  return check_memory (plan, error);
}

EnsPlan *
ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
              EnsPackedWeights *weights, GError **error)
{
  g_autoptr (EnsPlan) plan = g_new0 (EnsPlan, 1);

  g_atomic_ref_count_init (&plan->references);
  g_mutex_init (&plan->lock);
  plan->weights = ens_packed_weights_ref (weights);
  plan->arenas = ens_arenas_ref (ens_device_get_arenas (device));
  plan->sample = ens_graph_copy (graph);
  plan->stages = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_stage_run_free);
  plan->kept = g_new0 (gsize, graph->values->len);
  if (!make (plan, graph, input_shapes, device, error))
    return NULL;
  plan->reserved = TRUE;
  ens_arenas_reserve (plan->arenas, plan->arena_size);
  return g_steal_pointer (&plan);
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
  if (plan->reserved)
    ens_arenas_release (plan->arenas, plan->arena_size);
  ens_arenas_unref (plan->arenas);
  g_ptr_array_unref (plan->stages);
  ens_graph_free (plan->sample);
  ens_packed_weights_unref (plan->weights);
  g_mutex_clear (&plan->lock);
  g_free (plan->kept);
  g_free (plan);
}

const EnsShape *
ens_plan_get_output_shape (EnsPlan *plan, guint i)
{
  g_return_val_if_fail (i < plan->sample->outputs->len, NULL);
  return &((const EnsValue *)g_ptr_array_index (plan->sample->outputs, i))->shape;
}

gsize
ens_plan_get_arena_size (EnsPlan *plan)
{
  return plan->arena_size;
}

guint
ens_plan_get_n_nodes (EnsPlan *plan)
{
  guint n = 0;

  for (guint i = 0; i < plan->stages->len; i++)
    n += ens_stage_run_get_n_steps (g_ptr_array_index (plan->stages, i));
  return n;
}

/* Running */

gboolean
ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                  EnsNodeTime *times, GError **error)
{
  EnsStageArrays arrays = {inputs, outputs, plan->kept};

  g_mutex_lock (&plan->lock);
  arrays.arena = ens_arenas_borrow (plan->arenas);
  for (guint i = 0; i < plan->stages->len; i++) {
    EnsStageRun *run = g_ptr_array_index (plan->stages, i);

    ens_stage_run (run, &arrays, times);
    if (times != NULL)
      times += ens_stage_run_get_n_steps (run);
  }
  ens_arenas_return (plan->arenas, arrays.arena);
  g_mutex_unlock (&plan->lock);
  return TRUE;
}

gboolean
ens_plan_run (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs, GError **error)
{
  return ens_plan_profile (plan, inputs, outputs, NULL, error);
}
