/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/picture.h"

#include <gst/video/video.h>

#include "base/error.h"

#define TIME (5 * GST_SECOND) /* for encoding one */
#define WIDTH 1280            /* at most */

/* Pictures for a phone, and for brokers that take no large messages. (transfer full) */
static GstCaps *
make_caps (GstSample *sample)
{
  GstCaps *caps = gst_caps_new_empty_simple ("image/jpeg");
  GstVideoInfo info;

  if (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) && info.width > WIDTH)
    gst_caps_set_simple (caps, "width", G_TYPE_INT, WIDTH, "height", G_TYPE_INT,
                         MAX (gst_util_uint64_scale_int_round (WIDTH, info.height, info.width), 1),
                         NULL);
  return caps;
}

GBytes *
publish_picture_encode (GstSample *sample, GError **error)
{
  g_autoptr (GstCaps) caps = make_caps (sample);
  g_autoptr (GstSample) encoded = gst_video_convert_sample (sample, caps, TIME, error);
  GstMapInfo map;
  GBytes *bytes;

  if (encoded == NULL)
    return NULL;
  if (!gst_buffer_map (gst_sample_get_buffer (encoded), &map, GST_MAP_READ)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, "the encoded picture can't be read");
    return NULL;
  }
  bytes = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (encoded), &map);
  return bytes;
}
