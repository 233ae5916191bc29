/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-video.h"

#include <gst/app/app.h>
#include <gst/video/video.h>

#include "base/error.h"
#include "decode-error.h"
#include "frame-bridge.h"
#include "picture-limit.h"

/* How often the bus is looked at while no picture comes, and how long that may go on. */
#define POLL (50 * GST_MSECOND)
#define PATIENCE (30 * G_USEC_PER_SEC)

typedef struct {
  EnsFrameSource source;
  char *path;
  guint64 max_pixels;
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

/* ---- What is decoded ---- */

/* Containers and codecs that begin a video file, beside all called video/…. */
static const char *const container_types[] = {"application/ogg",
                                              "application/mxf",
                                              "application/x-3gp",
                                              "application/x-yuv4mpeg",
                                              "application/vnd.rn-realmedia",
                                              "multipart/x-mixed-replace"};

/* NULL if a file of this type may hold video, else what it is. */
static const char *
refuse_type (const char *type)
{
  if (g_str_has_prefix (type, "audio/"))
    return "holds no video";
  if (g_str_has_prefix (type, "image/"))
    return "a picture in a format that is not read; convert it to JPEG or PNG";
  if (g_str_has_prefix (type, "video/"))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (container_types); i++)
    if (strcmp (type, container_types[i]) == 0)
      return NULL;
  return "neither a picture nor a video that GStreamer knows; if it is one, convert it to JPEG, "
         "PNG or MP4";
}

/* The type of a file is known: only a video's goes on. */
static void
take_type (GstElement *finder, guint probability, GstCaps *caps, gpointer data)
{
  GstElement *decoder = data;
  const char *refusal = refuse_type (gst_structure_get_name (gst_caps_get_structure (caps, 0)));

  if (refusal != NULL) {
    GST_ELEMENT_ERROR (finder, STREAM, WRONG_TYPE, ("%s", refusal), (NULL));
    return;
  }
  g_object_set (decoder, "sink-caps", caps, NULL);
  gst_element_link (finder, decoder);
}

/* GstAutoplugSelectResult, which no header has. */
enum { SELECT_TRY, SELECT_EXPOSE, SELECT_SKIP };

/* What takes bytes and decodes them, and nothing that reads elsewhere. */
static gint
select_element (GstElement *bin, GstPad *pad, GstCaps *caps, GstElementFactory *factory,
                gpointer data)
{
  const char *class = gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS);

  return strstr (class, "Adaptive") != NULL || strstr (class, "Network") != NULL
                 || strstr (class, "Source") != NULL
             ? SELECT_SKIP
             : SELECT_TRY;
}

/* An error on the pipeline's bus if caps say that pictures are too large. */
static gboolean
check_caps (GstElement *element, const GstCaps *caps, guint64 max_pixels)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  g_autoptr (GError) reason = NULL;
  gint width = 0, height = 0;

  if (!gst_structure_get_int (structure, "width", &width)
      || !gst_structure_get_int (structure, "height", &height) || width < 0 || height < 0
      || gst_ensemble_check_picture_size (NULL, (guint64)width, (guint64)height, max_pixels,
                                          &reason))
    return TRUE;
  GST_ELEMENT_ERROR (element, STREAM, FAILED, ("%s", reason->message), (NULL));
  return FALSE;
}

/* Containers say how large pictures are before they are decoded. */
static gboolean
go_on_with_caps (GstElement *bin, GstPad *pad, GstCaps *caps, gpointer data)
{
  return check_caps (bin, caps, ((const VideoSource *)data)->max_pixels);
}

/* And decoders say it before they have pixels. */
static GstPadProbeReturn
check_decoded (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const VideoSource *video = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  return check_caps (GST_ELEMENT (video->sink), caps, video->max_pixels) ? GST_PAD_PROBE_OK
                                                                         : GST_PAD_PROBE_DROP;
}

/* ---- The pipeline ---- */

/* Makes decoded video out of what `decoder` gets. */
static gboolean
link_rest (VideoSource *video, GstElement *decoder)
{
  GstElement *convert = gst_element_factory_make ("videoconvert", NULL);
  GstElement *flip = gst_element_factory_make ("videoflip", NULL);
  GstElement *sink = gst_element_factory_make ("appsink", NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (GST_ENSEMBLE_CAPS);
  g_autoptr (GstPad) input = NULL;

  if (convert == NULL || flip == NULL || sink == NULL)
    return FALSE;
  video->sink = GST_APP_SINK (sink);
  gst_bin_add_many (GST_BIN (video->pipeline), convert, flip, sink, NULL);
  gst_util_set_object_arg (G_OBJECT (flip), "video-direction", "auto");
  g_object_set (sink, "sync", FALSE, "max-buffers", 4, "caps", caps, NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (link_video), convert);
  g_signal_connect (decoder, "no-more-pads", G_CALLBACK (notice_no_video), convert);
  g_signal_connect (decoder, "autoplug-continue", G_CALLBACK (go_on_with_caps), video);
  input = gst_element_get_static_pad (convert, "sink");
  gst_pad_add_probe (input, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, check_decoded, video, NULL);
  return gst_element_link_many (convert, flip, sink, NULL);
}

static gboolean
make_file_pipeline (VideoSource *video)
{
  GstElement *file = gst_element_factory_make ("filesrc", NULL);
  GstElement *finder = gst_element_factory_make ("typefind", NULL);
  GstElement *decoder = gst_element_factory_make ("decodebin", NULL);

  if (file == NULL || finder == NULL || decoder == NULL)
    return FALSE;
  gst_bin_add_many (GST_BIN (video->pipeline), file, finder, decoder, NULL);
  g_object_set (file, "location", video->path, NULL);
  g_signal_connect (finder, "have-type", G_CALLBACK (take_type), decoder);
  g_signal_connect (decoder, "autoplug-select", G_CALLBACK (select_element), NULL);
  return gst_element_link (file, finder) && link_rest (video, decoder);
}

static gboolean
make_stream_pipeline (VideoSource *video)
{
  GstElement *decoder = gst_element_factory_make ("uridecodebin", NULL);

  if (decoder == NULL)
    return FALSE;
  gst_bin_add (GST_BIN (video->pipeline), decoder);
  g_object_set (decoder, "uri", video->path, NULL);
  return link_rest (video, decoder);
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

  gst_element_set_state (video->pipeline, GST_STATE_NULL);
  gst_object_unref (video->bus);
  gst_object_unref (video->pipeline);
  g_free (video->path);
  g_free (video);
}

static EnsFrameSource *
open_video (const char *path, guint64 max_pixels, gboolean (*make) (VideoSource *video),
            GError **error)
{
  VideoSource *video = g_new0 (VideoSource, 1);

  video->source = (EnsFrameSource) {.next = next_picture, .free = free_video};
  video->path = g_strdup (path);
  video->max_pixels = max_pixels;
  video->pipeline = gst_pipeline_new (NULL);
  video->bus = gst_element_get_bus (video->pipeline);
  if (!make (video)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: GStreamer's base and good plug-ins are not installed", path);
    free_video (&video->source);
    return NULL;
  }
  gst_element_set_state (video->pipeline, GST_STATE_PLAYING);
  return &video->source;
}

EnsFrameSource *
gst_ensemble_video_open (const char *path, guint64 max_pixels, GError **error)
{
  return open_video (path, max_pixels, make_file_pipeline, error);
}

EnsFrameSource *
gst_ensemble_stream_open (const char *uri, guint64 max_pixels, GError **error)
{
  return open_video (uri, max_pixels, make_stream_pipeline, error);
}
