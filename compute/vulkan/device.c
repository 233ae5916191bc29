/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/error.h"
#include "vulkan/device-private.h"
#include "vulkan/pipelines.h"

/* Drivers of GPUs abort submissions that take longer than some seconds; software devices are slow.
 */
#define TIMEOUT_NANOSECONDS (G_GUINT64_CONSTANT (300) * 1000000000)

static EnsMatrixMode
matrices_from_environment (void)
{
  const char *name = g_getenv ("ENSEMBLE_VULKAN_MATRICES");

  if (name == NULL || *name == '\0')
    return ENS_MATRIX_MODE_BEST;
  for (EnsMatrixMode i = ENS_MATRIX_MODE_NONE; i <= ENS_MATRIX_MODE_WORKGROUP; i++)
    if (strcmp (name, ens_matrix_mode_name (i)) == 0)
      return i;
  g_warning ("ENSEMBLE_VULKAN_MATRICES is “%s”, expected none, subgroup or workgroup", name);
  return ENS_MATRIX_MODE_BEST;
}

EnsVulkanOptions
ens_vulkan_options_from_environment (void)
{
  return (EnsVulkanOptions) {
      .validation = g_strcmp0 (g_getenv ("ENSEMBLE_VULKAN_VALIDATION"), "1") == 0,
      .staged = g_strcmp0 (g_getenv ("ENSEMBLE_VULKAN_STAGED"), "1") == 0,
      .no_texels = g_strcmp0 (g_getenv ("ENSEMBLE_VULKAN_NO_TEXELS"), "1") == 0,
      .matrices = matrices_from_environment (),
  };
}

/* Enabled features, chained, and the extensions they come from where the device's version of Vulkan
 * does not include them. */
typedef struct {
  VkPhysicalDevice16BitStorageFeatures storage16;
  VkPhysicalDevice8BitStorageFeatures storage8;
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroups;
  VkPhysicalDeviceShaderFloat16Int8Features float16;
  VkPhysicalDeviceVulkanMemoryModelFeatures memory_model;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR cooperative;
  VkPhysicalDeviceCooperativeMatrix2FeaturesNV cooperative2;
  const char *extensions[14];
  guint n_extensions;
} Enabled;

static void
enable_extension (Enabled *enabled, const EnsVulkanPhysical *physical, const char *name,
                  guint32 core_version)
{
  if (core_version == 0 || physical->api_version < core_version)
    enabled->extensions[enabled->n_extensions++] = name;
}

static void
enable_matrices (Enabled *enabled, const EnsVulkanPhysical *physical)
{
  const EnsGpuMatrices *matrices = &physical->traits.matrices;

  if (matrices->use == ENS_MATRIX_MODE_NONE)
    return;
  enabled->memory_model = (VkPhysicalDeviceVulkanMemoryModelFeatures) {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
      .pNext = &enabled->cooperative,
      .vulkanMemoryModel = VK_TRUE,
  };
  enabled->cooperative = (VkPhysicalDeviceCooperativeMatrixFeaturesKHR) {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
      .cooperativeMatrix = VK_TRUE,
  };
  enabled->float16.pNext = &enabled->memory_model;
  enable_extension (enabled, physical, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
                    VK_API_VERSION_1_2);
  enable_extension (enabled, physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, 0);
  if (matrices->use != ENS_MATRIX_MODE_WORKGROUP)
    return;
  enabled->cooperative2 = (VkPhysicalDeviceCooperativeMatrix2FeaturesNV) {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV,
      .cooperativeMatrixWorkgroupScope = !matrices->by_subgroup,
      .cooperativeMatrixFlexibleDimensions = VK_TRUE,
      .cooperativeMatrixTensorAddressing = matrices->tensors,
  };
  enabled->cooperative.pNext = &enabled->cooperative2;
  enable_extension (enabled, physical, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME, 0);
}

