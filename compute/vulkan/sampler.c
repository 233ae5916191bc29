#include <string.h>

#include "base/error.h"
#include "vulkan/imports.h"
#include "vulkan/program.h"
#include "vulkan/sampler-private.h"

#define GROUP_SIZE 64 /* of shaders/sample.comp */

/* Memory on the device that the CPU writes before each use. */
typedef struct {
  EnsVulkanBuffer device, upload; /* upload: where the CPU can't reach the device's */
} Store;

/* A batch on the device, as dispatches bind it. */
typedef struct {
  EnsVulkanRegion table_region, output_region;
  EnsVulkanView table, output;
} Batch;

struct _EnsVulkanSampler {
  EnsVulkanDevice *device; /* NULL before the first run */
  EnsPackedFrame frame;
  gboolean has_frame; /* on the device */
  Store frame_store, tables_store;
  EnsVulkanImports imports;
  const EnsVulkanBuffer *imported; /* the frame's DMABuf; NULL: the frame is copied */
  char *told;                      /* the last reason to copy that was logged */
  /* Of the last run. */
  EnsVulkanCommandPool pool;
  EnsVulkanDescriptors descriptors;
};

EnsVulkanSampler *
ens_vulkan_sampler_new (void)
{
  return g_new0 (EnsVulkanSampler, 1);
}

static void
store_clear (Store *store, EnsVulkanDevice *device)
{
  ens_vulkan_buffer_clear (&store->device, device);
  ens_vulkan_buffer_clear (&store->upload, device);
}

static void
leave_device (EnsVulkanSampler *sampler)
{
  if (sampler->device == NULL)
    return;
  ens_vulkan_descriptors_clear (&sampler->descriptors, sampler->device);
  ens_vulkan_command_pool_clear (&sampler->pool, sampler->device);
  store_clear (&sampler->frame_store, sampler->device);
  store_clear (&sampler->tables_store, sampler->device);
  ens_vulkan_imports_clear (&sampler->imports, sampler->device);
  sampler->imported = NULL;
  g_clear_pointer (&sampler->device, ens_vulkan_device_unref);
  sampler->has_frame = FALSE;
}

void
ens_vulkan_sampler_free (EnsVulkanSampler *sampler)
{
  if (sampler == NULL)
    return;
  leave_device (sampler);
  g_free (sampler->told);
  g_free (sampler);
}

void
ens_vulkan_sampler_set_frame (EnsVulkanSampler *sampler, const EnsPackedFrame *frame)
{
  sampler->frame = *frame;
  sampler->has_frame = FALSE;
  sampler->imported = NULL;
}

void
ens_vulkan_sampler_finish (EnsVulkanSampler *sampler)
{
  sampler->has_frame = TRUE;
}

gboolean
ens_vulkan_sampler_take_overflow (const EnsVulkanSampler *sampler, guint i)
{
  return ens_vulkan_descriptors_take_overflow (&sampler->descriptors, sampler->device, i);
}

/* Memory */

static gboolean
store_reserve (Store *store, EnsVulkanDevice *device, gsize size, GError **error)
{
  if (size > device->physical.max_storage_range) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s binds at most %u bytes to a shader, sampling takes %" G_GSIZE_FORMAT,
                 device->physical.name, (guint)device->physical.max_storage_range, size);
    return FALSE;
  }
  if (store->device.handle != VK_NULL_HANDLE && store->device.size >= size)
    return TRUE;
  store_clear (store, device);
  return ens_vulkan_buffer_init (&store->device, device, ENS_BUFFER_DEVICE, size, error)
         && (store->device.mapped != NULL
             || ens_vulkan_buffer_init (&store->upload, device, ENS_BUFFER_UPLOAD, size, error));
}

static char *
store_map (const Store *store)
{
  return store->device.mapped != NULL ? store->device.mapped : store->upload.mapped;
}

/* Brings what the CPU has written to where shaders read it. */
static void
store_bring (const Store *store, gsize size, EnsVulkanProgram *program)
{
  const EnsVulkanRegion from = {&store->upload, 0, size}, to = {&store->device, 0, size};

  if (store->device.mapped == NULL)
    ens_vulkan_program_copy (program, &from, &to);
}

static void
write_frame (const EnsPackedFrame *frame, char *to)
{
  for (guint p = 0; p < frame->n_planes; p++) {
    const EnsPackedPlane *plane = &frame->planes[p];

    for (guint row = 0; row < plane->n_rows; row++)
      memcpy (to + plane->offset + row * plane->pitch, plane->data + row * plane->stride,
              plane->row_bytes);
  }
}

/* Copying is slower, but nothing is lost: once is often enough to say it. */
static void
tell (EnsVulkanSampler *sampler, const char *reason)
{
  if (g_strcmp0 (sampler->told, reason) == 0)
    return;
  g_info ("frames in DMABufs are copied to the device: %s", reason);
  g_free (sampler->told);
  sampler->told = g_strdup (reason);
}

