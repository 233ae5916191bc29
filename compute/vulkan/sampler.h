/* Batches of pictures sampled from a frame on the GPU (shaders/sample.comp), where executors read
 * them.
 *
 * This is the head of a run and no operator of the graph. A batch depends on the frame's size and
 * format and on its rectangles, which are others in each frame, while a plan is made once for the
 * shapes of its inputs; and all plans that look at a frame read one copy of it, which an input of
 * each graph could not be. What is sampled is said by tables of numbers, which vision/batch-table.c
 * writes with the arithmetic that the CPU samples with: here nothing is known of colours. */
#pragma once

#include <glib.h>

#include "push/sample.h"

/* A plane of bytes, and where it lies in the frame's bytes on the device. */
typedef struct {
  const guint8 *data;
  gsize stride, row_bytes; /* bytes from one row to the next, and those of a row that count */
  guint n_rows;
  gsize offset, pitch; /* of the first row, and from one row to the next */
} EnsPackedPlane;

/* A frame as it lies on the device: where it comes from a DMABuf as it lies there, copied too, so
 * that one table holds whether it can be read in place or not; else rows packed one behind the
 * other. */
typedef struct {
  EnsPackedPlane planes[3];
  guint n_planes;
  gsize size;           /* bytes from the first to behind the last one */
  gint dma_buf;         /* the descriptor, borrowed; −1: it lies in none that could be read */
  gsize dma_buf_offset; /* of the first byte */
  const char *refusal;  /* why the DMABufs that it lies in can't be read; NULL: nothing speaks
                         * against it, or it lies in none */
} EnsPackedFrame;

/* One batch (n, height, width, channels). */
typedef struct {
  guint32 *table; /* as push/sample.h says */
  gsize n_words;
  guint n; /* pictures */
  EnsSamplePush push;
} EnsBatchTable;

/* One thread at a time. */
typedef struct _EnsVulkanSampler EnsVulkanSampler;

/* It works on whatever device the executors are on that it samples for. */
EnsVulkanSampler *ens_vulkan_sampler_new (void);
void ens_vulkan_sampler_free (EnsVulkanSampler *sampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanSampler, ens_vulkan_sampler_free)

/* The frame that is sampled from now on. It goes to the device with the next run, or is read where
 * it lies; its pixels and its DMABuf must stay as long as it is sampled. */
void ens_vulkan_sampler_set_frame (EnsVulkanSampler *sampler, const EnsPackedFrame *frame);
