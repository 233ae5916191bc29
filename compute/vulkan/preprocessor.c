/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/error.h"
#include "vulkan/debug.h"
#include "vulkan/imports.h"
#include "vulkan/program.h"
#include "vulkan/preprocessor-private.h"

#define GROUP_SIZE 64 /* of shaders/preprocess.comp */

/* Memory on the device that the CPU writes before each use. */
typedef struct {
  const char *name;
  EnsVulkanBuffer device, upload; /* upload: where the CPU can't reach the device's */
} Store;

/* A batch on the device, as dispatches bind it. */
typedef struct {
  EnsVulkanRegion table_region, output_region;
  EnsVulkanView table, output;
} Batch;

struct _EnsVulkanPreprocessor {
  EnsVulkanDevice *device; /* NULL before the first run */
  EnsPackedFrame frame;
  gboolean has_frame; /* on the device */
  Store frame_store, tables_store;
  EnsVulkanImports imports;
  const EnsVulkanBuffer *imported; /* the frame's DMABuf; NULL: the frame is copied */
  char *logged;                    /* the last reason to copy that was logged */
  /* The last run's objects. */
  EnsVulkanCommandPool pool;
  EnsVulkanDescriptors descriptors;
};

EnsVulkanPreprocessor *
ens_vulkan_preprocessor_new (void)
{
  EnsVulkanPreprocessor *preprocessor = g_new0 (EnsVulkanPreprocessor, 1);

  preprocessor->frame_store.name = "frame";
  preprocessor->tables_store.name = "preprocessing tables";
  return preprocessor;
}

static void
store_clear (Store *store, EnsVulkanDevice *device)
{
  ens_vulkan_buffer_clear (&store->device, device);
  ens_vulkan_buffer_clear (&store->upload, device);
}

static void
leave_device (EnsVulkanPreprocessor *preprocessor)
{
  if (preprocessor->device == NULL)
    return;
  ens_vulkan_descriptors_clear (&preprocessor->descriptors, preprocessor->device);
  ens_vulkan_command_pool_clear (&preprocessor->pool, preprocessor->device);
  store_clear (&preprocessor->frame_store, preprocessor->device);
  store_clear (&preprocessor->tables_store, preprocessor->device);
  ens_vulkan_imports_clear (&preprocessor->imports, preprocessor->device);
  preprocessor->imported = NULL;
  g_clear_pointer (&preprocessor->device, ens_vulkan_device_unref);
  preprocessor->has_frame = FALSE;
}

void
ens_vulkan_preprocessor_free (EnsVulkanPreprocessor *preprocessor)
{
  if (preprocessor == NULL)
    return;
  leave_device (preprocessor);
  g_free (preprocessor->logged);
  g_free (preprocessor);
}

void
ens_vulkan_preprocessor_set_frame (EnsVulkanPreprocessor *preprocessor, const EnsPackedFrame *frame)
{
  preprocessor->frame = *frame;
  preprocessor->has_frame = FALSE;
  preprocessor->imported = NULL;
}

void
ens_vulkan_preprocessor_finish (EnsVulkanPreprocessor *preprocessor)
{
  preprocessor->has_frame = TRUE;
}

gboolean
ens_vulkan_preprocessor_take_overflow (const EnsVulkanPreprocessor *preprocessor, guint i)
{
  return ens_vulkan_descriptors_take_overflow (&preprocessor->descriptors, preprocessor->device, i);
}

/* Memory */

static gboolean
store_reserve (Store *store, EnsVulkanDevice *device, gsize size, GError **error)
{
  if (size > device->physical.max_storage_range) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s binds at most %u bytes to a shader, preprocessing needs %" G_GSIZE_FORMAT,
                 device->physical.name, (guint)device->physical.max_storage_range, size);
    return FALSE;
  }
  if (store->device.handle != VK_NULL_HANDLE && store->device.size >= size)
    return TRUE;
  store_clear (store, device);
  if (!ens_vulkan_buffer_init (&store->device, device, ENS_BUFFER_DEVICE, size, error)
      || (store->device.mapped == NULL
          && !ens_vulkan_buffer_init (&store->upload, device, ENS_BUFFER_UPLOAD, size, error)))
    return FALSE;
  ens_vulkan_buffer_name (&store->device, device, "%s", store->name);
  ens_vulkan_buffer_name (&store->upload, device, "%s: upload", store->name);
  return TRUE;
}

static char *
store_map (const Store *store)
{
  return store->device.mapped != NULL ? store->device.mapped : store->upload.mapped;
}

/* Copies what the CPU has written to where shaders read it. */
static void
store_upload (const Store *store, gsize size, EnsVulkanProgram *program)
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

/* Copying only costs time: each reason is logged once. */
static void
log_copy (EnsVulkanPreprocessor *preprocessor, const char *reason)
{
  if (g_strcmp0 (preprocessor->logged, reason) == 0)
    return;
  g_info ("frames in DMABufs are uploaded, not imported: %s", reason);
  g_free (preprocessor->logged);
  preprocessor->logged = g_strdup (reason);
}

