/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executors that run at the same time: the networks of an ensemble, whose levels run side by side,
 * after the preprocessing of their inputs, in one submission, or several where that would take
 * long: it can't be cancelled. */
#include "vulkan/executor-private.h"
#include "vulkan/preprocessor-private.h"

/* Preparing */

/* What one preprocessor makes for all runs. */
typedef struct {
  EnsVulkanPreprocessor *preprocessor;
  GArray *tasks;         /* EnsVulkanPreprocessTask */
  GPtrArray *overflowed; /* gboolean: where that is noted of each task */
} Head;

static void
head_clear (gpointer data)
{
  Head *head = data;

  g_array_unref (head->tasks);
  g_ptr_array_unref (head->overflowed);
}

static Head *
get_head (GArray *heads, EnsVulkanPreprocessor *preprocessor)
{
  Head added = {preprocessor};

  for (guint i = 0; i < heads->len; i++)
    if (g_array_index (heads, Head, i).preprocessor == preprocessor)
      return &g_array_index (heads, Head, i);
  added.tasks = g_array_new (FALSE, FALSE, sizeof (EnsVulkanPreprocessTask));
  added.overflowed = g_ptr_array_new ();
  g_array_append_val (heads, added);
  return &g_array_index (heads, Head, heads->len - 1);
}

/* Appends what makes one part of a run's inputs. */
static void
prepare_images (const EnsVulkanRun *run, guint part, GArray *heads)
{
  EnsVulkanExecutor *executor = run->executor;
  const EnsPreprocessedImages *images = &run->images[part];
  Head *head = get_head (heads, images->preprocessor);

  for (guint i = 0; i < executor->graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (executor->graph->inputs, i);
    EnsVulkanPreprocessTask task = {&images->tables[i], input->type,
                                    ens_vulkan_executor_get_input (executor, i)};

    task.to.size /= run->n_images;
    task.to.offset += part * task.to.size;
    g_array_append_val (head->tasks, task);
    g_ptr_array_add (head->overflowed, &executor->overflowed_inputs[i]);
  }
}

/* Copies a run's inputs, or appends the preprocessing that makes them. */
static void
prepare_run (const EnsVulkanRun *run, GArray *heads)
{
  if (run->inputs != NULL)
    ens_vulkan_executor_take_inputs (run->executor, run->inputs);
  for (guint part = 0; run->inputs == NULL && part < run->n_images; part++)
    if (run->images[part].preprocessor != NULL)
      prepare_images (run, part, heads);
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

/* Records what the heads do, into the first commands. */
static gboolean
record_heads (const GArray *heads, const EnsVulkanExecutor *first, VkCommandBuffer *commands,
              GError **error)
{
  for (guint i = 0; i < heads->len; i++) {
    const Head *head = &g_array_index (heads, Head, i);

    commands[i] = ens_vulkan_preprocessor_record (
        head->preprocessor, first->device, (const EnsVulkanPreprocessTask *)head->tasks->data,
        head->tasks->len, first->pool, error);
    if (commands[i] == VK_NULL_HANDLE)
      return FALSE;
  }
  return TRUE;
}

static void
finish_heads (const GArray *heads)
{
  for (guint i = 0; i < heads->len; i++) {
    const Head *head = &g_array_index (heads, Head, i);

    ens_vulkan_preprocessor_finish (head->preprocessor);
    for (guint task = 0; task < head->tasks->len; task++)
      if (ens_vulkan_preprocessor_take_overflow (head->preprocessor, task))
        *(gboolean *)head->overflowed->pdata[task] = TRUE;
  }
}

/* Gets all inputs ready and submits what does not wait for the CPU. */
static gboolean
start (const EnsVulkanRun *runs, guint n, GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) heads = g_array_new (FALSE, FALSE, sizeof (Head));
  g_autofree VkCommandBuffer *commands = NULL;
  const EnsVulkanExecutor *first = runs[0].executor;

  g_array_set_clear_func (heads, head_clear);
  for (guint i = 0; i < n; i++)
    prepare_run (&runs[i], heads);
  commands = g_new (VkCommandBuffer, heads->len + 1);
  if (!record_heads (heads, first, commands, error) || !ens_check_cancelled (cancellable, error))
    return FALSE;
  commands[heads->len] = get_commands (runs, n, error);
  if (commands[heads->len] == VK_NULL_HANDLE
      || !ens_vulkan_device_submit (first->device, commands, heads->len + 1,
                                    first->command_pool.fence, error))
    return FALSE;
  finish_heads (heads);
  return TRUE;
}

/* How many of the runs, from the first on, one submission should take. */
static guint
count_joint (const EnsVulkanRun *runs, guint n)
{
  const double most = ens_vulkan_get_most_operations (runs[0].executor->device);
  double operations = runs[0].executor->first_operations;
  guint joint = 1;

  while (joint < n && operations + runs[joint].executor->first_operations <= most)
    operations += runs[joint++].executor->first_operations;
  return joint;
}

gboolean
ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n, GCancellable *cancellable,
                          GError **error)
{
  for (guint i = 0, joint; i < n; i += joint) {
    joint = count_joint (&runs[i], n - i);
    if (!start (&runs[i], joint, cancellable, error))
      return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    const EnsVulkanSegments rest = {runs[i].executor->segments, NULL, cancellable};

    if (!ens_vulkan_executor_finish_segments (runs[i].executor, &rest, error))
      return FALSE;
  }
  for (guint i = 0; i < n; i++)
    ens_vulkan_executor_give_outputs (runs[i].executor, runs[i].outputs);
  return TRUE;
}
