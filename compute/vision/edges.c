/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/edges.h"

#include <math.h>
#include <string.h>

void
ens_plane_init (EnsPlane *plane, guint width, guint height)
{
  *plane = (EnsPlane) {width, height, g_new0 (float, (gsize)width *height)};
}

void
ens_plane_clear (EnsPlane *plane)
{
  g_clear_pointer (&plane->values, g_free);
}

void
ens_plane_init_luma (EnsPlane *plane, const EnsFrame *frame)
{
  static const EnsNormalise luma = {ENS_ORDER_GRAY, {0}, {1 / 255.0F}};

  ens_plane_init (plane, frame->width, frame->height);
  ens_frame_resize (frame, &ENS_RECT_WHOLE, 1, frame->width, frame->height, &luma, NULL,
                    plane->values);
}

static float
get (const EnsPlane *plane, gint x, gint y)
{
  x = CLAMP (x, 0, (gint)plane->width - 1);
  y = CLAMP (y, 0, (gint)plane->height - 1);
  return plane->values[(gsize)y * plane->width + (gsize)x];
}

/* ---- Smoothing ---- */

/* The weights of a pixel and its neighbours on one side; their number is *n. (transfer full) */
static float *
make_weights (double deviation, gint *n)
{
  gint radius = (gint)ceil (3 * deviation);
  float *weights = g_new (float, radius + 1);
  double sum = 0;

  for (gint i = 0; i <= radius; i++) {
    double weight = exp (-i * i / (2 * deviation * deviation));

    weights[i] = (float)weight;
    sum += i > 0 ? 2 * weight : weight;
  }
  for (gint i = 0; i <= radius; i++)
    weights[i] = (float)(weights[i] / sum);
  *n = radius + 1;
  return weights;
}

/* Along x, or else along y. */
static void
blur_axis (const EnsPlane *from, const float *weights, gint n, gboolean along_x, EnsPlane *to)
{
  for (gint y = 0; y < (gint)from->height; y++)
    for (gint x = 0; x < (gint)from->width; x++) {
      float sum = weights[0] * get (from, x, y);

      for (gint i = 1; i < n; i++)
        sum += weights[i]
               * (along_x ? get (from, x - i, y) + get (from, x + i, y)
                          : get (from, x, y - i) + get (from, x, y + i));
      to->values[(gsize)y * to->width + (gsize)x] = sum;
    }
}

void
ens_plane_blur (EnsPlane *plane, double deviation)
{
  g_auto (EnsPlane) between = {0};
  g_autofree float *weights = NULL;
  gint n;

  g_return_if_fail (deviation > 0);
  weights = make_weights (deviation, &n);
  ens_plane_init (&between, plane->width, plane->height);
  blur_axis (plane, weights, n, TRUE, &between);
  blur_axis (&between, weights, n, FALSE, plane);
}

void
ens_plane_copy_blurred (const EnsPlane *plane, double deviation, EnsPlane *copy)
{
  *copy = *plane;
  copy->values = g_memdup2 (plane->values, (gsize)plane->width * plane->height * sizeof (float));
  ens_plane_blur (copy, deviation);
}

/* ---- Thinning ---- */

/* A direction; of no length where there is none. */
typedef struct {
  float x, y;
} Normal;

static float
interpolate (const EnsPlane *plane, float x, float y)
{
  float left = floorf (x), top = floorf (y), u = x - left, v = y - top;
  gint i = (gint)left, j = (gint)top;

  return (1 - v) * ((1 - u) * get (plane, i, j) + u * get (plane, i + 1, j))
         + v * ((1 - u) * get (plane, i, j + 1) + u * get (plane, i + 1, j + 1));
}

/* Of two pixels that are equally high the one before is taken. */
static gboolean
is_highest (const EnsPlane *plane, guint x, guint y, Normal normal)
{
  float value = get (plane, (gint)x, (gint)y);

  return (normal.x != 0 || normal.y != 0)
         && value > interpolate (plane, (float)x + normal.x, (float)y + normal.y)
         && value >= interpolate (plane, (float)x - normal.x, (float)y - normal.y);
}

/* The eigenvector of the smaller eigenvalue of the second derivatives, if that is negative. */
static Normal
find_bend (const EnsPlane *plane, gint x, gint y)
{
  float centre = 2 * get (plane, x, y);
  float xx = get (plane, x - 1, y) + get (plane, x + 1, y) - centre;
  float yy = get (plane, x, y - 1) + get (plane, x, y + 1) - centre;
  float xy = (get (plane, x - 1, y - 1) + get (plane, x + 1, y + 1) - get (plane, x + 1, y - 1)
              - get (plane, x - 1, y + 1))
             / 4;
  float smaller = (xx + yy - hypotf (xx - yy, 2 * xy)) / 2;
  float angle = atan2f (2 * xy, xx - yy) / 2 + (float)G_PI_2;

  return smaller < 0 ? (Normal) {cosf (angle), sinf (angle)} : (Normal) {0};
}

