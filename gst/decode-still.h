/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: one photograph after another through the same decoder.
 *
 * A pipeline per file takes ten times longer to build than a small photograph to decode. Here a
 * decoder and the elements behind it run without threads of their own: pushing a file into them
 * returns when the picture has come out, or could not. */
#pragma once

#include <gst/gst.h>

#include "picture-header.h"
#include "vision/picture.h"

G_BEGIN_DECLS

/* What decoders there are: one may serve several formats. */
typedef enum {
  GST_ENSEMBLE_STILL_DECODER_JPEG,
  GST_ENSEMBLE_STILL_DECODER_PNG,
  GST_ENSEMBLE_STILL_DECODER_LIBRARY, /* not an element */
  GST_ENSEMBLE_N_STILL_DECODERS,
} GstEnsembleStillDecoderKind;

GstEnsembleStillDecoderKind gst_ensemble_still_decoder_choose (
    const GstEnsemblePictureHeader *header);

typedef struct _GstEnsembleStillDecoder GstEnsembleStillDecoder;

/* NULL if GStreamer lacks an element for it. One thread at a time. */
GstEnsembleStillDecoder *gst_ensemble_still_decoder_new (GstEnsembleStillDecoderKind kind);
void gst_ensemble_still_decoder_free (GstEnsembleStillDecoder *decoder);

/* A file and what its header says. */
typedef struct {
  const char *path; /* for messages */
  GBytes *file;
  const GstEnsemblePictureHeader *header;
  guint64 max_pixels;
} GstEnsembleStill;

/* FALSE if the header shows that the file is damaged, too large or not to be read. */
gboolean gst_ensemble_still_check (const GstEnsembleStill *still, GError **error);

/* The picture, upright, of a file that passed the check. After an error the decoder may not be used
 * again. (transfer full) */
EnsPicture *gst_ensemble_still_decoder_read (GstEnsembleStillDecoder *decoder,
                                             const GstEnsembleStill *still, GError **error);

G_END_DECLS
