/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device as the files of this folder see it. */
#pragma once

#include "base/thread-pool.h"
#include "vulkan/physical.h"

struct _EnsVulkanDevice {
  gatomicrefcount references;
  EnsVulkanInstance *instance;
  EnsVulkanFunctions vk; /* the instance's, and the device's own */
  EnsVulkanPhysical physical;
  gboolean validation, staged;
  VkDevice handle;
  EnsVulkanDeviceInfo info; /* its description belongs to the device */
  GMutex lock;              /* guards the queue and the pipelines */
  VkQueue queue;
  guint n_submits;           /* atomic */
  guint n_executors;         /* made so far, atomic */
  gsize uploaded, read_back; /* bytes, atomic */
  VkPipelineCache pipeline_cache;
  GHashTable *pipelines; /* EnsVulkanPipeline → itself */
  GHashTable *refused;   /* EnsVulkanPipelineKey → itself: what the driver failed to compile */
};

/* ENS_VK () with a device's functions and name. */
#define ENS_VK_DEVICE(device, function, ...) \
  ENS_VK (&(device)->vk, (device)->physical.name, function, __VA_ARGS__)

static inline void
ens_vulkan_device_count (gsize *counter, gsize n_bytes)
{
  (void)g_atomic_pointer_add (counter, (gssize)n_bytes);
}

/* Submits recorded commands, n buffers at once, and waits until they have run. */
gboolean ens_vulkan_device_submit (EnsVulkanDevice *device, const VkCommandBuffer *commands,
                                   guint n, VkFence fence, GError **error);
