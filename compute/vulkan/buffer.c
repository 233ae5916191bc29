/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/buffer.h"

#include <string.h>

#include "base/error.h"
#include "vulkan/command-pool.h"

/* Shaders may read whole vectors where a value's elements end inside one. */
#define SLACK 256

#define LOCAL VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
#define VISIBLE (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
#define CACHED VK_MEMORY_PROPERTY_HOST_CACHED_BIT

/* Usage of each kind, and the memory types it prefers, best first. */
static const struct {
  VkBufferUsageFlags usage;
  VkMemoryPropertyFlags memory[3]; /* up to a 0 */
} kinds[] = {
    [ENS_BUFFER_DEVICE] = {VK_BUFFER_USAGE_STORAGE_BUFFER_BIT
                               | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT
                               | VK_BUFFER_USAGE_TRANSFER_SRC_BIT
                               | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                           {LOCAL}},
    [ENS_BUFFER_UPLOAD] = {VK_BUFFER_USAGE_TRANSFER_SRC_BIT, {VISIBLE}},
    [ENS_BUFFER_READBACK] = {VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT
                                 | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                             {VISIBLE | CACHED, VISIBLE}},
};

/* Whether CPU and GPU share memory, so that staging buffers would only cost time. */
static gboolean
is_unified (const EnsVulkanDevice *device)
{
  return !device->staged
         && (device->physical.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU
             || device->physical.type == VK_PHYSICAL_DEVICE_TYPE_CPU);
}

static int
find_type (const EnsVulkanDevice *device, guint32 allowed, VkMemoryPropertyFlags flags)
{
  const VkPhysicalDeviceMemoryProperties *memory = &device->physical.memory;

  for (guint i = 0; i < memory->memoryTypeCount; i++)
    if ((allowed & 1u << i) && (memory->memoryTypes[i].propertyFlags & flags) == flags)
      return (int)i;
  return -1;
}

static int
choose_type (const EnsVulkanDevice *device, guint32 allowed, EnsVulkanBufferKind kind)
{
  int type = -1;

  if (kind == ENS_BUFFER_DEVICE && is_unified (device))
    type = find_type (device, allowed, LOCAL | VISIBLE | CACHED);
  for (guint i = 0; type < 0 && i < G_N_ELEMENTS (kinds[kind].memory); i++)
    if (kinds[kind].memory[i] != 0)
      type = find_type (device, allowed, kinds[kind].memory[i]);
  return type;
}

static gboolean
fail_size (const EnsVulkanDevice *device, gsize size, guint64 limit, GError **error)
{
  g_autofree char *wanted = g_format_size_full (size, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *most = g_format_size_full (limit, G_FORMAT_SIZE_IEC_UNITS);

  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "%s: a buffer of %s is needed, it allows %s at most", device->physical.name, wanted,
               most);
  return FALSE;
}

static gboolean
allocate (EnsVulkanBuffer *buffer, EnsVulkanDevice *device, EnsVulkanBufferKind kind,
          GError **error)
{
  VkMemoryRequirements needs;
  VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  int type;
  gpointer mapped = NULL;

  device->vk.GetBufferMemoryRequirements (device->handle, buffer->handle, &needs);
  if (needs.size > device->physical.max_allocation)
    return fail_size (device, needs.size, device->physical.max_allocation, error);
  type = choose_type (device, needs.memoryTypeBits, kind);
  if (type < 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DEVICE, "%s has no memory for buffers of kind %d",
                 device->physical.name, (int)kind);
    return FALSE;
  }
  info.allocationSize = needs.size;
  info.memoryTypeIndex = (guint32)type;
  ENS_VK_DEVICE (device, AllocateMemory, device->handle, &info, NULL, &buffer->memory);
  ENS_VK_DEVICE (device, BindBufferMemory, device->handle, buffer->handle, buffer->memory, 0);
  if (kind == ENS_BUFFER_DEVICE
      && (!is_unified (device)
          || (device->physical.memory.memoryTypes[type].propertyFlags & VISIBLE) != VISIBLE))
    return TRUE;
  ENS_VK_DEVICE (device, MapMemory, device->handle, buffer->memory, 0, VK_WHOLE_SIZE, 0, &mapped);
  buffer->mapped = mapped;
  return TRUE;
