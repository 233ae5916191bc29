/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/program.h"

#include "vulkan/debug.h"

/* Bytes of a float that is NaN. */
#define NAN_WORD 0xffffffffu
/* The checker looks at every byte: beyond this it would take too long. */
#define MAX_CHECKED ((gsize)32 << 20)

void
ens_vulkan_program_init (EnsVulkanProgram *program)
{
  *program = (EnsVulkanProgram) {
      .commands = g_array_new (FALSE, TRUE, sizeof (EnsVulkanCommand)),
      .hazards = g_array_new (FALSE, TRUE, sizeof (EnsHazard)),
  };
}

void
ens_vulkan_program_clear (EnsVulkanProgram *program)
{
  g_clear_pointer (&program->commands, g_array_unref);
  g_clear_pointer (&program->hazards, g_array_unref);
  g_clear_pointer (&program->labels, g_ptr_array_unref);
}

/* Appending */

static EnsHazard *
append (EnsVulkanProgram *program, const EnsVulkanCommand *command)
{
  g_array_append_vals (program->commands, command, 1);
  g_array_set_size (program->hazards, program->commands->len);
  return &g_array_index (program->hazards, EnsHazard, program->hazards->len - 1);
}

/* The memory of a view's elements in a region. */
static EnsTouch
touch_view (const EnsView *view, const EnsVulkanRegion *region, gboolean write)
{
  gsize element = ens_type_size (view->type);
  guint rank = view->shape.rank;
  EnsTouch touch = ens_touch_dense (region->buffer, region->offset, region->size, write);

  if (rank > 0) {
    touch.run = (gsize)view->shape.dims[rank - 1] * element;
    touch.pitch = (gsize)view->pitch * element;
  }
  return touch;
}

/* Packed weights, tables and scratch memory are as large as their regions say. */
static EnsTouch
touch_binding (const EnsVulkanView *view, EnsAccess access)
{
  gboolean write = access == ENS_ACCESS_WRITE || access == ENS_ACCESS_UPDATE;

  return view->place != NULL ? touch_view (&view->view, view->region, write)
                             : ens_touch_dense (view->region->buffer, view->region->offset,
                                                view->region->size, write);
}

void
ens_vulkan_program_dispatch (EnsVulkanProgram *program, const EnsVulkanDispatch *dispatch,
                             guint number, guint node)
{
  const EnsVulkanCommand command = {.kind = ENS_COMMAND_DISPATCH, .node = node, .dispatch = number};
  EnsHazard *hazard = append (program, &command);

  for (guint i = 0; i < dispatch->key.n_bindings; i++)
    hazard->touches[hazard->n_touches++] =
        touch_binding (dispatch->views[i], dispatch->accesses[i]);
}

static void
append_copy (EnsVulkanProgram *program, const EnsTouch *read, const EnsTouch *write,
             const EnsVulkanRegion *from, const EnsVulkanRegion *to)
{
  const EnsVulkanCommand command = {.kind = ENS_COMMAND_COPY,
                                    .node = G_MAXUINT,
                                    .from = *from,
                                    .to = *to,
                                    .run = write->run,
                                    .pitch = write->pitch};
  EnsHazard *hazard = append (program, &command);

  hazard->n_touches = 2;
  hazard->touches[0] = *read;
  hazard->touches[1] = *write;
}

void
ens_vulkan_program_copy (EnsVulkanProgram *program, const EnsVulkanRegion *from,
                         const EnsVulkanRegion *to)
{
  EnsTouch read = ens_touch_dense (from->buffer, from->offset, from->size, FALSE);
  EnsTouch write = ens_touch_dense (to->buffer, to->offset, to->size, TRUE);

  append_copy (program, &read, &write, from, to);
}

void
ens_vulkan_program_copy_view (EnsVulkanProgram *program, const EnsView *view,
                              const EnsVulkanRegion *from, const EnsVulkanRegion *to)
{
  EnsTouch read = touch_view (view, from, FALSE), write = touch_view (view, to, TRUE);

  append_copy (program, &read, &write, from, to);
}

void
ens_vulkan_program_poison (EnsVulkanProgram *program, const EnsVulkanRegion *region)
{
  const EnsVulkanCommand command = {.kind = ENS_COMMAND_FILL, .node = G_MAXUINT, .to = *region};
  EnsHazard *hazard = append (program, &command);

  hazard->n_touches = 1;
  hazard->touches[0] = ens_touch_dense (region->buffer, region->offset, region->size, TRUE);
}

