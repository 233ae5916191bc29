/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/picture.h"

/* Rows at a time: what is sampled is floats. */
#define STRIP 64

static guint
size_of (float share, guint size)
{
  return (guint)CLAMP (share * (float)size + 0.5F, 1, (float)size);
}

EnsPicture *
ens_picture_new_rgb (const EnsFrame *frame, const EnsRect *rect, EnsThreadPool *pool)
{
  static const EnsNormalise plain = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  const guint width = size_of (rect->width, frame->width);
  const guint height = size_of (rect->height, frame->height);
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, width, height);
  g_autofree float *strip = g_new (float, (gsize)STRIP *width * 3);

  for (guint y = 0; y < height; y += STRIP) {
    const guint rows = MIN (STRIP, height - y);
    const EnsRect part = {rect->x, rect->y + rect->height * (float)y / (float)height, rect->width,
                          rect->height * (float)rows / (float)height};

    ens_frame_resize (frame, &part, 1, width, rows, &plain, pool, strip);
    for (guint row = 0; row < rows; row++) {
      guint8 *out = ens_picture_get_pixels (picture, 0) + (y + row) * picture->frame.strides[0];

      for (gsize i = 0; i < (gsize)width * 3; i++)
        out[i] = (guint8)CLAMP (strip[row * (gsize)width * 3 + i] + 0.5F, 0, 255);
    }
  }
  return picture;
}