/* NULL if the frame has to be copied. */
static const EnsVulkanBuffer *
import_frame (EnsVulkanSampler *sampler)
{
  const EnsPackedFrame *frame = &sampler->frame;
  gsize before = frame->dma_buf_offset % sampler->device->physical.offset_alignment;
  /* Bindings end with a whole word. */
  gsize end = frame->dma_buf_offset - before + (before + frame->size + 3) / 4 * 4;
  const EnsVulkanBuffer *buffer;
  g_autoptr (GError) error = NULL;

  if (frame->refusal != NULL)
    tell (sampler, frame->refusal);
  if (frame->dma_buf < 0)
    return NULL;
  buffer = ens_vulkan_imports_get (&sampler->imports, sampler->device, frame->dma_buf, end, &error);
  if (buffer == NULL)
    tell (sampler, error->message);
  return buffer;
}

/* Brings the frame, if it is a new one, to where shaders read it. */
static gboolean
bring_frame (EnsVulkanSampler *sampler, EnsVulkanProgram *program, GError **error)
{
  if (sampler->has_frame)
    return TRUE;
  sampler->imported = import_frame (sampler);
  if (sampler->imported != NULL)
    return TRUE;
  if (!store_reserve (&sampler->frame_store, sampler->device, sampler->frame.size, error))
    return FALSE;
  write_frame (&sampler->frame, store_map (&sampler->frame_store));
  store_bring (&sampler->frame_store, sampler->frame.size, program);
  ens_vulkan_device_count (&sampler->device->n_uploaded, sampler->frame.size);
  return TRUE;
}

static EnsVulkanRegion
get_frame_region (const EnsVulkanSampler *sampler)
{
  return sampler->imported != NULL
             ? (EnsVulkanRegion) {sampler->imported, sampler->frame.dma_buf_offset,
                                  sampler->frame.size}
             : (EnsVulkanRegion) {&sampler->frame_store.device, 0, sampler->frame.size};
}

static gsize
get_table_size (const EnsVulkanSampling *sampling)
{
  gsize size = sampling->table->n_words * sizeof *sampling->table->table;

  return (size + ENS_VULKAN_ALIGNMENT - 1) / ENS_VULKAN_ALIGNMENT * ENS_VULKAN_ALIGNMENT;
}

/* Writes the tables, one after the other. */
static gboolean
write_tables (EnsVulkanSampler *sampler, const EnsVulkanSampling *samplings, guint n,
              EnsVulkanProgram *program, GError **error)
{
  gsize size = 0;

  for (guint i = 0; i < n; i++)
    size += get_table_size (&samplings[i]);
  if (!store_reserve (&sampler->tables_store, sampler->device, size, error))
    return FALSE;
  for (gsize i = 0, at = 0; i < n; at += get_table_size (&samplings[i++]))
    memcpy (store_map (&sampler->tables_store) + at, samplings[i].table->table,
            samplings[i].table->n_words * sizeof *samplings[i].table->table);
  store_bring (&sampler->tables_store, size, program);
  ens_vulkan_device_count (&sampler->device->n_uploaded, size);
  return TRUE;
}

/* Dispatches */

static EnsVulkanView
make_view (EnsType type, const EnsVulkanRegion *region)
{
  gint64 n = (gint64)(region->size / ens_type_size (type));

  return (EnsVulkanView) {.view = ens_view_dense (type, &ENS_SHAPE (n), NULL), .region = region};
}

static gboolean
init_dispatch (const EnsVulkanSampler *sampler, const EnsVulkanSampling *sampling,
               EnsVulkanView *const views[3], EnsVulkanDispatch *dispatch, GError **error)
{
  const EnsSamplePush *push = &sampling->table->push;
  const guint32 *most = sampler->device->physical.traits.max_groups;
  gsize n_groups = ((gsize)push->width * push->height + GROUP_SIZE - 1) / GROUP_SIZE;

  if (n_groups > most[0] || sampling->table->n > most[1]
      || sampling->to.size > sampler->device->physical.max_storage_range) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s can't sample %u pictures of %u × %u pixels at once",
                 sampler->device->physical.name, sampling->table->n, push->width, push->height);
    return FALSE;
  }
  *dispatch = (EnsVulkanDispatch) {
      .key = {.shader = ens_shader_find ("sample", sampling->type),
              .n_bindings = G_N_ELEMENTS (push->offset),
              .push_size = sizeof *push},
      .accesses = {ENS_ACCESS_READ, ENS_ACCESS_READ, ENS_ACCESS_WRITE},
      .groups = {(guint32)n_groups, sampling->table->n, 1},
  };
  memcpy (dispatch->push, push, sizeof *push);
  for (guint i = 0; i < G_N_ELEMENTS (push->offset); i++)
    dispatch->views[i] = views[i];
  return TRUE;
}

