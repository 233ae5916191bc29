/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of compiled pipelines on disk: a file for each device, driver and build of the shaders
 * in the user's cache folder. */
#pragma once

#include "vulkan/device-private.h"

/* Creates device->pipeline_cache from the file, or empty if there is none or it is corrupt. */
gboolean ens_vulkan_pipeline_cache_open (EnsVulkanDevice *device, GError **error);

/* Replaces the file atomically. The cache only saves time, so a failure is only logged. */
void ens_vulkan_pipeline_cache_save (EnsVulkanDevice *device);
