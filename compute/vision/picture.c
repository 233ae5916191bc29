/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/picture.h"

#include <string.h>

#define ROW_ALIGNMENT 64

EnsPicture *
ens_picture_new_wrapped (const EnsFrame *frame, GDestroyNotify free_pixels, gpointer owner)
{
  EnsPicture *picture = g_new0 (EnsPicture, 1);

  picture->frame = *frame;
  picture->pts = G_MAXUINT64;
  picture->free_pixels = free_pixels;
  picture->owner = owner;
  g_atomic_ref_count_init (&picture->references);
  return picture;
}

EnsPicture *
ens_picture_new (EnsPixels pixels, guint width, guint height)
{
  EnsFrame frame = {.pixels = pixels, .width = width, .height = height};
  gsize offsets[3] = {0}, size = 0;
  guint8 *memory;

  g_return_val_if_fail (pixels < ENS_N_PIXELS, NULL);
  g_return_val_if_fail (width > 0 && width <= ENS_FRAME_MAX_SIZE, NULL);
  g_return_val_if_fail (height > 0 && height <= ENS_FRAME_MAX_SIZE, NULL);
  for (guint p = 0; p < ens_pixels_planes (pixels); p++) {
    gsize bytes = ens_pixels_row_bytes (pixels, p, width);

    frame.strides[p] = (bytes + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
    offsets[p] = size;
    size += frame.strides[p] * ens_pixels_rows (pixels, p, height);
  }
  memory = g_malloc0 (size);
  for (guint p = 0; p < ens_pixels_planes (pixels); p++)
    frame.planes[p] = memory + offsets[p];
  return ens_picture_new_wrapped (&frame, g_free, memory);
}

EnsPicture *
ens_picture_ref (EnsPicture *picture)
{
  g_atomic_ref_count_inc (&picture->references);
  return picture;
}

void
ens_picture_unref (EnsPicture *picture)
{
  if (!g_atomic_ref_count_dec (&picture->references))
    return;
  if (picture->free_pixels != NULL)
    picture->free_pixels (picture->owner);
  g_free (picture);
}

guint8 *
ens_picture_get_pixels (EnsPicture *picture, guint plane)
{
  g_return_val_if_fail (plane < ens_pixels_planes (picture->frame.pixels), NULL);
  return (guint8 *)picture->frame.planes[plane];
}
