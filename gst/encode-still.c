/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encode-still.h"

#include <gst/video/video.h>

#include "base/error.h"

/* Encoders take milliseconds; one that hangs must not hang us. */
#define TIMEOUT (30 * GST_SECOND)

static void
unref_picture (gpointer picture)
{
  ens_picture_unref (picture);
}

/* The picture's pixels as a buffer, not copied. (transfer full) */
static GstSample *
wrap_picture (EnsPicture *picture)
{
  const EnsFrame *frame = &picture->frame;
  const char *format = ens_pixels_name (frame->pixels);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0}, size = frame->strides[0] * frame->height;
  gint strides[GST_VIDEO_MAX_PLANES] = {(gint)frame->strides[0]};
  g_autoptr (GstCaps) caps = gst_caps_new_simple (
      "video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT, frame->width, "height",
      G_TYPE_INT, frame->height, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, (gpointer)frame->planes[0], size, 0,
                                   size, ens_picture_ref (picture), unref_picture);

  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                  gst_video_format_from_string (format), frame->width,
                                  frame->height, 1, offsets, strides);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

GBytes *
gst_ensemble_encode_still (EnsPicture *picture, const char *media_type, GError **error)
{
  g_autoptr (GstSample) sample = NULL, encoded = NULL;
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (media_type);
  g_autoptr (GError) reason = NULL;
  GstMapInfo map;
  GBytes *bytes;

  g_return_val_if_fail (ens_pixels_planes (picture->frame.pixels) == 1, NULL);

  sample = wrap_picture (picture);
  encoded = gst_video_convert_sample (sample, caps, TIMEOUT, &reason);
  if (encoded == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "can't encode a picture as %s: %s",
                 media_type, reason->message);
    return NULL;
  }
  gst_buffer_map (gst_sample_get_buffer (encoded), &map, GST_MAP_READ);
  bytes = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (encoded), &map);
  return bytes;
}
