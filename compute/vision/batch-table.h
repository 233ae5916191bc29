/* Sampling of a frame written down for a device to carry out. */
#pragma once

#include "vision/framing.h"
#include "vulkan/sampler.h"

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

/* What ens_frame_sample_framed () does. FALSE, and nothing to clear, if shaders don't take the
 * framing or a frame that large. */
gboolean ens_batch_table_init (EnsBatchTable *table, const EnsBatchSource *source,
                               const EnsFramedSampling *sampling);
void ens_batch_table_clear (EnsBatchTable *table);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBatchTable, ens_batch_table_clear)
