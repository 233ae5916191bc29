/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "base/error.h"
#include "base/fail.h"
#include "graph/infer.h"
#include "passes/levels.h"
#include "passes/rewrite.h"
#include "vulkan/debug.h"
#include "vulkan/executor-private.h"

/* Views */

/* Bytes from a value's first element to the end of its last one. */
static gsize
get_extent (const EnsValue *value, const EnsPlace *place)
{
  gint64 run = ens_shape_run (&value->shape), runs = ens_shape_runs (&value->shape);

  return run == 0 || runs == 0
             ? 0
             : (gsize)((runs - 1) * place->pitch + run) * ens_type_size (value->type);
}

/* Until memory has been laid out, offsets count from where whatever a value is part of begins.
 * What is only another way of writing a constant is that constant. */
static void
init_view (EnsVulkanExecutor *executor, const EnsValue *value)
{
  const EnsPlace *place = &executor->memory->places[value->index];
  EnsVulkanView *view = &executor->views[value->index];

  view->view = (EnsView) {value->type, value->shape, place->pitch, NULL};
  if (place->kind == ENS_PLACE_CONSTANT) {
    view->constant = ens_graph_value (executor->graph, place->index)->constant;
    view->view.data = (char *)view->constant->data + place->offset;
    return;
  }
  view->place = place;
  view->region = &executor->regions[value->index];
  executor->regions[value->index] =
      (EnsVulkanRegion) {&executor->block, place->offset, get_extent (value, place)};
}

/* Steps */

static gboolean
fail_too_large (const EnsVulkanExecutor *executor, const EnsNode *node, const char *reason,
                GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE, "%s: node “%s” (%s) of %s is too large: %s",
               executor->device->physical.name, node->name, node->op->name, executor->graph->name,
               reason);
  return FALSE;
}

static gboolean
record_step (EnsVulkanExecutor *executor, EnsVulkanStep *step, const EnsVulkanContext *context,
             GError **error)
{
  const char *reason;

  step->first_dispatch = ens_vulkan_recording_get_dispatches (executor->recording)->len;
  if (ens_vulkan_recording_add (executor->recording, &step->operands, step->position, &reason)) {
    step->n_dispatches =
        ens_vulkan_recording_get_dispatches (executor->recording)->len - step->first_dispatch;
    return TRUE;
  }
  if (context->whole && ens_vulkan_recording_is_too_large (executor->recording))
    return fail_too_large (executor, step->node, reason, error);
  g_info ("%s: node “%s” (%s) of %s runs on the CPU: %s", executor->device->physical.name,
          step->node->name, step->node->op->name, executor->graph->name, reason);
  step->cpu_step = ens_vulkan_cpu_step_new (&step->operands, executor->pool, context->cpu_weights);
  executor->info.n_cpu_steps++;
  return !step->cpu_step->plan.failed
         || ens_fail (error, ENS_ERROR_RESOURCE, step->node->name,
                      "there is no memory left for this node's weights on the CPU");
}

static gboolean
has_elements (const EnsNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (ens_shape_elements (&node->outputs[i]->shape) > 0)
      return TRUE;
  return FALSE;
}

/* Records all steps; scratch_sizes: by node position. */
static gboolean
init_steps (EnsVulkanExecutor *executor, const EnsVulkanContext *context, gsize *scratch_sizes,
            GError **error)
{
  const EnsGraph *graph = executor->graph;

  executor->steps = g_new0 (EnsVulkanStep, graph->nodes->len);
  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsVulkanStep *step = &executor->steps[executor->info.n_steps];
    gsize scratch;

    step->node = ens_graph_node (graph, i);
    step->position = i;
    if (executor->memory->skip[i] || !has_elements (step->node))
      continue;
    executor->info.n_steps++;
    ens_operands_init (&step->operands, step->node, &executor->views->view,
                       sizeof *executor->views);
    if (!ens_check_cancelled (context->cancellable, error)
        || !record_step (executor, step, context, error))
      return FALSE;
    scratch =
        step->cpu_step == NULL ? ens_vulkan_recording_get_scratch_size (executor->recording) : 0;
    scratch_sizes[i] = scratch > 0 ? scratch + ENS_VULKAN_ALIGNMENT : 0;
  }
  return TRUE;
}

