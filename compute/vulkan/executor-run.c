#include "vulkan/executor-private.h"

#include <string.h>

#include "passes/rewrite.h"
#include "vulkan/sampler-private.h"

/* Whether the CPU can't reach the block, so that everything has to be copied. */
static gboolean
is_staged (const EnsVulkanExecutor *executor)
{
  return executor->block.mapped == NULL;
}

/* Inputs and outputs */

static EnsVulkanRegion
get_input (const EnsVulkanExecutor *executor, guint i)
{
  const EnsValue *value = g_ptr_array_index (executor->graph->inputs, i);

  return (EnsVulkanRegion) {&executor->block, executor->input_offsets[i], ens_value_size (value)};
}

static const EnsVulkanView *
get_output (const EnsVulkanExecutor *executor, guint i)
{
  const EnsValue *value = g_ptr_array_index (executor->graph->outputs, i);

  return &executor->views[value->index];
}

static gboolean
copy_inputs_in (EnsVulkanExecutor *executor, GError **error)
{
  guint n = executor->graph->inputs->len;
  gsize base = n > 0 ? executor->input_offsets[0] : 0, size = 0;

  for (guint i = 0; i < n; i++) {
    EnsVulkanRegion to = get_input (executor, i), from = to;

    from.buffer = &executor->upload;
    from.offset -= base;
    size = from.offset + from.size;
    if (to.size > 0)
      ens_vulkan_program_copy (&executor->program, &from, &to);
  }
  return size == 0
         || ens_vulkan_buffer_init (&executor->upload, executor->device, ENS_BUFFER_UPLOAD, size,
                                    error);
}

/* Where output i lies in the readback buffer: they follow each other. */
static gsize
get_readback_offset (const EnsVulkanExecutor *executor, guint i)
{
  gsize offset = 0;

  for (guint j = 0; j < i; j++)
    if (get_output (executor, j)->constant == NULL)
      offset += ens_vulkan_align (get_output (executor, j)->region->size);
  return offset;
}

static gboolean
copy_outputs_out (EnsVulkanExecutor *executor, GError **error)
{
  guint n = executor->graph->outputs->len;
  gsize size = get_readback_offset (executor, n);

  for (guint i = 0; i < n; i++) {
    const EnsVulkanView *view = get_output (executor, i);
    EnsVulkanRegion to = {&executor->readback, get_readback_offset (executor, i)};

    if (view->constant != NULL || view->region->size == 0)
      continue;
    to.size = view->region->size;
    ens_vulkan_program_copy (&executor->program, view->region, &to);
  }
  return size == 0
         || ens_vulkan_buffer_init (&executor->readback, executor->device, ENS_BUFFER_READBACK,
                                    size, error);
}

/* Nodes on the CPU */

static EnsVulkanView *
get_operand (const EnsVulkanStep *step, guint i)
{
  const EnsOperands *operands = &step->operands;

  return (EnsVulkanView *)(i < operands->n_inputs ? operands->inputs[i]
                                                  : operands->outputs[i - operands->n_inputs]);
}

/* Where operand i lies in the exchange buffer, and, for i = their number, how much of it the step
 * uses. */
static gsize
get_exchange_offset (const EnsVulkanStep *step, guint i)
{
  gsize offset = 0;

  for (guint j = 0; j < i; j++) {
    const EnsVulkanView *view = get_operand (step, j);

    if (view != NULL && view->constant == NULL)
      offset += ens_vulkan_align (view->region->size);
  }
  return offset;
}

/* Copies a step's inputs to the exchange buffer, or its outputs from there. */
static void
exchange (EnsVulkanExecutor *executor, const EnsVulkanStep *step, gboolean out)
{
  guint first = out ? step->operands.n_inputs : 0;
  guint n = out ? step->operands.n_outputs : step->operands.n_inputs;

  for (guint i = first; i < first + n; i++) {
    const EnsVulkanView *view = get_operand (step, i);
    EnsVulkanRegion outside;

    if (view == NULL || view->constant != NULL || view->region->size == 0)
      continue;
    outside =
        (EnsVulkanRegion) {&executor->exchange, get_exchange_offset (step, i), view->region->size};
    if (out)
      ens_vulkan_program_copy_view (&executor->program, &view->view, &outside, view->region);
    else
      ens_vulkan_program_copy (&executor->program, view->region, &outside);
  }
}

static void
place_cpu_step (EnsVulkanExecutor *executor, const EnsVulkanStep *step)
{
  for (guint i = 0; i < step->operands.n_inputs + step->operands.n_outputs; i++) {
    const EnsVulkanView *view = get_operand (step, i);

    if (view == NULL)
      continue;
    ens_vulkan_cpu_step_place (step->cpu_step, i,
                               view->constant != NULL ? view->view.data
                               : is_staged (executor)
                                   ? executor->exchange.mapped + get_exchange_offset (step, i)
                                   : executor->block.mapped + view->region->offset);
  }
}

