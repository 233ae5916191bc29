/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/picture.h"

void
test_picture_fill_random (EnsPicture *picture, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  for (guint p = 0; p < ens_pixels_planes (picture->frame.pixels); p++) {
    gsize n = picture->frame.strides[p]
              * ens_pixels_rows (picture->frame.pixels, p, picture->frame.height);

    for (gsize i = 0; i < n; i++)
      ens_picture_get_pixels (picture, p)[i] = (guint8)g_rand_int (random);
  }
}
