/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encode.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define CAIRO_RGB24_FORMAT "BGRx"
#else
#define CAIRO_RGB24_FORMAT "xRGB"
#endif

struct _Encoder {
  GstElement *pipeline, *source, *sink;
  guint frames_per_second; /* 0: stills */
  guint64 n_frames;
  int width, height;
};

/* VP8 with a deadline of a second a frame: with a shorter one libvpx trades quality for the time
 * that earlier frames took, and no two clips are alike. */
static const struct {
  const char *ending, *elements;
} clip_formats[] = {
    {".webm",
     "vp8enc deadline=1000000 cpu-used=4 target-bitrate=4000000 keyframe-max-dist=50 ! webmmux"},
    {".mkv", "jpegenc quality=92 ! matroskamux"},
    {".avi", "jpegenc quality=92 ! avimux"},
};

static Encoder *
encoder_new (const char *description, const char *path, GError **error)
{
  g_autoptr (Encoder) encoder = g_new0 (Encoder, 1);

  encoder->pipeline = gst_parse_launch_full (description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!encoder->pipeline)
    return NULL;
  encoder->source = gst_bin_get_by_name (GST_BIN (encoder->pipeline), "source");
  encoder->sink = gst_bin_get_by_name (GST_BIN (encoder->pipeline), "sink");
  if (path)
    g_object_set (encoder->sink, "location", path, NULL);
  gst_element_set_state (encoder->pipeline, GST_STATE_PLAYING);
  return g_steal_pointer (&encoder);
}

Encoder *
encoder_new_stills (GError **error)
{
  return encoder_new ("appsrc name=source format=time ! videoconvert ! jpegenc quality=92"
                      " ! appsink name=sink sync=false",
                      NULL, error);
}

Encoder *
encoder_new_clip (const char *path, guint frames_per_second, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (clip_formats); i++) {
    g_autofree char *description = NULL;
    Encoder *encoder;

    if (!g_str_has_suffix (path, clip_formats[i].ending))
      continue;
    description = g_strdup_printf ("appsrc name=source format=time block=true max-bytes=8000000"
                                   " ! videoconvert ! %s ! filesink name=sink",
                                   clip_formats[i].elements);
    encoder = encoder_new (description, path, error);
    if (encoder)
      encoder->frames_per_second = frames_per_second;
    return encoder;
  }
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
               "%s: a clip's name has to end in .webm, .mkv or .avi", path);
  return NULL;
}

void
encoder_free (Encoder *encoder)
{
  if (encoder->pipeline)
    gst_element_set_state (encoder->pipeline, GST_STATE_NULL);
  gst_clear_object (&encoder->source);
  gst_clear_object (&encoder->sink);
  gst_clear_object (&encoder->pipeline);
  g_free (encoder);
}

/* Waits for the pipeline's end or, when not `at_end`, for the error that stopped it. */
static gboolean
encoder_await (Encoder *encoder, gboolean at_end, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (encoder->pipeline);
  GstMessageType types = GST_MESSAGE_ERROR | (at_end ? GST_MESSAGE_EOS : 0);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, at_end ? GST_CLOCK_TIME_NONE : GST_SECOND, types);

  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;
  if (message)
    gst_message_parse_error (message, error, NULL);
  else
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE, "the encoder stopped");
  return FALSE;
}

static void
encoder_set_size (Encoder *encoder, int width, int height)
{
  g_autoptr (GstCaps) caps = NULL;
  guint rate = encoder->frames_per_second;

  if (width == encoder->width && height == encoder->height)
    return;
  caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, CAIRO_RGB24_FORMAT, "width",
                              G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate",
                              GST_TYPE_FRACTION, rate, 1, NULL);
  gst_app_src_set_caps (GST_APP_SRC (encoder->source), caps);
  encoder->width = width;
  encoder->height = height;
}

gboolean
encoder_add_frame (Encoder *encoder, cairo_surface_t *picture, GError **error)
{
  int width = cairo_image_surface_get_width (picture),
      height = cairo_image_surface_get_height (picture);
  /* 32-bit pixels: cairo's rows have no padding */
  gsize size = (gsize)width * height * 4;
  GstBuffer *buffer = gst_buffer_new_memdup (cairo_image_surface_get_data (picture), size);
  guint rate = encoder->frames_per_second;

  encoder_set_size (encoder, width, height);
  if (rate > 0) {
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (encoder->n_frames, GST_SECOND, rate);
    GST_BUFFER_DURATION (buffer) = GST_SECOND / rate;
  }
  encoder->n_frames++;
  if (gst_app_src_push_buffer (GST_APP_SRC (encoder->source), buffer) == GST_FLOW_OK)
    return TRUE;
  return encoder_await (encoder, FALSE, error);
}

gboolean
encoder_finish (Encoder *encoder, GError **error)
{
  gst_app_src_end_of_stream (GST_APP_SRC (encoder->source));
  return encoder_await (encoder, TRUE, error);
}

gboolean
encoder_save_still (Encoder *encoder, cairo_surface_t *picture, const char *path, GError **error)
{
  g_autoptr (GstSample) sample = NULL;
  GstMapInfo map;
  gboolean saved;

  if (!encoder_add_frame (encoder, picture, error))
    return FALSE;
  sample = gst_app_sink_try_pull_sample (GST_APP_SINK (encoder->sink), 30 * GST_SECOND);
  if (!sample)
    return encoder_await (encoder, FALSE, error);
  gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
  saved = g_file_set_contents (path, (const char *)map.data, map.size, error);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  return saved;
}
