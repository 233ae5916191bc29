/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DMABufs, which other drivers fill, imported as buffers that shaders read.
 *
 * Cameras and decoders cycle through a few buffers, so the latest imports are cached. The cache's
 * key is the DMABuf's inode (each has its own since Linux 5.3) and its size, not its descriptor,
 * whose number is soon reused. Inodes are reused too, but not while they are open: each import
 * keeps a descriptor of its own. */
#pragma once

#include "vulkan/buffer.h"

#define ENS_MAX_IMPORTS 8

typedef struct {
  guint64 device, inode;  /* what the DMABuf is known by, beside its size */
  gint fd;                /* a duplicate */
  EnsVulkanBuffer buffer; /* all of the DMABuf; without a handle: none is imported */
  guint64 used;           /* when it was last asked for, counted */
} EnsVulkanImport;

/* One thread at a time. Starts as zeroes. */
typedef struct {
  EnsVulkanImport list[ENS_MAX_IMPORTS];
  guint64 n_uses;
} EnsVulkanImports;

/* The buffer of a DMABuf, whose bytes before `end` will be bound. NULL, with the reason, if it
 * can't be imported. Valid until the next call. (transfer none) */
const EnsVulkanBuffer *ens_vulkan_imports_get (EnsVulkanImports *imports, EnsVulkanDevice *device,
                                               gint fd, gsize end, GError **error);
/* Nothing that was imported may be in use. */
void ens_vulkan_imports_clear (EnsVulkanImports *imports, EnsVulkanDevice *device);
