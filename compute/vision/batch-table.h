/* Sampling of a frame written down for a device to carry out. */
#pragma once

#include "vision/framing.h"
#include "vulkan/sampler.h"

/* The planes of a frame, rows packed one behind the other; its pixels stay the frame's. */
void ens_packed_frame_init (EnsPackedFrame *packed, const EnsFrame *frame);

/* What ens_frame_sample_framed () does, of a frame packed as above. FALSE, and nothing to clear, if
 * shaders don't take the framing or a frame that large. */
gboolean ens_batch_table_init (EnsBatchTable *table, const EnsFrame *frame, const EnsRect *rects,
                               guint n_rects, const EnsFramedSampling *sampling);
void ens_batch_table_clear (EnsBatchTable *table);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBatchTable, ens_batch_table_clear)
