/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sampling of a frame written down for a device to carry out. */
#pragma once

#include "push/preprocess.h"
#include "vision/framing.h"

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
  guint32 *table; /* as push/preprocess.h says */
  gsize n_words;
  guint n; /* pictures */
  EnsPreprocessPush push;
} EnsBatchTable;

/* Decides how a frame will lie on a device that reads up to max_import bytes of DMABufs (0: none).
 * The pixels stay the frame's. */
void ens_packed_frame_init (EnsPackedFrame *packed, const EnsFrame *frame, gsize max_import);

/* What a batch is sampled from. */
typedef struct {
  const EnsFrame *frame;
  const EnsPackedFrame *packed; /* of it */
  const EnsRect *rects;
  guint n_rects;
} EnsBatchSource;

/* What ens_frame_resize_framed () does. FALSE, and nothing to clear, if shaders don't take the
 * framing or a frame that large. */
gboolean ens_batch_table_init (EnsBatchTable *table, const EnsBatchSource *source,
                               const EnsFramedResize *resize);
void ens_batch_table_clear (EnsBatchTable *table);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBatchTable, ens_batch_table_clear)
