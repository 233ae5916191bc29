/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/camera-source.h"

/* Without a frame for so long, when connecting and afterwards, it is given up. */
#define CONNECT_TIMEOUT (30 * G_TIME_SPAN_SECOND)
#define SILENCE_TIMEOUT (10 * G_TIME_SPAN_SECOND)

/* Where a decoder is fed. */
typedef struct {
  WatchSource *source;
  guint element;
} Feed;

/* ---- Streaming threads ---- */

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  WatchSource *source = data;

  g_mutex_lock (&source->lock);
  source->frames++;
  source->last_frame = g_get_monotonic_time ();
  g_mutex_unlock (&source->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_encoded (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const Feed *feed = data;
  WatchSource *source = feed->source;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  gboolean in_use;

  g_mutex_lock (&source->lock);
  in_use = feed->element == source->n_elements;
  g_mutex_unlock (&source->lock);
  if (in_use && caps != NULL)
    watch_recorder_push (source->recorder, caps, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

static void
on_deep_element (GstBin *bin, GstBin *parent, GstElement *element, WatchSource *source)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autoptr (GstPad) pad = NULL;
  Feed *feed;

  if (factory == NULL || source->recorder == NULL
      || !gst_element_factory_list_is_type (factory, GST_ELEMENT_FACTORY_TYPE_DECODER
                                                         | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO))
    return;
  pad = gst_element_get_static_pad (element, "sink");
  if (pad == NULL || gst_pad_is_linked (pad))
    return;
  feed = g_new (Feed, 1);
  g_mutex_lock (&source->lock);
  source->encoded = TRUE;
  *feed = (Feed) {source, source->n_elements};
  g_mutex_unlock (&source->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_encoded, feed, g_free);
}

/* An end stays in the source: what is behind it goes on with the next one. */
static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  WatchSource *source = data;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_EOS)
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&source->lock);
  source->ended = TRUE;
  g_mutex_unlock (&source->lock);
  return GST_PAD_PROBE_DROP;
}

static gboolean
is_live (GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_query (pad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

static void
on_pad (GstElement *element, GstPad *pad, WatchSource *source)
{
  const WatchPipeline *pipeline = source->pipeline;
  g_autoptr (GstPad) sink = gst_element_get_static_pad (pipeline->pace, "sink");
  const gboolean live = is_live (pad);
  const GstClockTime now = gst_element_get_current_running_time (pipeline->pipeline);

  if (gst_pad_is_linked (sink))
    return;
  /* What isn't live begins at 0 whenever it is begun. */
  if (!live && GST_CLOCK_TIME_IS_VALID (now))
    gst_pad_set_offset (pad, (gint64)now);
  g_object_set (pipeline->pace, "sync", !live, NULL);
  g_mutex_lock (&source->lock);
  source->live = live;
  g_mutex_unlock (&source->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, source, NULL);
  gst_pad_link (pad, sink);
}

/* ---- Main thread ---- */

void
watch_source_init (WatchSource *source, const char *uri, const WatchPipeline *pipeline,
                   WatchRecorder *recorder)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (pipeline->pace, "sink");

  *source = (WatchSource) {.uri = uri, .pipeline = pipeline, .recorder = recorder};
  g_mutex_init (&source->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, source, NULL);
}

void
watch_source_clear (WatchSource *source)
{
  g_mutex_clear (&source->lock);
}

gboolean
watch_source_connect (WatchSource *source)
{
  GstElement *pipeline = source->pipeline->pipeline;

  source->since = g_get_monotonic_time ();
  g_mutex_lock (&source->lock);
  source->ended = FALSE;
  source->encoded = FALSE;
  source->last_frame = 0;
  source->n_elements++;
  g_mutex_unlock (&source->lock);
  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    return TRUE; /* a message says why */
  source->element = watch_pipeline_make_source (source->uri);
  if (source->element == NULL)
    return FALSE;
  g_signal_connect (source->element, "pad-added", G_CALLBACK (on_pad), source);
  g_signal_connect (source->element, "deep-element-added", G_CALLBACK (on_deep_element), source);
  gst_bin_add (GST_BIN (pipeline), source->element);
  /* A message says why it fails. */
  gst_element_sync_state_with_parent (source->element);
  return TRUE;
}

static void
stop_element (GstElement *element, gpointer data)
{
  gst_element_set_state (element, GST_STATE_NULL);
}

void
watch_source_disconnect (WatchSource *source, GDestroyNotify stopped, gpointer data)
{
  GstElement *element = g_steal_pointer (&source->element);

  if (element == NULL) {
    stopped (data);
    return;
  }
  g_signal_handlers_disconnect_by_data (element, source);
  gst_object_ref (element);
  gst_bin_remove (GST_BIN (source->pipeline->pipeline), element);
  gst_element_call_async (element, stop_element, data, stopped);
  gst_object_unref (element);
}

WatchSourceState
watch_source_check (WatchSource *source, gint64 now, const char **problem)
{
  gint64 last_frame;
  gboolean ended, live;

  g_mutex_lock (&source->lock);
  last_frame = source->last_frame;
  ended = source->ended;
  live = source->live;
  g_mutex_unlock (&source->lock);
  if (ended && last_frame != 0 && !live)
    return WATCH_SOURCE_REPEATING;
  if (ended)
    *problem = "the stream has ended";
  else if (last_frame != 0 && now - last_frame > SILENCE_TIMEOUT)
    *problem = "no picture for ten seconds";
  else if (last_frame == 0 && now - source->since > CONNECT_TIMEOUT)
    *problem = "no picture after half a minute";
  else
    return last_frame != 0 ? WATCH_SOURCE_PLAYING : WATCH_SOURCE_CONNECTING;
  return WATCH_SOURCE_FAILED;
}

gboolean
watch_source_contains (const WatchSource *source, GstObject *origin)
{
  return source->element != NULL
         && (origin == GST_OBJECT (source->element)
             || gst_object_has_as_ancestor (origin, GST_OBJECT (source->element)));
}

guint64
watch_source_get_n_frames (WatchSource *source)
{
  guint64 frames;

  g_mutex_lock (&source->lock);
  frames = source->frames;
  g_mutex_unlock (&source->lock);
  return frames;
}

gboolean
watch_source_is_encoded (WatchSource *source)
{
  gboolean encoded;

  g_mutex_lock (&source->lock);
  encoded = source->encoded;
  g_mutex_unlock (&source->lock);
  return encoded;
}