static void
write_cpu_step (EnsVulkanExecutor *executor, guint number)
{
  const EnsVulkanStep *step = &executor->steps[number];

  place_cpu_step (executor, step);
  if (is_staged (executor))
    exchange (executor, step, FALSE);
  ens_vulkan_program_run_cpu (&executor->program, step->cpu_step, number);
  if (is_staged (executor))
    exchange (executor, step, TRUE);
}

static gboolean
allocate_exchange (EnsVulkanExecutor *executor, GError **error)
{
  gsize size = 0;

  for (guint i = 0; i < executor->n_steps; i++) {
    const EnsVulkanStep *step = &executor->steps[i];

    if (step->cpu_step != NULL)
      size = MAX (size,
                  get_exchange_offset (step, step->operands.n_inputs + step->operands.n_outputs));
  }
  return size == 0
         || ens_vulkan_buffer_init (&executor->exchange, executor->device, ENS_BUFFER_READBACK,
                                    size, error);
}

/* Writing */

static void
write_step (EnsVulkanExecutor *executor, guint number)
{
  const EnsVulkanStep *step = &executor->steps[number];
  const GArray *dispatches = ens_commands_get_dispatches (executor->commands);

  if (step->cpu_step != NULL)
    write_cpu_step (executor, number);
  for (guint i = step->first_dispatch; i < step->first_dispatch + step->n_dispatches; i++)
    ens_vulkan_program_dispatch (&executor->program,
                                 &g_array_index (dispatches, EnsVulkanDispatch, i), i, number);
}

gboolean
ens_vulkan_executor_write_program (EnsVulkanExecutor *executor, GError **error)
{
  const EnsVulkanRegion arena = {&executor->block, 0, executor->memory->arena_size};
  gboolean staged = is_staged (executor);

  if (executor->device->validation && arena.size > 0)
    ens_vulkan_program_poison (&executor->program, &arena);
  if (staged && (!copy_inputs_in (executor, error) || !allocate_exchange (executor, error)))
    return FALSE;
  for (guint i = 0; i < executor->n_steps; i++)
    write_step (executor, i);
  return !staged || copy_outputs_out (executor, error);
}

/* Running */

