/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and labels that graphics debuggers, captures and validation messages show.
 *
 * They are of VK_EXT_debug_utils, which is enabled with the validation layers alone: else these
 * functions do nothing, and names are not even formatted. */
#pragma once

#include "vulkan/buffer.h"

static inline gboolean
ens_vulkan_device_has_names (const EnsVulkanDevice *device)
{
  return device->vk.SetDebugUtilsObjectNameEXT != NULL;
}

/* Names an object. handle: as a number. */
void ens_vulkan_device_name (const EnsVulkanDevice *device, VkObjectType type, guint64 handle,
                             const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Names a buffer and its memory; nothing if it was never made. */
void ens_vulkan_buffer_name (const EnsVulkanBuffer *buffer, const EnsVulkanDevice *device,
                             const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Puts what is recorded between the two under a label. */
void ens_vulkan_label_begin (const EnsVulkanDevice *device, VkCommandBuffer commands,
                             const char *label);
void ens_vulkan_label_end (const EnsVulkanDevice *device, VkCommandBuffer commands);
