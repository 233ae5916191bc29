/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A turned picture is resampled in two steps. ens_frame_resize () scales the part that is needed to
 * an upright picture of √2 pixels for each of the output's, or to no more than there are; bilinear
 * interpolation reads that. Both steps are triangle filters: with a half width of 1/√2 pixel each,
 * the variances add up to that of the one triangle that scales upright pictures, so that the
 * sharpness of a picture does not tell whether it was turned. */
#include "vision/warp.h"

#include <math.h>
#include <string.h>

#include "vision/pixel-layout.h"

/* How much of a pixel may be lost to rounding before it counts as outside. */
#define TOLERANCE 1e-3

/* -- rectangles -- */

/* Which pixels of an axis of n lie inside the frame: [*begin, *end). */
static void
find_inside (double from, double length, guint n, guint *begin, guint *end)
{
  const double first = ceil (-from / length * n - TOLERANCE);
  const double last = floor ((1 - from) / length * n + TOLERANCE);

  *begin = (guint)fmin (fmax (first, 0), n);
  *end = (guint)fmax (fmin (last, n), *begin);
}

static void
fill (const EnsWarp *warp, float *out, gsize n)
{
  const guint n_channels = ens_order_channels (warp->normalise->order);

  for (gsize i = 0; i < n; i++)
    memcpy (out + i * n_channels, warp->beyond, n_channels * sizeof *out);
}

static void
copy_rows (const float *from, gsize from_stride, float *to, gsize to_stride, guint n)
{
  for (guint y = 0; y < n; y++)
    memcpy (to + y * to_stride, from + y * from_stride, from_stride * sizeof *to);
}

void
ens_warp_rect (const EnsWarp *warp, const EnsRect *rect, float *out)
{
  const gsize n_channels = ens_order_channels (warp->normalise->order);
  const gsize stride = warp->width * n_channels;
  const double column = (double)rect->width / warp->width;
  const double row = (double)rect->height / warp->height;
  g_autofree float *inside = NULL;
  guint x0, x1, y0, y1;
  EnsRect part;

  find_inside (rect->x, rect->width, warp->width, &x0, &x1);
  find_inside (rect->y, rect->height, warp->height, &y0, &y1);
  if (x1 - x0 == warp->width && y1 - y0 == warp->height) {
    ens_frame_resize (warp->frame, rect, 1, warp->width, warp->height, warp->normalise, NULL, out);
    return;
  }
  fill (warp, out, (gsize)warp->width * warp->height);
  if (x0 == x1 || y0 == y1)
    return;
  part = (EnsRect) {(float)(rect->x + x0 * column), (float)(rect->y + y0 * row),
                    (float)((x1 - x0) * column), (float)((y1 - y0) * row)};
  inside = g_new (float, (x1 - x0) * n_channels * (y1 - y0));
  ens_frame_resize (warp->frame, &part, 1, x1 - x0, y1 - y0, warp->normalise, NULL, inside);
  copy_rows (inside, (x1 - x0) * n_channels, out + y0 * stride + x0 * n_channels, stride, y1 - y0);
}

/* -- affine maps -- */

/* One axis of the frame: where the output's pixels lie on it, the part that they need, and to how
 * many pixels this part is scaled. */
typedef struct {
  guint size;
  double map[3]; /* from pixels of the output to those of the frame */
  double step;   /* pixels of the frame for one of the output */
  guint low, high;
  guint n;
} Axis;

/* Bounds are even, because two pixels may share their chroma. */
static Axis
get_axis (const EnsWarp *warp, const double map[3], guint size)
{
  Axis axis = {size, {map[0] * size / warp->width, map[1] * size / warp->height, map[2] * size}};
  const double along = map[0] * size, across = map[1] * size;
  double margin, low, high;

  axis.step = hypot (axis.map[0], axis.map[1]);
  margin = 2 * fmax (axis.step, 1);
  low = axis.map[2] + fmin (along, 0) + fmin (across, 0) - margin;
  high = axis.map[2] + fmax (along, 0) + fmax (across, 0) + margin;
  axis.low = (guint)fmin (fmax (floor (low), 0), size) / 2 * 2;
  axis.high = MIN (((guint)fmin (fmax (ceil (high), 0), size) + 1) / 2 * 2, size);
  axis.high = MAX (axis.high, axis.low);
  axis.n = (guint)ceil ((axis.high - axis.low) * fmin (G_SQRT2 / axis.step, 1));
  return axis;
}

/* Interpolation reads one row and one pixel more than there are. (transfer full) */
static float *
scale_part (const EnsWarp *warp, const Axis *x, const Axis *y)
{
  const EnsFramePart part = {x->low, y->low, x->high - x->low, y->high - y->low};
  const EnsFrame cut = ens_frame_cut (warp->frame, &part);
  const gsize n_pixels = x->n * ((gsize)y->n + 1) + 1;
  float *scaled = g_new0 (float, n_pixels *ens_order_channels (warp->normalise->order));

  ens_frame_resize (&cut, &ENS_RECT_WHOLE, 1, x->n, y->n, warp->normalise, NULL, scaled);
  return scaled;
}

/* Between which two of the scaled pixels a pixel of the output lies, and how far towards the second
 * one. *cover is multiplied by how much of it lies in the frame. */
static guint
find_pair (const Axis *axis, guint u, guint v, float *share, float *cover)
{
  const double position = axis->map[0] * (u + 0.5) + axis->map[1] * (v + 0.5) + axis->map[2];
  const double depth = fmin (position, axis->size - position) / axis->step + 0.5;
  const double scaled = (position - axis->low) * axis->n / (axis->high - axis->low) - 0.5;
  const double inside = fmin (fmax (scaled, 0), axis->n - 1.0);
  const guint first = MIN ((guint)inside, MAX (axis->n, 2) - 2);

  *cover *= (float)fmin (fmax (depth, 0), 1);
  *share = (float)(inside - first);
  return first;
}

/* corner: the upper left of four pixels. */
static float
interpolate (const float *corner, gsize right, gsize below, float x, float y)
{
  const float upper = corner[0] + x * (corner[right] - corner[0]);
  const float lower = corner[below] + x * (corner[below + right] - corner[below]);

  return upper + y * (lower - upper);
}

void
ens_warp_affine (const EnsWarp *warp, const EnsAffine *affine, float *out)
{
  const gsize n_channels = ens_order_channels (warp->normalise->order);
  const Axis axis_x = get_axis (warp, affine->x, warp->frame->width);
  const Axis axis_y = get_axis (warp, affine->y, warp->frame->height);
  g_autofree float *scaled = NULL;

  if (axis_x.n == 0 || axis_y.n == 0) {
    fill (warp, out, (gsize)warp->width * warp->height);
    return;
  }
  scaled = scale_part (warp, &axis_x, &axis_y);
  for (guint v = 0; v < warp->height; v++)
    for (guint u = 0; u < warp->width; u++) {
      float x, y, cover = 1;
      const guint left = find_pair (&axis_x, u, v, &x, &cover);
      const guint top = find_pair (&axis_y, u, v, &y, &cover);
      const float *corner = scaled + (top * (gsize)axis_x.n + left) * n_channels;

      for (guint c = 0; c < n_channels; c++, out++) {
        const float value = interpolate (corner + c, n_channels, axis_x.n * n_channels, x, y);

        *out = cover == 1 ? value : warp->beyond[c] + cover * (value - warp->beyond[c]);
      }
    }
}
