/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-dma-buf.h"

#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((gsize)4096)
#define HANDLE_TYPE VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
#define INSTEAD VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT

FakeDmaBuf fake_dma_buf;

static const char *const added[] = {VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
                                    VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME};

/* The driver's functions, as they were asked for last. */
static struct {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
  PFN_vkGetDeviceProcAddr GetDeviceProcAddr;
  PFN_vkEnumerateDeviceExtensionProperties EnumerateDeviceExtensionProperties;
  PFN_vkGetPhysicalDeviceExternalBufferProperties GetPhysicalDeviceExternalBufferProperties;
  PFN_vkCreateDevice CreateDevice;
  PFN_vkCreateBuffer CreateBuffer;
  PFN_vkAllocateMemory AllocateMemory;
  PFN_vkFreeMemory FreeMemory;
  PFN_vkCmdPipelineBarrier CmdPipelineBarrier;
  PFN_vkCmdDispatch CmdDispatch;
  PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT;
} real;

/* Memory that an import is of. */
typedef struct {
  VkDeviceMemory memory;
  gpointer address;
  gsize size;
} Mapping;

static Mapping mappings[32];
static VkBuffer acquired;

static gboolean
has (const char *const *names, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (names[i], name) == 0)
      return TRUE;
  return FALSE;
}

static gconstpointer
find_in_chain (gconstpointer next, VkStructureType type)
{
  const VkBaseInStructure *structure = next;

  while (structure != NULL && structure->sType != type)
    structure = structure->pNext;
  return structure;
}

/* Devices */

