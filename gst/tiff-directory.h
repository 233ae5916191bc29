/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the first directory of a TIFF file, which is what Exif is written as, too.
 *
 * Source: Adobe, TIFF Revision 6.0, 1992; Exif 2.3; Adobe, Digital Negative 1.4. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint64 width, height;           /* 0 where it does not say */
  guint64 tile_width, tile_height; /* 0 where it has strips */
  guint bits;                      /* of the first channel; 1 where it does not say */
  gboolean floating;               /* numbers with a sign or an exponent */
  guint orientation;               /* 1 … 8, of other numbers 1; 0 where it does not say */
  gboolean raw;                    /* what a camera's sensor saw: no picture yet */
} GstEnsembleTiffDirectory;

/* FALSE if there is no directory. Whatever the bytes are, reading stays inside them. */
gboolean gst_ensemble_tiff_scan (const guint8 *data, gsize size,
                                 GstEnsembleTiffDirectory *directory);

G_END_DECLS
