/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/physical.h"

#include <string.h>

/* The structures that a device fills, chained. Extensions that became part of Vulkan 1.2 and 1.3
 * are asked for by their own structures, so that drivers of 1.1 can answer too. */
typedef struct {
  VkPhysicalDeviceFeatures2 features;
  VkPhysicalDevice16BitStorageFeatures storage16;
  VkPhysicalDevice8BitStorageFeatures storage8;
  VkPhysicalDeviceShaderFloat16Int8Features float16;
  VkPhysicalDeviceVulkanMemoryModelFeatures memory_model;
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline;
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_control;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR cooperative;
  VkPhysicalDeviceCooperativeMatrix2FeaturesNV cooperative2;
} Features;

typedef struct {
  VkPhysicalDeviceProperties2 properties;
  VkPhysicalDeviceIDProperties id;
  VkPhysicalDeviceMaintenance3Properties maintenance;
  VkPhysicalDeviceSubgroupProperties subgroup;
  VkPhysicalDeviceDriverProperties driver;
  VkPhysicalDeviceSubgroupSizeControlProperties subgroup_control;
} Properties;

/* Whether a device has an extension, or the version that took it in. */
typedef struct {
  VkExtensionProperties *list;
  guint32 n;
  guint32 version; /* the device's */
} Extensions;

