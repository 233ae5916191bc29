/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "thumbnail.h"

#include <gst/video/video.h>
#include <math.h>

#include "base/error.h"

#define PREFIX "data:image/jpeg;base64,"

/* The frame's pixels at that size, as GStreamer has them. (transfer full) */
static GstSample *
scale_frame (const EnsFrame *frame, guint width, guint height, EnsThreadPool *pool)
{
  static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  g_autofree float *pixels = g_new (float, (gsize)width *height * 3);
  const EnsRect whole = ENS_RECT_WHOLE;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;
  GstVideoFrame mapped;

  ens_frame_resize (frame, &whole, 1, width, height, &bytes, pool, pixels);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_video_frame_map (&mapped, &info, buffer, GST_MAP_WRITE);
  for (guint y = 0; y < height; y++) {
    guint8 *row = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&mapped, 0)
                  + (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE (&mapped, 0);

    for (guint x = 0; x < width * 3; x++)
      row[x] = (guint8)lrintf (CLAMP (pixels[(gsize)y * width * 3 + x], 0, 255));
  }
  gst_video_frame_unmap (&mapped);
  caps = gst_video_info_to_caps (&info);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static char *
encode_sample (GstSample *sample, GError **error)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");
  g_autoptr (GError) failure = NULL;
  g_autoptr (GstSample) encoded =
      gst_video_convert_sample (sample, caps, 10 * GST_SECOND, &failure);
  g_autofree char *base64 = NULL;
  GstMapInfo map;

  if (encoded == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "can't encode small pictures for the report as JPEG: %s",
                 failure != NULL ? failure->message : "no encoder");
    return NULL;
  }
  gst_buffer_map (gst_sample_get_buffer (encoded), &map, GST_MAP_READ);
  base64 = g_base64_encode (map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (encoded), &map);
  return g_strconcat (PREFIX, base64, NULL);
}

char *
thumbnail_new (const EnsFrame *frame, guint side, EnsThreadPool *pool, guint *width, guint *height,
               GError **error)
{
  double scale = MIN ((double)side / MAX (frame->width, frame->height), 1);
  g_autoptr (GstSample) sample = NULL;

  *width = MAX ((guint)lrint (frame->width * scale), 1);
  *height = MAX ((guint)lrint (frame->height * scale), 1);
  sample = scale_frame (frame, *width, *height, pool);
  return encode_sample (sample, error);
}