static void
take_inputs (EnsVulkanExecutor *executor, const gconstpointer *inputs)
{
  gsize base = executor->graph->inputs->len > 0 ? executor->input_offsets[0] : 0;

  for (guint i = 0; i < executor->graph->inputs->len; i++) {
    EnsVulkanRegion to = get_input (executor, i);

    if (to.size > 0)
      memcpy (is_staged (executor) ? executor->upload.mapped + to.offset - base
                                   : executor->block.mapped + to.offset,
              inputs[i], to.size);
    ens_vulkan_device_count (&executor->device->n_uploaded, to.size);
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

static void
give_outputs (const EnsVulkanExecutor *executor, const gpointer *outputs)
{
  for (guint i = 0; i < executor->graph->outputs->len; i++) {
    const EnsVulkanView *view = get_output (executor, i);

    copy_view (&view->view,
               view->constant != NULL ? view->view.data
               : is_staged (executor)
                   ? executor->readback.mapped + get_readback_offset (executor, i)
                   : executor->block.mapped + view->region->offset,
               outputs[i]);
    if (view->constant == NULL)
      ens_vulkan_device_count (&executor->device->n_read_back, view->region->size);
  }
}

static void
run_cpu_step (EnsVulkanExecutor *executor, const EnsVulkanSegment *segment, EnsNodeTime *times)
{
  gint64 start = g_get_monotonic_time ();

  ens_vulkan_cpu_step_run (segment->cpu_step, executor->pool, executor->scratch);
  if (times != NULL)
    times[segment->node].nanoseconds += (g_get_monotonic_time () - start) * 1000;
}

static gboolean
submit_segment (EnsVulkanExecutor *executor, const EnsVulkanSegment *segment, GError **error)
{
  return segment->commands == VK_NULL_HANDLE
         || ens_vulkan_device_submit (executor->device, &segment->commands, 1,
                                      executor->command_pool.fence, error);
}

/* What comes behind the first segment's commands, which have run. */
static gboolean
finish_segments (EnsVulkanExecutor *executor, const GArray *segments, EnsNodeTime *times,
                 GError **error)
{
  for (guint i = 0; i < segments->len; i++) {
    const EnsVulkanSegment *segment = &g_array_index (segments, EnsVulkanSegment, i);

    if (i > 0 && !submit_segment (executor, segment, error))
      return FALSE;
    if (segment->cpu_step != NULL)
      run_cpu_step (executor, segment, times);
  }
  return TRUE;
}

static gboolean
run_measured (EnsVulkanExecutor *executor, EnsNodeTime *times, GError **error)
{
  if (!ens_vulkan_executor_start_profile (executor, error))
    return FALSE;
  return (executor->profiled->len == 0
          || submit_segment (executor, &g_array_index (executor->profiled, EnsVulkanSegment, 0),
                             error))
         && finish_segments (executor, executor->profiled, times, error)
         && ens_vulkan_executor_read_profile (executor, times, error);
}

/* Together */

/* What a run goes through: the program as recorded, without copies if its inputs are on the device.
 */
static const GArray *
get_segments (const EnsVulkanRun *run)
{
  return run->inputs == NULL && is_staged (run->executor) ? run->executor->sampled
                                                          : run->executor->segments;
}

/* Brings a run's inputs, or appends what is to be sampled for it. */
static gboolean
prepare_run (const EnsVulkanRun *run, GArray *samplings, GError **error)
{
  EnsVulkanExecutor *executor = run->executor;

  if (run->inputs != NULL) {
    take_inputs (executor, run->inputs);
    return TRUE;
  }
  for (guint i = 0; i < executor->graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (executor->graph->inputs, i);
    const EnsVulkanSampling sampling = {&run->tables[i], input->type, get_input (executor, i)};

    g_array_append_val (samplings, sampling);
  }
  if (is_staged (executor) && executor->sampled == NULL)
    executor->sampled =
        ens_vulkan_executor_record (executor, VK_NULL_HANDLE, &executor->upload, error);
  return !is_staged (executor) || executor->sampled != NULL;
}

/* What is sampled, then the first segments of all, in one submission. */
static gboolean
submit_together (const EnsVulkanRun *runs, guint n, VkCommandBuffer head, GError **error)
{
  g_autofree VkCommandBuffer *commands = g_new (VkCommandBuffer, n + 1);
  EnsVulkanExecutor *first = runs[0].executor;
  guint n_commands = 0;

  if (head != VK_NULL_HANDLE)
    commands[n_commands++] = head;
  for (guint i = 0; i < n; i++) {
    const GArray *segments = get_segments (&runs[i]);

    if (segments->len > 0
        && g_array_index (segments, EnsVulkanSegment, 0).commands != VK_NULL_HANDLE)
      commands[n_commands++] = g_array_index (segments, EnsVulkanSegment, 0).commands;
  }
  return n_commands == 0
         || ens_vulkan_device_submit (first->device, commands, n_commands,
                                      first->command_pool.fence, error);
}

/* Gets all inputs ready and submits what does not wait for the CPU. */
static gboolean
start_together (const EnsVulkanRun *runs, guint n, EnsVulkanSampler *sampler, GError **error)
{
  g_autoptr (GArray) samplings = g_array_new (FALSE, FALSE, sizeof (EnsVulkanSampling));
  const EnsVulkanExecutor *first = runs[0].executor;
  VkCommandBuffer head = VK_NULL_HANDLE;

  for (guint i = 0; i < n; i++)
    if (!prepare_run (&runs[i], samplings, error))
      return FALSE;
  if (samplings->len > 0) {
    head = ens_vulkan_sampler_record (sampler, first->device,
                                      (const EnsVulkanSampling *)samplings->data, samplings->len,
                                      first->pool, error);
    if (head == VK_NULL_HANDLE)
      return FALSE;
  }
  if (!submit_together (runs, n, head, error))
    return FALSE;
  if (head != VK_NULL_HANDLE)
    ens_vulkan_sampler_finish (sampler);
  return TRUE;
}

gboolean
ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n, EnsVulkanSampler *sampler,
                          GError **error)
{
  if (!start_together (runs, n, sampler, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!finish_segments (runs[i].executor, get_segments (&runs[i]), NULL, error))
      return FALSE;
  for (guint i = 0; i < n; i++)
    give_outputs (runs[i].executor, runs[i].outputs);
  return TRUE;
}

gboolean
ens_vulkan_executor_run (EnsVulkanExecutor *executor, const gconstpointer *inputs,
                         const gpointer *outputs, EnsNodeTime *times, GError **error)
{
  if (times == NULL)
    return ens_vulkan_executors_run (&(EnsVulkanRun) {executor, inputs, outputs, NULL}, 1, NULL,
                                     error);
  take_inputs (executor, inputs);
  if (!run_measured (executor, times, error))
    return FALSE;
  give_outputs (executor, outputs);
  return TRUE;
}
