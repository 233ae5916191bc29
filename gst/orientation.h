/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: how a picture has to be turned, as its metadata say it.
 *
 * Sources: Exif 2.3, tag 0x112; Adobe, XMP Specification, part 2, tiff:Orientation. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Exif's 1 … 8; 0 where it is not said. */
typedef struct {
  guint exif; /* of the first block that there is, as other software reads it */
  guint xmp;  /* counts where Exif says nothing */
  gboolean has_exif;
} GstEnsembleOrientation;

/* Takes a block of Exif, with or without JPEG's prefix, unless there was one. Whatever the bytes
 * are, reading stays inside them. */
void gst_ensemble_orientation_take_exif (GstEnsembleOrientation *orientation, const guint8 *data,
                                         gsize size);
/* Takes a packet of XMP. */
void gst_ensemble_orientation_take_xmp (GstEnsembleOrientation *orientation, const guint8 *data,
                                        gsize size);
/* 1 … 8. */
guint gst_ensemble_orientation_get (const GstEnsembleOrientation *orientation);

G_END_DECLS
