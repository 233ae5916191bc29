/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network's constants on a device, in the forms that shaders like, shared by all its plans. */
#pragma once

#include "vulkan/device.h"

typedef struct _EnsVulkanWeights EnsVulkanWeights;

/* (transfer full) */
EnsVulkanWeights *ens_vulkan_weights_new (EnsVulkanDevice *device);
EnsVulkanWeights *ens_vulkan_weights_ref (EnsVulkanWeights *weights);
void ens_vulkan_weights_unref (EnsVulkanWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanWeights, ens_vulkan_weights_unref)

/* (transfer none) */
EnsVulkanDevice *ens_vulkan_weights_get_device (const EnsVulkanWeights *weights);
/* Bytes on the device. Any thread. */
gsize ens_vulkan_weights_get_size (EnsVulkanWeights *weights);
