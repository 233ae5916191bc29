/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan-batch.h"

#include "engine/network-private.h"
#include "passes/passes.h"
#include "passes/per-image.h"
#include "passes/rewrite.h"

struct _EnsVulkanBatch {
  guint n_inputs, n_outputs;
  gsize *input_sizes, *output_sizes; /* bytes of an image */
  guint batch, chunk;                /* images */
  EnsVulkanExecutor *chunks;         /* runs `chunk` images at a time */
  EnsVulkanExecutor *rest;           /* runs those that are left, or NULL */
};

/* Images in the batch if they may be split up, else 1, of whatever inputs and outputs are. */
static guint
count_images (const EnsGraph *inferred)
{
  gint64 batch = ens_graph_get_batch (inferred);

  return batch > 0 && ens_graph_is_per_image (inferred, batch) ? (guint)batch : 1;
}

static gsize *
measure_images (const GPtrArray *values, guint n_images)
{
  gsize *sizes = g_new (gsize, values->len);

  for (guint i = 0; i < values->len; i++)
    sizes[i] = ens_value_size (g_ptr_array_index (values, i)) / n_images;
  return sizes;
}

/* The graph for `part` of `whole` images, or NULL, without an error if it can't be run on a part.
 */
static EnsGraph *
plan_graph (const EnsVulkanBatchSource *source, guint part, guint whole, GError **error)
{
  const EnsGraph *inferred = source->inferred;
  g_autoptr (EnsGraph) planned = ens_graph_copy (source->graph);
  g_autofree EnsShape *shapes = g_new (EnsShape, inferred->inputs->len);

  for (guint i = 0; i < inferred->inputs->len; i++) {
    shapes[i] = ((const EnsValue *)g_ptr_array_index (inferred->inputs, i))->shape;
    if (part != whole)
      shapes[i].dims[0] = part;
  }
  if (!ens_passes_plan (planned, shapes, part == whole ? error : NULL))
    return NULL;
  for (guint i = 0; i < inferred->outputs->len && part != whole; i++) {
    EnsShape expected = ((const EnsValue *)g_ptr_array_index (inferred->outputs, i))->shape;

    expected.dims[0] = part;
    if (!ens_shape_equal (&((const EnsValue *)g_ptr_array_index (planned->outputs, i))->shape,
                          &expected))
      return NULL;
  }
  if (source->float16 != NULL)
    ens_graph_store_float16 (planned, source->float16);
  return g_steal_pointer (&planned);
}

/* divisible: smaller parts can still be tried. */
static EnsVulkanExecutor *
make_executor (const EnsVulkanBatch *self, const EnsVulkanBatchSource *source, guint n_images,
               gboolean divisible, GError **error)
{
  EnsGraph *graph = plan_graph (source, n_images, self->batch, error);
  EnsVulkanContext context = *source->context;

  context.whole = divisible;
  context.float32_arrays = TRUE;
  return graph != NULL ? ens_vulkan_executor_new (graph, &context, error) : NULL;
}

/* FALSE without an error if the network can't be run on so few images. */
static gboolean
make_parts (EnsVulkanBatch *self, const EnsVulkanBatchSource *source, guint chunk,
            gboolean divisible, GError **error)
{
  guint rest = self->batch % chunk;

  self->chunk = chunk;
  self->chunks = make_executor (self, source, chunk, divisible, error);
  if (self->chunks != NULL && rest > 0)
    self->rest = make_executor (self, source, rest, divisible, error);
  if (self->chunks != NULL && (rest == 0 || self->rest != NULL))
    return TRUE;
  g_clear_pointer (&self->chunks, ens_vulkan_executor_free);
  g_clear_pointer (&self->rest, ens_vulkan_executor_free);
  return FALSE;
}

/* As make_parts (). What is too much beside plans that nobody uses is tried once more without them.
 */
static gboolean
make_room_for_parts (EnsVulkanBatch *self, const EnsVulkanBatchSource *source, guint chunk,
                     GError **error)
{
  g_autoptr (GError) found = NULL;

  if (make_parts (self, source, chunk, chunk > 1, &found))
    return TRUE;
  if (source->network != NULL && g_error_matches (found, ENS_ERROR, ENS_ERROR_RESOURCE)
      && ens_network_drop_idle_plans (source->network))
    return make_parts (self, source, chunk, chunk > 1, error);
  if (found != NULL)
    g_propagate_error (error, g_steal_pointer (&found));
  return FALSE;
}

/* Halves the chunk until it fits, or until it fails for another reason than its size. A batch that
 * can't be split runs as a whole, on the CPU where the device can't take it. */
