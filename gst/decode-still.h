/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: one photograph after another through the same decoder.
 *
 * A pipeline per file takes ten times longer to build than a small photograph to decode. Here a
 * decoder and the elements behind it run without threads of their own: pushing a file into them
 * returns when the picture has come out, or could not. */
#pragma once

#include <gst/gst.h>

#include "vision/picture.h"

G_BEGIN_DECLS

typedef enum {
  GST_ENSEMBLE_STILL_JPEG,
  GST_ENSEMBLE_STILL_PNG,
  GST_ENSEMBLE_STILL_BMP,
  GST_ENSEMBLE_STILL_GIF, /* the first picture */
  GST_ENSEMBLE_N_STILLS,  /* something else */
} GstEnsembleStillFormat;

/* By the file's first bytes. */
GstEnsembleStillFormat gst_ensemble_still_format (GBytes *file);

typedef struct _GstEnsembleStillDecoder GstEnsembleStillDecoder;

/* NULL if GStreamer lacks an element for it. One thread at a time. */
GstEnsembleStillDecoder *gst_ensemble_still_decoder_new (GstEnsembleStillFormat format);
void gst_ensemble_still_decoder_free (GstEnsembleStillDecoder *decoder);

/* path: for messages. After an error the decoder may not be used again. (transfer full) */
EnsPicture *gst_ensemble_still_decoder_read (GstEnsembleStillDecoder *decoder, GBytes *file,
                                             const char *path, GError **error);

G_END_DECLS
