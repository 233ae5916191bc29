/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preprocessing as the executor asks for it. */
#pragma once

#include "vulkan/buffer.h"
#include "vulkan/preprocessor.h"

/* A batch, and the memory it is written to. */
typedef struct {
  const EnsBatchTable *table;
  EnsType type; /* of its elements: FLOAT32 or FLOAT16 */
  EnsVulkanRegion to;
} EnsVulkanPreprocessTask;

/* Records commands that make n batches. They must be submitted once, before the commands that read
 * the batches, and before the preprocessor is used again. Uploads the tables, and the frame unless
 * it is there already or can be read in place.
 * VK_NULL_HANDLE on error, of the class UNSUPPORTED where the device can't bind or dispatch so
 * much. */
VkCommandBuffer ens_vulkan_preprocessor_record (EnsVulkanPreprocessor *preprocessor,
                                                EnsVulkanDevice *device,
                                                const EnsVulkanPreprocessTask *tasks, guint n,
                                                EnsThreadPool *pool, GError **error);
/* To be called when the recorded commands have run: the frame is on the device then. */
void ens_vulkan_preprocessor_finish (EnsVulkanPreprocessor *preprocessor);
/* Whether task i of the commands that have run overflowed float16. */
gboolean ens_vulkan_preprocessor_take_overflow (const EnsVulkanPreprocessor *preprocessor, guint i);
