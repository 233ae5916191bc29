/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Vulkan device, and a graph planned and put on it, with what an executor must not outlive. */
#pragma once

#include "graph/op.h"
#include "vulkan/executor.h"

/* NULL, and the test is skipped, where there is none. (transfer full) */
EnsVulkanDevice *open_device (const EnsVulkanOptions *options);

typedef struct {
  EnsVulkanWeights *weights;
  EnsPackedWeights *cpu_weights;
  EnsVulkanExecutor *executor;
} Planned;

/* For the shapes that its inputs have. */
void planned_init (Planned *planned, const EnsGraph *graph, EnsVulkanDevice *device,
                   EnsThreadPool *pool);
void planned_clear (Planned *planned);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Planned, planned_clear)

/* The tensors' elements, for a run. (transfer container) */
gpointer *list_data (const GPtrArray *tensors);
/* Tensors for a graph's outputs. (transfer full) */
GPtrArray *make_outputs (const EnsGraph *graph);
