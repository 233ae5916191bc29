/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/executor-private.h"

#include "passes/rewrite.h"
#include "vulkan/debug.h"

/* Inputs and outputs */

EnsVulkanRegion
ens_vulkan_executor_get_input (const EnsVulkanExecutor *executor, guint i)
{
  const EnsValue *value = g_ptr_array_index (executor->graph->inputs, i);

  return (EnsVulkanRegion) {&executor->block, executor->input_offsets[i], ens_value_size (value)};
}

const EnsVulkanView *
ens_vulkan_executor_get_output (const EnsVulkanExecutor *executor, guint i)
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
    EnsVulkanRegion to = ens_vulkan_executor_get_input (executor, i), from = to;

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

gsize
ens_vulkan_executor_get_readback_offset (const EnsVulkanExecutor *executor, guint i)
{
  gsize offset = 0;

  for (guint j = 0; j < i; j++)
    if (ens_vulkan_executor_get_output (executor, j)->constant == NULL)
      offset += ens_vulkan_align (ens_vulkan_executor_get_output (executor, j)->region->size);
  return offset;
}

static gboolean
copy_outputs_out (EnsVulkanExecutor *executor, GError **error)
{
  guint n = executor->graph->outputs->len;
  gsize size = ens_vulkan_executor_get_readback_offset (executor, n);

  for (guint i = 0; i < n; i++) {
    const EnsVulkanView *view = ens_vulkan_executor_get_output (executor, i);
    EnsVulkanRegion to = {&executor->readback,
                          ens_vulkan_executor_get_readback_offset (executor, i)};

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

/* Offset of operand i in the exchange buffer; for i = their number, the size that the step uses. */
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
                               : ens_vulkan_executor_is_staged (executor)
                                   ? executor->exchange.mapped + get_exchange_offset (step, i)
                                   : executor->block.mapped + view->region->offset);
  }
}

static void
write_cpu_step (EnsVulkanExecutor *executor, guint number)
{
  const EnsVulkanStep *step = &executor->steps[number];

  place_cpu_step (executor, step);
  if (ens_vulkan_executor_is_staged (executor))
    exchange (executor, step, FALSE);
  ens_vulkan_program_run_cpu (&executor->program, step->cpu_step, number);
  if (ens_vulkan_executor_is_staged (executor))
    exchange (executor, step, TRUE);
}

static gboolean
allocate_exchange (EnsVulkanExecutor *executor, GError **error)
{
  gsize size = 0;

  for (guint i = 0; i < executor->info.n_steps; i++) {
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

/* “Conv conv1 of squeezenet” */
static void
label_steps (EnsVulkanExecutor *executor)
{
  executor->program.labels = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < executor->info.n_steps; i++) {
    const EnsNode *node = executor->steps[i].node;

    g_ptr_array_add (executor->program.labels, g_strdup_printf ("%s %s of %s", node->op->name,
                                                                node->name, executor->graph->name));
  }
}

static void
write_step (EnsVulkanExecutor *executor, guint number)
{
  const EnsVulkanStep *step = &executor->steps[number];
  const GArray *dispatches = ens_vulkan_recording_get_dispatches (executor->recording);

  if (step->cpu_step != NULL)
    write_cpu_step (executor, number);
  for (guint i = step->first_dispatch; i < step->first_dispatch + step->n_dispatches; i++)
    ens_vulkan_program_dispatch (&executor->program,
                                 &g_array_index (dispatches, EnsVulkanDispatch, i), i, number);
}

/* What has been submitted can't be cancelled. So many operations take some tens of milliseconds, on
 * a slow GPU or in software. */
#define GPU_OPERATIONS 5e10
#define SOFTWARE_OPERATIONS 1e9

double
ens_vulkan_get_most_operations (const EnsVulkanDevice *device)
{
  return ens_vulkan_physical_is_software (&device->physical) ? SOFTWARE_OPERATIONS : GPU_OPERATIONS;
}

/* Elementwise ones count one for each element. */
static double
count_operations (const EnsVulkanStep *step)
{
  return step->cpu_step == NULL ? ens_op_count_steps (step->node->op, &step->operands) : 0;
}

/* A heavy network takes several submissions. */
static void
write_steps (EnsVulkanExecutor *executor)
{
  const double most = ens_vulkan_get_most_operations (executor->device);
  gboolean is_first = TRUE;
  double submitted = 0;

  for (guint i = 0; i < executor->info.n_steps; i++) {
    if (submitted >= most) {
      ens_vulkan_program_cut (&executor->program);
      submitted = 0;
      is_first = FALSE;
    }
    write_step (executor, i);
    submitted += count_operations (&executor->steps[i]);
    is_first = is_first && executor->steps[i].cpu_step == NULL;
    if (is_first)
      executor->first_operations = submitted;
  }
}

gboolean
ens_vulkan_executor_write_program (EnsVulkanExecutor *executor, GError **error)
{
  const EnsVulkanRegion arena = {&executor->block, 0, executor->memory->arena_size};
  gboolean staged = ens_vulkan_executor_is_staged (executor);

  if (ens_vulkan_device_has_names (executor->device))
    label_steps (executor);
  if (executor->device->validation && arena.size > 0)
    ens_vulkan_program_poison (&executor->program, &arena);
  if (staged && (!copy_inputs_in (executor, error) || !allocate_exchange (executor, error)))
    return FALSE;
  write_steps (executor);
  return !staged || copy_outputs_out (executor, error);
}
