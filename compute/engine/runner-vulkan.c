/* The whole batch at once on a GPU. */
#include "engine/runner.h"

#include "passes/passes.h"
#include "passes/rewrite.h"
#include "vulkan/executor.h"

typedef struct {
  EnsRunner parent;
  EnsVulkanExecutor *executor;
} VulkanRunner;

static void
free_runner (EnsRunner *runner)
{
  VulkanRunner *self = (VulkanRunner *)runner;

  ens_vulkan_executor_free (self->executor);
  g_free (self);
}

static gsize
get_arena_size (const EnsRunner *runner)
{
  return ens_vulkan_executor_get_size (((const VulkanRunner *)runner)->executor);
}

static guint
get_n_nodes (const EnsRunner *runner)
{
  return ens_vulkan_executor_get_n_steps (((const VulkanRunner *)runner)->executor);
}

static gboolean
run (EnsRunner *runner, const gconstpointer *inputs, const gpointer *outputs, EnsNodeTime *times,
     GError **error)
{
  return ens_vulkan_executor_run (((VulkanRunner *)runner)->executor, inputs, outputs, times,
                                  error);
}

static const EnsRunnerClass vulkan_class = {free_runner, get_arena_size, get_n_nodes, run};

static EnsGraph *
plan_graph (const EnsRunnerParams *params, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_graph_copy (params->graph);
  guint n = params->sample->inputs->len;
  g_autofree EnsShape *shapes = g_new (EnsShape, n);

  for (guint i = 0; i < n; i++)
    shapes[i] = ((const EnsValue *)g_ptr_array_index (params->sample->inputs, i))->shape;
  return ens_passes_plan (graph, shapes, error) ? g_steal_pointer (&graph) : NULL;
}

EnsRunner *
ens_vulkan_runner_new (const EnsRunnerParams *params, GError **error)
{
  const EnsVulkanContext context = {
      .device = ens_device_get_vulkan (params->device),
      .weights = params->weights->vulkan,
      .pool = ens_device_get_pool (params->device),
      .cpu_weights = params->weights->packed,
  };
  EnsGraph *graph = plan_graph (params, error);
  EnsVulkanExecutor *executor;
  VulkanRunner *self;

  if (graph == NULL || (executor = ens_vulkan_executor_new (graph, &context, error)) == NULL)
    return NULL;
  self = g_new0 (VulkanRunner, 1);
  self->parent.class = &vulkan_class;
  self->executor = executor;
  return &self->parent;
}
