/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/debug.h"

static void
set_name (const EnsVulkanDevice *device, VkObjectType type, guint64 handle, const char *name)
{
  const VkDebugUtilsObjectNameInfoEXT info = {
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
      .objectType = type,
      .objectHandle = handle,
      .pObjectName = name,
  };

  /* A name that can't be kept is only missing in a debugger. */
  (void)device->vk.SetDebugUtilsObjectNameEXT (device->handle, &info);
}

void
ens_vulkan_device_name (const EnsVulkanDevice *device, VkObjectType type, guint64 handle,
                        const char *format, ...)
{
  g_autofree char *name = NULL;
  va_list arguments;

  if (!ens_vulkan_device_has_names (device))
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  set_name (device, type, handle, name);
}

void
ens_vulkan_buffer_name (const EnsVulkanBuffer *buffer, const EnsVulkanDevice *device,
                        const char *format, ...)
{
  g_autofree char *name = NULL;
  va_list arguments;

  if (!ens_vulkan_device_has_names (device) || buffer->handle == VK_NULL_HANDLE)
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  set_name (device, VK_OBJECT_TYPE_BUFFER, (guint64)buffer->handle, name);
  set_name (device, VK_OBJECT_TYPE_DEVICE_MEMORY, (guint64)buffer->memory, name);
}

void
ens_vulkan_label_begin (const EnsVulkanDevice *device, VkCommandBuffer commands, const char *label)
{
  const VkDebugUtilsLabelEXT info = {
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT,
      .pLabelName = label,
  };

  device->vk.CmdBeginDebugUtilsLabelEXT (commands, &info);
}

void
ens_vulkan_label_end (const EnsVulkanDevice *device, VkCommandBuffer commands)
{
  device->vk.CmdEndDebugUtilsLabelEXT (commands);
}
