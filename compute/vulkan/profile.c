/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Profiling of nodes: the same commands are recorded once more, with timestamps between them. */
#include "vulkan/executor-private.h"

gboolean
ens_vulkan_executor_start_profile (EnsVulkanExecutor *executor, GError **error)
{
  EnsVulkanDevice *device = executor->device;
  const VkQueryPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
      .queryType = VK_QUERY_TYPE_TIMESTAMP,
      .queryCount = 2 * MAX (executor->info.n_steps, 1),
  };

  if (executor->profiled != NULL)
    return TRUE;
  if (device->physical.timestamp_period > 0 && executor->queries == VK_NULL_HANDLE)
    ENS_VK_DEVICE (device, CreateQueryPool, device->handle, &info, NULL, &executor->queries);
  executor->profiled = ens_vulkan_executor_record (executor, executor->queries, error);
  return executor->profiled != NULL;
error:
  return FALSE;
}

static gboolean
read_step (EnsVulkanExecutor *executor, guint step, EnsNodeTime *time, GError **error)
{
  EnsVulkanDevice *device = executor->device;
  guint64 stamps[2];

  ENS_VK_DEVICE (device, GetQueryPoolResults, device->handle, executor->queries, 2 * step, 2,
                 sizeof stamps, stamps, sizeof *stamps,
                 VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  time->nanoseconds +=
      (gint64)((double)(stamps[1] - stamps[0]) * device->physical.timestamp_period);
  return TRUE;
error:
  return FALSE;
}

/* On a GPU, the shader of the last dispatch, which gives the result. */
static const char *
name_kernel (const EnsVulkanExecutor *executor, const EnsVulkanStep *step)
{
  const GArray *dispatches = ens_vulkan_recording_get_dispatches (executor->recording);
  g_autofree char *name = NULL;

  if (step->cpu_step == NULL)
    return step->n_dispatches == 0 ? NULL
                                   : g_array_index (dispatches, EnsVulkanDispatch,
                                                    step->first_dispatch + step->n_dispatches - 1)
                                         .key.shader->stem;
  name = g_strdup_printf ("on the CPU: %s", step->cpu_step->plan.kernel);
  return g_intern_string (name);
}

gboolean
ens_vulkan_executor_read_profile (EnsVulkanExecutor *executor, EnsNodeTime *times, GError **error)
{
  for (guint i = 0; i < executor->info.n_steps; i++) {
    const EnsVulkanStep *step = &executor->steps[i];
    const EnsOp *op = step->node->op;

    times[i].node = step->node->name;
    times[i].op = op->name;
    times[i].kernel = name_kernel (executor, step);
    times[i].flops = op->flops != NULL ? op->flops (&step->operands) : 0;
    if (step->n_dispatches > 0 && executor->queries != VK_NULL_HANDLE
        && !read_step (executor, i, &times[i], error))
      return FALSE;
  }
  return TRUE;
}
