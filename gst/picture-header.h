/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what a file with a picture says of it before anything is decoded.
 *
 * Formats are known by the first bytes, never by names. Sources: ITU-T T.81, annex B (JPEG); W3C,
 * PNG, third edition; CompuServe, GIF 89a; Google, WebP Container Specification; ISO/IEC 23008-12
 * (HEIF); netpbm's manual pages (PNM). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  GST_ENSEMBLE_STILL_JPEG,
  GST_ENSEMBLE_STILL_PNG,
  GST_ENSEMBLE_STILL_BMP,
  GST_ENSEMBLE_STILL_GIF,
  GST_ENSEMBLE_STILL_TIFF,
  GST_ENSEMBLE_STILL_PNM,
  GST_ENSEMBLE_STILL_WEBP,
  GST_ENSEMBLE_STILL_HEIF, /* AVIF too */
  GST_ENSEMBLE_N_STILLS,   /* something else */
} GstEnsembleStillFormat;

typedef struct {
  GstEnsembleStillFormat format;
  guint64 width, height; /* as stored; 0: the file does not say, or is damaged; of HEIF always 0 */
  guint orientation;     /* Exif's 1 … 8: how what is stored has to be turned */
  gboolean grey_or_420;  /* of a JPEG: one component, or chroma of half the size (4:2:0) */
  guint depth;           /* of a PNG: bits a channel, or of an index */
  gboolean complete;     /* nothing is missing at its end, as far as that can be told */
  gsize end;             /* behind the first picture: of a GIF, which may have more */
  /* Why a sound file of this format can't be read, and what to do; NULL: it can, perhaps. */
  const char *refusal;
} GstEnsemblePictureHeader;

/* FALSE if the file is of none of the formats; its refusal is then what it is, where that is known,
 * and what to do about it, else NULL. */
gboolean gst_ensemble_picture_header_read (GBytes *file, GstEnsemblePictureHeader *header);

const char *gst_ensemble_still_format_name (GstEnsembleStillFormat format);

G_END_DECLS
