/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/executor-private.h"

#include <string.h>

#include "base/float16.h"
#include "passes/rewrite.h"

/* Inputs and outputs */

/* The address that the CPU writes input i to. */
static char *
map_input (const EnsVulkanExecutor *executor, guint i)
{
  EnsVulkanRegion to = ens_vulkan_executor_get_input (executor, i);

  return ens_vulkan_executor_is_staged (executor)
             ? executor->upload.mapped + to.offset - executor->input_offsets[0]
             : executor->block.mapped + to.offset;
}

/* Numbers that are converted at a time. */
#define STRETCH ((gsize)1 << 16)

typedef struct {
  const float *from;
  guint16 *to;
  gsize n;
  gint overflowed; /* atomic */
} Conversion;

static void
convert_stretch (gpointer data, guint task, guint worker)
{
  Conversion *conversion = data;
  gsize first = task * STRETCH;

  if (!ens_float16_from_floats (conversion->from + first, conversion->to + first,
                                MIN (STRETCH, conversion->n - first)))
    g_atomic_int_set (&conversion->overflowed, TRUE);
}

/* Takes a float32 array for input i, of FLOAT16. */
static void
convert_input (EnsVulkanExecutor *executor, guint i, const float *input, gsize n)
{
  Conversion conversion = {input, (guint16 *)map_input (executor, i), n};

  ens_thread_pool_run (executor->pool, (guint)((n + STRETCH - 1) / STRETCH), convert_stretch,
                       &conversion);
  if (conversion.overflowed)
    executor->overflowed_inputs[i] = TRUE;
}

void
ens_vulkan_executor_take_inputs (EnsVulkanExecutor *executor, const gconstpointer *inputs)
{
  for (guint i = 0; i < executor->graph->inputs->len; i++) {
    const EnsValue *value = g_ptr_array_index (executor->graph->inputs, i);
    gsize size = ens_value_size (value);

    if (size > 0 && executor->float32_arrays && value->type == ENS_TYPE_FLOAT16)
      convert_input (executor, i, inputs[i], size / sizeof (guint16));
    else if (size > 0)
      memcpy (map_input (executor, i), inputs[i], size);
    ens_vulkan_device_count (&executor->device->uploaded, size);
  }
}

static void
copy_view (const EnsView *view, const char *from, char *to)
{
  gsize size = ens_type_size (view->type);
  gsize run = (gsize)ens_shape_run (&view->shape) * size;
  gsize runs = (gsize)ens_shape_runs (&view->shape);

  for (gsize i = 0; run > 0 && i < runs; i++)
    memcpy (to + i * run, from + i * (gsize)view->pitch * size, run);
}

static const char *
map_output (const EnsVulkanExecutor *executor, guint i)
{
  const EnsVulkanView *view = ens_vulkan_executor_get_output (executor, i);

  if (view->constant != NULL)
    return view->view.data;
  return ens_vulkan_executor_is_staged (executor)
             ? executor->readback.mapped + ens_vulkan_executor_get_readback_offset (executor, i)
             : executor->block.mapped + view->region->offset;
}

void
ens_vulkan_executor_give_outputs (const EnsVulkanExecutor *executor, const gpointer *outputs)
{
  for (guint i = 0; i < executor->graph->outputs->len; i++) {
    const EnsVulkanView *view = ens_vulkan_executor_get_output (executor, i);

    copy_view (&view->view, map_output (executor, i), outputs[i]);
    if (view->constant == NULL)
      ens_vulkan_device_count (&executor->device->read_back, view->region->size);
  }
}

/* Nodes on the CPU */

static gboolean
is_finite (const EnsView *view)
{
  gsize run = (gsize)ens_shape_run (&view->shape), runs = (gsize)ens_shape_runs (&view->shape);
  const guint16 *values = view->data;

  for (gsize i = 0; i < runs; i++)
    for (gsize k = 0; k < run; k++)
      if (!ens_float16_is_finite (values[i * (gsize)view->pitch + k]))
        return FALSE;
  return TRUE;
}

static void
run_cpu_step (EnsVulkanExecutor *executor, const EnsVulkanSegment *segment,
              const EnsVulkanSegments *run)
{
  const EnsOperands *operands = &segment->cpu_step->operands;
  g_autoptr (EnsThreadPool) pool =
      ens_thread_pool_new_cancellable (executor->pool, run->cancellable);
  EnsVulkanStep *step = &executor->steps[segment->node];
  gint64 start = g_get_monotonic_time ();

  ens_vulkan_cpu_step_run (segment->cpu_step, pool, executor->scratch);
  if (ens_thread_pool_is_cancelled (pool))
    return;
  for (guint i = 0; i < operands->n_outputs; i++)
    if (operands->outputs[i]->type == ENS_TYPE_FLOAT16 && !is_finite (operands->outputs[i]))
      step->overflowed = TRUE;
  if (run->times != NULL)
    run->times[segment->node].nanoseconds += (g_get_monotonic_time () - start) * 1000;
}

/* Running */

static gboolean
submit_segment (EnsVulkanExecutor *executor, const EnsVulkanSegment *segment,
                GCancellable *cancellable, GError **error)
{
  return ens_check_cancelled (cancellable, error)
         && (segment->commands == VK_NULL_HANDLE
             || ens_vulkan_device_submit (executor->device, &segment->commands, 1,
                                          executor->command_pool.fence, error));
}

gboolean
ens_vulkan_executor_finish_segments (EnsVulkanExecutor *executor, const EnsVulkanSegments *run,
                                     GError **error)
{
  for (guint i = 0; i < run->segments->len; i++) {
    const EnsVulkanSegment *segment = &g_array_index (run->segments, EnsVulkanSegment, i);

    if (i > 0 && !submit_segment (executor, segment, run->cancellable, error))
      return FALSE;
    if (segment->cpu_step != NULL)
      run_cpu_step (executor, segment, run);
  }
  return ens_check_cancelled (run->cancellable, error);
}

static gboolean
run_segments (EnsVulkanExecutor *executor, const EnsVulkanSegments *run, GError **error)
{
  return (run->segments->len == 0
          || submit_segment (executor, &g_array_index (run->segments, EnsVulkanSegment, 0),
                             run->cancellable, error))
         && ens_vulkan_executor_finish_segments (executor, run, error);
}

static gboolean
run_measured (EnsVulkanExecutor *executor, EnsVulkanSegments *run, GError **error)
{
  if (!ens_vulkan_executor_start_profile (executor, error))
    return FALSE;
  run->segments = executor->profiled;
  return run_segments (executor, run, error)
         && ens_vulkan_executor_read_profile (executor, run->times, error);
}

gboolean
ens_vulkan_executor_run (EnsVulkanExecutor *executor, const gconstpointer *inputs,
                         const gpointer *outputs, EnsNodeTime *times, GCancellable *cancellable,
                         GError **error)
{
  EnsVulkanSegments run = {executor->segments, times, cancellable};
  gboolean done;

  ens_vulkan_executor_take_inputs (executor, inputs);
  done =
      times != NULL ? run_measured (executor, &run, error) : run_segments (executor, &run, error);
  if (done)
    ens_vulkan_executor_give_outputs (executor, outputs);
  return done;
}
