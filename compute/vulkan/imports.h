/* DMABufs, which other drivers fill, as buffers that shaders read.
 *
 * Cameras and decoders go round a few buffers, so the latest imports are kept. A DMABuf is known by
 * its inode (every one has its own since Linux 5.3) and its size, not by its descriptor, whose
 * number may be another's tomorrow. Inodes are given anew as well, but not while they are in use:
 * each import keeps a descriptor of its own, so that what it is found by can't be another buffer.
 */
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

/* The DMABuf that a descriptor stands for, of which bytes before `end` will be bound. NULL, with
 * the reason, if it can't be imported. What is returned stays for as long as nothing else is asked
 * for. */
const EnsVulkanBuffer *ens_vulkan_imports_get (EnsVulkanImports *imports, EnsVulkanDevice *device,
                                               gint fd, gsize end, GError **error);
/* Nothing that was imported may be in use. */
void ens_vulkan_imports_clear (EnsVulkanImports *imports, EnsVulkanDevice *device);
