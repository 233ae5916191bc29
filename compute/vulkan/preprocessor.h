/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preprocessing on the GPU (shaders/preprocess.comp): crops rectangles of a frame, resizes,
 * converts and normalises them, and writes the batch to where executors read their inputs.
 *
 * Preprocessing comes before the graph and is no operator of it. A batch depends on the frame's
 * size and format and on its rectangles, which change with every frame, while a plan is made once
 * for the shapes of its inputs. All plans for a frame also read one copy of it, which an input of
 * each graph could not be. Tables of numbers describe the work; vision/batch-table.c writes them
 * with the arithmetic of the CPU's preprocessing, so that nothing here knows colours. */
#pragma once

#include "vision/batch-table.h"

/* One thread at a time. */
typedef struct _EnsVulkanPreprocessor EnsVulkanPreprocessor;

/* It works on the device of the executors that it is used with. */
EnsVulkanPreprocessor *ens_vulkan_preprocessor_new (void);
void ens_vulkan_preprocessor_free (EnsVulkanPreprocessor *preprocessor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanPreprocessor, ens_vulkan_preprocessor_free)

/* The frame to preprocess from now on. The next run uploads it, or reads its DMABuf in place; its
 * pixels and its DMABuf must stay until another frame is set. */
void ens_vulkan_preprocessor_set_frame (EnsVulkanPreprocessor *preprocessor,
                                        const EnsPackedFrame *frame);

/* Images of its frame, as the tables say. */
typedef struct {
  EnsVulkanPreprocessor *preprocessor;
  const EnsBatchTable *tables; /* one for each input of the graph that takes them */
} EnsPreprocessedImages;
