/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convert, cut out, scale and normalise in one step.
 *
 * The triangle filter is separable. For each row of output the source rows under the filter are
 * blended into one row of floats, that row is filtered along x into one row per colour component,
 * and the components are mapped to the output's channels. All of that fits into the first-level
 * cache, and nothing is stored in between. */
#include "vision/crop-resize.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"
#include "vision/filter.h"
#include "vision/pixel-layout.h"

/* Rows of one task: enough to make the tables of weights cheap, few enough to share one picture
 * among many threads. */
#define BAND_ROWS 64

/* Four channels are loaded where three are wanted. */
#define PADDING 4

typedef float Float2 __attribute__ ((vector_size (8)));
typedef float Float4 __attribute__ ((vector_size (16)));

/* Sets acc to the weighted sum of n_rows rows, or adds it. */
ENS_INLINE void
blend (const guint8 *rows, gsize stride, const float *w, guint n_rows, gboolean add,
       float *restrict acc, gsize n)
{
  const guint8 *r0 = rows;
  const guint8 *r1 = n_rows > 1 ? r0 + stride : r0;
  const guint8 *r2 = n_rows > 2 ? r1 + stride : r0;
  const guint8 *r3 = n_rows > 3 ? r2 + stride : r0;

  for (gsize i = 0; i < n; i++) {
    float sum = r0[i] * w[0];

    if (n_rows > 1)
      sum += r1[i] * w[1];
    if (n_rows > 2)
      sum += r2[i] * w[2];
    if (n_rows > 3)
      sum += r3[i] * w[3];
    acc[i] = add ? acc[i] + sum : sum;
  }
}

/* n_rows is 1 to 4. */
ENS_CLONES static void
blend_group (const guint8 *rows, gsize stride, const float *weights, guint n_rows, gboolean add,
             float *restrict acc, gsize n)
{
  switch (n_rows + (add ? 4 : 0)) {
  case 1:
    blend (rows, stride, weights, 1, FALSE, acc, n);
    break;
  case 2:
    blend (rows, stride, weights, 2, FALSE, acc, n);
    break;
  case 3:
    blend (rows, stride, weights, 3, FALSE, acc, n);
    break;
  case 4:
    blend (rows, stride, weights, 4, FALSE, acc, n);
    break;
  case 5:
    blend (rows, stride, weights, 1, TRUE, acc, n);
    break;
  case 6:
    blend (rows, stride, weights, 2, TRUE, acc, n);
    break;
  case 7:
    blend (rows, stride, weights, 3, TRUE, acc, n);
    break;
  case 8:
    blend (rows, stride, weights, 4, TRUE, acc, n);
    break;
  }
}

static void
blend_rows (const guint8 *rows, gsize stride, const float *weights, guint taps, float *acc, gsize n)
{
  for (guint t = 0; t < taps; t += 4)
    blend_group (rows + t * stride, stride, weights + t, MIN (4, taps - t), t > 0, acc, n);
}

ENS_INLINE void
filter_1 (const EnsFilter *filter, guint taps, const float *in, guint n, float *const out[])
{
  for (gsize x = 0; x < n; x++) {
    const float *weights = filter->weights + x * taps;
    const float *from = in + filter->first[x];
    float sum = weights[0] * from[0];

    for (guint t = 1; t < taps; t++)
      sum += weights[t] * from[t];
    out[0][x] = sum;
  }
}

ENS_INLINE void
filter_2 (const EnsFilter *filter, guint taps, const float *in, guint n, float *const out[])
{
  for (gsize x = 0; x < n; x++) {
    const float *weights = filter->weights + x * taps;
    const float *from = in + filter->first[x] * 2;
    Float2 sum = {0}, pixel;

    for (guint t = 0; t < taps; t++) {
      memcpy (&pixel, from + t * 2, sizeof pixel);
      sum += weights[t] * pixel;
    }
    for (guint c = 0; c < 2; c++)
      out[c][x] = sum[c];
  }
}

ENS_INLINE void
filter_4 (const EnsFilter *filter, guint taps, const float *in, guint channels, guint n,
          float *const out[])
{
  for (gsize x = 0; x < n; x++) {
    const float *weights = filter->weights + x * taps;
    const float *from = in + filter->first[x] * channels;
    Float4 sum = {0}, pixel;

    for (guint t = 0; t < taps; t++) {
      memcpy (&pixel, from + t * channels, sizeof pixel);
      sum += weights[t] * pixel;
    }
    for (guint c = 0; c < channels; c++)
      out[c][x] = sum[c];
  }
}