/* NULL if the frame has to be copied. */
static const EnsVulkanBuffer *
import_frame (EnsVulkanPreprocessor *preprocessor)
{
  const EnsPackedFrame *frame = &preprocessor->frame;
  gsize before = frame->dma_buf_offset % preprocessor->device->physical.offset_alignment;
  /* Bindings end with a whole word. */
  gsize end = frame->dma_buf_offset - before + (before + frame->size + 3) / 4 * 4;
  const EnsVulkanBuffer *buffer;
  g_autoptr (GError) error = NULL;

  if (frame->refusal != NULL)
    log_copy (preprocessor, frame->refusal);
  if (frame->dma_buf < 0)
    return NULL;
  buffer = ens_vulkan_imports_get (&preprocessor->imports, preprocessor->device, frame->dma_buf,
                                   end, &error);
  if (buffer == NULL)
    log_copy (preprocessor, error->message);
  return buffer;
}

/* Imports or uploads the frame, if it is a new one. */
static gboolean
upload_frame (EnsVulkanPreprocessor *preprocessor, EnsVulkanProgram *program, GError **error)
{
  if (preprocessor->has_frame)
    return TRUE;
  preprocessor->imported = import_frame (preprocessor);
  if (preprocessor->imported != NULL)
    return TRUE;
  if (!store_reserve (&preprocessor->frame_store, preprocessor->device, preprocessor->frame.size,
                      error))
    return FALSE;
  write_frame (&preprocessor->frame, store_map (&preprocessor->frame_store));
  store_upload (&preprocessor->frame_store, preprocessor->frame.size, program);
  ens_vulkan_device_count (&preprocessor->device->uploaded, preprocessor->frame.size);
  return TRUE;
}

static EnsVulkanRegion
get_frame_region (const EnsVulkanPreprocessor *preprocessor)
{
  return preprocessor->imported != NULL
             ? (EnsVulkanRegion) {preprocessor->imported, preprocessor->frame.dma_buf_offset,
                                  preprocessor->frame.size}
             : (EnsVulkanRegion) {&preprocessor->frame_store.device, 0, preprocessor->frame.size};
}

static gsize
get_table_size (const EnsVulkanPreprocessTask *task)
{
  gsize size = task->table->n_words * sizeof *task->table->table;

  return (size + ENS_VULKAN_ALIGNMENT - 1) / ENS_VULKAN_ALIGNMENT * ENS_VULKAN_ALIGNMENT;
}

/* Writes the tables, one after the other. */
static gboolean
write_tables (EnsVulkanPreprocessor *preprocessor, const EnsVulkanPreprocessTask *tasks, guint n,
              EnsVulkanProgram *program, GError **error)
{
  gsize size = 0;

  for (guint i = 0; i < n; i++)
    size += get_table_size (&tasks[i]);
  if (!store_reserve (&preprocessor->tables_store, preprocessor->device, size, error))
    return FALSE;
  for (gsize i = 0, at = 0; i < n; at += get_table_size (&tasks[i++]))
    memcpy (store_map (&preprocessor->tables_store) + at, tasks[i].table->table,
            tasks[i].table->n_words * sizeof *tasks[i].table->table);
  store_upload (&preprocessor->tables_store, size, program);
  ens_vulkan_device_count (&preprocessor->device->uploaded, size);
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
init_dispatch (const EnsVulkanPreprocessor *preprocessor, const EnsVulkanPreprocessTask *task,
               EnsVulkanView *const views[3], EnsVulkanDispatch *dispatch, GError **error)
{
  const EnsPreprocessPush *push = &task->table->push;
  const guint32 *most = preprocessor->device->physical.traits.max_groups;
  gsize n_groups = ((gsize)push->width * push->height + GROUP_SIZE - 1) / GROUP_SIZE;

  if (n_groups > most[0] || task->table->n > most[1]
      || task->to.size > preprocessor->device->physical.max_storage_range) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s can't preprocess %u images of %u × %u pixels at once",
                 preprocessor->device->physical.name, task->table->n, push->width, push->height);
    return FALSE;
  }
  *dispatch = (EnsVulkanDispatch) {
      .key = {.shader = ens_shader_find ("preprocess", task->type),
              .n_bindings = G_N_ELEMENTS (push->offset),
              .push_size = sizeof *push},
      .accesses = {ENS_ACCESS_READ, ENS_ACCESS_READ, ENS_ACCESS_WRITE},
      .groups = {(guint32)n_groups, task->table->n, 1},
  };
  memcpy (dispatch->push, push, sizeof *push);
  for (guint i = 0; i < G_N_ELEMENTS (push->offset); i++)
    dispatch->views[i] = views[i];
  return TRUE;
}

