/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compute pipelines: made once per device for each shader with its constants. */
#pragma once

#include <shaders.h>

#include "vulkan/device-private.h"

/* The key of a pipeline. */
typedef struct {
  const EnsShader *shader;
  guint32 constants[ENS_MAX_CONSTANTS];
  guint32 n_constants;
  guint32 n_bindings;
  guint32 texels; /* bit i: binding i is a texel buffer */
  guint32 push_size;
  gboolean full_subgroups;
} EnsVulkanPipelineKey;

typedef struct {
  EnsVulkanPipelineKey key;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline handle;
} EnsVulkanPipeline;

/* Whether the shader reports float16 overflows, at ENS_OVERFLOW_BINDING. */
static inline gboolean
ens_vulkan_pipeline_checks (const EnsVulkanPipelineKey *key)
{
  return key->shader->storage == ENS_TYPE_FLOAT16;
}

/* The device's store of pipelines. */
gboolean ens_vulkan_pipelines_init (EnsVulkanDevice *device, GError **error);
void ens_vulkan_pipelines_clear (EnsVulkanDevice *device);

/* Fills `pipelines` with those for the keys, n of each; makes those that are missing side by side
 * on the pool, or, where it is NULL, one after the other. They belong to the device. Keys have
 * zeroes where nothing is set. Any thread. */
gboolean ens_vulkan_pipelines_get (EnsVulkanDevice *device, const EnsVulkanPipelineKey *keys,
                                   const EnsVulkanPipeline **pipelines, guint n,
                                   EnsThreadPool *pool, GError **error);

/* Makes the pipeline now, or finds it; FALSE if the driver fails at it, which is tried once. */
gboolean ens_vulkan_pipelines_try (EnsVulkanDevice *device, const EnsVulkanPipelineKey *key);