ENS_INLINE void
filter_channels (const EnsFilter *filter, guint taps, const float *in, guint channels, guint n,
                 float *const out[])
{
  if (channels == 1)
    filter_1 (filter, taps, in, n, out);
  else if (channels == 2)
    filter_2 (filter, taps, in, n, out);
  else if (channels == 3)
    filter_4 (filter, taps, in, 3, n, out);
  else
    filter_4 (filter, taps, in, 4, n, out);
}

/* Unrolled for upscaling and for moderate downscaling. */
ENS_CLONES static void
filter_row (const EnsFilter *filter, const float *in, guint channels, guint n, float *const out[])
{
  if (filter->taps == 2)
    filter_channels (filter, 2, in, channels, n, out);
  else if (filter->taps == 3)
    filter_channels (filter, 3, in, channels, n, out);
  else if (filter->taps == 4)
    filter_channels (filter, 4, in, channels, n, out);
  else
    filter_channels (filter, filter->taps, in, channels, n, out);
}

ENS_INLINE float
map_pixel (const EnsColourMap *map, guint output, float a, float b, float c)
{
  const float *m = map->matrix[output];
  float value = m[3] + m[0] * a + m[1] * b + m[2] * c;

  value = value < 0 ? 0 : value;
  value = value > 255 ? 255 : value;
  return (value - map->mean[output]) * map->scale[output];
}

ENS_CLONES static void
map_row (const EnsColourMap *map, const float *const in[3], guint n, float *restrict out)
{
  const EnsColourMap m = *map;
  const float *a = in[0], *b = in[1], *c = in[2];

  if (m.n_outputs == 1)
    for (gsize x = 0; x < n; x++)
      out[x] = map_pixel (&m, 0, a[x], b[x], c[x]);
  else
    for (gsize x = 0; x < n; x++) {
      out[x * 3] = map_pixel (&m, 0, a[x], b[x], c[x]);
      out[x * 3 + 1] = map_pixel (&m, 1, a[x], b[x], c[x]);
      out[x * 3 + 2] = map_pixel (&m, 2, a[x], b[x], c[x]);
    }
}

/* What part of an axis of `size` pixels a rectangle takes, at least one pixel. */
static EnsFilterSpan
clip (double begin, double length, guint size)
{
  double from = fmin (fmax (begin * size, 0), size);
  double to = fmin (fmax ((begin + length) * size, 0), size);

  if (!(to - from >= 1)) {
    from = fmin (fmax ((from + to) / 2 - 0.5, 0), size - 1.0);
    to = from + 1;
  }
  return (EnsFilterSpan) {from, to, (guint)floor (from), (guint)ceil (to)};
}

/* The same part of the axis of a half-size plane. Sample 0 lies at `site` of luma's axis. */
static EnsFilterSpan
halve_span (const EnsFilterSpan *span, double site)
{
  double shift = 0.5 - site / 2;

  return (EnsFilterSpan) {span->from / 2 + shift, span->to / 2 + shift, span->low / 2,
                          (span->high + 1) / 2};
}

void
ens_crop_resize_place (const EnsFrame *frame, const EnsRect *rect, guint shift, EnsFilterSpan *x,
                       EnsFilterSpan *y)
{
  *x = clip (rect->x, rect->width, frame->width);
  *y = clip (rect->y, rect->height, frame->height);
  if (shift > 0) {
    *x = halve_span (x, 0.5);
    *y = halve_span (y, 1);
  }
}

/* The filters of one plane for one task. */
typedef struct {
  EnsFilter x, y;
  guint low, n; /* source columns: the first one and how many */
} PlaneFilter;

/* One band of rows of one rectangle. */
typedef struct {
  const EnsCropResize *resize;
  guint begin, end;
  PlaneFilter filters[2]; /* by EnsPlaneLayout.shift */
  float *blended;
  float *components; /* one row each, as many as the planes have channels */
} Band;