/* Memory */

/* The offset of the next `size` bytes of something that grows. */
static gsize
append (gsize *total, gsize size)
{
  gsize offset = *total;

  *total = ens_vulkan_align (*total + size);
  return offset;
}

static gsize
get_arena_size (const EnsVulkanExecutor *executor)
{
  return ens_vulkan_align (executor->memory->arena_size);
}

static void
place_values (EnsVulkanExecutor *executor)
{
  for (guint i = 0; i < executor->graph->values->len; i++) {
    const EnsPlace *place = &executor->memory->places[i];
    gsize base = place->kind == ENS_PLACE_INPUT    ? executor->input_offsets[place->index]
                 : place->kind == ENS_PLACE_OUTPUT ? executor->output_offsets[place->index]
                                                   : 0;

    executor->regions[i].offset = base + place->offset;
  }
}

static void
place_scratch (EnsVulkanExecutor *executor)
{
  const GPtrArray *scratch = ens_vulkan_recording_get_scratch (executor->recording);

  for (guint i = 0; i < scratch->len; i++) {
    EnsVulkanScratch *part = g_ptr_array_index (scratch, i);

    part->region.buffer = &executor->block;
    part->region.offset += ens_vulkan_align (executor->memory->scratch[part->node]);
  }
}

/* Gives everything its place and returns the block's size. */
static gsize
lay_out (EnsVulkanExecutor *executor, const gsize *scratch_sizes)
{
  const EnsGraph *graph = executor->graph;
  g_autoptr (GError) error = NULL;
  gsize size;

  ens_memory_plan_lay_out (executor->memory, scratch_sizes);
  if (!ens_memory_plan_check (executor->memory, graph, scratch_sizes, &error))
    g_error ("%s", error->message);
  size = get_arena_size (executor);
  executor->input_offsets = g_new (gsize, graph->inputs->len);
  executor->output_offsets = g_new (gsize, graph->outputs->len);
  executor->overflowed_inputs = g_new0 (gboolean, graph->inputs->len);
  for (guint i = 0; i < graph->inputs->len; i++)
    executor->input_offsets[i] =
        append (&size, ens_value_size (g_ptr_array_index (graph->inputs, i)));
  for (guint i = 0; i < graph->outputs->len; i++)
    executor->output_offsets[i] =
        append (&size, ens_value_size (g_ptr_array_index (graph->outputs, i)));
  place_values (executor);
  place_scratch (executor);
  return size;
}

static gboolean
allocate (EnsVulkanExecutor *executor, gsize size, GError **error)
{
  const GByteArray *tables = ens_vulkan_recording_get_tables (executor->recording);
  const EnsVulkanPiece piece = {tables->data, 0, tables->len};

  return ens_vulkan_buffer_init (&executor->block, executor->device, ENS_BUFFER_DEVICE, size, error)
         && (tables->len == 0
             || (ens_vulkan_buffer_init (&executor->tables, executor->device, ENS_BUFFER_DEVICE,
                                         tables->len, error)
                 && ens_vulkan_buffer_write (&executor->tables, executor->device, &piece, 1,
                                             error)))
         && ens_vulkan_weights_upload (executor->weights, error);
}

static void
allocate_scratch (EnsVulkanExecutor *executor)
{
  gsize size = 0;

  for (guint i = 0; i < executor->info.n_steps; i++)
    if (executor->steps[i].cpu_step != NULL)
      size = MAX (size, executor->steps[i].cpu_step->plan.scratch_size);
  if (size > 0)
    executor->scratch = g_aligned_alloc (ens_vulkan_align (size), 1, ENS_VULKAN_ALIGNMENT);
}