/* Dispatches of all batches; frame, batches: their views, which are filled in. (transfer full) */
static GArray *
make_dispatches (const EnsVulkanPreprocessor *preprocessor, const EnsVulkanPreprocessTask *tasks,
                 guint n, EnsVulkanView *frame, Batch *batches, GError **error)
{
  g_autoptr (GArray) dispatches = g_array_new (FALSE, TRUE, sizeof (EnsVulkanDispatch));
  gsize at = 0;

  for (guint i = 0; i < n; i++) {
    Batch *batch = &batches[i];
    EnsVulkanDispatch dispatch;

    batch->table_region = (EnsVulkanRegion) {&preprocessor->tables_store.device, at,
                                             tasks[i].table->n_words * sizeof (guint32)};
    batch->output_region = tasks[i].to;
    batch->table = make_view (ENS_TYPE_INT32, &batch->table_region);
    batch->output = make_view (tasks[i].type, &batch->output_region);
    at += get_table_size (&tasks[i]);
    if (!init_dispatch (preprocessor, &tasks[i],
                        (EnsVulkanView *[]) {frame, &batch->table, &batch->output}, &dispatch,
                        error))
      return NULL;
    g_array_append_val (dispatches, dispatch);
  }
  return g_steal_pointer (&dispatches);
}

/* Recording */

static VkCommandBuffer
record (EnsVulkanPreprocessor *preprocessor, EnsVulkanProgram *program, const GArray *dispatches,
        const EnsVulkanRegion *frame, EnsThreadPool *pool, GError **error)
{
  EnsVulkanDevice *device = preprocessor->device;
  g_autofree EnsVulkanPipelineKey *keys = g_new (EnsVulkanPipelineKey, dispatches->len);
  g_autofree const EnsVulkanPipeline **pipelines =
      g_new0 (const EnsVulkanPipeline *, dispatches->len);
  const EnsVulkanRecorder recorder = {.device = device,
                                      .name = "preprocessing",
                                      .pool = &preprocessor->pool,
                                      .dispatches = dispatches,
                                      .pipelines = pipelines,
                                      .descriptors = &preprocessor->descriptors};
  g_autoptr (GArray) segments = NULL;

  if (preprocessor->imported != NULL)
    ens_vulkan_program_acquire (program, frame);
  for (guint i = 0; i < dispatches->len; i++) {
    keys[i] = g_array_index (dispatches, EnsVulkanDispatch, i).key;
    ens_vulkan_program_dispatch (program, &g_array_index (dispatches, EnsVulkanDispatch, i), i,
                                 G_MAXUINT);
  }
  if (preprocessor->imported != NULL)
    ens_vulkan_program_release (program, frame);
  if (!ens_vulkan_pipelines_get (device, keys, pipelines, dispatches->len, pool, error)
      || !ens_vulkan_descriptors_init (&preprocessor->descriptors, device, dispatches, pipelines,
                                       error)
      || !ens_vulkan_program_place_barriers (program, device->validation, error))
    return VK_NULL_HANDLE;
  segments = ens_vulkan_program_record (program, &recorder, error);
  return segments != NULL ? g_array_index (segments, EnsVulkanSegment, 0).commands : VK_NULL_HANDLE;
}

static gboolean
prepare (EnsVulkanPreprocessor *preprocessor, EnsVulkanDevice *device, GError **error)
{
  if (preprocessor->device != device) {
    leave_device (preprocessor);
    preprocessor->device = ens_vulkan_device_ref (device);
  }
  ens_vulkan_descriptors_clear (&preprocessor->descriptors, device);
  ens_vulkan_command_pool_clear (&preprocessor->pool, device);
  return ens_vulkan_command_pool_init (&preprocessor->pool, device, error);
}

VkCommandBuffer
ens_vulkan_preprocessor_record (EnsVulkanPreprocessor *preprocessor, EnsVulkanDevice *device,
                                const EnsVulkanPreprocessTask *tasks, guint n, EnsThreadPool *pool,
                                GError **error)
{
  g_autofree Batch *batches = g_new (Batch, n);
  g_autoptr (GArray) dispatches = NULL;
  EnsVulkanProgram program;
  EnsVulkanRegion frame_region;
  EnsVulkanView frame;
  VkCommandBuffer commands = VK_NULL_HANDLE;

  if (!prepare (preprocessor, device, error))
    return VK_NULL_HANDLE;
  ens_vulkan_program_init (&program);
  if (upload_frame (preprocessor, &program, error)
      && write_tables (preprocessor, tasks, n, &program, error)) {
    frame_region = get_frame_region (preprocessor);
    frame = make_view (ENS_TYPE_UINT8, &frame_region);
    dispatches = make_dispatches (preprocessor, tasks, n, &frame, batches, error);
    if (dispatches != NULL)
      commands = record (preprocessor, &program, dispatches, &frame_region, pool, error);
  }
  ens_vulkan_program_clear (&program);
  return commands;
}
