/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/command-pool.h"

gboolean
ens_vulkan_command_pool_init (EnsVulkanCommandPool *pool, EnsVulkanDevice *device, GError **error)
{
  const VkCommandPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .queueFamilyIndex = (guint32)device->physical.queue_family,
  };
  const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};

  ENS_VK_DEVICE (device, CreateCommandPool, device->handle, &info, NULL, &pool->handle);
  ENS_VK_DEVICE (device, CreateFence, device->handle, &fence, NULL, &pool->fence);
  return TRUE;
error:
  return FALSE;
}

void
ens_vulkan_command_pool_clear (EnsVulkanCommandPool *pool, EnsVulkanDevice *device)
{
  if (pool->fence != VK_NULL_HANDLE)
    device->vk.DestroyFence (device->handle, pool->fence, NULL);
  if (pool->handle != VK_NULL_HANDLE)
    device->vk.DestroyCommandPool (device->handle, pool->handle, NULL);
  *pool = (EnsVulkanCommandPool) {0};
}

VkCommandBuffer
ens_vulkan_command_pool_begin (EnsVulkanCommandPool *pool, EnsVulkanDevice *device, GError **error)
{
  const VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = pool->handle,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1,
  };
  const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  VkCommandBuffer commands;

  ENS_VK_DEVICE (device, AllocateCommandBuffers, device->handle, &info, &commands);
  ENS_VK_DEVICE (device, BeginCommandBuffer, commands, &begin);
  return commands;
error:
  return VK_NULL_HANDLE;
}

gboolean
ens_vulkan_command_pool_end (EnsVulkanDevice *device, VkCommandBuffer commands, GError **error)
{
  const VkPipelineStageFlags stages =
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  const VkAccessFlags writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
  const VkMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = writes,
      .dstAccessMask = writes | VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT
                       | VK_ACCESS_HOST_READ_BIT,
  };

  device->vk.CmdPipelineBarrier (commands, stages, stages | VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                                 &barrier, 0, NULL, 0, NULL);
  ENS_VK_DEVICE (device, EndCommandBuffer, commands);
  return TRUE;
error:
  return FALSE;
}
