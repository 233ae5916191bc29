/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network on a batch of images on a GPU, in as few parts as its memory allows. */
#pragma once

#include "engine/backend.h"
#include "passes/store-float16.h"
#include "vulkan/executor.h"

typedef struct _EnsVulkanBatch EnsVulkanBatch;

/* Parameters; all outlive the batch. */
typedef struct {
  const EnsGraph *graph;    /* load-time passes have run */
  const EnsGraph *inferred; /* its copy with the shapes of the whole batch */
  const EnsVulkanContext *context;
  const EnsFloat16Policy *float16; /* NULL: float32 */
  EnsNetwork *network;             /* as in EnsPlanContext */
} EnsVulkanBatchSource;

/* A batch that exceeds the device's memory is split into halves until it fits, if the images don't
 * depend on each other. (transfer full) */
EnsVulkanBatch *ens_vulkan_batch_new (const EnsVulkanBatchSource *source, GError **error);
void ens_vulkan_batch_free (EnsVulkanBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanBatch, ens_vulkan_batch_free)

/* The executor of the whole batch, or NULL if the batch is split. (transfer none) */
EnsVulkanExecutor *ens_vulkan_batch_get_whole (const EnsVulkanBatch *batch);
/* How many images run at a time. */
guint ens_vulkan_batch_get_chunk (const EnsVulkanBatch *batch);
/* Bytes on the device beside the weights. */
gsize ens_vulkan_batch_get_size (const EnsVulkanBatch *batch);
guint ens_vulkan_batch_get_n_steps (const EnsVulkanBatch *batch);

/* As ens_vulkan_executor_list_float16_on_cpu () for all of it. */
void ens_vulkan_batch_list_float16_on_cpu (const EnsVulkanBatch *batch, GHashTable *names);
/* As ens_vulkan_executor_take_overflows () for all of it. */
gboolean ens_vulkan_batch_take_overflows (EnsVulkanBatch *batch, gboolean all, GHashTable *names);

/* As ens_plan_profile (); one thread at a time. */
gboolean ens_vulkan_batch_run (EnsVulkanBatch *batch, const EnsBackendRun *run, GError **error);
