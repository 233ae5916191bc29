/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which values overflowed float16. */
#include "vulkan/executor-private.h"

#include "passes/rewrite.h"

/* Whether a step has overflowed since the last call. */
static gboolean
take_overflow (const EnsVulkanExecutor *executor, EnsVulkanStep *step)
{
  gboolean overflowed = step->overflowed;

  step->overflowed = FALSE;
  for (guint i = 0; i < step->n_dispatches; i++)
    if (ens_vulkan_descriptors_take_overflow (&executor->descriptors, executor->device,
                                              step->first_dispatch + i))
      overflowed = TRUE;
  return overflowed;
}

/* Whether the node reads a value that overflowed, so that its own overflow is a consequence. */
static gboolean
reads_overflow (const EnsNode *node, const gboolean *overflowed)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && overflowed[node->inputs[i]->index])
      return TRUE;
  return FALSE;
}

/* Where a Cast from float32 overflows, its input is to blame. */
static void
add_names (const EnsNode *node, GHashTable *names)
{
  if (ens_node_is (node, "Cast") && node->inputs[0]->type == ENS_TYPE_FLOAT32) {
    g_hash_table_add (names, g_strdup (node->inputs[0]->name));
    return;
  }
  for (guint i = 0; i < node->n_outputs; i++)
    g_hash_table_add (names, g_strdup (node->outputs[i]->name));
}

/* The same of input i. */
static gboolean
take_input_overflow (EnsVulkanExecutor *executor, guint i, GHashTable *names, gboolean *overflowed)
{
  const EnsValue *input = g_ptr_array_index (executor->graph->inputs, i);

  if (!executor->overflowed_inputs[i])
    return FALSE;
  executor->overflowed_inputs[i] = FALSE;
  overflowed[input->index] = TRUE;
  if (names != NULL)
    g_hash_table_add (names, g_strdup (input->name));
  return TRUE;
}

gboolean
ens_vulkan_executor_take_overflows (EnsVulkanExecutor *executor, gboolean all, GHashTable *names)
{
  g_autofree gboolean *overflowed = g_new0 (gboolean, executor->graph->values->len);
  gboolean any = FALSE;

  for (guint i = 0; i < executor->graph->inputs->len; i++)
    any = take_input_overflow (executor, i, names, overflowed) || any;
  for (guint i = 0; i < executor->info.n_steps; i++) {
    const EnsNode *node = executor->steps[i].node;

    if (!take_overflow (executor, &executor->steps[i]))
      continue;
    if (names != NULL && (all || !reads_overflow (node, overflowed)))
      add_names (node, names);
    for (guint k = 0; k < node->n_outputs; k++)
      overflowed[node->outputs[k]->index] = TRUE;
    any = TRUE;
  }
  return any;
}
