/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/cpu-step.h"

static gboolean
is_float32 (const EnsOperands *operands)
{
  const EnsView *input = ens_operands_input (operands, 0);

  return operands->outputs[0]->type == ENS_TYPE_FLOAT32
         && (input == NULL || input->type == ENS_TYPE_FLOAT32);
}

/* The operands as the CPU sees them. While planning nothing but constants has contents. */
static void
copy_operands (EnsVulkanCpuStep *step, const EnsOperands *operands)
{
  guint n_inputs = operands->n_inputs, n_outputs = operands->n_outputs;

  step->views = g_new0 (EnsView, n_inputs + n_outputs);
  step->operands = *operands;
  step->operands.inputs = g_new0 (const EnsView *, n_inputs);
  step->operands.outputs = g_new0 (EnsView *, n_outputs);
  for (guint i = 0; i < n_inputs; i++)
    if (operands->inputs[i] != NULL) {
      step->views[i] = *operands->inputs[i];
      step->operands.inputs[i] = &step->views[i];
    }
  for (guint i = 0; i < n_outputs; i++) {
    step->views[n_inputs + i] = *operands->outputs[i];
    step->operands.outputs[i] = &step->views[n_inputs + i];
  }
}

EnsVulkanCpuStep *
ens_vulkan_cpu_step_new (const EnsOperands *operands, EnsThreadPool *pool,
                         EnsPackedWeights *weights)
{
  EnsVulkanCpuStep *step = g_new0 (EnsVulkanCpuStep, 1);
  const EnsOp *op = operands->node->op;

  copy_operands (step, operands);
  step->plan.n_threads = ens_thread_pool_get_threads (pool);
  step->plan.weights = weights;
  step->plan.pool = pool;
  step->plan.kernel = "reference";
  if (op->cpu == NULL || !is_float32 (operands))
    return step;
  step->run = op->cpu;
  step->plan.kernel = "vector";
  if (op->cpu_plan != NULL)
    op->cpu_plan (&step->operands, &step->plan);
  return step;
}

void
ens_vulkan_cpu_step_free (EnsVulkanCpuStep *step)
{
  if (step->plan.free_state != NULL)
    step->plan.free_state (step->plan.state);
  ens_operands_clear (&step->operands);
  g_free (step->views);
  g_free (step);
}

void
ens_vulkan_cpu_step_place (EnsVulkanCpuStep *step, guint i, gpointer data)
{
  step->views[i].data = data;
}

void
ens_vulkan_cpu_step_run (const EnsVulkanCpuStep *step, EnsThreadPool *pool, gpointer scratch)
{
  const EnsCpuContext context = {.pool = pool, .scratch = scratch, .state = step->plan.state};

  if (step->run != NULL)
    step->run (&step->operands, &context);
  else
    step->operands.node->op->reference (&step->operands);
}
