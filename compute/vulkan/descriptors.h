/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptor sets, one per dispatch, written once. */
#pragma once

#include "vulkan/recording.h"

typedef struct {
  VkDescriptorPool pool;
  VkDescriptorSet *sets; /* by dispatch */
  GArray *texel_views;   /* VkBufferView */
  /* A word for each dispatch, at the distance that bindings need; no buffer if no dispatch stores
   * float16. */
  EnsVulkanBuffer overflows;
} EnsVulkanDescriptors;

/* Allocates and writes the sets of all dispatches, whose regions must be final, and fills in their
 * push constants' offsets. pipelines: by dispatch. `descriptors` must be zero; it is safe to clear
 * whether this succeeds or not. */
gboolean ens_vulkan_descriptors_init (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device,
                                      const GArray *dispatches,
                                      const EnsVulkanPipeline *const *pipelines, GError **error);
void ens_vulkan_descriptors_clear (EnsVulkanDescriptors *descriptors, EnsVulkanDevice *device);

/* Whether a dispatch has overflowed float16 since the last call. What was submitted must have run.
 */
gboolean ens_vulkan_descriptors_take_overflow (const EnsVulkanDescriptors *descriptors,
                                               const EnsVulkanDevice *device, guint dispatch);