/* Pipelines and recording */

static guint
count_barriers (const EnsVulkanProgram *program)
{
  guint n = 0;

  for (guint i = 0; i < program->hazards->len; i++)
    n += g_array_index (program->hazards, EnsHazard, i).barrier;
  return n;
}

static gboolean
get_pipelines (EnsVulkanExecutor *executor, GCancellable *cancellable, GError **error)
{
  const GArray *dispatches = ens_vulkan_recording_get_dispatches (executor->recording);
  g_autofree EnsVulkanPipelineKey *keys = g_new (EnsVulkanPipelineKey, dispatches->len);
  g_autoptr (EnsThreadPool) pool = NULL;

  for (guint i = 0; i < dispatches->len; i++)
    keys[i] = g_array_index (dispatches, EnsVulkanDispatch, i).key;
  executor->pipelines = g_new0 (const EnsVulkanPipeline *, dispatches->len);
  pool = ens_thread_pool_new_cancellable (executor->pool, cancellable);
  return ens_vulkan_pipelines_get (executor->device, keys, executor->pipelines, dispatches->len,
                                   pool, error)
         && ens_check_cancelled (cancellable, error);
}

EnsVulkanRecorder
ens_vulkan_executor_get_recorder (const EnsVulkanExecutor *executor)
{
  return (EnsVulkanRecorder) {
      .device = executor->device,
      .dispatches = ens_vulkan_recording_get_dispatches (executor->recording),
      .pipelines = executor->pipelines,
      .descriptors = &executor->descriptors,
      .name = executor->graph->name,
  };
}

GArray *
ens_vulkan_executor_record (EnsVulkanExecutor *executor, VkQueryPool queries, GError **error)
{
  EnsVulkanRecorder recorder = ens_vulkan_executor_get_recorder (executor);

  recorder.pool = &executor->command_pool;
  recorder.queries = queries;
  return ens_vulkan_program_record (&executor->program, &recorder, error);
}

static gboolean
prepare (EnsVulkanExecutor *executor, GCancellable *cancellable, GError **error)
{
  const GArray *dispatches = ens_vulkan_recording_get_dispatches (executor->recording);

  if (!get_pipelines (executor, cancellable, error)
      || !ens_vulkan_descriptors_init (&executor->descriptors, executor->device, dispatches,
                                       executor->pipelines, error)
      || !ens_vulkan_command_pool_init (&executor->command_pool, executor->device, error)
      || !ens_vulkan_executor_write_program (executor, error)
      || !ens_vulkan_program_place_barriers (&executor->program, executor->device->validation,
                                             error))
    return FALSE;
  executor->info.n_barriers = count_barriers (&executor->program);
  executor->segments = ens_vulkan_executor_record (executor, VK_NULL_HANDLE, error);
  return executor->segments != NULL;
}