void
ens_vulkan_program_run_cpu (EnsVulkanProgram *program, EnsVulkanCpuStep *step, guint node)
{
  const EnsVulkanCommand command = {.kind = ENS_COMMAND_CPU, .node = node, .cpu_step = step};

  append (program, &command)->waits = TRUE;
}

void
ens_vulkan_program_cut (EnsVulkanProgram *program)
{
  ens_vulkan_program_run_cpu (program, NULL, G_MAXUINT);
}

/* These are barriers of their own. */

void
ens_vulkan_program_acquire (EnsVulkanProgram *program, const EnsVulkanRegion *region)
{
  const EnsVulkanCommand command = {.kind = ENS_COMMAND_ACQUIRE, .node = G_MAXUINT, .to = *region};

  append (program, &command);
}

void
ens_vulkan_program_release (EnsVulkanProgram *program, const EnsVulkanRegion *region)
{
  const EnsVulkanCommand command = {.kind = ENS_COMMAND_RELEASE, .node = G_MAXUINT, .to = *region};

  append (program, &command);
}

/* Recording */

static void
record_barrier (const EnsVulkanDevice *device, VkCommandBuffer to)
{
  const VkPipelineStageFlags stages =
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  const VkAccessFlags writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
  const VkMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = writes,
      .dstAccessMask = writes | VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT,
  };

  device->vk.CmdPipelineBarrier (to, stages, stages, 0, 1, &barrier, 0, NULL, 0, NULL);
}

/* A queue family ownership transfer. The buffer is written by no queue of this device, but by a
 * camera's driver or another GPU. */
static void
record_hand_over (const EnsVulkanDevice *device, const EnsVulkanCommand *command,
                  VkCommandBuffer to)
{
  const guint32 here = (guint32)device->physical.queue_family;
  const guint32 there =
      device->physical.foreign_queues ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_EXTERNAL;
  const gboolean acquire = command->kind == ENS_COMMAND_ACQUIRE;
  const VkBufferMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
      .dstAccessMask = acquire ? VK_ACCESS_SHADER_READ_BIT : 0,
      .srcQueueFamilyIndex = acquire ? there : here,
      .dstQueueFamilyIndex = acquire ? here : there,
      .buffer = command->to.buffer->handle,
      .size = VK_WHOLE_SIZE,
  };

  device->vk.CmdPipelineBarrier (
      to, acquire ? VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
      acquire ? VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT : VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0,
      NULL, 1, &barrier, 0, NULL);
}

