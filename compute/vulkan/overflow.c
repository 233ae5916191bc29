/* Which numbers did not fit into 16 bits. */
#include "vulkan/executor-private.h"

/* Whether a step stored what is no finite number in 16 bits, since this was asked last. */
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

/* What is too large for 16 bits makes what is computed from it no finite number either. */
static gboolean
reads_overflow (const EnsNode *node, const gboolean *overflowed)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && overflowed[node->inputs[i]->index])
      return TRUE;
  return FALSE;
}

/* Where a number of 32 bits was cast it is that one that does not fit. */
static void
add_names (const EnsNode *node, GHashTable *names)
{
  if (g_strcmp0 (node->op->name, "Cast") == 0 && node->inputs[0]->type == ENS_TYPE_FLOAT32) {
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
