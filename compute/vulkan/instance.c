/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/instance.h"

#include <gmodule.h>
#include <string.h>

#include "base/error.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"
#define SYSTEM "Vulkan"

static gboolean
open_library (EnsVulkanInstance *instance, GError **error)
{
  static const char *const names[] = {"libvulkan.so.1", "libvulkan.so", "libvulkan.dylib"};
  gpointer symbol = NULL;

  for (guint i = 0; instance->library == NULL && i < G_N_ELEMENTS (names); i++)
    instance->library = g_module_open (names[i], G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
  if (instance->library == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s was not found; install the Vulkan loader (Debian: libvulkan1) and the driver "
                 "of the GPU",
                 names[0]);
    return FALSE;
  }
  if (g_module_symbol (instance->library, "vkGetInstanceProcAddr", &symbol))
    instance->vk.GetInstanceProcAddr = (PFN_vkGetInstanceProcAddr)symbol;
  if (instance->vk.GetInstanceProcAddr == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s has no vkGetInstanceProcAddr",
                 g_module_name (instance->library));
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_version (EnsVulkanInstance *instance, GError **error)
{
  guint32 version = 0;

  ENS_VK (&instance->vk, SYSTEM, EnumerateInstanceVersion, &version);
  if (version >= VK_API_VERSION_1_1)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "the Vulkan loader is of version %u.%u, 1.1 or later is needed",
               VK_API_VERSION_MAJOR (version), VK_API_VERSION_MINOR (version));
error:
  return FALSE;
}

/* Validation */

/* Newer layers warn that validation is slow, and list the features that they enable for it. */
static gboolean
is_about_layers (const VkDebugUtilsMessengerCallbackDataEXT *message)
{
  return g_strcmp0 (message->pMessageIdName, "VALIDATION-SETTINGS") == 0
         || g_strcmp0 (message->pMessageIdName, "WARNING-GPU-Assisted-Validation") == 0;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL
note_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
              VkDebugUtilsMessageTypeFlagsEXT types,
              const VkDebugUtilsMessengerCallbackDataEXT *message, void *data)
{
  EnsVulkanInstance *instance = data;

  if (is_about_layers (message)) {
    g_info ("Vulkan validation: %s", message->pMessage);
    return VK_FALSE;
  }
  g_atomic_int_inc (&instance->n_messages);
  g_warning ("Vulkan validation: %s", message->pMessage);
  return VK_FALSE;
}

static const VkDebugUtilsMessengerCreateInfoEXT *
describe_messenger (EnsVulkanInstance *instance, VkDebugUtilsMessengerCreateInfoEXT *info)
{
  *info = (VkDebugUtilsMessengerCreateInfoEXT) {
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
      .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                         | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
      .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT
                     | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
      .pfnUserCallback = note_message,
      .pUserData = instance,
  };
  return info;
}

static gboolean
check_layer (EnsVulkanInstance *instance, GError **error)
{
  g_autofree VkLayerProperties *layers = NULL;
  guint32 n = 0;

  ENS_VK (&instance->vk, SYSTEM, EnumerateInstanceLayerProperties, &n, NULL);
  layers = g_new (VkLayerProperties, n);
  ENS_VK (&instance->vk, SYSTEM, EnumerateInstanceLayerProperties, &n, layers);
  for (guint i = 0; i < n; i++)
    if (strcmp (layers[i].layerName, VALIDATION_LAYER) == 0)
      return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "ENSEMBLE_VULKAN_VALIDATION asks for " VALIDATION_LAYER
               ", which is not installed (Debian: vulkan-validationlayers)");
error:
  return FALSE;
}

static gboolean
create_messenger (EnsVulkanInstance *instance, GError **error)
{
  VkDebugUtilsMessengerCreateInfoEXT info;

  describe_messenger (instance, &info);
  ENS_VK (&instance->vk, SYSTEM, CreateDebugUtilsMessengerEXT, instance->handle, &info, NULL,
          &instance->messenger);
  return TRUE;
error:
  return FALSE;
}

static gboolean
create_instance (EnsVulkanInstance *instance, GError **error)
{
  static const char *const layers[] = {VALIDATION_LAYER};
  static const char *const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                           VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
  static const VkValidationFeatureEnableEXT enabled[] = {
      VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
      VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT,
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,
  };
  const VkApplicationInfo application = {
      .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
      .pEngineName = "gst-ensemble",
      .apiVersion = VK_API_VERSION_1_3,
  };
  VkDebugUtilsMessengerCreateInfoEXT messenger;
  const VkValidationFeaturesEXT features = {
      .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
      .pNext = describe_messenger (instance, &messenger),
      .enabledValidationFeatureCount = G_N_ELEMENTS (enabled),
      .pEnabledValidationFeatures = enabled,
  };
  VkInstanceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
      .pApplicationInfo = &application,
  };
  VkResult result;

  if (instance->validation) {
    info.pNext = &features;
    info.enabledLayerCount = G_N_ELEMENTS (layers);
    info.ppEnabledLayerNames = layers;
    info.enabledExtensionCount = G_N_ELEMENTS (extensions);
    info.ppEnabledExtensionNames = extensions;
  }
  result = instance->vk.CreateInstance (&info, NULL, &instance->handle);
  if (result == VK_SUCCESS)
    return TRUE;
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
    ens_vulkan_set_no_driver (error);
  else
    ens_vulkan_set_error (error, SYSTEM, "vkCreateInstance", result);
  return FALSE;
}

EnsVulkanInstance *
ens_vulkan_instance_new (const EnsVulkanOptions *options, GError **error)
{
  g_autoptr (EnsVulkanInstance) instance = g_new0 (EnsVulkanInstance, 1);

  g_atomic_ref_count_init (&instance->references);
  instance->validation = options->validation;
  if (!open_library (instance, error) || !ens_vulkan_load_global (&instance->vk, error))
    return NULL;
  if (options->wrap != NULL)
    options->wrap (&instance->vk, options->wrap_data);
  if (!check_version (instance, error) || (instance->validation && !check_layer (instance, error))
      || !create_instance (instance, error)
      || !ens_vulkan_load_instance (&instance->vk, instance->handle, error))
    return NULL;
  if (options->wrap != NULL)
    options->wrap (&instance->vk, options->wrap_data);
  if (instance->validation && !create_messenger (instance, error))
    return NULL;
  return g_steal_pointer (&instance);
}

EnsVulkanInstance *
ens_vulkan_instance_ref (EnsVulkanInstance *instance)
{
  g_atomic_ref_count_inc (&instance->references);
  return instance;
}

void
ens_vulkan_instance_unref (EnsVulkanInstance *instance)
{
  if (!g_atomic_ref_count_dec (&instance->references))
    return;
  if (instance->messenger != VK_NULL_HANDLE)
    instance->vk.DestroyDebugUtilsMessengerEXT (instance->handle, instance->messenger, NULL);
  if (instance->handle != VK_NULL_HANDLE && instance->vk.DestroyInstance != NULL)
    instance->vk.DestroyInstance (instance->handle, NULL);
  g_clear_pointer (&instance->library, g_module_close);
  g_free (instance);
}
