/* What a device has for the networks on it. */
#pragma once

#include <ensemble/network.h>

#include "cpu/memory.h"
#include "vulkan/device.h"

/* Arenas that all plans on the device's CPU share. (transfer none) */
EnsArenas *ens_device_get_arenas (EnsDevice *device);

/* The GPU, or NULL if the device is none. (transfer none) */
EnsVulkanDevice *ens_device_get_vulkan (EnsDevice *device);

/* ens_device_open () of a GPU with other options than the environment's. (transfer full) */
EnsDevice *ens_device_open_vulkan (const char *selector, guint n_threads,
                                   const EnsVulkanOptions *options, GError **error);
