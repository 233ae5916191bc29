/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command buffers that are recorded once, and the fence that tells when one has run. */
#pragma once

#include "vulkan/device-private.h"

typedef struct {
  VkCommandPool handle;
  VkFence fence;
} EnsVulkanCommandPool;

/* `pool` must be zero; it is safe to clear whether this succeeds or not. */
gboolean ens_vulkan_command_pool_init (EnsVulkanCommandPool *pool, EnsVulkanDevice *device,
                                       GError **error);
void ens_vulkan_command_pool_clear (EnsVulkanCommandPool *pool, EnsVulkanDevice *device);

/* A new buffer, open for recording, that lives as long as the pool; VK_NULL_HANDLE on error. */
VkCommandBuffer ens_vulkan_command_pool_begin (EnsVulkanCommandPool *pool, EnsVulkanDevice *device,
                                               GError **error);
/* Makes what was recorded visible to the CPU and to later submissions, and ends it. */
gboolean ens_vulkan_command_pool_end (EnsVulkanDevice *device, VkCommandBuffer commands,
                                      GError **error);
