/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/clip.h"

#include <gst/app/gstappsrc.h>

#include "base/error.h"

#define MAX_WAITING (64 << 20) /* bytes */

struct _WatchClip {
  GstElement *pipeline, *source;
  GstClockTime first; /* time of the first buffer; NONE: none came */
  void (*done) (WatchClip *clip, gpointer data);
  gpointer data;
};

/* What puts the camera's stream into the form that Matroska wants, if that is installed. (transfer
 * floating) (nullable) */
static GstElement *
make_parser (GstCaps *caps)
{
  GList *parsers = gst_element_factory_list_get_elements (
      GST_ELEMENT_FACTORY_TYPE_PARSER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO, GST_RANK_MARGINAL);
  GList *fitting = gst_element_factory_list_filter (parsers, caps, GST_PAD_SINK, FALSE);
  GstElement *parser = fitting != NULL ? gst_element_factory_create (fitting->data, NULL) : NULL;

  gst_plugin_feature_list_free (fitting);
  gst_plugin_feature_list_free (parsers);
  return parser;
}

/* What is written is on disk at once, so that little is lost with a killed process. */
static GstElement *
make_sink (const char *location, guint longest)
{
  GstElement *sink = gst_element_factory_make ("splitmuxsink", NULL);
  g_autoptr (GstStructure) file = gst_structure_new ("file", "buffer-mode", G_TYPE_INT, 2, NULL);

  if (sink != NULL)
    g_object_set (sink, "location", location, "muxer-factory", "matroskamux", "max-size-time",
                  (guint64)longest * GST_SECOND, "sink-properties", file, NULL);
  return sink;
}

static GstElement *
make_source (GstCaps *caps)
{
  GstElement *source = gst_element_factory_make ("appsrc", NULL);

  if (source != NULL)
    g_object_set (source, "caps", caps, "format", GST_FORMAT_TIME, "max-bytes",
                  (guint64)MAX_WAITING, "leaky-type", GST_APP_LEAKY_TYPE_UPSTREAM, NULL);
  return source;
}

static gboolean
link_all (GstElement *pipeline, GstElement *source, GstElement *parser, GstElement *sink)
{
  gst_bin_add_many (GST_BIN (pipeline), source, sink, parser, NULL);
  if (parser == NULL)
    return gst_element_link_pads (source, "src", sink, "video");
  return gst_element_link (source, parser) && gst_element_link_pads (parser, NULL, sink, "video");
}

static gboolean
fail (GstCaps *caps, GError **error)
{
  g_autofree char *text = gst_caps_to_string (caps);

  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "clips can't be written of %s; the parsers of gstreamer1.0-plugins-bad may help",
               text);
  return FALSE;
}

WatchClip *
watch_clip_new (const char *location, guint longest, GstCaps *caps, GError **error)
{
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  GstElement *source = make_source (caps), *sink = make_sink (location, longest);
  WatchClip *clip;

  if (source == NULL || sink == NULL) {
    g_clear_pointer (&source, gst_object_unref);
    g_clear_pointer (&sink, gst_object_unref);
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                         "clips need splitmuxsink of gstreamer1.0-plugins-good and appsrc of "
                         "gstreamer1.0-plugins-base");
    return NULL;
  }
  if (!link_all (pipeline, source, make_parser (caps), sink)
      || gst_element_set_state (pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    gst_element_set_state (pipeline, GST_STATE_NULL);
    fail (caps, error);
    return NULL;
  }
  clip = g_new0 (WatchClip, 1);
  clip->pipeline = g_steal_pointer (&pipeline);
  clip->source = source;
  clip->first = GST_CLOCK_TIME_NONE;
  return clip;
}

static void
shift (GstClockTime *time, GstClockTime first)
{
  if (GST_CLOCK_TIME_IS_VALID (*time))
    *time = *time > first ? *time - first : 0;
}

void
watch_clip_push (WatchClip *clip, GstBuffer *buffer)
{
  GstBuffer *shifted = gst_buffer_copy (buffer);

  if (!GST_CLOCK_TIME_IS_VALID (clip->first))
    clip->first = GST_BUFFER_DTS_OR_PTS (buffer);
  shift (&GST_BUFFER_PTS (shifted), clip->first);
  shift (&GST_BUFFER_DTS (shifted), clip->first);
  gst_app_src_push_buffer (GST_APP_SRC (clip->source), shifted);
}

static void
stop (GstElement *pipeline, gpointer data)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* A disk may take long, so nobody waits for it. */
void
watch_clip_free (WatchClip *clip)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (clip->pipeline);

  if (clip->done != NULL)
    gst_bus_remove_watch (bus);
  gst_element_call_async (clip->pipeline, stop, NULL, NULL);
  gst_object_unref (clip->pipeline);
  g_free (clip);
}

/* (transfer full) */
static char *
describe (GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  return g_strdup (error->message);
}

/* Nobody has the clip any more who could be told. */
static void
print_problem (GstMessage *message)
{
  g_autofree char *problem = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return;
  problem = describe (message);
  g_printerr ("a clip could not be completed: %s\n", problem);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  WatchClip *clip = data;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS
      && GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return G_SOURCE_CONTINUE;
  print_problem (message);
  clip->done (clip, clip->data);
  return G_SOURCE_CONTINUE; /* the clip, and with it the watch, may be gone */
}

void
watch_clip_finish (WatchClip *clip, void (*done) (WatchClip *clip, gpointer data), gpointer data)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (clip->pipeline);

  clip->done = done;
  clip->data = data;
  gst_bus_add_watch (bus, on_message, clip);
  gst_app_src_end_of_stream (GST_APP_SRC (clip->source));
}

char *
watch_clip_take_problem (WatchClip *clip)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (clip->pipeline);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  return message != NULL ? describe (message) : NULL;
}