error:
  return FALSE;
}

gboolean
ens_vulkan_buffer_init (EnsVulkanBuffer *buffer, EnsVulkanDevice *device, EnsVulkanBufferKind kind,
                        gsize size, GError **error)
{
  const VkBufferCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .size = size + SLACK,
      .usage = kinds[kind].usage,
  };

  if (size > device->physical.max_allocation)
    return fail_size (device, size, device->physical.max_allocation, error);
  buffer->size = size;
  ENS_VK_DEVICE (device, CreateBuffer, device->handle, &info, NULL, &buffer->handle);
  return allocate (buffer, device, kind, error);
error:
  return FALSE;
}

void
ens_vulkan_buffer_clear (EnsVulkanBuffer *buffer, EnsVulkanDevice *device)
{
  if (buffer->handle != VK_NULL_HANDLE)
    device->vk.DestroyBuffer (device->handle, buffer->handle, NULL);
  if (buffer->memory != VK_NULL_HANDLE)
    device->vk.FreeMemory (device->handle, buffer->memory, NULL);
  *buffer = (EnsVulkanBuffer) {0};
}

/* Writing goes through a staging buffer of at most this size. */
#define STAGING ((gsize)32 << 20)

/* A staging buffer, with the means to empty it. */
typedef struct {
  const EnsVulkanBuffer *to;
  EnsVulkanBuffer buffer;
  EnsVulkanCommandPool pool;
} Staging;

static gboolean
flush (Staging *staging, EnsVulkanDevice *device, gsize offset, gsize size, GError **error)
{
  const VkBufferCopy copy = {.dstOffset = offset, .size = size};
  VkCommandBuffer commands = ens_vulkan_command_pool_begin (&staging->pool, device, error);

  if (commands == VK_NULL_HANDLE)
    return FALSE;
  device->vk.CmdCopyBuffer (commands, staging->buffer.handle, staging->to->handle, 1, &copy);
  return ens_vulkan_command_pool_end (device, commands, error)
         && ens_vulkan_device_submit (device, &commands, 1, staging->pool.fence, error);
}

static gboolean
copy_piece (Staging *staging, EnsVulkanDevice *device, const EnsVulkanPiece *piece, GError **error)
{
  for (gsize done = 0; done < piece->size; done += STAGING) {
    gsize size = MIN (STAGING, piece->size - done);

    memcpy (staging->buffer.mapped, (const char *)piece->data + done, size);
    if (!flush (staging, device, piece->offset + done, size, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
copy_pieces (const EnsVulkanBuffer *buffer, EnsVulkanDevice *device, const EnsVulkanPiece *pieces,
             guint n, GError **error)
{
  Staging staging = {.to = buffer};
  gsize size = 0;
  gboolean done;

  for (guint i = 0; i < n; i++)
    size = MAX (size, MIN (STAGING, pieces[i].size));
  done = ens_vulkan_buffer_init (&staging.buffer, device, ENS_BUFFER_UPLOAD, size, error)
         && ens_vulkan_command_pool_init (&staging.pool, device, error);
  for (guint i = 0; done && i < n; i++)
    done = copy_piece (&staging, device, &pieces[i], error);
  ens_vulkan_command_pool_clear (&staging.pool, device);
  ens_vulkan_buffer_clear (&staging.buffer, device);
  return done;
}

gboolean
ens_vulkan_buffer_write (const EnsVulkanBuffer *buffer, EnsVulkanDevice *device,
                         const EnsVulkanPiece *pieces, guint n, GError **error)
{
  if (buffer->mapped == NULL)
    return copy_pieces (buffer, device, pieces, n, error);
  for (guint i = 0; i < n; i++)
    if (pieces[i].size > 0)
      memcpy (buffer->mapped + pieces[i].offset, pieces[i].data, pieces[i].size);
  return TRUE;
}
