/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/residual.h"

#include <string.h>

#include "base/simd.h"
#include "vision/colour.h"
#include "vision/filter.h"
#include "vision/pixel-layout.h"

/* Rows of one task. */
#define BAND_ROWS 32

/* One plane of the frame. */
typedef struct {
  const EnsFrame *frame;
  EnsPicture *picture;
  guint plane, width, height;
  guint channels; /* bytes of a pixel */
  guint residual_width;
  const float *deltas; /* of the plane's channels, as many as the residual has places */
  EnsFilter x, y;
} Plane;

/* Where samples lie among the residual's places. Those of chroma planes lie as EnsFrame says. */
static EnsFilterSpan
find_span (guint n_samples, guint shift, double site, guint size, guint n_places)
{
  double scale = (double)n_places / size, first = shift > 0 ? site - 1 : 0;

  return (EnsFilterSpan) {first * scale, (first + ((double)n_samples * (1u << shift))) * scale, 0,
                          n_places};
}

/* Which of the colour model's components a channel of a plane is; 3: none. */
static guint
find_component (const EnsPixelsLayout *layout, guint plane, guint channel)
{
  guint component = 0;

  for (guint p = 0; p < plane; p++)
    channel += layout->planes[p].channels;
  if (layout->model == ENS_MODEL_GRAY)
    return 0;
  while (component < 3 && layout->components[component] != channel)
    component++;
  return component;
}

/* The residual as the plane's channels change by it. (transfer full) */
static float *
map_residual (const EnsFrame *frame, guint plane, const EnsResidual *residual)
{
  const EnsPixelsLayout *layout = &ens_pixels_layouts[frame->pixels];
  const guint channels = layout->planes[plane].channels;
  const gsize n = (gsize)residual->width * residual->height;
  float *deltas = g_new0 (float, n *channels);
  float matrix[3][3];

  ens_colour_get_changes (frame, matrix);
  for (guint c = 0; c < channels; c++) {
    guint component = find_component (layout, plane, c);

    for (gsize i = 0; i < n && component < 3; i++)
      for (guint k = 0; k < 3; k++)
        deltas[i * channels + c] += matrix[component][k] * residual->values[3 * i + k];
  }
  return deltas;
}

static void
plane_init (Plane *plane, const EnsFrame *frame, EnsPicture *picture, guint index,
            const EnsResidual *residual)
{
  const EnsPlaneLayout *layout = &ens_pixels_layouts[frame->pixels].planes[index];
  EnsFilterSpan x, y;

  *plane = (Plane) {.frame = frame,
                    .picture = picture,
                    .plane = index,
                    .width = ens_plane_size (frame->width, layout->shift),
                    .height = ens_plane_size (frame->height, layout->shift),
                    .channels = layout->channels,
                    .residual_width = residual->width,
                    .deltas = map_residual (frame, index, residual)};
  x = find_span (plane->width, layout->shift, 0.5, frame->width, residual->width);
  y = find_span (plane->height, layout->shift, 1, frame->height, residual->height);
  ens_filter_init (&plane->x, &x, plane->width, 0, plane->width);
  ens_filter_init (&plane->y, &y, plane->height, 0, plane->height);
}

static void
plane_clear (Plane *plane)
{
  ens_filter_clear (&plane->x);
  ens_filter_clear (&plane->y);
  g_free ((float *)plane->deltas);
}

/* The row of deltas at one of the plane's rows, as wide as the residual. */
ENS_CLONES static void
blend_row (const Plane *plane, guint row, float *restrict blended)
{
  const gsize n = (gsize)plane->residual_width * plane->channels;
  const float *weights = plane->y.weights + (gsize)row * plane->y.taps;

  memset (blended, 0, n * sizeof *blended);
  for (guint t = 0; t < plane->y.taps; t++) {
    const float *from = plane->deltas + (plane->y.first[row] + t) * n;

    for (gsize i = 0; i < n; i++)
      blended[i] += weights[t] * from[i];
  }
}

/* Adding this and taking it away again rounds a float to the nearest whole number, ties to even. */
#define ROUNDING 12582912.0f

ENS_INLINE guint8
round_to_byte (float value)
{
  value = value < 0 ? 0 : value > 255 ? 255 : value;
  return (guint8)((value + ROUNDING) - ROUNDING);
}

ENS_CLONES static void
add_row (const Plane *plane, const float *blended, const guint8 *from, guint8 *to)
{
  const guint channels = plane->channels, taps = plane->x.taps;

  for (gsize x = 0; x < plane->width; x++) {
    const float *weights = plane->x.weights + x * taps;
    const float *deltas = blended + (gsize)plane->x.first[x] * channels;

    for (guint c = 0; c < channels; c++) {
      float sum = 0;

      for (guint t = 0; t < taps; t++)
        sum += weights[t] * deltas[t * channels + c];
      to[x * channels + c] = round_to_byte (from[x * channels + c] + sum);
    }
  }
}

static void
add_band (gpointer data, guint task, guint worker)
{
  const Plane *plane = data;
  const EnsFrame *frame = plane->frame, *out = &plane->picture->frame;
  g_autofree float *blended = g_new (float, (gsize)plane->residual_width * plane->channels);

  for (guint row = task * BAND_ROWS; row < MIN ((task + 1) * BAND_ROWS, plane->height); row++) {
    blend_row (plane, row, blended);
    add_row (plane, blended, frame->planes[plane->plane] + row * frame->strides[plane->plane],
             ens_picture_get_pixels (plane->picture, plane->plane)
                 + row * out->strides[plane->plane]);
  }
}

static EnsPicture *
make_picture (const EnsFrame *frame, EnsPicture *into)
{
  if (into == NULL || into->frame.pixels != frame->pixels || into->frame.width != frame->width
      || into->frame.height != frame->height) {
    g_clear_pointer (&into, ens_picture_unref);
    into = ens_picture_new (frame->pixels, frame->width, frame->height);
  }
  into->frame.matrix = frame->matrix;
  into->frame.range = frame->range;
  return into;
}

EnsPicture *
ens_frame_add_residual (const EnsFrame *frame, const EnsResidual *residual, EnsPicture *into,
                        EnsThreadPool *pool)
{
  EnsPicture *picture = make_picture (frame, into);

  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++) {
    Plane plane;

    plane_init (&plane, frame, picture, p, residual);
    ens_thread_pool_run (pool, (plane.height + BAND_ROWS - 1) / BAND_ROWS, add_band, &plane);
    plane_clear (&plane);
  }
  return picture;
}
