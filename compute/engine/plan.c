/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "base/fail.h"
#include "engine/plan-private.h"
#include "engine/backend.h"
#include "engine/limits.h"
#include "graph/infer.h"
#include "passes/per-image.h"
#include "passes/rewrite.h"

/* What is known of whether it treats images one by one. */
enum { PER_IMAGE_UNKNOWN, PER_IMAGE, NOT_PER_IMAGE };

struct _EnsPlan {
  gatomicrefcount references;
  EnsGraph *inferred;      /* for the shapes that the backend runs on */
  EnsShape *output_shapes; /* of the whole batch */
  double operations;       /* of the whole batch */
  guint batch, group;      /* images, and how many of them the backend takes at once; 0: all */
  gpointer *spare; /* inputs, then outputs of the last group, if the batch does not fill it */
  EnsWeights *weights;
  EnsBackend *backend;
  EnsTurn turn;   /* taken while running */
  gint per_image; /* atomic; looked up when first asked for */
};

static EnsBackend *
make_backend (const EnsBackendParams *params, GError **error)
{
  return ens_device_is_gpu (params->device) ? ens_vulkan_backend_new (params, error)
                                            : ens_cpu_backend_new (params, error);
}

static const EnsValue *
get_array (const EnsGraph *graph, guint i)
{
  return i < graph->inputs->len ? graph->inputs->pdata[i]
                                : graph->outputs->pdata[i - graph->inputs->len];
}

static guint
count_arrays (const EnsGraph *graph)
{
  return graph->inputs->len + graph->outputs->len;
}

static void
free_spare (EnsPlan *plan)
{
  for (guint i = 0; plan->spare != NULL && i < count_arrays (plan->inferred); i++)
    ens_block_free (plan->spare[i]);
  g_clear_pointer (&plan->spare, g_free);
}

static gboolean
make_spare (EnsPlan *plan, GError **error)
{
  guint n = count_arrays (plan->inferred);
  gboolean done = TRUE;

  if (plan->group == 0 || plan->batch % plan->group == 0)
    return TRUE;
  plan->spare = g_new0 (gpointer, n);
  for (guint i = 0; i < n; i++) {
    plan->spare[i] = ens_block_try_new (ens_value_size (get_array (plan->inferred, i)));
    done = done && plan->spare[i] != NULL;
  }
  return done
         || ens_fail (error, ENS_ERROR_RESOURCE, plan->inferred->name,
                      "there is no memory left for a group of %u images", plan->group);
}

/* The shapes of a whole batch of outputs. */
static EnsShape *
list_output_shapes (const EnsPlan *plan)
{
  const GPtrArray *outputs = plan->inferred->outputs;
  EnsShape *shapes = g_new (EnsShape, outputs->len);

  for (guint i = 0; i < outputs->len; i++) {
    shapes[i] = ((const EnsValue *)g_ptr_array_index (outputs, i))->shape;
    if (plan->group > 0)
      shapes[i].dims[0] = plan->batch;
  }
  return shapes;
}

/* The shapes that the backend runs on: of a group, where the graph takes no others. (transfer
 * full) */
static EnsShape *
choose_shapes (const EnsGraph *graph, const EnsShape *input_shapes, guint group)
{
  EnsShape *shapes = g_memdup2 (input_shapes, graph->inputs->len * sizeof *shapes);

  for (guint i = 0; i < graph->inputs->len && group > 0; i++)
    shapes[i].dims[0] = group;
  return shapes;
}

EnsGraph *
ens_plan_infer (const EnsGraph *graph, const EnsShape *input_shapes, EnsDevice *device,
                guint *group, GError **error)
{
  g_autoptr (EnsGraph) inferred = ens_graph_copy (graph);
  const EnsLimits limits = ens_device_get_limits (device);
  g_autofree EnsShape *shapes = NULL;

  *group = ens_graph_find_group (graph, input_shapes);
  shapes = choose_shapes (graph, input_shapes, *group);
  return ens_infer_graph (inferred, shapes, error)
                 && ens_limits_check_graph (&limits, inferred, error)
             ? g_steal_pointer (&inferred)
             : NULL;
}

static guint
count_groups (const EnsPlan *plan)
{
  return plan->group > 0 ? (plan->batch + plan->group - 1) / plan->group : 1;
}

static gboolean
make (EnsPlan *plan, const EnsGraph *graph, const EnsShape *input_shapes,
      const EnsPlanContext *context, GError **error)
{
  EnsBackendParams params = {.graph = graph,
                             .device = context->device,
                             .weights = plan->weights,
                             .cancellable = context->cancellable,
                             .network = context->network};

  plan->inferred = ens_plan_infer (graph, input_shapes, context->device, &plan->group, error);
  if (plan->inferred == NULL)
    return FALSE;
  plan->batch = plan->group > 0 ? (guint)input_shapes[0].dims[0] : 0;
  plan->operations = ens_graph_count_operations (plan->inferred) * count_groups (plan);
  plan->output_shapes = list_output_shapes (plan);
  params.inferred = plan->inferred;
  plan->backend = make_backend (&params, error);
  return plan->backend != NULL && make_spare (plan, error);
}

