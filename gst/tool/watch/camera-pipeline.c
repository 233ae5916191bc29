/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/camera-pipeline.h"

#include <string.h>

#include "base/error.h"

/* Between pictures on the page, and their largest size. */
#define PICTURE_INTERVAL (G_TIME_SPAN_SECOND / 5)
#define PICTURE_CAPS "video/x-raw,width=(int)[16,960],height=(int)[16,720],pixel-aspect-ratio=1/1"

#define RTSP_LATENCY 500                                        /* milliseconds */
#define RTSP_TIMEOUT (G_GUINT64_CONSTANT (10) * G_USEC_PER_SEC) /* microseconds */

/* The camera's frames; jitter is absorbed, and what is too late is dropped. */
static const char input[] = "clocksync name=pace sync=false ! queue max-size-buffers=3 "
                            "max-size-bytes=0 max-size-time=0 leaky=downstream ! videoconvert ! "
                            "ensembleclassify name=classify mode=async watch-model=true ! "
                            "tee name=tee allow-not-linked=true ";
static const char page[] =
    "tee. ! queue max-size-buffers=1 max-size-bytes=0 max-size-time=0 leaky=downstream ! "
    "valve name=valve drop=true ! ensembleoverlay ! "
    "videoconvert ! videoscale ! " PICTURE_CAPS " ! jpegenc quality=80 ! "
    "appsink name=pictures sync=false async=false max-buffers=1 drop=true ";
static const char publisher[] =
    "tee. ! queue max-size-buffers=5 max-size-bytes=0 max-size-time=0 leaky=downstream ! "
    "ensemblepublish name=publish ! fakesink sync=false async=false ";

static GstElement *
find (const WatchPipeline *self, const char *name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (self->pipeline), name);

  /* The pipeline keeps it. */
  if (element != NULL)
    gst_object_unref (element);
  return element;
}

static gboolean
set_up_classify (const WatchPipeline *self, const WatchConfig *config,
                 const WatchCameraConfig *camera, GError **error)
{
  g_autofree char *section = g_strconcat ("camera ", camera->name, NULL);

  g_object_set (self->classify, "model", config->model, NULL);
  if (config->collect_folder != NULL) {
    g_autofree char *folder = g_build_filename (config->collect_folder, camera->name, NULL);

    g_object_set (self->classify, "collect", folder, "collect-limit", config->collect_limit,
                  "collect-reserve", ((guint64)config->reserve << 20) / 2, NULL);
  }
  return watch_settings_apply (config->classify, "classify", self->classify, error)
         && watch_settings_apply (camera->settings, section, self->classify, error);
}

static gboolean
set_up_publish (const WatchPipeline *self, const WatchConfig *config,
                const WatchCameraConfig *camera, GError **error)
{
  if (self->publish == NULL)
    return TRUE;
  g_object_set (self->publish, "source", camera->name, NULL);
  return watch_settings_apply (config->publish, "publish", self->publish, error);
}

/* By the clock on the wall: cameras need not say how long frames last, which videorate needs. */
static GstPadProbeReturn
thin_out (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  gint64 *next = data;
  const gint64 now = g_get_monotonic_time ();

  if (now < *next)
    return GST_PAD_PROBE_DROP;
  *next = MAX (*next + PICTURE_INTERVAL, now);
  return GST_PAD_PROBE_OK;
}

static void
limit_pictures (const WatchPipeline *self)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (self->valve, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, thin_out, g_new0 (gint64, 1), g_free);
}

gboolean
watch_pipeline_build (WatchPipeline *self, const WatchConfig *config,
                      const WatchCameraConfig *camera, GError **error)
{
  g_autoptr (GString) text = g_string_new (input);
  g_autoptr (GError) reason = NULL;

  g_string_append (text, page);
  if (config->publish->len > 0)
    g_string_append (text, publisher);
  self->pipeline = gst_parse_launch_full (text->str, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &reason);
  if (self->pipeline == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s; is GST_PLUGIN_PATH the folder of the plug-in?", reason->message);
    return FALSE;
  }
  gst_object_ref_sink (self->pipeline);
  self->pace = find (self, "pace");
  self->classify = find (self, "classify");
  self->publish = find (self, "publish");
  self->valve = find (self, "valve");
  self->pictures = find (self, "pictures");
  limit_pictures (self);
  return set_up_classify (self, config, camera, error)
         && set_up_publish (self, config, camera, error);
}

/* rtspsrc by itself keeps two seconds of video back and waits 20 s for a connection. */
static void
set_up_source (GstElement *bin, GstElement *source, gpointer data)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "tcp-timeout") != NULL)
    g_object_set (source, "latency", RTSP_LATENCY, "tcp-timeout", RTSP_TIMEOUT, NULL);
}

GstElement *
watch_pipeline_make_source (const char *uri)
{
  GstElement *source = gst_element_factory_make ("uridecodebin", NULL);
  g_autoptr (GstCaps) video = gst_caps_new_empty_simple ("video/x-raw");

  if (source == NULL)
    return NULL;
  gst_caps_set_features (video, 0, gst_caps_features_new_any ());
  g_object_set (source, "uri", uri, "caps", video, "expose-all-streams", FALSE, NULL);
  g_signal_connect (source, "source-setup", G_CALLBACK (set_up_source), NULL);
  return source;
}

char *
watch_describe_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *details = NULL;
  const char *line;

  gst_message_parse_error (message, &error, &details);
  /* The first lines name GStreamer's own source files. */
  line = details != NULL ? strrchr (g_strchomp (details), '\n') : NULL;
  return line != NULL && line[1] != '\0' ? g_strdup_printf ("%s %s", error->message, line + 1)
                                         : g_strdup (error->message);
}

/* Of the part of a URI that has user, password, host and port. People write passwords as they are,
 * so that "#" and "%" don't mean what they do elsewhere. */
static const char *
find_end (const char *authority)
{
  return authority + strcspn (authority, "/?");
}

char *
watch_hide_password (const char *text, const char *uri)
{
  const char *begin = strstr (uri, "://");
  const char *at = begin != NULL ? g_strrstr_len (begin, find_end (begin + 3) - begin, "@") : NULL;
  g_autofree char *secret = at != NULL ? g_strndup (begin + 3, (gsize)(at - begin - 3)) : NULL;
  GString *shown = g_string_new (text);

  if (secret != NULL && *secret != '\0')
    g_string_replace (shown, secret, "…", 0);
  return g_string_free (shown, FALSE);
}