void
ens_lines_thin (const EnsPlane *map, double deviation, EnsPlane *thin)
{
  g_auto (EnsPlane) smooth = {0};

  ens_plane_copy_blurred (map, deviation, &smooth);
  ens_plane_init (thin, map->width, map->height);
  for (guint y = 0; y < map->height; y++)
    for (guint x = 0; x < map->width; x++)
      if (is_highest (&smooth, x, y, find_bend (&smooth, (gint)x, (gint)y))) {
        gsize i = (gsize)y * map->width + x;

        thin->values[i] = map->values[i];
      }
}

/* ---- Gradients ---- */

static Normal
find_gradient (const EnsPlane *plane, gint x, gint y)
{
  return (Normal) {(get (plane, x + 1, y) - get (plane, x - 1, y)) / 2,
                   (get (plane, x, y + 1) - get (plane, x, y - 1)) / 2};
}

static void
measure_gradient (const EnsPlane *smooth, EnsPlane *magnitude)
{
  ens_plane_init (magnitude, smooth->width, smooth->height);
  for (guint y = 0; y < smooth->height; y++)
    for (guint x = 0; x < smooth->width; x++) {
      Normal gradient = find_gradient (smooth, (gint)x, (gint)y);

      magnitude->values[(gsize)y * smooth->width + x] = hypotf (gradient.x, gradient.y);
    }
}

void
ens_gradient_thin (const EnsPlane *picture, double deviation, EnsPlane *thin)
{
  g_auto (EnsPlane) smooth = {0}, magnitude = {0};

  ens_plane_copy_blurred (picture, deviation, &smooth);
  measure_gradient (&smooth, &magnitude);
  ens_plane_init (thin, picture->width, picture->height);
  for (guint y = 0; y < picture->height; y++)
    for (guint x = 0; x < picture->width; x++) {
      gsize i = (gsize)y * picture->width + x;
      Normal normal = find_gradient (&smooth, (gint)x, (gint)y);
      float length = magnitude.values[i];

      if (length > 0
          && is_highest (&magnitude, x, y, (Normal) {normal.x / length, normal.y / length}))
        thin->values[i] = length;
    }
}

/* ---- Hysteresis ---- */

typedef struct {
  const EnsPlane *thin;
  EnsPlane *found;
  guint32 *queue; /* pixels whose neighbours are still to be looked at */
  gsize n_queued;
} Flood;

static void
find (Flood *flood, gsize i, float threshold)
{
  flood->found->values[i] = threshold;
  flood->queue[flood->n_queued++] = (guint32)i;
}

static void
spread (Flood *flood, gsize i, float threshold, float low)
{
  const gint width = (gint)flood->thin->width, height = (gint)flood->thin->height;
  const gint x = (gint)(i % flood->thin->width), y = (gint)(i / flood->thin->width);

  for (gint v = MAX (y - 1, 0); v <= MIN (y + 1, height - 1); v++)
    for (gint u = MAX (x - 1, 0); u <= MIN (x + 1, width - 1); u++) {
      gsize k = (gsize)v * (gsize)width + (gsize)u;

      if (flood->found->values[k] == 0 && flood->thin->values[k] >= low)
        find (flood, k, threshold);
    }
}

/* All that was found at higher thresholds may have new neighbours. */
static void
flood_threshold (Flood *flood, float threshold, float low)
{
  const gsize n = (gsize)flood->thin->width * flood->thin->height;

  flood->n_queued = 0;
  for (gsize i = 0; i < n; i++)
    if (flood->found->values[i] > 0)
      flood->queue[flood->n_queued++] = (guint32)i;
    else if (flood->thin->values[i] >= threshold)
      find (flood, i, threshold);
  for (gsize i = 0; i < flood->n_queued; i++)
    spread (flood, flood->queue[i], threshold, low);
}

void
ens_canny_thresholds (const EnsPlane *thin, double low, guint n, EnsPlane *found)
{
  g_autofree guint32 *queue = g_new (guint32, (gsize)thin->width * thin->height);
  Flood flood = {.thin = thin, .found = found, .queue = queue};

  ens_plane_init (found, thin->width, thin->height);
  for (guint i = n; i > 0; i--) {
    double threshold = (double)i / (n + 1);

    flood_threshold (&flood, (float)threshold, (float)(threshold * low));
  }
}