static void
record_dispatch (const EnsVulkanRecorder *recorder, guint number, VkCommandBuffer to)
{
  const EnsVulkanFunctions *vk = &recorder->device->vk;
  const EnsVulkanPipeline *pipeline = recorder->pipelines[number];
  const EnsVulkanDispatch *dispatch =
      &g_array_index (recorder->dispatches, EnsVulkanDispatch, number);

  vk->CmdBindPipeline (to, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
  vk->CmdBindDescriptorSets (to, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->layout, 0, 1,
                             &recorder->descriptors->sets[number], 0, NULL);
  if (dispatch->key.push_size > 0)
    vk->CmdPushConstants (to, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          dispatch->key.push_size, dispatch->push);
  vk->CmdDispatch (to, dispatch->groups[0], dispatch->groups[1], dispatch->groups[2]);
}

static void
record_copy (const EnsVulkanRecorder *recorder, const EnsVulkanCommand *command, VkCommandBuffer to)
{
  gsize n = (command->to.size + command->pitch - 1) / command->pitch;
  g_autofree VkBufferCopy *rows = NULL;

  if (command->run == command->pitch)
    n = 1;
  rows = g_new (VkBufferCopy, n);
  for (gsize i = 0; i < n; i++)
    rows[i] = (VkBufferCopy) {command->from.offset + i * command->pitch,
                              command->to.offset + i * command->pitch,
                              n == 1 ? command->to.size : command->run};
  recorder->device->vk.CmdCopyBuffer (to, command->from.buffer->handle, command->to.buffer->handle,
                                      (guint32)n, rows);
}

static void
record_command (const EnsVulkanRecorder *recorder, const EnsVulkanCommand *command,
                VkCommandBuffer to)
{
  switch (command->kind) {
  case ENS_COMMAND_DISPATCH:
    record_dispatch (recorder, command->dispatch, to);
    break;
  case ENS_COMMAND_COPY:
    record_copy (recorder, command, to);
    break;
  case ENS_COMMAND_FILL:
    recorder->device->vk.CmdFillBuffer (to, command->to.buffer->handle, command->to.offset,
                                        command->to.size / 4 * 4, NAN_WORD);
    break;
  case ENS_COMMAND_CPU:
    break;
  case ENS_COMMAND_ACQUIRE:
  case ENS_COMMAND_RELEASE:
    record_hand_over (recorder->device, command, to);
    break;
  }
}

/* Under the label of its step, if it has one. */
static void
record_labelled (const EnsVulkanProgram *program, const EnsVulkanRecorder *recorder,
                 const EnsVulkanCommand *command, VkCommandBuffer to)
{
  gboolean labelled = program->labels != NULL && command->node < program->labels->len;

  if (labelled)
    ens_vulkan_label_begin (recorder->device, to,
                            g_ptr_array_index (program->labels, command->node));
  record_command (recorder, command, to);
  if (labelled)
    ens_vulkan_label_end (recorder->device, to);
}

/* Whether a step's commands begin or end with command i. */
static gboolean
is_edge (const EnsVulkanProgram *program, guint i, int step)
{
  const EnsVulkanCommand *commands = (const EnsVulkanCommand *)program->commands->data;
  guint neighbour = i + (guint)step; /* wraps for the first one */

  return commands[i].kind == ENS_COMMAND_DISPATCH
         && (neighbour >= program->commands->len || commands[neighbour].node != commands[i].node);
}

static void
record_timestamp (const EnsVulkanRecorder *recorder, guint query, VkCommandBuffer to)
{
  const EnsVulkanFunctions *vk = &recorder->device->vk;

  vk->CmdResetQueryPool (to, recorder->queries, query, 1);
  vk->CmdWriteTimestamp (to, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, recorder->queries, query);
}

static void
record_timed (const EnsVulkanProgram *program, const EnsVulkanRecorder *recorder, guint i,
              VkCommandBuffer to)
{
  const EnsVulkanCommand *command = &g_array_index (program->commands, EnsVulkanCommand, i);

  if (is_edge (program, i, -1)) {
    record_barrier (recorder->device, to);
    record_timestamp (recorder, 2 * command->node, to);
  }
  record_labelled (program, recorder, command, to);
  if (is_edge (program, i, 1))
    record_timestamp (recorder, 2 * command->node + 1, to);
}

/* Whether command i is there and runs on the GPU. */
static gboolean
is_recorded (const EnsVulkanProgram *program, guint i)
{
  return i < program->commands->len
         && g_array_index (program->commands, EnsVulkanCommand, i).kind != ENS_COMMAND_CPU;
}

static gboolean
waits_for_barrier (const EnsVulkanProgram *program, guint i)
{
  return g_array_index (program->hazards, EnsHazard, i).barrier;
}

/* Records command *at and those after it up to the next that waits for a barrier, and moves *at
 * there. */
static void
record_level (const EnsVulkanProgram *program, const EnsVulkanRecorder *recorder, guint *at,
              VkCommandBuffer to)
{
  guint first = *at;

  for (; is_recorded (program, *at) && (*at == first || !waits_for_barrier (program, *at));
       (*at)++) {
    const EnsVulkanCommand *command = &g_array_index (program->commands, EnsVulkanCommand, *at);

    if (command->kind == ENS_COMMAND_COPY && recorder->left_out != NULL
        && command->from.buffer == recorder->left_out)
      continue;
    if (recorder->queries != VK_NULL_HANDLE)
      record_timed (program, recorder, *at, to);
    else
      record_labelled (program, recorder, command, to);
  }
}

/* Records commands from *at on up to the next that runs on the CPU. */
static void
record_stretch (const EnsVulkanProgram *program, const EnsVulkanRecorder *recorder, guint *at,
                VkCommandBuffer to)
{
  while (is_recorded (program, *at)) {
    if (waits_for_barrier (program, *at))
      record_barrier (recorder->device, to);
    record_level (program, recorder, at, to);
  }
}

/* Records from command *at on, and moves it behind what the segment takes. */
static gboolean
record_segment (const EnsVulkanProgram *program, const EnsVulkanRecorder *recorder, guint *at,
                EnsVulkanSegment *segment, GError **error)
{
  const EnsVulkanCommand *commands = (const EnsVulkanCommand *)program->commands->data;

  if (commands[*at].kind != ENS_COMMAND_CPU) {
    segment->commands = ens_vulkan_command_pool_begin (recorder->pool, recorder->device, error);
    if (segment->commands == VK_NULL_HANDLE)
      return FALSE;
    ens_vulkan_device_name (recorder->device, VK_OBJECT_TYPE_COMMAND_BUFFER,
                            (guint64)(gsize)segment->commands, "%s, from command %u",
                            recorder->name, *at);
    record_stretch (program, recorder, at, segment->commands);
    if (!ens_vulkan_command_pool_end (recorder->device, segment->commands, error))
      return FALSE;
  }
  if (*at < program->commands->len) {
    segment->node = commands[*at].node;
    segment->cpu_step = commands[(*at)++].cpu_step;
  }
  return TRUE;
}

GArray *
ens_vulkan_program_record (const EnsVulkanProgram *program, const EnsVulkanRecorder *recorder,
                           GError **error)
{
  g_autoptr (GArray) segments = g_array_new (FALSE, TRUE, sizeof (EnsVulkanSegment));

  for (guint at = 0; at < program->commands->len;) {
    EnsVulkanSegment segment = {VK_NULL_HANDLE};

    if (!record_segment (program, recorder, &at, &segment, error))
      return NULL;
    g_array_append_val (segments, segment);
  }
  return g_steal_pointer (&segments);
}

/* Joint recording */

/* Records the next level of each part that has one, behind one barrier for all that wait for one.
 * FALSE if none has. */
static gboolean
record_joint_level (const EnsVulkanPart *parts, guint *at, guint n, VkCommandBuffer to)
{
  gboolean any = FALSE, barrier = FALSE;

  for (guint i = 0; i < n; i++)
    if (is_recorded (parts[i].program, at[i])) {
      any = TRUE;
      barrier = barrier || waits_for_barrier (parts[i].program, at[i]);
    }
  if (barrier)
    record_barrier (parts[0].recorder.device, to);
  for (guint i = 0; i < n; i++)
    record_level (parts[i].program, &parts[i].recorder, &at[i], to);
  return any;
}

VkCommandBuffer
ens_vulkan_program_record_joint (const EnsVulkanPart *parts, guint n, EnsVulkanCommandPool *pool,
                                 GError **error)
{
  EnsVulkanDevice *device = parts[0].recorder.device;
  g_autofree guint *at = g_new0 (guint, n);
  VkCommandBuffer commands = ens_vulkan_command_pool_begin (pool, device, error);

  if (commands == VK_NULL_HANDLE)
    return VK_NULL_HANDLE;
  ens_vulkan_device_name (device, VK_OBJECT_TYPE_COMMAND_BUFFER, (guint64)(gsize)commands,
                          "%s and %u more", parts[0].recorder.name, n - 1);
  while (record_joint_level (parts, at, n, commands))
    continue;
  return ens_vulkan_command_pool_end (device, commands, error) ? commands : VK_NULL_HANDLE;
}

/* Barriers */

/* How much memory the commands touch. */
static gsize
measure (const EnsVulkanProgram *program)
{
  gsize end = 0;

  for (guint i = 0; i < program->hazards->len; i++) {
    const EnsHazard *hazard = &g_array_index (program->hazards, EnsHazard, i);

    for (guint j = 0; j < hazard->n_touches; j++)
      end = MAX (end, hazard->touches[j].end);
  }
  return end;
}

/* The validation layers see bindings as a whole and take columns of the same rows for a conflict.
 */
static void
forget_rows (EnsVulkanProgram *program)
{
  for (guint i = 0; i < program->hazards->len; i++) {
    EnsHazard *hazard = &g_array_index (program->hazards, EnsHazard, i);

    for (guint j = 0; j < hazard->n_touches; j++)
      hazard->touches[j].run = hazard->touches[j].pitch =
          hazard->touches[j].end - hazard->touches[j].begin;
  }
}

gboolean
ens_vulkan_program_place_barriers (EnsVulkanProgram *program, gboolean validation, GError **error)
{
  EnsHazard *hazards = (EnsHazard *)program->hazards->data;

  ens_hazards_place (hazards, program->hazards->len);
  if (!validation)
    return TRUE;
  if (measure (program) <= MAX_CHECKED
      && !ens_hazards_check (hazards, program->hazards->len, error))
    return FALSE;
  forget_rows (program);
  ens_hazards_place (hazards, program->hazards->len);
  return TRUE;
}
