/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/object-mask.h"

#include <math.h>

#define SIDE ENS_OBJECT_MASK_SIDE

/* Colours are further apart: 64 in at least one channel. */
#define TOLERANCE 16

guint
ens_object_mask_count (const EnsObjectMask *mask)
{
  guint n = 0;

  for (guint i = 0; i < SIDE; i++)
    for (guint bits = mask->rows[i]; bits != 0; bits &= bits - 1)
      n++;
  return n;
}

/* -- polygons -- */

/* The cells of a row whose middles, at y, have an odd number of edges to their right. */
static guint16
scan_row (const double *points, guint n, const double box[4], double y)
{
  guint16 inside = 0;

  for (guint i = 0, last = n - 1; i < n; last = i++) {
    const double *a = &points[2 * i], *b = &points[2 * last];
    double crossing;

    if ((a[1] > y) == (b[1] > y))
      continue;
    crossing = (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0];
    for (guint column = 0; column < SIDE; column++)
      if (box[0] + (column + 0.5) / SIDE * box[2] < crossing)
        inside ^= (guint16)(1u << column);
  }
  return inside;
}

void
ens_object_mask_add_polygon (EnsObjectMask *mask, const double *points, guint n,
                             const double box[4])
{
  for (guint row = 0; row < SIDE && n > 2; row++)
    mask->rows[row] |= scan_row (points, n, box, box[1] + (row + 0.5) / SIDE * box[3]);
}

/* -- pictures of numbers -- */

/* The bits of a number, the lowest three first, are the highest bits of red, green and blue. */
static void
get_colour (guint number, float colour[3])
{
  for (guint c = 0; c < 3; c++) {
    guint value = 0;

    for (guint bit = 0; bit < 8; bit++)
      value |= (number >> (3 * bit + c) & 1) << (7 - bit);
    colour[c] = (float)value;
  }
}

/* The pixel at the middle of each cell. */
static void
list_pixels (const EnsFrame *frame, const EnsRect *box, EnsRect *pixels)
{
  const float width = 1.0F / (float)frame->width, height = 1.0F / (float)frame->height;

  for (guint i = 0; i < SIDE * SIDE; i++) {
    float x = box->x + ((float)(i % SIDE) + 0.5F) / SIDE * box->width;
    float y = box->y + ((float)(i / SIDE) + 0.5F) / SIDE * box->height;

    x = floorf (CLAMP (x, 0, 1 - width / 2) / width);
    y = floorf (CLAMP (y, 0, 1 - height / 2) / height);
    pixels[i] = (EnsRect) {x * width, y * height, width, height};
  }
}

void
ens_object_mask_find (EnsObjectMask *mask, const EnsFrame *numbers, guint number,
                      const EnsRect *box)
{
  const EnsNormalise normalise = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  EnsRect pixels[SIDE * SIDE];
  float found[SIDE * SIDE][3], colour[3];

  get_colour (number, colour);
  list_pixels (numbers, box, pixels);
  ens_frame_resize (numbers, pixels, SIDE * SIDE, 1, 1, &normalise, NULL, found[0]);
  for (guint i = 0; i < SIDE * SIDE; i++)
    if (fabsf (found[i][0] - colour[0]) < TOLERANCE && fabsf (found[i][1] - colour[1]) < TOLERANCE
        && fabsf (found[i][2] - colour[2]) < TOLERANCE)
      mask->rows[i / SIDE] |= (guint16)(1u << i % SIDE);
}
