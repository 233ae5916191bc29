/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-webp.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include "base/error.h"

static gboolean
decode_still (const guint8 *data, gsize size, GstMapInfo *map, const GstVideoInfo *info)
{
  return WebPDecodeRGBAInto (data, size, map->data, map->size,
                             GST_VIDEO_INFO_PLANE_STRIDE (info, 0))
         != NULL;
}

static gboolean
decode_first (const guint8 *data, gsize size, GstMapInfo *map)
{
  const WebPData file = {data, size};
  WebPAnimDecoderOptions options;
  WebPAnimDecoder *decoder;
  gboolean decoded;
  guint8 *canvas;
  int time;

  WebPAnimDecoderOptionsInit (&options);
  options.color_mode = MODE_RGBA;
  decoder = WebPAnimDecoderNew (&file, &options);
  if (decoder == NULL)
    return FALSE;
  decoded = WebPAnimDecoderGetNext (decoder, &canvas, &time) != 0;
  if (decoded)
    memcpy (map->data, canvas, map->size);
  WebPAnimDecoderDelete (decoder);
  return decoded;
}

GstBuffer *
gst_ensemble_webp_decode (GBytes *file, const char *path, GstVideoInfo *info, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);
  g_autoptr (GstBuffer) buffer = NULL;
  WebPBitstreamFeatures features;
  gboolean decoded = FALSE;
  GstMapInfo map;

  if (WebPGetFeatures (data, size, &features) == VP8_STATUS_OK) {
    gst_video_info_set_format (info, GST_VIDEO_FORMAT_RGBA, (guint)features.width,
                               (guint)features.height);
    buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    decoded = features.has_animation ? decode_first (data, size, &map)
                                     : decode_still (data, size, &map, info);
    gst_buffer_unmap (buffer, &map);
  }
  if (decoded)
    return g_steal_pointer (&buffer);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: damaged WebP: it can't be decoded", path);
  return NULL;
}
