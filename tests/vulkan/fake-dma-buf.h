/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver that imports DMABufs, in front of one that does not: Mesa's lavapipe got that in 2024
 * (24.3), and real ones need hardware that fills them.
 *
 * It stands between the engine and the driver, answers for the extensions in question and turns the
 * import of a descriptor into that of the memory it maps to (VK_EXT_external_memory_host). A file
 * in memory takes the DMABuf's place: it has a descriptor, a size and an inode of its own, can be
 * mapped, and is one buffer for all who map it. */
#pragma once

#include "vulkan/functions.h"

typedef struct {
  /* What it should do. */
  gboolean refuses;   /* every import fails */
  gboolean dedicated; /* imports need allocations of their own */
  gboolean distant;   /* it has no VK_EXT_queue_family_foreign */
  /* What has been done. */
  guint n_imports, n_dedicated;
  guint n_acquired, n_released; /* buffers, by recorded barriers */
  guint n_dispatches;           /* recorded while a buffer was acquired */
  guint n_wrong;                /* acquired twice, released unacquired, or of wrong queues */
  int n_live;                   /* imports that have not been freed */
} FakeDmaBuf;

extern FakeDmaBuf fake_dma_buf;

/* For EnsVulkanOptions.wrap: in front of other wrappers. Where the driver lacks what the fake
 * needs, it stays away, and the device imports nothing. */
void fake_dma_buf_wrap (EnsVulkanFunctions *vk, gpointer data);

/* A file in memory of this many bytes. */
gint fake_dma_buf_new (gsize size);
/* Open ones of this process. */
guint fake_dma_buf_count_descriptors (void);