static void
plane_filter_init (PlaneFilter *filter, const Band *band, const EnsRect *rect, guint shift)
{
  const EnsCropResize *resize = band->resize;
  EnsFilterSpan x, y;

  ens_crop_resize_place (resize->frame, rect, shift, &x, &y);
  filter->low = x.low;
  filter->n = x.high - x.low;
  ens_filter_init (&filter->x, &x, resize->width, 0, resize->width);
  ens_filter_init (&filter->y, &y, resize->height, band->begin, band->end);
  for (guint i = 0; i < resize->width; i++)
    filter->x.first[i] -= x.low;
}

static void
band_init (Band *band, const EnsRect *rect)
{
  const EnsCropResize *resize = band->resize;
  const EnsPixelsLayout *layout = &ens_pixels_layouts[resize->frame->pixels];
  guint n_channels = 0;

  plane_filter_init (&band->filters[0], band, rect, 0);
  if (layout->model == ENS_MODEL_YCBCR)
    plane_filter_init (&band->filters[1], band, rect, 1);
  for (guint p = 0; p < layout->n_planes; p++)
    n_channels += layout->planes[p].channels;
  band->blended = g_new0 (float, (gsize)band->filters[0].n * 4 + PADDING);
  band->components = g_new (float, (gsize)resize->width *n_channels);
}

static void
band_clear (Band *band)
{
  for (guint i = 0; i < G_N_ELEMENTS (band->filters); i++) {
    ens_filter_clear (&band->filters[i].x);
    ens_filter_clear (&band->filters[i].y);
  }
  g_free (band->blended);
  g_free (band->components);
}

/* Fills the component rows of output row begin + row. */
static void
band_scale_row (Band *band, guint row)
{
  const EnsFrame *frame = band->resize->frame;
  const EnsPixelsLayout *layout = &ens_pixels_layouts[frame->pixels];
  guint width = band->resize->width;
  float *out[4];
  guint component = 0;

  for (guint p = 0; p < layout->n_planes; p++) {
    guint channels = layout->planes[p].channels;
    const PlaneFilter *filter = &band->filters[layout->planes[p].shift];
    const EnsFilter *y = &filter->y;

    for (guint c = 0; c < channels; c++)
      out[c] = band->components + (gsize)width * component++;
    blend_rows (frame->planes[p] + y->first[row] * frame->strides[p]
                    + (gsize)filter->low * channels,
                frame->strides[p], y->weights + (gsize)row * y->taps, y->taps, band->blended,
                (gsize)filter->n * channels);
    filter_row (&filter->x, band->blended, channels, width, out);
  }
}

static void
resize_band (gpointer data, guint task, guint worker)
{
  const EnsCropResize *resize = data;
  const EnsPixelsLayout *layout = &ens_pixels_layouts[resize->frame->pixels];
  guint n_bands = (resize->height + BAND_ROWS - 1) / BAND_ROWS;
  guint rect = task / n_bands, begin = task % n_bands * BAND_ROWS;
  gsize row_size = (gsize)resize->width * resize->map->n_outputs;
  float *out = resize->out + ((gsize)rect * resize->height + begin) * row_size;
  Band band = {resize, begin, MIN (begin + BAND_ROWS, resize->height)};
  const float *components[3];

  band_init (&band, &resize->rects[rect]);
  for (guint c = 0; c < 3; c++)
    components[c] = band.components + (gsize)resize->width * layout->components[c];
  for (guint row = 0; row < band.end - band.begin; row++) {
    band_scale_row (&band, row);
    map_row (resize->map, components, resize->width, out + row * row_size);
  }
  band_clear (&band);
}

void
ens_crop_resize_run (const EnsCropResize *resize, EnsThreadPool *pool)
{
  guint n_bands = (resize->height + BAND_ROWS - 1) / BAND_ROWS;

  ens_thread_pool_run (pool, resize->n_rects * n_bands, resize_band, (gpointer)resize);
}

void
ens_frame_resize (const EnsFrame *frame, const EnsRect *rects, guint n_rects, guint width,
                  guint height, const EnsNormalise *normalise, EnsThreadPool *pool, float *out)
{
  EnsColourMap map;
  EnsCropResize resize = {frame, rects, n_rects, width, height, &map, out};

  g_return_if_fail (ens_frame_validate (frame, NULL));
  g_return_if_fail (width > 0 && height > 0);
  ens_colour_map_init (&map, frame, normalise);
  ens_crop_resize_run (&resize, pool);
}