static gboolean
make (EnsVulkanBatch *self, const EnsVulkanBatchSource *source, GError **error)
{
  for (guint chunk = self->batch; chunk > 0; chunk = chunk > 1 ? (chunk + 1) / 2 : 0) {
    g_autoptr (GError) found = NULL;

    if (make_room_for_parts (self, source, chunk, &found))
      return TRUE;
    if (found == NULL)
      return make_parts (self, source, self->batch, FALSE, error);
    if (chunk > 1 && g_error_matches (found, ENS_ERROR, ENS_ERROR_RESOURCE))
      continue;
    g_propagate_error (error, g_steal_pointer (&found));
    return FALSE;
  }
  return FALSE;
}

EnsVulkanBatch *
ens_vulkan_batch_new (const EnsVulkanBatchSource *source, GError **error)
{
  const EnsGraph *inferred = source->inferred;
  g_autoptr (EnsVulkanBatch) self = g_new0 (EnsVulkanBatch, 1);

  self->n_inputs = inferred->inputs->len;
  self->n_outputs = inferred->outputs->len;
  self->batch = count_images (inferred);
  self->input_sizes = measure_images (inferred->inputs, self->batch);
  self->output_sizes = measure_images (inferred->outputs, self->batch);
  if (!make (self, source, error))
    return NULL;
  if (self->chunk < self->batch)
    g_info ("%s: the batch of %u images does not fit the GPU and is split into parts of %u",
            inferred->name, self->batch, self->chunk);
  return g_steal_pointer (&self);
}

void
ens_vulkan_batch_free (EnsVulkanBatch *self)
{
  g_clear_pointer (&self->chunks, ens_vulkan_executor_free);
  g_clear_pointer (&self->rest, ens_vulkan_executor_free);
  g_free (self->input_sizes);
  g_free (self->output_sizes);
  g_free (self);
}

EnsVulkanExecutor *
ens_vulkan_batch_get_whole (const EnsVulkanBatch *self)
{
  return self->chunk == self->batch ? self->chunks : NULL;
}

guint
ens_vulkan_batch_get_chunk (const EnsVulkanBatch *self)
{
  return self->chunk;
}

gsize
ens_vulkan_batch_get_size (const EnsVulkanBatch *self)
{
  gsize size = ens_vulkan_executor_get_info (self->chunks)->size;

  return self->rest != NULL ? size + ens_vulkan_executor_get_info (self->rest)->size : size;
}

guint
ens_vulkan_batch_get_n_steps (const EnsVulkanBatch *self)
{
  guint n = ens_vulkan_executor_get_info (self->chunks)->n_steps;

  return self->rest != NULL ? n + ens_vulkan_executor_get_info (self->rest)->n_steps : n;
}

void
ens_vulkan_batch_list_float16_on_cpu (const EnsVulkanBatch *self, GHashTable *names)
{
  ens_vulkan_executor_list_float16_on_cpu (self->chunks, names);
  if (self->rest != NULL)
    ens_vulkan_executor_list_float16_on_cpu (self->rest, names);
}

gboolean
ens_vulkan_batch_take_overflows (EnsVulkanBatch *self, gboolean all, GHashTable *names)
{
  gboolean any = ens_vulkan_executor_take_overflows (self->chunks, all, names);

  if (self->rest != NULL)
    any = ens_vulkan_executor_take_overflows (self->rest, all, names) || any;
  return any;
}

/* Running */

static gboolean
run_part (EnsVulkanBatch *self, EnsVulkanExecutor *executor, const EnsBackendRun *run, gsize first,
          GError **error)
{
  g_autofree gconstpointer *inputs = g_new (gconstpointer, self->n_inputs);
  g_autofree gpointer *outputs = g_new (gpointer, self->n_outputs);

  for (guint i = 0; i < self->n_inputs; i++)
    inputs[i] = (const char *)run->inputs[i] + first * self->input_sizes[i];
  for (guint i = 0; i < self->n_outputs; i++)
    outputs[i] = (char *)run->outputs[i] + first * self->output_sizes[i];
  return ens_vulkan_executor_run (executor, inputs, outputs, run->times, run->cancellable, error);
}

gboolean
ens_vulkan_batch_run (EnsVulkanBatch *self, const EnsBackendRun *run, GError **error)
{
  EnsBackendRun rest = *run;
  guint n_steps = ens_vulkan_executor_get_info (self->chunks)->n_steps;
  guint n_chunks = self->batch / self->chunk;

  for (guint i = 0; i < n_chunks; i++)
    if (!run_part (self, self->chunks, run, (gsize)i * self->chunk, error))
      return FALSE;
  for (guint i = 0; run->times != NULL && i < n_steps; i++)
    run->times[i].flops *= n_chunks;
  if (rest.times != NULL)
    rest.times += n_steps;
  return self->rest == NULL
         || run_part (self, self->rest, &rest, (gsize)n_chunks * self->chunk, error);
}