EnsPlan *
ens_plan_new (const EnsGraph *graph, const EnsShape *input_shapes, const EnsPlanContext *context,
              GError **error)
{
  EnsPlan *plan = g_new0 (EnsPlan, 1);

  g_atomic_ref_count_init (&plan->references);
  ens_turn_init (&plan->turn);
  plan->weights = ens_weights_ref (context->weights);
  if (make (plan, graph, input_shapes, context, error))
    return plan;
  ens_plan_unref (plan);
  return NULL;
}

EnsPlan *
ens_plan_ref (EnsPlan *plan)
{
  g_atomic_ref_count_inc (&plan->references);
  return plan;
}

gboolean
ens_plan_is_shared (EnsPlan *plan)
{
  return !g_atomic_ref_count_compare (&plan->references, 1);
}

void
ens_plan_unref (EnsPlan *plan)
{
  if (!g_atomic_ref_count_dec (&plan->references))
    return;
  if (plan->backend != NULL)
    plan->backend->class->free (plan->backend);
  free_spare (plan);
  g_free (plan->output_shapes);
  g_clear_pointer (&plan->inferred, ens_graph_free);
  ens_weights_unref (plan->weights);
  ens_turn_clear (&plan->turn);
  g_free (plan);
}

const EnsShape *
ens_plan_get_output_shape (EnsPlan *plan, guint i)
{
  g_return_val_if_fail (i < plan->inferred->outputs->len, NULL);
  return &plan->output_shapes[i];
}

double
ens_plan_get_operations (EnsPlan *plan)
{
  return plan->operations;
}

gsize
ens_plan_get_arena_size (EnsPlan *plan)
{
  return plan->backend->class->get_arena_size (plan->backend);
}

gsize
ens_plan_get_own_size (EnsPlan *plan)
{
  gsize size = ENS_PLAN_NODE_SIZE * plan->inferred->nodes->len;

  for (guint i = 0; plan->spare != NULL && i < count_arrays (plan->inferred); i++)
    size += ens_value_size (get_array (plan->inferred, i));
  return size + plan->backend->class->get_own_size (plan->backend);
}

gboolean
ens_plan_is_per_image (EnsPlan *plan)
{
  gint known = g_atomic_int_get (&plan->per_image);
  gint64 batch;

  if (known != PER_IMAGE_UNKNOWN)
    return known == PER_IMAGE;
  batch = ens_graph_get_batch (plan->inferred);
  if (plan->group > 0 ? plan->group == 1
                      : batch > 0 && ens_graph_is_per_image (plan->inferred, batch))
    known = PER_IMAGE;
  else
    known = NOT_PER_IMAGE;
  g_atomic_int_set (&plan->per_image, known);
  return known == PER_IMAGE;
}

guint
ens_plan_get_n_nodes (EnsPlan *plan)
{
  return plan->backend->class->get_n_nodes (plan->backend);
}

/* ---- Running ---- */

/* Images from `first` on, in the arrays or, where they are too few, in the spare ones. */
static gpointer *
locate (const EnsPlan *plan, const EnsBackendRun *arrays, guint first)
{
  guint n = count_arrays (plan->inferred);
  gpointer *located = g_new (gpointer, n);

  for (guint i = 0; i < n; i++) {
    char *whole = i < plan->inferred->inputs->len
                      ? (char *)arrays->inputs[i]
                      : (char *)arrays->outputs[i - plan->inferred->inputs->len];

    located[i] =
        plan->batch - first < plan->group
            ? plan->spare[i]
            : whole + first * (ens_value_size (get_array (plan->inferred, i)) / plan->group);
  }
  return located;
}

/* Fills the spare inputs up with copies of the last image. */
static void
fill_spare (const EnsPlan *plan, const EnsBackendRun *arrays, guint first)
{
  guint n = plan->batch - first;

  for (guint i = 0; i < plan->inferred->inputs->len; i++) {
    gsize size = ens_value_size (get_array (plan->inferred, i)) / plan->group;
    const char *images = (const char *)arrays->inputs[i] + first * size;
    char *spare = plan->spare[i];

    memcpy (spare, images, n * size);
    for (guint j = n; j < plan->group; j++)
      memcpy (spare + j * size, images + (n - 1) * size, size);
  }
}

