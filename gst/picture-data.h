/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: whether a file has all the pixels that its head promises, for formats whose
 * decoders make up what is missing.
 *
 * Whatever the bytes are, reading stays inside them; time is in proportion to them. Sources:
 * Microsoft, Bitmap Compression; netpbm's manual pages. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* n_rows rows of so many bytes from `offset` on. */
gboolean gst_ensemble_data_has_rows (gsize size, guint64 offset, guint64 row_bytes, guint64 n_rows);
/* BMP's run-length encoding of so many bits a pixel, from `offset` on: until the mark that ends it,
 * or n_rows rows have been ended. */
gboolean gst_ensemble_data_has_runs (const guint8 *data, gsize size, guint64 offset, guint bits,
                                     guint64 n_rows);
/* n numbers in text, or digits of which each is one, from `offset` on; comments are passed over. */
gboolean gst_ensemble_data_has_numbers (const guint8 *data, gsize size, guint64 offset, guint64 n,
                                        gboolean digits);

G_END_DECLS
