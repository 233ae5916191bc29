/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every Vulkan function that is called, in one table: loaded from the system's library when a
 * device is opened, so that nothing is linked, and exchangeable, so that tests can let any call
 * fail. */
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <glib.h>

#include "vulkan/cooperative-matrix.h"

/* clang-format off */
#define ENS_VULKAN_GLOBAL_FUNCTIONS(X) \
  X (CreateInstance) \
  X (EnumerateInstanceLayerProperties) \
  X (EnumerateInstanceVersion)

#define ENS_VULKAN_INSTANCE_FUNCTIONS(X) \
  X (CreateDevice) \
  X (DestroyInstance) \
  X (EnumerateDeviceExtensionProperties) \
  X (EnumeratePhysicalDevices) \
  X (GetDeviceProcAddr) \
  X (GetPhysicalDeviceExternalBufferProperties) \
  X (GetPhysicalDeviceFeatures2) \
  X (GetPhysicalDeviceMemoryProperties) \
  X (GetPhysicalDeviceProperties) \
  X (GetPhysicalDeviceProperties2) \
  X (GetPhysicalDeviceQueueFamilyProperties)

/* NULL without their extension. */
#define ENS_VULKAN_OPTIONAL_FUNCTIONS(X) \
  X (CmdBeginDebugUtilsLabelEXT) \
  X (CmdEndDebugUtilsLabelEXT) \
  X (CreateDebugUtilsMessengerEXT) \
  X (DestroyDebugUtilsMessengerEXT) \
  X (GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV) \
  X (GetPhysicalDeviceCooperativeMatrixPropertiesKHR) \
  X (SetDebugUtilsObjectNameEXT)

#define ENS_VULKAN_DEVICE_FUNCTIONS(X) \
  X (AllocateCommandBuffers) \
  X (AllocateDescriptorSets) \
  X (AllocateMemory) \
  X (BeginCommandBuffer) \
  X (BindBufferMemory) \
  X (CmdBindDescriptorSets) \
  X (CmdBindPipeline) \
  X (CmdCopyBuffer) \
  X (CmdDispatch) \
  X (CmdFillBuffer) \
  X (CmdPipelineBarrier) \
  X (CmdPushConstants) \
  X (CmdResetQueryPool) \
  X (CmdWriteTimestamp) \
  X (CreateBuffer) \
  X (CreateBufferView) \
  X (CreateCommandPool) \
  X (CreateComputePipelines) \
  X (CreateDescriptorPool) \
  X (CreateDescriptorSetLayout) \
  X (CreateFence) \
  X (CreatePipelineCache) \
  X (CreatePipelineLayout) \
  X (CreateQueryPool) \
  X (CreateShaderModule) \
  X (DestroyBuffer) \
  X (DestroyBufferView) \
  X (DestroyCommandPool) \
  X (DestroyDescriptorPool) \
  X (DestroyDescriptorSetLayout) \
  X (DestroyDevice) \
  X (DestroyFence) \
  X (DestroyPipeline) \
  X (DestroyPipelineCache) \
  X (DestroyPipelineLayout) \
  X (DestroyQueryPool) \
  X (DestroyShaderModule) \
  X (DeviceWaitIdle) \
  X (EndCommandBuffer) \
  X (FreeMemory) \
  X (GetBufferMemoryRequirements) \
  X (GetBufferMemoryRequirements2) \
  X (GetDeviceQueue) \
  X (GetPipelineCacheData) \
  X (GetQueryPoolResults) \
  X (MapMemory) \
  X (QueueSubmit) \
  X (ResetFences) \
  X (UpdateDescriptorSets) \
  X (WaitForFences)

/* NULL without their extension. */
#define ENS_VULKAN_OPTIONAL_DEVICE_FUNCTIONS(X) \
  X (GetMemoryFdPropertiesKHR)
/* clang-format on */

typedef struct _EnsVulkanFunctions EnsVulkanFunctions;

struct _EnsVulkanFunctions {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
#define ENS_VULKAN_MEMBER(name) PFN_vk##name name;
  ENS_VULKAN_GLOBAL_FUNCTIONS (ENS_VULKAN_MEMBER)
  ENS_VULKAN_INSTANCE_FUNCTIONS (ENS_VULKAN_MEMBER)
  ENS_VULKAN_OPTIONAL_FUNCTIONS (ENS_VULKAN_MEMBER)
  ENS_VULKAN_DEVICE_FUNCTIONS (ENS_VULKAN_MEMBER)
  ENS_VULKAN_OPTIONAL_DEVICE_FUNCTIONS (ENS_VULKAN_MEMBER)
#undef ENS_VULKAN_MEMBER
};

/* Each fills its part of the table, given GetInstanceProcAddr; an error names the function that is
 * missing. */
gboolean ens_vulkan_load_global (EnsVulkanFunctions *vk, GError **error);
gboolean ens_vulkan_load_instance (EnsVulkanFunctions *vk, VkInstance instance, GError **error);
gboolean ens_vulkan_load_device (EnsVulkanFunctions *vk, VkDevice device, GError **error);

/* "VK_ERROR_DEVICE_LOST" */
const char *ens_vulkan_result_name (VkResult result);

/* Sets an ENS_ERROR_RESOURCE error if memory is short, else ENS_ERROR_DEVICE: which call failed on
 * which device, and how. */
void ens_vulkan_set_error (GError **error, const char *device, const char *call, VkResult result);

/* Sets the error for systems without any driver, and says how to come by one. */
void ens_vulkan_set_no_driver (GError **error);

/* Calls a function of `vk` and goes to the label `error`, with `error` set, unless it succeeds. */
#define ENS_VK(vk, device_name, function, ...)                               \
  G_STMT_START                                                               \
  {                                                                          \
    VkResult ens_result = (vk)->function (__VA_ARGS__);                      \
                                                                             \
    if (ens_result != VK_SUCCESS) {                                          \
      ens_vulkan_set_error (error, device_name, "vk" #function, ens_result); \
      goto error;                                                            \
    }                                                                        \
  }                                                                          \
  G_STMT_END