static void
empty_spare (const EnsPlan *plan, const EnsBackendRun *arrays, guint first)
{
  guint n_inputs = plan->inferred->inputs->len;

  for (guint i = 0; i < plan->inferred->outputs->len; i++) {
    gsize size = ens_value_size (get_array (plan->inferred, n_inputs + i)) / plan->group;

    memcpy ((char *)arrays->outputs[i] + first * size, plan->spare[n_inputs + i],
            (plan->batch - first) * size);
  }
}

static gboolean
run_group (EnsPlan *plan, const EnsBackendRun *arrays, guint first, GError **error)
{
  g_autofree gpointer *located = locate (plan, arrays, first);
  const EnsBackendRun group = {(const gconstpointer *)located,
                               located + plan->inferred->inputs->len, arrays->times,
                               arrays->cancellable};
  gboolean short_of = plan->batch - first < plan->group;

  if (short_of)
    fill_spare (plan, arrays, first);
  if (!plan->backend->class->run (plan->backend, &group, error))
    return FALSE;
  if (short_of)
    empty_spare (plan, arrays, first);
  return TRUE;
}

/* Lock held. */
static gboolean
run (EnsPlan *plan, const EnsBackendRun *arrays, GError **error)
{
  if (plan->group == 0)
    return plan->backend->class->run (plan->backend, arrays, error);
  for (guint first = 0; first < plan->batch; first += plan->group)
    if (!run_group (plan, arrays, first, error))
      return FALSE;
  for (guint i = 0; arrays->times != NULL && i < ens_plan_get_n_nodes (plan); i++)
    arrays->times[i].flops *= count_groups (plan);
  return TRUE;
}

gboolean
ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                  EnsNodeTime *times, GError **error)
{
  gboolean done;

  ens_turn_take (&plan->turn, NULL);
  done = run (plan, &(EnsBackendRun) {inputs, outputs, times, NULL}, error);
  ens_turn_leave (&plan->turn);
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

static void
leave_plans (EnsPlan *const *plans, guint n)
{
  for (guint i = 0; i < n; i++)
    ens_turn_leave (&plans[i]->turn);
}

/* The plans, in the same order always, so that two threads can't deadlock; NULL if it was
 * cancelled.
 */
static EnsPlan **
take_plans (const EnsPlanRun *runs, guint n, GCancellable *cancellable)
{
  g_autofree EnsPlan **plans = g_new (EnsPlan *, n);

  for (guint i = 0; i < n; i++)
    plans[i] = runs[i].plan;
  qsort (plans, n, sizeof *plans, compare_plans);
  for (guint i = 0; i < n; i++)
    if (!ens_turn_take (&plans[i]->turn, cancellable)) {
      leave_plans (plans, i);
      return NULL;
    }
  return g_steal_pointer (&plans);
}

static gboolean
run_together (const EnsPlanRun *runs, guint n, GCancellable *cancellable)
{
  g_autofree EnsBackend **backends = g_new (EnsBackend *, n);

  for (guint i = 0; i < n; i++) {
    backends[i] = runs[i].plan->backend;
    if (backends[i]->class != backends[0]->class || backends[i]->class->run_together == NULL
        || runs[i].plan->group > 0)
      return FALSE;
  }
  return backends[0]->class->run_together (backends, runs, n, cancellable);
}

gboolean
ens_plan_check_whole (EnsPlan *plan, GError **error)
{
  const EnsBackendClass *class = plan->backend->class;
  gboolean whole;

  if (class->is_whole == NULL || plan->group > 0)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, plan->inferred->name,
                     "the device can't run images of several frames at once");
  ens_turn_take (&plan->turn, NULL);
  whole = class->is_whole (plan->backend);
  ens_turn_leave (&plan->turn);
  return whole
         || ens_fail (error, ENS_ERROR_RESOURCE, plan->inferred->name,
                      "the device can't run so many images at once");
}

gboolean
ens_plans_run_preprocessed (const EnsPlanRun *runs, guint n, GCancellable *cancellable)
{
  g_autofree EnsPlan **plans = take_plans (runs, n, cancellable);
  gboolean done;

  if (plans == NULL)
    return FALSE;
  done = run_together (runs, n, cancellable);
  leave_plans (plans, n);
  return done;
}

static gboolean
run_each (const EnsPlanRun *runs, guint n, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < n; i++) {
    const EnsBackendRun arrays = {runs[i].inputs, runs[i].outputs, NULL, cancellable};

    if (!ens_check_cancelled (cancellable, error) || !run (runs[i].plan, &arrays, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
ens_plans_run (const EnsPlanRun *runs, guint n, GCancellable *cancellable, GError **error)
{
  g_autofree EnsPlan **plans = NULL;
  gboolean done;

  if (n == 0)
    return TRUE;
  plans = take_plans (runs, n, cancellable);
  if (plans == NULL)
    return ens_check_cancelled (cancellable, error);
  done = run_together (runs, n, cancellable) || run_each (runs, n, cancellable, error);
  leave_plans (plans, n);
  return done;
}
