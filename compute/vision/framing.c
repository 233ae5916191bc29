#include "vision/framing.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"scale", "crop", "letterbox", "stretch"};

const char *
ens_framing_name (EnsFraming framing)
{
  return names[framing];
}

/* The square in the middle of a rectangle, its side a share of the rectangle's shorter one. */
static EnsRect
crop_rect (const EnsFrame *frame, const EnsRect *rect, float share)
{
  float side =
      share * fminf (rect->width * (float)frame->width, rect->height * (float)frame->height);
  EnsRect crop = {.width = side / (float)frame->width, .height = side / (float)frame->height};

  crop.x = rect->x + (rect->width - crop.width) / 2;
  crop.y = rect->y + (rect->height - crop.height) / 2;
  return crop;
}

EnsRect *
ens_framing_get_rects (const EnsFrame *frame, const EnsRect *rects, guint n_rects,
                       const EnsFramedSampling *sampling)
{
  EnsRect *whole = NULL;

  if (sampling->framing == ENS_FRAMING_LETTERBOX)
    return NULL;
  whole = g_memdup2 (rects, n_rects * sizeof *rects);
  for (guint i = 0; i < n_rects && sampling->framing == ENS_FRAMING_CROP; i++)
    whole[i] = crop_rect (frame, &rects[i], sampling->crop);
  return whole;
}

/* The largest size of the rectangle's aspect ratio that the picture has room for. */
static void
fit_inside (const EnsFrame *frame, const EnsRect *rect, const EnsFramedSampling *sampling,
            guint *width, guint *height)
{
  float rect_width = rect->width * (float)frame->width;
  float rect_height = rect->height * (float)frame->height;
  float scale = fminf ((float)sampling->width / rect_width, (float)sampling->height / rect_height);

  *width = CLAMP ((guint)(scale * rect_width + 0.5F), 1, sampling->width);
  *height = CLAMP ((guint)(scale * rect_height + 0.5F), 1, sampling->height);
}

static void
sample_letterbox (const EnsFrame *frame, const EnsRect *rect, const EnsFramedSampling *sampling,
                  EnsPool *pool, float *out)
{
  const gsize n_channels = ens_order_channels (sampling->normalise->order);
  const gsize stride = sampling->width * n_channels;
  g_autofree float *inside = NULL;
  guint width, height;
  float *corner;

  fit_inside (frame, rect, sampling, &width, &height);
  inside = g_new (float, width *n_channels *height);
  ens_frame_sample (frame, rect, 1, width, height, sampling->normalise, pool, inside);
  memset (out, 0, stride * sampling->height * sizeof *out);
  corner =
      out + (sampling->height - height) / 2 * stride + (sampling->width - width) / 2 * n_channels;
  for (guint y = 0; y < height; y++)
    memcpy (corner + y * stride, inside + y * width * n_channels, width * n_channels * sizeof *out);
}

void
ens_frame_sample_framed (const EnsFrame *frame, const EnsRect *rects, guint n_rects,
                         const EnsFramedSampling *sampling, EnsPool *pool, float *out)
{
  const gsize size =
      (gsize)sampling->width * sampling->height * ens_order_channels (sampling->normalise->order);
  g_autofree EnsRect *whole = ens_framing_get_rects (frame, rects, n_rects, sampling);

  if (whole != NULL)
    ens_frame_sample (frame, whole, n_rects, sampling->width, sampling->height, sampling->normalise,
                      pool, out);
  else
    for (guint i = 0; i < n_rects; i++)
      sample_letterbox (frame, &rects[i], sampling, pool, out + i * size);
}
