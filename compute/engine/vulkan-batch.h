/* A network on a batch of images on a GPU, in as few parts as its memory allows. */
#pragma once

#include "vulkan/executor.h"

typedef struct _EnsVulkanBatch EnsVulkanBatch;

/* graph: load-time passes have run; sample: a copy of it with the shapes of the whole batch. A
 * batch that is too large for the device is halved until it fits, if the images don't depend on
 * each other. (transfer full) */
EnsVulkanBatch *ens_vulkan_batch_new (const EnsGraph *graph, const EnsGraph *sample,
                                      const EnsVulkanContext *context, GError **error);
void ens_vulkan_batch_free (EnsVulkanBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanBatch, ens_vulkan_batch_free)

/* What runs the whole batch at once, or NULL if that takes several runs. (transfer none) */
EnsVulkanExecutor *ens_vulkan_batch_get_whole (const EnsVulkanBatch *batch);
/* How many images run at a time. */
guint ens_vulkan_batch_get_chunk (const EnsVulkanBatch *batch);
/* Bytes on the device beside the weights. */
gsize ens_vulkan_batch_get_size (const EnsVulkanBatch *batch);
guint ens_vulkan_batch_get_n_steps (const EnsVulkanBatch *batch);

/* As ens_plan_profile (); one thread at a time. */
gboolean ens_vulkan_batch_run (EnsVulkanBatch *batch, const gconstpointer *inputs,
                               const gpointer *outputs, EnsNodeTime *times, GError **error);