static void
name_buffers (const EnsVulkanExecutor *executor)
{
  const struct {
    const EnsVulkanBuffer *buffer;
    const char *use;
  } buffers[] = {
      {&executor->block, "arena, inputs, outputs"},
      {&executor->tables, "tables"},
      {&executor->upload, "upload"},
      {&executor->readback, "readback"},
      {&executor->exchange, "exchange with CPU"},
      {&executor->descriptors.overflows, "overflows"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    ens_vulkan_buffer_name (buffers[i].buffer, executor->device, "%s: %s", executor->graph->name,
                            buffers[i].use);
}

EnsVulkanExecutor *
ens_vulkan_executor_new (EnsGraph *graph, const EnsVulkanContext *context, GError **error)
{
  g_autoptr (EnsVulkanExecutor) executor = g_new0 (EnsVulkanExecutor, 1);
  g_autofree gsize *scratch_sizes = g_new0 (gsize, graph->nodes->len);
  g_autofree guint *levels = ens_graph_order_by_level (graph);

  executor->graph = graph;
  executor->float32_arrays = context->float32_arrays;
  executor->device = ens_vulkan_device_ref (context->device);
  executor->serial = (guint)g_atomic_int_add (&executor->device->n_executors, 1) + 1;
  executor->weights = ens_vulkan_weights_ref (context->weights);
  executor->pool = ens_thread_pool_ref (context->pool);
  executor->memory = ens_memory_plan_new_by_level (graph, levels);
  executor->recording =
      ens_vulkan_recording_new (executor->device, executor->weights, &executor->tables);
  ens_vulkan_program_init (&executor->program);
  executor->views = g_new0 (EnsVulkanView, graph->values->len);
  executor->regions = g_new0 (EnsVulkanRegion, graph->values->len);
  for (guint i = 0; i < graph->values->len; i++)
    init_view (executor, ens_graph_value (graph, i));
  if (!ens_graph_check_inferred (graph, error)
      || !init_steps (executor, context, scratch_sizes, error))
    return NULL;
  allocate_scratch (executor);
  if (!allocate (executor, lay_out (executor, scratch_sizes), error)
      || !prepare (executor, context->cancellable, error))
    return NULL;
  name_buffers (executor);
  executor->info.size = executor->block.size + executor->tables.size;
  return g_steal_pointer (&executor);
}

static void
free_steps (EnsVulkanExecutor *executor)
{
  for (guint i = 0; i < executor->info.n_steps; i++) {
    EnsVulkanStep *step = &executor->steps[i];

    g_clear_pointer (&step->cpu_step, ens_vulkan_cpu_step_free);
    ens_operands_clear (&step->operands);
  }
  g_free (executor->steps);
}

void
ens_vulkan_executor_free (EnsVulkanExecutor *executor)
{
  ens_vulkan_program_clear (&executor->program);
  g_clear_pointer (&executor->segments, g_array_unref);
  ens_vulkan_joint_clear (&executor->joint, executor->device);
  g_clear_pointer (&executor->profiled, g_array_unref);
  if (executor->queries != VK_NULL_HANDLE)
    executor->device->vk.DestroyQueryPool (executor->device->handle, executor->queries, NULL);
  ens_vulkan_command_pool_clear (&executor->command_pool, executor->device);
  ens_vulkan_descriptors_clear (&executor->descriptors, executor->device);
  ens_vulkan_buffer_clear (&executor->block, executor->device);
  ens_vulkan_buffer_clear (&executor->tables, executor->device);
  ens_vulkan_buffer_clear (&executor->upload, executor->device);
  ens_vulkan_buffer_clear (&executor->readback, executor->device);
  ens_vulkan_buffer_clear (&executor->exchange, executor->device);
  free_steps (executor);
  g_aligned_free (executor->scratch);
  g_free (executor->pipelines);
  ens_vulkan_recording_free (executor->recording);
  g_free (executor->views);
  g_free (executor->regions);
  g_free (executor->input_offsets);
  g_free (executor->output_offsets);
  g_free (executor->overflowed_inputs);
  ens_memory_plan_free (executor->memory);
  ens_graph_free (executor->graph);
  ens_thread_pool_unref (executor->pool);
  ens_vulkan_weights_unref (executor->weights);
  ens_vulkan_device_unref (executor->device);
  g_free (executor);
}

const EnsVulkanExecutorInfo *
ens_vulkan_executor_get_info (const EnsVulkanExecutor *executor)
{
  return &executor->info;
}

static gboolean
reads_float16 (const EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->type == ENS_TYPE_FLOAT16)
      return TRUE;
  return FALSE;
}

void
ens_vulkan_executor_list_float16_on_cpu (const EnsVulkanExecutor *executor, GHashTable *names)
{
  for (guint i = 0; i < executor->info.n_steps; i++) {
    const EnsVulkanStep *step = &executor->steps[i];

    /* A Cast has one operand of each type. */
    if (step->cpu_step != NULL && reads_float16 (step->node) && !ens_node_is (step->node, "Cast"))
      g_hash_table_add (names, g_strdup (step->node->name));
  }
}
