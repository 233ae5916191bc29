/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/framing.h"

#include <math.h>
#include <string.h>

const char *const ens_framing_names[] = {"scale", "crop", "letterbox", "stretch", NULL};

/* The largest rectangle of the pictures' aspect ratio in the middle of another one, its sides a
 * share of what they could be. */
static EnsRect
crop_rect (const EnsFrame *frame, const EnsRect *rect, const EnsFramedResize *resize)
{
  float unit = fminf (rect->width * (float)frame->width / (float)resize->width,
                      rect->height * (float)frame->height / (float)resize->height);
  EnsRect crop = {.width = resize->crop * unit * (float)resize->width / (float)frame->width,
                  .height = resize->crop * unit * (float)resize->height / (float)frame->height};

  crop.x = rect->x + (rect->width - crop.width) / 2;
  crop.y = rect->y + (rect->height - crop.height) / 2;
  return crop;
}

EnsRect *
ens_framing_get_rects (const EnsFrame *frame, const EnsRect *rects, guint n_rects,
                       const EnsFramedResize *resize)
{
  EnsRect *whole = NULL;

  if (resize->framing == ENS_FRAMING_LETTERBOX)
    return NULL;
  whole = g_memdup2 (rects, n_rects * sizeof *rects);
  for (guint i = 0; i < n_rects && resize->framing == ENS_FRAMING_CROP; i++)
    whole[i] = crop_rect (frame, &rects[i], resize);
  return whole;
}

/* The largest size of the rectangle's aspect ratio that the picture has room for. */
static void
fit_inside (const EnsFrame *frame, const EnsRect *rect, const EnsFramedResize *resize, guint *width,
            guint *height)
{
  float rect_width = rect->width * (float)frame->width;
  float rect_height = rect->height * (float)frame->height;
  float scale = fminf ((float)resize->width / rect_width, (float)resize->height / rect_height);

  *width = CLAMP ((guint)(scale * rect_width + 0.5F), 1, resize->width);
  *height = CLAMP ((guint)(scale * rect_height + 0.5F), 1, resize->height);
}

static void
resize_letterbox (const EnsFrame *frame, const EnsRect *rect, const EnsFramedResize *resize,
                  EnsThreadPool *pool, float *out)
{
  const gsize n_channels = ens_order_channels (resize->normalise->order);
  const gsize stride = resize->width * n_channels;
  g_autofree float *inside = NULL;
  guint width, height;
  float *corner;

  fit_inside (frame, rect, resize, &width, &height);
  inside = g_new (float, width *n_channels *height);
  ens_frame_resize (frame, rect, 1, width, height, resize->normalise, pool, inside);
  memset (out, 0, stride * resize->height * sizeof *out);
  corner = out + (resize->height - height) / 2 * stride + (resize->width - width) / 2 * n_channels;
  for (guint y = 0; y < height; y++)
    memcpy (corner + y * stride, inside + y * width * n_channels, width * n_channels * sizeof *out);
}

void
ens_frame_resize_framed (const EnsFrame *frame, const EnsRect *rects, guint n_rects,
                         const EnsFramedResize *resize, EnsThreadPool *pool, float *out)
{
  const gsize size =
      (gsize)resize->width * resize->height * ens_order_channels (resize->normalise->order);
  g_autofree EnsRect *whole = ens_framing_get_rects (frame, rects, n_rects, resize);

  if (whole != NULL)
    ens_frame_resize (frame, whole, n_rects, resize->width, resize->height, resize->normalise, pool,
                      out);
  else
    for (guint i = 0; i < n_rects; i++)
      resize_letterbox (frame, &rects[i], resize, pool, out + i * size);
}
