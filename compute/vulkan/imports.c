/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/imports.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "vulkan/debug.h"

#define HANDLE_TYPE VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT

static void
set_errno_error (GError **error, const char *call)
{
  int number = errno;

  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE, "%s failed on a DMABuf: %s", call,
               g_strerror (number));
}

static void
import_clear (EnsVulkanImport *import, EnsVulkanDevice *device)
{
  if (import->buffer.handle != VK_NULL_HANDLE || import->buffer.memory != VK_NULL_HANDLE)
    ens_vulkan_buffer_clear (&import->buffer, device);
  if (import->fd > 0)
    close (import->fd);
  *import = (EnsVulkanImport) {0};
}

/* A descriptor of the same DMABuf, never 0; −1 on error. */
static gint
duplicate (gint fd, GError **error)
{
  gint copy = fcntl (fd, F_DUPFD_CLOEXEC, 1);

  if (copy < 0)
    set_errno_error (error, "duplicating");
  return copy;
}

/* Fills in what the DMABuf is known by, its size too. */
static gboolean
identify (gint fd, EnsVulkanImport *import, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) < 0) {
    set_errno_error (error, "fstat");
    return FALSE;
  }
  if (status.st_size <= 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "DMABufs can be told apart with Linux 5.3 or newer only");
    return FALSE;
  }
  import->device = status.st_dev;
  import->inode = status.st_ino;
  import->buffer.size = (gsize)status.st_size;
  return TRUE;
}

static gboolean
is_same (const EnsVulkanImport *a, const EnsVulkanImport *b)
{
  return a->device == b->device && a->inode == b->inode && a->buffer.size == b->buffer.size;
}

/* Importing */

static gboolean
create_buffer (EnsVulkanBuffer *buffer, EnsVulkanDevice *device, GError **error)
{
  const VkExternalMemoryBufferCreateInfo external = {
      .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
      .handleTypes = HANDLE_TYPE,
  };
  const VkBufferCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .pNext = &external,
      .size = buffer->size,
      .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
  };

  ENS_VK_DEVICE (device, CreateBuffer, device->handle, &info, NULL, &buffer->handle);
  return TRUE;
error:
  return FALSE;
}

/* Finds out how the driver wants the buffer's memory. */
static gboolean
ask (const EnsVulkanBuffer *buffer, EnsVulkanDevice *device, gint fd, VkMemoryAllocateInfo *info,
     gboolean *dedicated, GError **error)
{
  const VkBufferMemoryRequirementsInfo2 which = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2,
      .buffer = buffer->handle,
  };
  VkMemoryDedicatedRequirements alone = {.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
  VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, .pNext = &alone};
  VkMemoryFdPropertiesKHR memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
  gint type;

  ENS_VK_DEVICE (device, GetMemoryFdPropertiesKHR, device->handle, HANDLE_TYPE, fd, &memory);
  device->vk.GetBufferMemoryRequirements2 (device->handle, &which, &needs);
  type = g_bit_nth_lsf (memory.memoryTypeBits & needs.memoryRequirements.memoryTypeBits, -1);
  if (type < 0
      || needs.memoryRequirements.size > MIN (buffer->size, device->physical.max_allocation)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s can't make a buffer of %" G_GUINT64_FORMAT
                 " bytes from a DMABuf of %" G_GSIZE_FORMAT " in memory of types 0x%x",
                 device->physical.name, (guint64)needs.memoryRequirements.size, buffer->size,
                 (guint)memory.memoryTypeBits);
    return FALSE;
  }
  info->allocationSize = needs.memoryRequirements.size;
  info->memoryTypeIndex = (guint32)type;
  *dedicated = device->physical.dedicated || alone.requiresDedicatedAllocation
               || alone.prefersDedicatedAllocation;
  return TRUE;
error:
  return FALSE;
}

static gboolean
import_memory (EnsVulkanBuffer *buffer, EnsVulkanDevice *device, gint fd, GError **error)
{
  const VkMemoryDedicatedAllocateInfo alone = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
      .buffer = buffer->handle,
  };
  VkImportMemoryFdInfoKHR import = {
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
      .handleType = HANDLE_TYPE,
      .fd = -1,
  };
  VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import};
  gboolean dedicated;

  if (!ask (buffer, device, fd, &info, &dedicated, error))
    return FALSE;
  if (dedicated)
    import.pNext = &alone;
  import.fd = duplicate (fd, error);
  if (import.fd < 0)
    return FALSE;
  ENS_VK_DEVICE (device, AllocateMemory, device->handle, &info, NULL, &buffer->memory);
  import.fd = -1; /* the driver's from now on */
  ENS_VK_DEVICE (device, BindBufferMemory, device->handle, buffer->handle, buffer->memory, 0);
  return TRUE;
error:
  if (import.fd >= 0)
    close (import.fd);
  return FALSE;
}

static gboolean
import_init (EnsVulkanImport *import, EnsVulkanDevice *device, gint fd, GError **error)
{
  import->fd = duplicate (fd, error);
  if (import->fd < 0 || !create_buffer (&import->buffer, device, error)
      || !import_memory (&import->buffer, device, fd, error))
    return FALSE;
  ens_vulkan_buffer_name (&import->buffer, device, "DMABuf %" G_GUINT64_FORMAT, import->inode);
  return TRUE;
}

/* Choosing */

static EnsVulkanImport *
find (EnsVulkanImports *imports, const EnsVulkanImport *wanted)
{
  for (guint i = 0; i < ENS_MAX_IMPORTS; i++)
    if (imports->list[i].buffer.handle != VK_NULL_HANDLE && is_same (&imports->list[i], wanted))
      return &imports->list[i];
  return NULL;
}

static EnsVulkanImport *
find_oldest (EnsVulkanImports *imports)
{
  EnsVulkanImport *oldest = &imports->list[0];

  for (guint i = 1; i < ENS_MAX_IMPORTS; i++)
    if (imports->list[i].used < oldest->used)
      oldest = &imports->list[i];
  return oldest;
}

static EnsVulkanImport *
add (EnsVulkanImports *imports, EnsVulkanDevice *device, const EnsVulkanImport *wanted, gint fd,
     GError **error)
{
  EnsVulkanImport *import = find_oldest (imports);

  import_clear (import, device);
  *import = *wanted;
  if (import_init (import, device, fd, error))
    return import;
  import_clear (import, device);
  return NULL;
}

const EnsVulkanBuffer *
ens_vulkan_imports_get (EnsVulkanImports *imports, EnsVulkanDevice *device, gint fd, gsize end,
                        GError **error)
{
  EnsVulkanImport wanted = {0}, *import;

  if (!identify (fd, &wanted, error))
    return NULL;
  if (end > wanted.buffer.size) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "a frame ends at byte %" G_GSIZE_FORMAT " of a DMABuf of %" G_GSIZE_FORMAT, end,
                 wanted.buffer.size);
    return NULL;
  }
  import = find (imports, &wanted);
  if (import == NULL)
    import = add (imports, device, &wanted, fd, error);
  if (import == NULL)
    return NULL;
  import->used = ++imports->n_uses;
  return &import->buffer;
}

void
ens_vulkan_imports_clear (EnsVulkanImports *imports, EnsVulkanDevice *device)
{
  for (guint i = 0; i < ENS_MAX_IMPORTS; i++)
    import_clear (&imports->list[i], device);
}
