/* Sampling as the executor asks for it. */
#pragma once

#include "vulkan/buffer.h"
#include "vulkan/preprocessor.h"

/* A batch, and where it is to lie. */
typedef struct {
  const EnsBatchTable *table;
  EnsType type; /* of its elements: FLOAT32 or FLOAT16 */
  EnsVulkanRegion to;
} EnsVulkanSampling;

/* Records commands that sample n batches, to be submitted once, in front of what reads them, before
 * the preprocessor is used again. Writes what they read, the frame only if it is not there yet and
 * can't be read in place.
 * VK_NULL_HANDLE on error, of the class UNSUPPORTED where the device can't bind or dispatch so
 * much. */
VkCommandBuffer ens_vulkan_preprocessor_record (EnsVulkanPreprocessor *preprocessor,
                                                EnsVulkanDevice *device,
                                                const EnsVulkanSampling *samplings, guint n,
                                                EnsThreadPool *pool, GError **error);
/* What was recorded has run, and with it the frame has come to the device. */
void ens_vulkan_preprocessor_finish (EnsVulkanPreprocessor *preprocessor);
/* Whether sampling number i of what has run gave what is no finite number in 16 bits. */
gboolean ens_vulkan_preprocessor_take_overflow (const EnsVulkanPreprocessor *preprocessor, guint i);
