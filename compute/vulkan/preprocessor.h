/* Batches of pictures sampled from a frame on the GPU (shaders/preprocess.comp), where executors
 * read them.
 *
 * This is the head of a run and no operator of the graph. A batch depends on the frame's size and
 * format and on its rectangles, which are others in each frame, while a plan is made once for the
 * shapes of its inputs; and all plans that look at a frame read one copy of it, which an input of
 * each graph could not be. What is sampled is said by tables of numbers, which vision/batch-table.c
 * writes with the arithmetic that the CPU samples with: here nothing is known of colours. */
#pragma once

#include "vision/batch-table.h"

/* One thread at a time. */
typedef struct _EnsVulkanPreprocessor EnsVulkanPreprocessor;

/* It works on whatever device the executors are on that it samples for. */
EnsVulkanPreprocessor *ens_vulkan_preprocessor_new (void);
void ens_vulkan_preprocessor_free (EnsVulkanPreprocessor *preprocessor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanPreprocessor, ens_vulkan_preprocessor_free)

/* The frame that is sampled from now on. It goes to the device with the next run, or is read where
 * it lies; its pixels and its DMABuf must stay as long as it is sampled. */
void ens_vulkan_preprocessor_set_frame (EnsVulkanPreprocessor *preprocessor,
                                        const EnsPackedFrame *frame);
