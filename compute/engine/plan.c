/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "engine/plan-private.h"
#include "engine/backend.h"
#include "graph/infer.h"

struct _EnsPlan {
  gatomicrefcount references;
  EnsGraph *inferred; /* for shapes */
  EnsWeights *weights;
  EnsBackend *backend;
  GMutex lock; /* held while running */
};

static EnsBackend *
make_backend (const EnsBackendParams *params, GError **error)
{
  return ens_device_is_gpu (params->device) ? ens_vulkan_backend_new (params, error)
                                            : ens_cpu_backend_new (params, error);
}

EnsPlan *
ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
              EnsWeights *weights, GError **error)
{
  g_autoptr (EnsGraph) inferred = ens_graph_copy (graph);
  const EnsBackendParams params = {graph, inferred, device, weights};
  EnsBackend *backend;
  EnsPlan *plan;

  if (!ens_infer_graph (inferred, input_shapes, error)
      || (backend = make_backend (&params, error)) == NULL)
    return NULL;
  plan = g_new0 (EnsPlan, 1);
  g_atomic_ref_count_init (&plan->references);
  g_mutex_init (&plan->lock);
  plan->inferred = g_steal_pointer (&inferred);
  plan->weights = ens_weights_ref (weights);
  plan->backend = backend;
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
  plan->backend->class->free (plan->backend);
  ens_graph_free (plan->inferred);
  ens_weights_unref (plan->weights);
  g_mutex_clear (&plan->lock);
  g_free (plan);
}

const EnsShape *
ens_plan_get_output_shape (EnsPlan *plan, guint i)
{
  g_return_val_if_fail (i < plan->inferred->outputs->len, NULL);
  return &((const EnsValue *)g_ptr_array_index (plan->inferred->outputs, i))->shape;
}

gsize
ens_plan_get_arena_size (EnsPlan *plan)
{
  return plan->backend->class->get_arena_size (plan->backend);
}

guint
ens_plan_get_n_nodes (EnsPlan *plan)
{
  return plan->backend->class->get_n_nodes (plan->backend);
}

gboolean
ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                  EnsNodeTime *times, GError **error)
{
  gboolean done;

  g_mutex_lock (&plan->lock);
  done = plan->backend->class->run (plan->backend, inputs, outputs, times, error);
  g_mutex_unlock (&plan->lock);
  return done;
}

gboolean
ens_plan_run (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs, GError **error)
{
  return ens_plan_profile (plan, inputs, outputs, NULL, error);
}

/* Together */

static gint
compare_plans (gconstpointer a, gconstpointer b)
{
  const EnsPlan *x = *(EnsPlan *const *)a, *y = *(EnsPlan *const *)b;

  return x < y ? -1 : x > y;
}

/* Always locks in the same order, so that two threads can't deadlock. */
static EnsPlan **
lock_plans (const EnsPlanRun *runs, guint n)
{
  EnsPlan **plans = g_new (EnsPlan *, n);

  for (guint i = 0; i < n; i++)
    plans[i] = runs[i].plan;
  qsort (plans, n, sizeof *plans, compare_plans);
  for (guint i = 0; i < n; i++)
    g_mutex_lock (&plans[i]->lock);
  return plans;
}

static void
unlock_plans (const EnsPlanRun *runs, guint n)
{
  for (guint i = 0; i < n; i++)
    g_mutex_unlock (&runs[i].plan->lock);
}

static gboolean
run_together (const EnsPlanRun *runs, guint n, EnsVulkanPreprocessor *preprocessor)
{
  g_autofree EnsBackend **backends = g_new (EnsBackend *, n);

  for (guint i = 0; i < n; i++) {
    backends[i] = runs[i].plan->backend;
    if (backends[i]->class != backends[0]->class || backends[i]->class->run_together == NULL)
      return FALSE;
  }
  return backends[0]->class->run_together (backends, runs, n, preprocessor);
}

gboolean
ens_plans_run_preprocessed (const EnsPlanRun *runs, guint n, EnsVulkanPreprocessor *preprocessor)
{
  g_autofree EnsPlan **plans = lock_plans (runs, n);
  gboolean done = run_together (runs, n, preprocessor);

  unlock_plans (runs, n);
  return done;
}

gboolean
ens_plans_run (const EnsPlanRun *runs, guint n, GError **error)
{
  g_autofree EnsPlan **plans = NULL;
  gboolean done;

  if (n == 0)
    return TRUE;
  plans = lock_plans (runs, n);
  done = run_together (runs, n, NULL);
  for (guint i = 0; i < n && !done; i++) {
    EnsBackend *backend = runs[i].plan->backend;

    if (!backend->class->run (backend, runs[i].inputs, runs[i].outputs, NULL, error))
      break;
    done = i == n - 1;
  }
  unlock_plans (runs, n);
  return done;
}