static void
enable (Enabled *enabled, const EnsVulkanPhysical *physical)
{
  void **next = &enabled->storage16.pNext;

  enabled->storage16 = (VkPhysicalDevice16BitStorageFeatures) {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
      .storageBuffer16BitAccess = physical->storage16,
  };
  if (physical->storage8) {
    enabled->storage8 = (VkPhysicalDevice8BitStorageFeatures) {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
        .storageBuffer8BitAccess = VK_TRUE,
    };
    *next = &enabled->storage8;
    next = &enabled->storage8.pNext;
    enable_extension (enabled, physical, VK_KHR_8BIT_STORAGE_EXTENSION_NAME, VK_API_VERSION_1_2);
  }
  if (physical->subgroup_control) {
    enabled->subgroups = (VkPhysicalDeviceSubgroupSizeControlFeatures) {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
        .subgroupSizeControl = VK_TRUE,
        .computeFullSubgroups = VK_TRUE,
    };
    *next = &enabled->subgroups;
    next = &enabled->subgroups.pNext;
    enable_extension (enabled, physical, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,
                      VK_API_VERSION_1_3);
  }
  if (!physical->traits.float16)
    return;
  enabled->float16 = (VkPhysicalDeviceShaderFloat16Int8Features) {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
      .shaderFloat16 = VK_TRUE,
  };
  *next = &enabled->float16;
  enable_extension (enabled, physical, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
                    VK_API_VERSION_1_2);
  enable_matrices (enabled, physical);
}

static void
enable_imports (Enabled *enabled, const EnsVulkanPhysical *physical)
{
  if (!physical->dma_buf)
    return;
  enable_extension (enabled, physical, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, 0);
  enable_extension (enabled, physical, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME, 0);
  if (physical->foreign_queues)
    enable_extension (enabled, physical, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, 0);
}

static gboolean
create_device (EnsVulkanDevice *device, GError **error)
{
  static const float priority = 0.5f;
  const VkDeviceQueueCreateInfo queue = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
      .queueFamilyIndex = (guint32)device->physical.queue_family,
      .queueCount = 1,
      .pQueuePriorities = &priority,
  };
  Enabled enabled = {0};
  VkDeviceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
      .pNext = &enabled.storage16,
      .queueCreateInfoCount = 1,
      .pQueueCreateInfos = &queue,
  };

  enable (&enabled, &device->physical);
  enable_imports (&enabled, &device->physical);
  info.enabledExtensionCount = enabled.n_extensions;
  info.ppEnabledExtensionNames = enabled.extensions;
  ENS_VK_DEVICE (device, CreateDevice, device->physical.handle, &info, NULL, &device->handle);
  return TRUE;
error:
  return FALSE;
}

static char *
describe (const EnsVulkanPhysical *physical)
{
  g_autofree char *version = ens_vulkan_version_to_string (physical->api_version);

  return g_strdup_printf ("%s, %s, Vulkan %s", physical->name, physical->driver, version);
}

static EnsVulkanDeviceInfo
make_info (const EnsVulkanDevice *device)
{
  const EnsVulkanPhysical *physical = &device->physical;
  const EnsGpuTraits *traits = &physical->traits;
  gboolean imports = physical->dma_buf && device->vk.GetMemoryFdPropertiesKHR != NULL;

  return (EnsVulkanDeviceInfo) {
      .index = physical->index,
      .description = describe (physical),
      .float16 = physical->storage16,
      /* Bindings begin in front of what is read, as far as they have to be aligned. */
      .max_import = imports ? physical->max_storage_range - physical->offset_alignment : 0,
      .matrices = traits->prefers_texels ? ENS_MATRIX_MODE_NONE : traits->matrices.use,
  };
}

static gboolean
choose (EnsVulkanDevice *device, const char *selector, GError **error)
{
  g_autoptr (GArray) list = ens_vulkan_list (device->instance, error);
  const EnsVulkanPhysical *physical;

  if (list == NULL)
    return FALSE;
  physical = ens_vulkan_select (list, selector, error);
  if (physical == NULL)
    return FALSE;
  device->physical = *physical;
  return TRUE;
}

