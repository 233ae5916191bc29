/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executors that run at the same time: the networks of an ensemble, whose levels run side by side,
 * after the preprocessing of their inputs, in one submission. */
#include "vulkan/executor-private.h"
#include "vulkan/preprocessor-private.h"

/* Preparing */

/* Copies a run's inputs, or appends the preprocessing that makes them. */
static void
prepare_run (const EnsVulkanRun *run, GArray *tasks)
{
  EnsVulkanExecutor *executor = run->executor;

  if (run->inputs != NULL) {
    ens_vulkan_executor_take_inputs (executor, run->inputs);
    return;
  }
  for (guint i = 0; i < executor->graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (executor->graph->inputs, i);
    const EnsVulkanPreprocessTask task = {&run->tables[i], input->type,
                                          ens_vulkan_executor_get_input (executor, i)};

    g_array_append_val (tasks, task);
  }
}

/* Recording */

/* The key of joint commands. */
static EnsVulkanPartner
describe_partner (const EnsVulkanRun *run)
{
  return (EnsVulkanPartner) {run->executor->serial, run->inputs == NULL};
}

static gboolean
is_recorded (const EnsVulkanJoint *joint, const EnsVulkanRun *runs, guint n)
{
  if (joint->commands == VK_NULL_HANDLE || joint->n != n)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    EnsVulkanPartner partner = describe_partner (&runs[i]);

    if (joint->partners[i].serial != partner.serial
        || joint->partners[i].preprocessed != partner.preprocessed)
      return FALSE;
  }
  return TRUE;
}

void
ens_vulkan_joint_clear (EnsVulkanJoint *joint, EnsVulkanDevice *device)
{
  ens_vulkan_command_pool_clear (&joint->pool, device);
  g_free (joint->partners);
  *joint = (EnsVulkanJoint) {0};
}

static gboolean
record (EnsVulkanJoint *joint, const EnsVulkanRun *runs, guint n, GError **error)
{
  EnsVulkanDevice *device = runs[0].executor->device;
  g_autofree EnsVulkanPart *parts = g_new (EnsVulkanPart, n);

  ens_vulkan_joint_clear (joint, device);
  joint->n = n;
  joint->partners = g_new (EnsVulkanPartner, n);
  for (guint i = 0; i < n; i++) {
    const EnsVulkanExecutor *executor = runs[i].executor;

    joint->partners[i] = describe_partner (&runs[i]);
    parts[i] = (EnsVulkanPart) {&executor->program, ens_vulkan_executor_get_recorder (executor)};
    parts[i].recorder.left_out = runs[i].inputs == NULL ? &executor->upload : NULL;
  }
  if (!ens_vulkan_command_pool_init (&joint->pool, device, error))
    return FALSE;
  joint->commands = ens_vulkan_program_record_joint (parts, n, &joint->pool, error);
  return joint->commands != VK_NULL_HANDLE;
}

/* The commands of all executors up to their first nodes on the CPU. The first executor keeps the
 * commands of the previous run, since they seldom change from frame to frame. */
static VkCommandBuffer
get_commands (const EnsVulkanRun *runs, guint n, GError **error)
{
  EnsVulkanJoint *joint = &runs[0].executor->joint;

  if (!is_recorded (joint, runs, n) && !record (joint, runs, n, error))
    return VK_NULL_HANDLE;
  return joint->commands;
}

/* Running */

static gboolean
submit (const EnsVulkanRun *runs, guint n, VkCommandBuffer head, GError **error)
{
  EnsVulkanExecutor *first = runs[0].executor;
  VkCommandBuffer commands[2];
  guint n_commands = 0;

  if (head != VK_NULL_HANDLE)
    commands[n_commands++] = head;
  commands[n_commands] = get_commands (runs, n, error);
  if (commands[n_commands++] == VK_NULL_HANDLE)
    return FALSE;
  return ens_vulkan_device_submit (first->device, commands, n_commands, first->command_pool.fence,
                                   error);
}

/* Samplings are numbered as prepare_run () appended them. */
static void
note_overflows (const EnsVulkanRun *runs, guint n, const EnsVulkanPreprocessor *preprocessor)
{
  guint task = 0;

  for (guint i = 0; i < n; i++) {
    EnsVulkanExecutor *executor = runs[i].executor;

    for (guint k = 0; runs[i].inputs == NULL && k < executor->graph->inputs->len; k++)
      if (ens_vulkan_preprocessor_take_overflow (preprocessor, task++))
        executor->overflowed_inputs[k] = TRUE;
  }
}

/* Gets all inputs ready and submits what does not wait for the CPU. */
static gboolean
start (const EnsVulkanRun *runs, guint n, EnsVulkanPreprocessor *preprocessor,
       GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) tasks = g_array_new (FALSE, FALSE, sizeof (EnsVulkanPreprocessTask));
  const EnsVulkanExecutor *first = runs[0].executor;
  VkCommandBuffer head = VK_NULL_HANDLE;

  for (guint i = 0; i < n; i++)
    prepare_run (&runs[i], tasks);
  if (tasks->len > 0) {
    head = ens_vulkan_preprocessor_record (preprocessor, first->device,
                                           (const EnsVulkanPreprocessTask *)tasks->data, tasks->len,
                                           first->pool, error);
    if (head == VK_NULL_HANDLE)
      return FALSE;
  }
  if (!ens_check_cancelled (cancellable, error) || !submit (runs, n, head, error))
    return FALSE;
  if (head != VK_NULL_HANDLE) {
    ens_vulkan_preprocessor_finish (preprocessor);
    note_overflows (runs, n, preprocessor);
  }
  return TRUE;
}

gboolean
ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n, EnsVulkanPreprocessor *preprocessor,
                          GCancellable *cancellable, GError **error)
{
  if (!start (runs, n, preprocessor, cancellable, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const EnsVulkanSegments rest = {runs[i].executor->segments, NULL, cancellable};

    if (!ens_vulkan_executor_finish_segments (runs[i].executor, &rest, error))
      return FALSE;
  }
  for (guint i = 0; i < n; i++)
    ens_vulkan_executor_give_outputs (runs[i].executor, runs[i].outputs);
  return TRUE;
}