/* Puts the added extensions behind the driver's, which must leave room. */
static void
add_extensions (VkExtensionProperties *list, uint32_t *n)
{
  uint32_t n_kept = 0;

  for (uint32_t i = 0; i < *n; i++)
    if (!has (added, G_N_ELEMENTS (added), list[i].extensionName))
      list[n_kept++] = list[i];
  *n = n_kept;
  for (guint i = 0; i < G_N_ELEMENTS (added) - fake_dma_buf.distant; i++) {
    list[*n] = (VkExtensionProperties) {.specVersion = 1};
    g_strlcpy (list[(*n)++].extensionName, added[i], VK_MAX_EXTENSION_NAME_SIZE);
  }
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_EnumerateDeviceExtensionProperties (VkPhysicalDevice device, const char *layer, uint32_t *n,
                                         VkExtensionProperties *list)
{
  g_autofree VkExtensionProperties *all = NULL;
  uint32_t n_all = 0;
  VkResult result = real.EnumerateDeviceExtensionProperties (device, layer, &n_all, NULL);

  if (result != VK_SUCCESS)
    return result;
  all = g_new0 (VkExtensionProperties, n_all + G_N_ELEMENTS (added));
  result = real.EnumerateDeviceExtensionProperties (device, layer, &n_all, all);
  for (uint32_t i = 0; i < n_all; i++)
    if (strcmp (all[i].extensionName, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) == 0) {
      add_extensions (all, &n_all);
      break;
    }
  if (list != NULL)
    memcpy (list, all, MIN (*n, n_all) * sizeof *all);
  *n = n_all;
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
fake_GetPhysicalDeviceExternalBufferProperties (VkPhysicalDevice device,
                                                const VkPhysicalDeviceExternalBufferInfo *info,
                                                VkExternalBufferProperties *properties)
{
  VkExternalMemoryFeatureFlags *features =
      &properties->externalMemoryProperties.externalMemoryFeatures;

  real.GetPhysicalDeviceExternalBufferProperties (device, info, properties);
  if (info->handleType == HANDLE_TYPE)
    *features = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT
                | (fake_dma_buf.dedicated ? VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT : 0);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateDevice (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                   const VkAllocationCallbacks *a, VkDevice *device)
{
  g_autofree const char **names = g_new (const char *, info->enabledExtensionCount + 1);
  VkDeviceCreateInfo changed = *info;

  changed.ppEnabledExtensionNames = names;
  changed.enabledExtensionCount = 0;
  for (guint i = 0; i < info->enabledExtensionCount; i++)
    if (!has (added, G_N_ELEMENTS (added), info->ppEnabledExtensionNames[i]))
      names[changed.enabledExtensionCount++] = info->ppEnabledExtensionNames[i];
  if (changed.enabledExtensionCount < info->enabledExtensionCount)
    names[changed.enabledExtensionCount++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  return real.CreateDevice (physical, &changed, a, device);
}

/* Memory */

/* Also in programs without Check. */
static void
expect (gboolean holds, const char *what)
{
  if (!holds)
    g_error ("expected %s", what);
}

static gpointer
map_file (gint fd, gsize size)
{
  gpointer address = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  expect (address != MAP_FAILED, "a file that can be mapped");
  return address;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_GetMemoryFdPropertiesKHR (VkDevice device, VkExternalMemoryHandleTypeFlagBits type, int fd,
                               VkMemoryFdPropertiesKHR *properties)
{
  VkMemoryHostPointerPropertiesEXT host = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
  gpointer address = map_file (fd, PAGE);
  VkResult result = real.GetMemoryHostPointerPropertiesEXT (device, INSTEAD, address, &host);

  expect (type == HANDLE_TYPE, "a DMABuf");
  munmap (address, PAGE);
  properties->memoryTypeBits = host.memoryTypeBits;
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_CreateBuffer (VkDevice device, const VkBufferCreateInfo *info, const VkAllocationCallbacks *a,
                   VkBuffer *buffer)
{
  const VkExternalMemoryBufferCreateInfo *external =
      find_in_chain (info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
  VkExternalMemoryBufferCreateInfo host = {
      .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, .handleTypes = INSTEAD};
  VkBufferCreateInfo changed = *info;

  if (external == NULL)
    return real.CreateBuffer (device, info, a, buffer);
  expect (external->handleTypes == HANDLE_TYPE, "a buffer for DMABufs");
  changed.pNext = &host;
  return real.CreateBuffer (device, &changed, a, buffer);
}

static Mapping *
find_mapping (VkDeviceMemory memory)
{
  for (guint i = 0; i < G_N_ELEMENTS (mappings); i++)
    if (mappings[i].memory == memory)
      return &mappings[i];
  return NULL;
}

/* The descriptor is the driver's if this succeeds, and stays the caller's if not. */
static VkResult
import (VkDevice device, const VkMemoryAllocateInfo *info, const VkImportMemoryFdInfoKHR *from,
        const VkAllocationCallbacks *a, VkDeviceMemory *memory)
{
  Mapping *mapping = find_mapping (VK_NULL_HANDLE);
  gsize size = (info->allocationSize + PAGE - 1) / PAGE * PAGE;
  VkImportMemoryHostPointerInfoEXT host = {
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, .handleType = INSTEAD};
  VkMemoryAllocateInfo changed = *info;
  VkResult result;

  host.pHostPointer = map_file (from->fd, size);
  changed.pNext = &host;
  changed.allocationSize = size;
  result = real.AllocateMemory (device, &changed, a, memory);
  if (result != VK_SUCCESS) {
    munmap (host.pHostPointer, size);
    return result;
  }
  *mapping = (Mapping) {*memory, host.pHostPointer, size};
  close (from->fd);
  fake_dma_buf.n_imports++;
  fake_dma_buf.n_live++;
  if (find_in_chain (info->pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO) != NULL)
    fake_dma_buf.n_dedicated++;
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_AllocateMemory (VkDevice device, const VkMemoryAllocateInfo *info,
                     const VkAllocationCallbacks *a, VkDeviceMemory *memory)
{
  const VkImportMemoryFdInfoKHR *from =
      find_in_chain (info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);

  if (from == NULL)
    return real.AllocateMemory (device, info, a, memory);
  expect (from->handleType == HANDLE_TYPE, "memory of a DMABuf");
  return fake_dma_buf.refuses ? VK_ERROR_INVALID_EXTERNAL_HANDLE
                              : import (device, info, from, a, memory);
}

static VKAPI_ATTR void VKAPI_CALL
fake_FreeMemory (VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *a)
{
  Mapping *mapping = find_mapping (memory);

  real.FreeMemory (device, memory, a);
  if (memory == VK_NULL_HANDLE || mapping == NULL)
    return;
  munmap (mapping->address, mapping->size);
  *mapping = (Mapping) {VK_NULL_HANDLE};
  fake_dma_buf.n_live--;
}

/* Commands */

static void
note_hand_over (const VkBufferMemoryBarrier *barrier)
{
  uint32_t there = fake_dma_buf.distant ? VK_QUEUE_FAMILY_EXTERNAL : VK_QUEUE_FAMILY_FOREIGN_EXT;
  gboolean acquire = barrier->srcQueueFamilyIndex == there;

  if (!acquire && barrier->dstQueueFamilyIndex != there)
    fake_dma_buf.n_wrong++;
  if (acquired != (acquire ? VK_NULL_HANDLE : barrier->buffer))
    fake_dma_buf.n_wrong++;
  acquired = acquire ? barrier->buffer : VK_NULL_HANDLE;
  if (acquire)
    fake_dma_buf.n_acquired++;
  else
    fake_dma_buf.n_released++;
}

static VKAPI_ATTR void VKAPI_CALL
fake_CmdPipelineBarrier (VkCommandBuffer commands, VkPipelineStageFlags from,
                         VkPipelineStageFlags to, VkDependencyFlags flags, uint32_t n_memory,
                         const VkMemoryBarrier *memory, uint32_t n_buffers,
                         const VkBufferMemoryBarrier *buffers, uint32_t n_images,
                         const VkImageMemoryBarrier *images)
{
  g_autofree VkBufferMemoryBarrier *changed =
      g_memdup2 (buffers, n_buffers * sizeof (VkBufferMemoryBarrier));

  for (uint32_t i = 0; i < n_buffers; i++) {
    note_hand_over (&buffers[i]);
    if (changed[i].srcQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT)
      changed[i].srcQueueFamilyIndex = VK_QUEUE_FAMILY_EXTERNAL;
    if (changed[i].dstQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT)
      changed[i].dstQueueFamilyIndex = VK_QUEUE_FAMILY_EXTERNAL;
  }
  real.CmdPipelineBarrier (commands, from, to, flags, n_memory, memory, n_buffers, changed,
                           n_images, images);
}

static VKAPI_ATTR void VKAPI_CALL
fake_CmdDispatch (VkCommandBuffer commands, uint32_t x, uint32_t y, uint32_t z)
{
  if (acquired != VK_NULL_HANDLE)
    fake_dma_buf.n_dispatches++;
  real.CmdDispatch (commands, x, y, z);
}

/* Loading */

#define TAKE(proc, name, from)                                    \
  if (strcmp (proc, "vk" #name) == 0) {                           \
    real.name = (PFN_vk##name)from;                               \
    return from != NULL ? (PFN_vkVoidFunction)fake_##name : NULL; \
  }

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
fake_GetDeviceProcAddr (VkDevice device, const char *name)
{
  PFN_vkVoidFunction function = real.GetDeviceProcAddr (device, name);

  if (strcmp (name, "vkGetMemoryFdPropertiesKHR") == 0) {
    const char *host = "vkGetMemoryHostPointerPropertiesEXT";

    real.GetMemoryHostPointerPropertiesEXT =
        (PFN_vkGetMemoryHostPointerPropertiesEXT)real.GetDeviceProcAddr (device, host);
    return real.GetMemoryHostPointerPropertiesEXT != NULL
               ? (PFN_vkVoidFunction)fake_GetMemoryFdPropertiesKHR
               : NULL;
  }
  TAKE (name, CreateBuffer, function)
  TAKE (name, AllocateMemory, function)
  TAKE (name, FreeMemory, function)
  TAKE (name, CmdPipelineBarrier, function)
  TAKE (name, CmdDispatch, function)
  return function;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
fake_GetInstanceProcAddr (VkInstance instance, const char *name)
{
  PFN_vkVoidFunction function = real.GetInstanceProcAddr (instance, name);

  TAKE (name, GetDeviceProcAddr, function)
  TAKE (name, EnumerateDeviceExtensionProperties, function)
  TAKE (name, GetPhysicalDeviceExternalBufferProperties, function)
  TAKE (name, CreateDevice, function)
  return function;
}

/* All other functions are asked of the first one. */
void
fake_dma_buf_wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->GetInstanceProcAddr == fake_GetInstanceProcAddr)
    return;
  real.GetInstanceProcAddr = vk->GetInstanceProcAddr;
  vk->GetInstanceProcAddr = fake_GetInstanceProcAddr;
}

gint
fake_dma_buf_new (gsize size)
{
  gint fd = memfd_create ("dma-buf", MFD_CLOEXEC);

  expect (fd >= 0 && ftruncate (fd, (off_t)size) == 0, "memory for a file");
  return fd;
}

guint
fake_dma_buf_count_descriptors (void)
{
  DIR *folder = opendir ("/proc/self/fd");
  guint n = 0;

  while (readdir (folder) != NULL)
    n++;
  closedir (folder);
  return n;
}
