/* What the driver has compiled, kept between runs of programs: a file for each device, driver and
 * build of the shaders in the user's cache folder. */
#pragma once

#include "vulkan/device-private.h"

/* Creates device->pipeline_cache from the file, or empty if there is none or it is damaged. */
gboolean ens_vulkan_pipeline_cache_open (EnsVulkanDevice *device, GError **error);

/* Writes the file anew, whole or not at all. It is only there to save time: that it can't be
 * written is told to the log. */
void ens_vulkan_pipeline_cache_save (EnsVulkanDevice *device);
