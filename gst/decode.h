/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: files as pictures for the engine, through GStreamer's decoders. */
#pragma once

#include "vision/frame-source.h"

G_BEGIN_DECLS

/* Opens stills (JPEG, PNG, BMP, GIF, TIFF, PNM, WebP and, built with libheif, HEIC and AVIF) and
 * every video that GStreamer's plug-ins decode, paths and URIs alike. Which decoder a file goes to
 * follows from its first bytes, and it gets these bytes alone: nothing that a file says makes it
 * read or fetch anything else, unless a URI is given that leads to a playlist. Pictures are turned
 * upright by the orientation their file names (orientation.h); alpha, gamma and colour profiles are
 * left out of account. Sizes are looked at before decoding
 * (picture-limit.h). Decoders are kept and used again, so that thousands of small photographs cost
 * their decoding and little else. A file that can't be decoded is an error that names it, never a
 * wait without end. gst_init () must have been called. */
typedef struct _GstEnsembleDecoder GstEnsembleDecoder;

GstEnsembleDecoder *gst_ensemble_decoder_new (void);
/* All its sources must have been freed; pictures live on. */
void gst_ensemble_decoder_free (GstEnsembleDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEnsembleDecoder, gst_ensemble_decoder_free)

/* Belongs to the decoder. Any number of threads at once. */
const EnsFrameOpener *gst_ensemble_decoder_get_opener (GstEnsembleDecoder *decoder);

G_END_DECLS
