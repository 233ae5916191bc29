/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/map-picture.h"

/* Where a pixel lies between the centres of sub-images along one axis: `share` of the way from one
 * to the next. */
typedef struct {
  guint from, to;
  float share;
} Position;

/* begin: of `n` sub-images of `part` along an axis of 1. */
static Position
locate (const float *begin, guint n, float part, float at)
{
  guint next = 0;
  float before, after;

  while (next < n && begin[next] + part / 2 <= at)
    next++;
  if (next == 0 || next == n)
    return (Position) {MIN (next, n - 1), MIN (next, n - 1), 0};
  before = begin[next - 1] + part / 2;
  after = begin[next] + part / 2;
  return (Position) {next - 1, next, (at - before) / (after - before)};
}

static float
mix (float a, float b, float share)
{
  return a + (b - a) * share;
}

EnsPicture *
ens_map_picture_new (const EnsResult *result, guint class_index, guint longer)
{
  const EnsProbabilityMap *map = result->map;
  const float *p = &map->probabilities[class_index];
  const gsize step = result->n_classes, row_step = step * map->columns;
  guint side = MAX (result->width, result->height);
  guint width = MAX (((guint64)result->width * longer + side / 2) / side, 1);
  guint height = MAX (((guint64)result->height * longer + side / 2) / side, 1);
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_GRAY8, width, height);

  for (guint y = 0; y < height; y++) {
    guint8 *pixels = ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0];
    Position row = locate (map->y, map->rows, map->height, (y + 0.5F) / height);
    const float *upper = &p[row.from * row_step], *lower = &p[row.to * row_step];

    for (guint x = 0; x < width; x++) {
      Position column = locate (map->x, map->columns, map->width, (x + 0.5F) / width);
      float left = mix (upper[column.from * step], lower[column.from * step], row.share);
      float right = mix (upper[column.to * step], lower[column.to * step], row.share);

      pixels[x] = (guint8)(255 * CLAMP (mix (left, right, column.share), 0, 1) + 0.5F);
    }
  }
  return picture;
}
