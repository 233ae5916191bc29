/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/functions.h"

#include "base/error.h"

static gboolean
fail_missing (const char *name, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "the Vulkan library or driver lacks %s: Vulkan 1.1 or later is needed", name);
  return FALSE;
}

#define LOAD_INSTANCE(name)                                                \
  vk->name = (PFN_vk##name)vk->GetInstanceProcAddr (instance, "vk" #name); \
  if (vk->name == NULL)                                                    \
    return fail_missing ("vk" #name, error);

#define LOAD_OPTIONAL(name) vk->name = (PFN_vk##name)vk->GetInstanceProcAddr (instance, "vk" #name);

#define LOAD_DEVICE(name)                                              \
  vk->name = (PFN_vk##name)vk->GetDeviceProcAddr (device, "vk" #name); \
  if (vk->name == NULL)                                                \
    return fail_missing ("vk" #name, error);

#define LOAD_OPTIONAL_DEVICE(name) \
  vk->name = (PFN_vk##name)vk->GetDeviceProcAddr (device, "vk" #name);

gboolean
ens_vulkan_load_global (EnsVulkanFunctions *vk, GError **error)
{
  VkInstance instance = VK_NULL_HANDLE;

  ENS_VULKAN_GLOBAL_FUNCTIONS (LOAD_INSTANCE)
  return TRUE;
}

gboolean
ens_vulkan_load_instance (EnsVulkanFunctions *vk, VkInstance instance, GError **error)
{
  ENS_VULKAN_INSTANCE_FUNCTIONS (LOAD_INSTANCE)
  ENS_VULKAN_OPTIONAL_FUNCTIONS (LOAD_OPTIONAL)
  return TRUE;
}

gboolean
ens_vulkan_load_device (EnsVulkanFunctions *vk, VkDevice device, GError **error)
{
  ENS_VULKAN_DEVICE_FUNCTIONS (LOAD_DEVICE)
  ENS_VULKAN_OPTIONAL_DEVICE_FUNCTIONS (LOAD_OPTIONAL_DEVICE)
  return TRUE;
}

#define NAME(result) \
  {                  \
    result, #result  \
  }

static const struct {
  VkResult result;
  const char *name;
} results[] = {
    NAME (VK_NOT_READY),
    NAME (VK_TIMEOUT),
    NAME (VK_INCOMPLETE),
    NAME (VK_ERROR_OUT_OF_HOST_MEMORY),
    NAME (VK_ERROR_OUT_OF_DEVICE_MEMORY),
    NAME (VK_ERROR_INITIALIZATION_FAILED),
    NAME (VK_ERROR_DEVICE_LOST),
    NAME (VK_ERROR_MEMORY_MAP_FAILED),
    NAME (VK_ERROR_LAYER_NOT_PRESENT),
    NAME (VK_ERROR_EXTENSION_NOT_PRESENT),
    NAME (VK_ERROR_FEATURE_NOT_PRESENT),
    NAME (VK_ERROR_INCOMPATIBLE_DRIVER),
    NAME (VK_ERROR_TOO_MANY_OBJECTS),
    NAME (VK_ERROR_FORMAT_NOT_SUPPORTED),
    NAME (VK_ERROR_FRAGMENTED_POOL),
    NAME (VK_ERROR_UNKNOWN),
    NAME (VK_ERROR_OUT_OF_POOL_MEMORY),
    NAME (VK_ERROR_INVALID_EXTERNAL_HANDLE),
    NAME (VK_ERROR_VALIDATION_FAILED_EXT),
    NAME (VK_ERROR_INVALID_SHADER_NV),
};

const char *
ens_vulkan_result_name (VkResult result)
{
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    if (results[i].result == result)
      return results[i].name;
  return "an unknown result";
}

void
ens_vulkan_set_error (GError **error, const char *device, const char *call, VkResult result)
{
  gboolean memory = result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY
                    || result == VK_ERROR_OUT_OF_POOL_MEMORY || result == VK_ERROR_FRAGMENTED_POOL;

  g_set_error (error, ENS_ERROR, memory ? ENS_ERROR_RESOURCE : ENS_ERROR_DEVICE,
               "%s: %s failed with %s (%d)", device, call, ens_vulkan_result_name (result),
               (int)result);
}

void
ens_vulkan_set_no_driver (GError **error)
{
  g_set_error_literal (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                       "no Vulkan device was found; is the GPU's driver installed (Debian: "
                       "mesa-vulkan-drivers, or the vendor's)?");
}