/* Dispatches of all batches; frame, batches: their views, which are filled in. (transfer full) */
static GArray *
make_dispatches (const EnsVulkanSampler *sampler, const EnsVulkanSampling *samplings, guint n,
                 EnsVulkanView *frame, Batch *batches, GError **error)
{
  g_autoptr (GArray) dispatches = g_array_new (FALSE, TRUE, sizeof (EnsVulkanDispatch));
  gsize at = 0;

  for (guint i = 0; i < n; i++) {
    Batch *batch = &batches[i];
    EnsVulkanDispatch dispatch;

    batch->table_region = (EnsVulkanRegion) {&sampler->tables_store.device, at,
                                             samplings[i].table->n_words * sizeof (guint32)};
    batch->output_region = samplings[i].to;
    batch->table = make_view (ENS_TYPE_INT32, &batch->table_region);
    batch->output = make_view (samplings[i].type, &batch->output_region);
    at += get_table_size (&samplings[i]);
    if (!init_dispatch (sampler, &samplings[i],
                        (EnsVulkanView *[]) {frame, &batch->table, &batch->output}, &dispatch,
                        error))
      return NULL;
    g_array_append_val (dispatches, dispatch);
  }
  return g_steal_pointer (&dispatches);
}

/* Recording */

static VkCommandBuffer
record (EnsVulkanSampler *sampler, EnsVulkanProgram *program, const GArray *dispatches,
        const EnsVulkanRegion *frame, EnsPool *pool, GError **error)
{
  EnsVulkanDevice *device = sampler->device;
  g_autofree EnsVulkanPipelineKey *keys = g_new (EnsVulkanPipelineKey, dispatches->len);
  g_autofree const EnsVulkanPipeline **pipelines =
      g_new0 (const EnsVulkanPipeline *, dispatches->len);
  const EnsVulkanRecorder recorder = {.device = device,
                                      .pool = &sampler->pool,
                                      .dispatches = dispatches,
                                      .pipelines = pipelines,
                                      .descriptors = &sampler->descriptors};
  g_autoptr (GArray) segments = NULL;

  if (sampler->imported != NULL)
    ens_vulkan_program_acquire (program, frame);
  for (guint i = 0; i < dispatches->len; i++) {
    keys[i] = g_array_index (dispatches, EnsVulkanDispatch, i).key;
    ens_vulkan_program_dispatch (program, &g_array_index (dispatches, EnsVulkanDispatch, i), i,
                                 G_MAXUINT);
  }
  if (sampler->imported != NULL)
    ens_vulkan_program_release (program, frame);
  if (!ens_vulkan_pipelines_get (device, keys, pipelines, dispatches->len, pool, error)
      || !ens_vulkan_descriptors_init (&sampler->descriptors, device, dispatches, pipelines, error)
      || !ens_vulkan_program_place_barriers (program, device->validation, error))
    return VK_NULL_HANDLE;
  segments = ens_vulkan_program_record (program, &recorder, error);
  return segments != NULL ? g_array_index (segments, EnsVulkanSegment, 0).commands : VK_NULL_HANDLE;
}

static gboolean
prepare (EnsVulkanSampler *sampler, EnsVulkanDevice *device, GError **error)
{
  if (sampler->device != device) {
    leave_device (sampler);
    sampler->device = ens_vulkan_device_ref (device);
  }
  ens_vulkan_descriptors_clear (&sampler->descriptors, device);
  ens_vulkan_command_pool_clear (&sampler->pool, device);
  return ens_vulkan_command_pool_init (&sampler->pool, device, error);
}

VkCommandBuffer
ens_vulkan_sampler_record (EnsVulkanSampler *sampler, EnsVulkanDevice *device,
                           const EnsVulkanSampling *samplings, guint n, EnsPool *pool,
                           GError **error)
{
  g_autofree Batch *batches = g_new (Batch, n);
  g_autoptr (GArray) dispatches = NULL;
  EnsVulkanProgram program;
  EnsVulkanRegion frame_region;
  EnsVulkanView frame;
  VkCommandBuffer commands = VK_NULL_HANDLE;

  if (!prepare (sampler, device, error))
    return VK_NULL_HANDLE;
  ens_vulkan_program_init (&program);
  if (bring_frame (sampler, &program, error)
      && write_tables (sampler, samplings, n, &program, error)) {
    frame_region = get_frame_region (sampler);
    frame = make_view (ENS_TYPE_UINT8, &frame_region);
    dispatches = make_dispatches (sampler, samplings, n, &frame, batches, error);
    if (dispatches != NULL)
      commands = record (sampler, &program, dispatches, &frame_region, pool, error);
  }
  ens_vulkan_program_clear (&program);
  return commands;
}
