/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/weights-private.h"

#include <string.h>

#include "graph/packed-table.h"
#include "vulkan/debug.h"

/* The largest alignment of bindings that Vulkan allows a device to ask for. */
#define ALIGNMENT 256

typedef struct {
  EnsPackedKey key;
  EnsVulkanRegion region;
  char *packed; /* until it is on the device */
} Entry;

struct _EnsVulkanWeights {
  gatomicrefcount references;
  EnsVulkanDevice *device;
  GMutex lock;
  GHashTable *entries; /* Entry */
  GPtrArray *waiting;  /* Entry */
  GPtrArray *buffers;  /* EnsVulkanBuffer, one for each upload */
  gsize size;
};

static void
free_entry (gpointer data)
{
  Entry *entry = data;

  ens_tensor_unref (entry->key.constant);
  g_free (entry->packed);
  g_free (entry);
}

EnsVulkanWeights *
ens_vulkan_weights_new (EnsVulkanDevice *device)
{
  EnsVulkanWeights *weights = g_new0 (EnsVulkanWeights, 1);

  g_atomic_ref_count_init (&weights->references);
  g_mutex_init (&weights->lock);
  weights->device = ens_vulkan_device_ref (device);
  weights->entries = ens_packed_table_new (free_entry);
  weights->waiting = g_ptr_array_new ();
  weights->buffers = g_ptr_array_new_with_free_func (g_free);
  return weights;
}

EnsVulkanWeights *
ens_vulkan_weights_ref (EnsVulkanWeights *weights)
{
  g_atomic_ref_count_inc (&weights->references);
  return weights;
}

void
ens_vulkan_weights_unref (EnsVulkanWeights *weights)
{
  if (!g_atomic_ref_count_dec (&weights->references))
    return;
  for (guint i = 0; i < weights->buffers->len; i++)
    ens_vulkan_buffer_clear (g_ptr_array_index (weights->buffers, i), weights->device);
  g_ptr_array_unref (weights->buffers);
  g_ptr_array_unref (weights->waiting);
  g_hash_table_unref (weights->entries);
  ens_vulkan_device_unref (weights->device);
  g_mutex_clear (&weights->lock);
  g_free (weights);
}

EnsVulkanDevice *
ens_vulkan_weights_get_device (const EnsVulkanWeights *weights)
{
  return weights->device;
}

gsize
ens_vulkan_weights_get_size (EnsVulkanWeights *weights)
{
  gsize size;

  g_mutex_lock (&weights->lock);
  size = weights->size;
  g_mutex_unlock (&weights->lock);
  return size;
}

const EnsVulkanRegion *
ens_vulkan_weights_get (EnsVulkanWeights *weights, EnsTensor *constant, const char *kind,
                        gsize size, EnsPackFunc pack, gpointer state)
{
  Entry *entry;

  g_mutex_lock (&weights->lock);
  entry = ens_packed_table_find (weights->entries, constant, kind);
  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    entry->region.size = size;
    entry->packed = g_malloc0 (size);
    pack (state, constant, entry->packed, NULL);
    ens_packed_table_add (weights->entries, &entry->key, constant, kind);
    g_ptr_array_add (weights->waiting, entry);
  }
  g_mutex_unlock (&weights->lock);
  return &entry->region;
}

static void
copy_plain (gpointer state, const EnsTensor *constant, gpointer packed, EnsThreadPool *pool)
{
  const gsize size = ens_tensor_size (constant);

  /* One without elements may have no data at all. */
  if (size > 0)
    memcpy (packed, constant->data, size);
}

const EnsVulkanRegion *
ens_vulkan_weights_get_plain (EnsVulkanWeights *weights, EnsTensor *constant)
{
  return ens_vulkan_weights_get (weights, constant, "plain", ens_tensor_size (constant), copy_plain,
                                 NULL);
}

/* Gives what waits its offsets and returns the size of all. Lock held. */
static gsize
lay_out (EnsVulkanWeights *weights)
{
  gsize size = 0;

  for (guint i = 0; i < weights->waiting->len; i++) {
    Entry *entry = g_ptr_array_index (weights->waiting, i);

    entry->region.offset = size;
    size += (entry->region.size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
  return size;
}

/* Lock held. */
static void
finish_upload (EnsVulkanWeights *weights, EnsVulkanBuffer *buffer)
{
  for (guint i = 0; i < weights->waiting->len; i++) {
    Entry *entry = g_ptr_array_index (weights->waiting, i);

    entry->region.buffer = buffer;
    g_clear_pointer (&entry->packed, g_free);
  }
  g_ptr_array_set_size (weights->waiting, 0);
  g_ptr_array_add (weights->buffers, buffer);
  weights->size += buffer->size;
  ens_vulkan_buffer_name (buffer, weights->device, "weights %u", weights->buffers->len);
}

/* Lock held. */
static gboolean
upload (EnsVulkanWeights *weights, EnsVulkanBuffer *buffer, GError **error)
{
  gsize size = lay_out (weights);
  g_autofree EnsVulkanPiece *pieces = g_new (EnsVulkanPiece, weights->waiting->len);

  for (guint i = 0; i < weights->waiting->len; i++) {
    const Entry *entry = g_ptr_array_index (weights->waiting, i);

    pieces[i] = (EnsVulkanPiece) {entry->packed, entry->region.offset, entry->region.size};
  }
  return ens_vulkan_buffer_init (buffer, weights->device, ENS_BUFFER_DEVICE, size, error)
         && ens_vulkan_buffer_write (buffer, weights->device, pieces, weights->waiting->len, error);
}

gboolean
ens_vulkan_weights_upload (EnsVulkanWeights *weights, GError **error)
{
  EnsVulkanBuffer *buffer = NULL;
  gboolean done = TRUE;

  g_mutex_lock (&weights->lock);
  if (weights->waiting->len > 0) {
    buffer = g_new0 (EnsVulkanBuffer, 1);
    done = upload (weights, buffer, error);
    if (done)
      finish_upload (weights, g_steal_pointer (&buffer));
  }
  g_mutex_unlock (&weights->lock);
  if (buffer != NULL)
    ens_vulkan_buffer_clear (buffer, weights->device);
  g_free (buffer);
  return done;
}
