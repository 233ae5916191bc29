/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of pictures as tests need them, written byte by byte: encoders write the usual kinds alone.
 *
 * All are of PICTURE_WIDTH × PICTURE_HEIGHT, white in the upper left quarter, else black. */
#pragma once

#include <glib.h>

#define PICTURE_WIDTH 48
#define PICTURE_HEIGHT 32

typedef struct {
  guint depth, colour; /* as IHDR has them */
  gboolean interlaced;
  guint orientation; /* of an eXIf chunk; 0: none */
} PngKind;

/* (transfer full) */
GBytes *picture_png (const PngKind *kind);
/* A head that says such a size, and nothing behind it but zeroes. (transfer full) */
GBytes *picture_png_of_size (guint width, guint height);
/* channels of 8 or 16 bits; orientation 0: none is said. (transfer full) */
GBytes *picture_tiff (guint bits, gboolean big_endian, guint orientation);
/* Of several pictures, of which the first is the picture, and the next ones are cut off. (transfer
 * full) */
GBytes *picture_gif (void);
/* Exif, TIFF's header first, as PNG and WebP have it. (transfer full) */
GBytes *picture_exif (guint orientation);
