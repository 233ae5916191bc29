/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what a JPEG file says around its picture.
 *
 * Decoders fill a file that was cut off with grey and call it a picture, and leave orientation to
 * others. Source: ITU-T T.81, annex B; Exif 2.3. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gboolean complete; /* a scan begins, and an end-of-image marker follows it */
  guint orientation; /* 1 … 8 (orientation.h) */
  guint width, height, precision;
  /* One component, or three whose chroma has half the width and half the height. */
  gboolean grey_or_420;
  gboolean lossless; /* the coding that decoders lack */
} GstEnsembleJpegMarkers;

void gst_ensemble_jpeg_scan (GBytes *file, GstEnsembleJpegMarkers *markers);

G_END_DECLS
