/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to the system's Vulkan: library, instance, validation layers. */
#pragma once

#include "vulkan/device.h"
#include "vulkan/functions.h"

typedef struct {
  gatomicrefcount references;
  gpointer library; /* GModule */
  EnsVulkanFunctions vk;
  VkInstance handle;
  gboolean validation;
  VkDebugUtilsMessengerEXT messenger;
  int n_messages; /* of the validation layers; atomic */
} EnsVulkanInstance;

/* (transfer full) */
EnsVulkanInstance *ens_vulkan_instance_new (const EnsVulkanOptions *options, GError **error);
EnsVulkanInstance *ens_vulkan_instance_ref (EnsVulkanInstance *instance);
void ens_vulkan_instance_unref (EnsVulkanInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanInstance, ens_vulkan_instance_unref)