static gboolean
set_up (EnsVulkanDevice *device, const EnsVulkanOptions *options, GError **error)
{
  device->vk = device->instance->vk;
  ens_vulkan_physical_apply (&device->physical, options);
  if (!create_device (device, error)
      || !ens_vulkan_load_device (&device->vk, device->handle, error))
    return FALSE;
  if (options->wrap != NULL)
    options->wrap (&device->vk, options->wrap_data);
  device->info = make_info (device);
  device->vk.GetDeviceQueue (device->handle, (guint32)device->physical.queue_family, 0,
                             &device->queue);
  return ens_vulkan_pipelines_init (device, error);
}

EnsVulkanDevice *
ens_vulkan_device_open (const char *selector, const EnsVulkanOptions *options, GError **error)
{
  g_autoptr (EnsVulkanDevice) device = g_new0 (EnsVulkanDevice, 1);
  EnsVulkanOptions defaults = ens_vulkan_options_from_environment ();

  if (options == NULL)
    options = &defaults;
  g_atomic_ref_count_init (&device->references);
  g_mutex_init (&device->lock);
  device->validation = options->validation;
  device->staged = options->staged;
  device->instance = ens_vulkan_instance_new (options, error);
  if (device->instance == NULL || !choose (device, selector, error)
      || !set_up (device, options, error))
    return NULL;
  return g_steal_pointer (&device);
}

EnsVulkanDevice *
ens_vulkan_device_ref (EnsVulkanDevice *device)
{
  g_atomic_ref_count_inc (&device->references);
  return device;
}

void
ens_vulkan_device_unref (EnsVulkanDevice *device)
{
  if (!g_atomic_ref_count_dec (&device->references))
    return;
  ens_vulkan_pipelines_clear (device);
  if (device->handle != VK_NULL_HANDLE && device->vk.DestroyDevice != NULL)
    device->vk.DestroyDevice (device->handle, NULL);
  g_clear_pointer (&device->instance, ens_vulkan_instance_unref);
  g_mutex_clear (&device->lock);
  g_free ((gpointer)device->info.description);
  g_free (device);
}

const EnsVulkanDeviceInfo *
ens_vulkan_device_get_info (const EnsVulkanDevice *device)
{
  return &device->info;
}

EnsVulkanCounters
ens_vulkan_device_get_counters (EnsVulkanDevice *device)
{
  EnsVulkanCounters counters = {
      .n_submits = (guint)g_atomic_int_get (&device->n_submits),
      .n_messages = (guint)g_atomic_int_get (&device->instance->n_messages),
      .uploaded = (gsize)g_atomic_pointer_get (&device->uploaded),
      .read_back = (gsize)g_atomic_pointer_get (&device->read_back),
  };

  g_mutex_lock (&device->lock);
  counters.n_refused = g_hash_table_size (device->refused);
  g_mutex_unlock (&device->lock);
  return counters;
}

static gboolean
submit (EnsVulkanDevice *device, const VkCommandBuffer *commands, guint n, VkFence fence,
        GError **error)
{
  const VkSubmitInfo info = {
      .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
      .commandBufferCount = n,
      .pCommandBuffers = commands,
  };
  VkResult result;

  g_mutex_lock (&device->lock);
  result = device->vk.QueueSubmit (device->queue, 1, &info, fence);
  g_mutex_unlock (&device->lock);
  if (result == VK_SUCCESS) {
    g_atomic_int_inc (&device->n_submits);
    return TRUE;
  }
  ens_vulkan_set_error (error, device->physical.name, "vkQueueSubmit", result);
  return FALSE;
}

gboolean
ens_vulkan_device_submit (EnsVulkanDevice *device, const VkCommandBuffer *commands, guint n,
                          VkFence fence, GError **error)
{
  ENS_VK_DEVICE (device, ResetFences, device->handle, 1, &fence);
  if (!submit (device, commands, n, fence, error))
    return FALSE;
  ENS_VK_DEVICE (device, WaitForFences, device->handle, 1, &fence, VK_TRUE, TIMEOUT_NANOSECONDS);
  return TRUE;
error:
  /* Objects in use must not be destroyed. Drivers abort work that never ends. */
  device->vk.DeviceWaitIdle (device->handle);
  return FALSE;
}