static gboolean
has_extension (const Extensions *extensions, const char *name, guint32 core_version)
{
  if (core_version != 0 && extensions->version >= core_version)
    return TRUE;
  for (guint i = 0; i < extensions->n; i++)
    if (strcmp (extensions->list[i].extensionName, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
list_extensions (const EnsVulkanInstance *instance, VkPhysicalDevice handle, Extensions *extensions,
                 GError **error)
{
  ENS_VK (&instance->vk, "Vulkan", EnumerateDeviceExtensionProperties, handle, NULL, &extensions->n,
          NULL);
  extensions->list = g_new (VkExtensionProperties, extensions->n);
  ENS_VK (&instance->vk, "Vulkan", EnumerateDeviceExtensionProperties, handle, NULL, &extensions->n,
          extensions->list);
  return TRUE;
error:
  return FALSE;
}

/* Puts a structure in front of what is chained already. */
#define CHAIN(head, structure, type)                               \
  G_STMT_START                                                     \
  {                                                                \
    (structure)->sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##type; \
    (structure)->pNext = (head)->pNext;                            \
    (head)->pNext = (structure);                                   \
  }                                                                \
  G_STMT_END

static void
probe_features (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk,
                const Extensions *extensions)
{
  Features f = {.features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};

  CHAIN (&f.features, &f.storage16, 16BIT_STORAGE_FEATURES);
  if (has_extension (extensions, VK_KHR_8BIT_STORAGE_EXTENSION_NAME, VK_API_VERSION_1_2))
    CHAIN (&f.features, &f.storage8, 8BIT_STORAGE_FEATURES);
  if (has_extension (extensions, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, VK_API_VERSION_1_2))
    CHAIN (&f.features, &f.float16, SHADER_FLOAT16_INT8_FEATURES);
  if (has_extension (extensions, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, VK_API_VERSION_1_2))
    CHAIN (&f.features, &f.memory_model, VULKAN_MEMORY_MODEL_FEATURES);
  if (has_extension (extensions, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME, VK_API_VERSION_1_2))
    CHAIN (&f.features, &f.timeline, TIMELINE_SEMAPHORE_FEATURES);
  if (has_extension (extensions, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_API_VERSION_1_3))
    CHAIN (&f.features, &f.subgroup_control, SUBGROUP_SIZE_CONTROL_FEATURES);
  if (has_extension (extensions, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, 0))
    CHAIN (&f.features, &f.cooperative, COOPERATIVE_MATRIX_FEATURES_KHR);
  if (has_extension (extensions, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME, 0))
    CHAIN (&f.features, &f.cooperative2, COOPERATIVE_MATRIX_2_FEATURES_NV);
  vk->GetPhysicalDeviceFeatures2 (physical->handle, &f.features);
  physical->cooperative = f.cooperative.cooperativeMatrix;
  physical->workgroup_matrices = f.cooperative2.cooperativeMatrixWorkgroupScope;
  physical->flexible_matrices = f.cooperative2.cooperativeMatrixFlexibleDimensions;
  physical->tensors = f.cooperative2.cooperativeMatrixTensorAddressing;
  physical->storage16 = f.storage16.storageBuffer16BitAccess;
  physical->storage8 = f.storage8.storageBuffer8BitAccess;
  physical->float16 = f.float16.shaderFloat16;
  physical->memory_model = f.memory_model.vulkanMemoryModel;
  physical->timeline = f.timeline.timelineSemaphore;
  physical->subgroup_control =
      f.subgroup_control.subgroupSizeControl && f.subgroup_control.computeFullSubgroups;
}

/* Buffers that other devices write, cameras above all. */
static void
probe_imports (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk,
               const Extensions *extensions)
{
  const VkPhysicalDeviceExternalBufferInfo info = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
      .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
  };
  VkExternalBufferProperties properties = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
  VkExternalMemoryFeatureFlags features;

  if (!has_extension (extensions, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, 0)
      || !has_extension (extensions, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME, 0))
    return;
  vk->GetPhysicalDeviceExternalBufferProperties (physical->handle, &info, &properties);
  features = properties.externalMemoryProperties.externalMemoryFeatures;
  physical->dma_buf = (features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
  physical->dedicated = (features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
  physical->foreign_queues =
      has_extension (extensions, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, 0);
}

static gboolean
has_quirk (const EnsVulkanPhysical *physical, EnsQuirkFlags flag)
{
  const EnsDriverQuirk *quirk = ens_vulkan_find_quirk (physical->driver_id);

  return quirk != NULL && (quirk->flags & flag);
}

static void
note_properties (EnsVulkanPhysical *physical, const Properties *p)
{
  const VkPhysicalDeviceProperties *properties = &p->properties.properties;
  const VkPhysicalDeviceLimits *limits = &properties->limits;

  physical->type = properties->deviceType;
  g_strlcpy (physical->name, properties->deviceName, sizeof physical->name);
  g_snprintf (physical->driver, sizeof physical->driver, "%s %s", p->driver.driverName,
              p->driver.driverInfo);
  physical->driver_id = p->driver.driverID;
  physical->subgroup_control =
      physical->subgroup_control && !has_quirk (physical, ENS_QUIRK_NO_FULL_SUBGROUPS)
      && (p->subgroup_control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  physical->vendor_id = properties->vendorID;
  physical->device_id = properties->deviceID;
  physical->driver_version = properties->driverVersion;
  memcpy (physical->uuid, p->id.deviceUUID, VK_UUID_SIZE);
  memcpy (physical->cache_uuid, properties->pipelineCacheUUID, VK_UUID_SIZE);
  physical->max_allocation = p->maintenance.maxMemoryAllocationSize;
  physical->max_storage_range = limits->maxStorageBufferRange;
  physical->offset_alignment =
      MAX (limits->minStorageBufferOffsetAlignment, limits->minTexelBufferOffsetAlignment);
  physical->max_push_size = limits->maxPushConstantsSize;
  physical->timestamp_period = limits->timestampPeriod;
  physical->min_subgroup = p->subgroup_control.minSubgroupSize;
  physical->max_subgroup = p->subgroup_control.maxSubgroupSize;
  memcpy (physical->traits.max_groups, limits->maxComputeWorkGroupCount,
          sizeof physical->traits.max_groups);
  physical->traits.max_group_size =
      MIN (limits->maxComputeWorkGroupInvocations, limits->maxComputeWorkGroupSize[0]);
  physical->traits.max_shared = limits->maxComputeSharedMemorySize;
  physical->traits.max_texel_elements = limits->maxTexelBufferElements;
  physical->traits.subgroup_size = p->subgroup.subgroupSize;
  physical->traits.float16 = physical->float16 && physical->storage16;
  /* Software devices read storage buffers element by element, texels as vectors. */
  physical->traits.prefers_texels =
      ens_vulkan_physical_is_software (physical)
      && (p->subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0;
  /* A large GPU has 100 to 200 multiprocessors; Vulkan does not report their number. */
  physical->traits.busy_groups = ens_vulkan_physical_is_software (physical) ? 2 : 192;
}

static void
probe_properties (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk,
                  const Extensions *extensions)
{
  Properties p = {.properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};

  CHAIN (&p.properties, &p.id, ID_PROPERTIES);
  CHAIN (&p.properties, &p.maintenance, MAINTENANCE_3_PROPERTIES);
  CHAIN (&p.properties, &p.subgroup, SUBGROUP_PROPERTIES);
  if (has_extension (extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME, VK_API_VERSION_1_2))
    CHAIN (&p.properties, &p.driver, DRIVER_PROPERTIES);
  if (has_extension (extensions, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_API_VERSION_1_3))
    CHAIN (&p.properties, &p.subgroup_control, SUBGROUP_SIZE_CONTROL_PROPERTIES);
  vk->GetPhysicalDeviceProperties2 (physical->handle, &p.properties);
  note_properties (physical, &p);
}

static void
probe_memory (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk)
{
  vk->GetPhysicalDeviceMemoryProperties (physical->handle, &physical->memory);
  for (guint i = 0; i < physical->memory.memoryHeapCount; i++)
    if (physical->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      physical->local_memory = MAX (physical->local_memory, physical->memory.memoryHeaps[i].size);
}

/* A family for compute alone does not wait for what the desktop draws. */
static void
choose_queue_family (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk)
{
  g_autofree VkQueueFamilyProperties *families = NULL;
  guint32 n = 0;
  int best = -1;

  vk->GetPhysicalDeviceQueueFamilyProperties (physical->handle, &n, NULL);
  families = g_new0 (VkQueueFamilyProperties, n);
  vk->GetPhysicalDeviceQueueFamilyProperties (physical->handle, &n, families);
  for (guint i = 0; i < n; i++) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || families[i].queueCount == 0)
      continue;
    if (best < 0 || ((families[best].queueFlags & ~families[i].queueFlags) & VK_QUEUE_GRAPHICS_BIT))
      best = (int)i;
  }
  physical->queue_family = best;
  if (best >= 0 && families[best].timestampValidBits == 0)
    physical->timestamp_period = 0;
}

static const char *
find_fault (const EnsVulkanPhysical *physical)
{
  if (physical->api_version < VK_API_VERSION_1_1)
    return "its driver offers Vulkan 1.0 only";
  if (physical->queue_family < 0)
    return "it has no queue for compute";
  return NULL;
}

static gboolean
probe (EnsVulkanPhysical *physical, const EnsVulkanInstance *instance, GError **error)
{
  const EnsVulkanFunctions *vk = &instance->vk;
  VkPhysicalDeviceProperties properties;
  Extensions extensions = {0};
  gboolean done = TRUE;

  vk->GetPhysicalDeviceProperties (physical->handle, &properties);
  physical->api_version = extensions.version = properties.apiVersion;
  g_strlcpy (physical->name, properties.deviceName, sizeof physical->name);
  if (physical->api_version >= VK_API_VERSION_1_1) {
    done = list_extensions (instance, physical->handle, &extensions, error);
    if (done) {
      probe_features (physical, vk, &extensions);
      probe_properties (physical, vk, &extensions);
      probe_imports (physical, vk, &extensions);
      done = ens_vulkan_matrices_probe (physical, vk, error);
    }
    g_free (extensions.list);
  }
  probe_memory (physical, vk);
  choose_queue_family (physical, vk);
  ens_vulkan_matrices_choose (physical, ENS_MATRIX_MODE_BEST);
  physical->unfit = find_fault (physical);
  return done;
}

GArray *
ens_vulkan_list (const EnsVulkanInstance *instance, GError **error)
{
  g_autoptr (GArray) list = g_array_new (FALSE, TRUE, sizeof (EnsVulkanPhysical));
  g_autofree VkPhysicalDevice *handles = NULL;
  guint32 n = 0;

  ENS_VK (&instance->vk, "Vulkan", EnumeratePhysicalDevices, instance->handle, &n, NULL);
  handles = g_new0 (VkPhysicalDevice, n);
  ENS_VK (&instance->vk, "Vulkan", EnumeratePhysicalDevices, instance->handle, &n, handles);
  g_array_set_size (list, n);
  for (guint i = 0; i < n; i++) {
    EnsVulkanPhysical *physical = &g_array_index (list, EnsVulkanPhysical, i);

    physical->index = i;
    physical->handle = handles[i];
    if (!probe (physical, instance, error))
      goto error;
  }
  return g_steal_pointer (&list);
error:
  return NULL;
}

void
ens_vulkan_physical_apply (EnsVulkanPhysical *physical, const EnsVulkanOptions *options)
{
  if (options->no_texels)
    physical->traits.prefers_texels = FALSE;
  ens_vulkan_matrices_choose (physical, options->matrices);
}

gboolean
ens_vulkan_physical_is_software (const EnsVulkanPhysical *physical)
{
  return physical->type == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

char *
ens_vulkan_version_to_string (guint32 version)
{
  return g_strdup_printf ("%u.%u.%u", VK_API_VERSION_MAJOR (version),
                          VK_API_VERSION_MINOR (version), VK_API_VERSION_PATCH (version));
}

char *
ens_vulkan_uuid_to_string (const guint8 *uuid)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (text, "%02x", uuid[i]);
  return g_string_free (text, FALSE);
}
