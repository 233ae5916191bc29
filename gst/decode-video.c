/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-video.h"

#include <gst/app/app.h>
#include <gst/video/video.h>

#include "base/error.h"
#include "decode-error.h"
#include "frame-bridge.h"

/* How often the bus is looked at while no picture comes, and how long that may go on. */
#define POLL (50 * GST_MSECOND)
#define PATIENCE (30 * G_USEC_PER_SEC)

typedef struct {
  EnsFrameSource source;
  char *path;
  GstElement *pipeline;
  GstAppSink *sink;
  GstBus *bus;
} VideoSource;

/* With the pads known and none of them linked no end of stream will ever come. */
static void
notice_no_video (GstElement *decoder, gpointer data)
{
  GstElement *convert = data;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (convert, "sink");

  if (!gst_pad_is_linked (pad))
    GST_ELEMENT_ERROR (decoder, STREAM, WRONG_TYPE, ("holds no video"), (NULL));
}

/* The first video stream; sound and text stay unlinked. */
static void
link_video (GstElement *decoder, GstPad *pad, gpointer data)
{
  GstElement *convert = data;
  g_autoptr (GstPad) sink = gst_element_get_static_pad (convert, "sink");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  if (gst_structure_has_name (structure, "video/x-raw") && !gst_pad_is_linked (sink))
    gst_pad_link (pad, sink);
}

static gboolean
make_pipeline (VideoSource *video, const char *uri)
{
  GstElement *decoder = gst_element_factory_make ("uridecodebin", NULL);
  GstElement *convert = gst_element_factory_make ("videoconvert", NULL);
  GstElement *flip = gst_element_factory_make ("videoflip", NULL);
  GstElement *sink = gst_element_factory_make ("appsink", NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (GST_ENSEMBLE_CAPS);

  if (decoder == NULL || convert == NULL || flip == NULL || sink == NULL)
    return FALSE;
  video->pipeline = gst_pipeline_new (NULL);
  video->bus = gst_element_get_bus (video->pipeline);
  video->sink = GST_APP_SINK (sink);
  gst_bin_add_many (GST_BIN (video->pipeline), decoder, convert, flip, sink, NULL);
  g_object_set (decoder, "uri", uri, NULL);
  gst_util_set_object_arg (G_OBJECT (flip), "video-direction", "auto");
  g_object_set (sink, "sync", FALSE, "max-buffers", 4, "caps", caps, NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (link_video), convert);
  g_signal_connect (decoder, "no-more-pads", G_CALLBACK (notice_no_video), convert);
  return gst_element_link_many (convert, flip, sink, NULL);
}

/* NULL without an error at the end of the stream. */
static GstSample *
pull_sample (VideoSource *video, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (TRUE) {
    GstSample *sample = gst_app_sink_try_pull_sample (video->sink, POLL);

    if (sample != NULL)
      return sample;
    if (gst_ensemble_take_error (video->bus, video->path, error)
        || gst_app_sink_is_eos (video->sink))
      return NULL;
    if (g_get_monotonic_time () > deadline) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: no picture for %d seconds", video->path,
                   (gint)(PATIENCE / G_USEC_PER_SEC));
      return NULL;
    }
  }
}

static EnsPicture *
make_picture (VideoSource *video, GstSample *sample, GError **error)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  EnsPicture *picture = NULL;
  GstVideoInfo info;

  if (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)))
    picture = gst_ensemble_wrap_buffer (buffer, &info);
  if (picture == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: a decoded picture can't be mapped",
                 video->path);
    return NULL;
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    picture->pts = gst_segment_to_stream_time (gst_sample_get_segment (sample), GST_FORMAT_TIME,
                                               GST_BUFFER_PTS (buffer));
  return picture;
}

static gboolean
next_picture (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  VideoSource *video = (VideoSource *)source;
  g_autoptr (GstSample) sample = NULL;
  GError *failure = NULL;

  sample = pull_sample (video, &failure);
  if (sample != NULL)
    *picture = make_picture (video, sample, &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

static void
free_video (EnsFrameSource *source)
{
  VideoSource *video = (VideoSource *)source;

  if (video->pipeline != NULL) {
    gst_element_set_state (video->pipeline, GST_STATE_NULL);
    gst_object_unref (video->bus);
    gst_object_unref (video->pipeline);
  }
  g_free (video->path);
  g_free (video);
}

EnsFrameSource *
gst_ensemble_video_open (const char *path, GError **error)
{
  g_autofree char *uri =
      gst_uri_is_valid (path) ? g_strdup (path) : gst_filename_to_uri (path, error);
  VideoSource *video;

  if (uri == NULL)
    return NULL;
  video = g_new0 (VideoSource, 1);
  video->source = (EnsFrameSource) {.next = next_picture, .free = free_video};
  video->path = g_strdup (path);
  if (!make_pipeline (video, uri)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: GStreamer's base and good plug-ins are not installed", path);
    free_video (&video->source);
    return NULL;
  }
  gst_element_set_state (video->pipeline, GST_STATE_PLAYING);
  return &video->source;
}
