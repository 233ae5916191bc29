/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device as the engine sees it. */
#pragma once

#include "cpu/arenas.h"
#include "engine/network.h"
#include "vulkan/device.h"

/* Arenas that all plans on the device's CPU share. (transfer none) */
EnsArenas *ens_device_get_arenas (EnsDevice *device);

gboolean ens_device_is_gpu (EnsDevice *device);

/* Whether networks should use float16 storage. */
gboolean ens_device_wants_float16 (EnsDevice *device);

/* The GPU, or NULL if the device is none. (transfer full) */
EnsVulkanDevice *ens_device_ref_vulkan (EnsDevice *device);

/* The same GPU after `failed` was lost: recreated now, or by another thread since then. NULL if it
 * can't be recreated, or has failed again at once. (transfer full) */
EnsVulkanDevice *ens_device_recreate_vulkan (EnsDevice *device, EnsVulkanDevice *failed);

/* Logs a warning, and keeps it for ens_device_take_warning (). */
void ens_device_warn (EnsDevice *device, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* ens_device_open () of a GPU with other options than the environment's. (transfer full) */
EnsDevice *ens_device_open_vulkan (const char *selector, guint n_threads,
                                   const EnsVulkanOptions *options, GError **error);
