/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers, each with its own memory allocation: a plan has a handful. */
#pragma once

#include "vulkan/device-private.h"

typedef enum {
  ENS_BUFFER_DEVICE,   /* where the GPU computes; mapped where the CPU reaches it at no cost */
  ENS_BUFFER_UPLOAD,   /* the CPU writes, the GPU copies from it */
  ENS_BUFFER_READBACK, /* the GPU copies or writes to it, the CPU reads */
} EnsVulkanBufferKind;

typedef struct {
  VkBuffer handle;
  VkDeviceMemory memory;
  gsize size;
  char *mapped; /* NULL: the CPU can't see it */
} EnsVulkanBuffer;

/* A part of a buffer. */
typedef struct {
  const EnsVulkanBuffer *buffer;
  gsize offset, size; /* bytes */
} EnsVulkanRegion;

/* `buffer` must be zero; it is safe to clear whether this succeeds or not. A size of 0 gives a
 * small buffer. */
gboolean ens_vulkan_buffer_init (EnsVulkanBuffer *buffer, EnsVulkanDevice *device,
                                 EnsVulkanBufferKind kind, gsize size, GError **error);
void ens_vulkan_buffer_clear (EnsVulkanBuffer *buffer, EnsVulkanDevice *device);

/* Data to write, and its place in the buffer. */
typedef struct {
  gconstpointer data;
  gsize offset, size; /* bytes */
} EnsVulkanPiece;

/* Writes to a device buffer and waits for completion: for data that is written once. */
gboolean ens_vulkan_buffer_write (const EnsVulkanBuffer *buffer, EnsVulkanDevice *device,
                                  const EnsVulkanPiece *pieces, guint n, GError **error);
