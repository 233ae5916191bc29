/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The colour spaces selective search segments in. */
#pragma once

#include <glib.h>

typedef enum {
  ENS_COLOUR_YCBCR,
  ENS_COLOUR_HSV,
  ENS_COLOUR_RGI, /* normalised red and green, intensity */
} EnsColourSpace;

/* Full-range Y'CbCr of BT.601 (n pixels of three floats, 0 ... 255) to three planes of the space,
 * each scaled to 0 ... 255 * unit. */
void ens_colour_space_convert (EnsColourSpace space, const float *ycbcr, gsize n, guint unit,
                               gint16 *const planes[3]);
