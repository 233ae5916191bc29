/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/camera.h"

#include <gst/app/gstappsink.h>
#include <gst/ensemble/meta.h>
#include <string.h>

#include "watch/back-off.h"
#include "watch/camera-pipeline.h"

/* Without a frame for so long, when connecting and afterwards, the source is given up. */
#define CONNECT_TIMEOUT (30 * G_TIME_SPAN_SECOND)
#define SILENCE_TIMEOUT (10 * G_TIME_SPAN_SECOND)

static const char *const state_names[] = {"stopped", "connecting", "playing", "waiting"};

struct _WatchCamera {
  gatomicrefcount references; /* sources that are being stopped have one each */
  const WatchConfig *config;
  const WatchCameraConfig *camera_config;
  const WatchCameraListener *listener;
  gpointer data;
  WatchPipeline elements;
  GstElement *source;      /* in the pipeline; NULL: none */
  WatchRecorder *recorder; /* NULL: nothing is recorded */
  GstBus *bus;
  WatchCameraState state;
  WatchBackOff back_off;
  char *error;
  guint reconnects, viewers;
  gint64 since; /* when the source was made */
  guint tick, retry;
  gboolean recording; /* as the listener was told */
  gboolean stopping;

  GMutex lock; /* guards what follows, of streaming threads too */
  guint64 frames;
  gint64 last_frame; /* monotonic */
  gboolean ended;    /* the source has no more */
  gboolean live;     /* the source is a camera, not a file */
  gboolean encoded;  /* decoders are fed, so that there is what to record */
  EnsResult *latest; /* of the classifier, to tell a new one */
  EnsResult *result; /* for the listener */
  GBytes *picture;
  guint delivery;  /* source id; 0: nothing waits */
  guint n_sources; /* made so far: which of them is in use */
  gboolean freed;  /* by its owner: nothing is delivered any more */
};

/* Where a decoder of a source is fed. */
typedef struct {
  WatchCamera *camera;
  guint source;
} Feed;

/* ---- From streaming threads to the main thread ---- */

/* The newest of what has come meanwhile. */
static gboolean
deliver (gpointer data)
{
  WatchCamera *camera = data;
  g_autoptr (EnsResult) result = NULL;
  g_autoptr (GBytes) picture = NULL;

  g_mutex_lock (&camera->lock);
  result = g_steal_pointer (&camera->result);
  picture = g_steal_pointer (&camera->picture);
  camera->delivery = 0;
  g_mutex_unlock (&camera->lock);
  if (result != NULL) {
    /* When it stops, what was analysed before begins no clip any more. */
    if (camera->recorder != NULL && !camera->stopping)
      watch_recorder_update (camera->recorder, result);
    camera->listener->result (camera, result, camera->data);
  }
  if (picture != NULL)
    camera->listener->picture (camera, picture, camera->data);
  return G_SOURCE_REMOVE;
}

/* Lock held. At the priority of requests: a busy page must not keep results waiting. */
static void
schedule (WatchCamera *camera)
{
  if (camera->delivery == 0 && !camera->freed)
    camera->delivery = g_idle_add_full (G_PRIORITY_DEFAULT, deliver, camera, NULL);
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  WatchCamera *camera = data;

  g_mutex_lock (&camera->lock);
  camera->frames++;
  camera->last_frame = g_get_monotonic_time ();
  g_mutex_unlock (&camera->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_classified (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  WatchCamera *camera = data;
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (GST_PAD_PROBE_INFO_BUFFER (info));
  EnsResult *result = meta != NULL ? gst_ensemble_meta_get_result (meta) : NULL;

  if (result == NULL || result == camera->latest)
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&camera->lock);
  g_clear_pointer (&camera->latest, ens_result_unref);
  g_clear_pointer (&camera->result, ens_result_unref);
  camera->latest = ens_result_ref (result);
  camera->result = ens_result_ref (result);
  schedule (camera);
  g_mutex_unlock (&camera->lock);
  return GST_PAD_PROBE_OK;
}

/* (transfer full) (nullable) */
static GBytes *
copy_bytes (GstBuffer *buffer)
{
  const gsize size = gst_buffer_get_size (buffer);
  gpointer bytes = g_malloc (size);

  gst_buffer_extract (buffer, 0, bytes, size);
  return g_bytes_new_take (bytes, size);
}

static GstFlowReturn
on_picture (GstAppSink *sink, gpointer data)
{
  WatchCamera *camera = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  gboolean encoded;

  if (sample == NULL)
    return GST_FLOW_EOS;
  g_mutex_lock (&camera->lock);
  g_clear_pointer (&camera->picture, g_bytes_unref);
  camera->picture = copy_bytes (gst_sample_get_buffer (sample));
  encoded = camera->encoded;
  schedule (camera);
  g_mutex_unlock (&camera->lock);
  /* A source that doesn't compress its video is recorded as the page shows it. */
  if (!encoded && camera->recorder != NULL)
    watch_recorder_push (camera->recorder, gst_sample_get_caps (sample),
                         gst_sample_get_buffer (sample));
  return GST_FLOW_OK;
}

static GstPadProbeReturn
on_encoded (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const Feed *feed = data;
  WatchCamera *camera = feed->camera;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  gboolean in_use;

  g_mutex_lock (&camera->lock);
  in_use = feed->source == camera->n_sources;
  g_mutex_unlock (&camera->lock);
  if (in_use && caps != NULL)
    watch_recorder_push (camera->recorder, caps, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

/* ---- The source ---- */

static void
on_deep_element (GstBin *source, GstBin *bin, GstElement *element, WatchCamera *camera)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autoptr (GstPad) pad = NULL;
  Feed *feed;

  if (factory == NULL || camera->recorder == NULL
      || !gst_element_factory_list_is_type (factory, GST_ELEMENT_FACTORY_TYPE_DECODER
                                                         | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO))
    return;
  pad = gst_element_get_static_pad (element, "sink");
  if (pad == NULL || gst_pad_is_linked (pad))
    return;
  feed = g_new (Feed, 1);
  g_mutex_lock (&camera->lock);
  camera->encoded = TRUE;
  *feed = (Feed) {camera, camera->n_sources};
  g_mutex_unlock (&camera->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_encoded, feed, g_free);
}

/* An end stays in the source: what is behind it goes on with the next one. */
static GstPadProbeReturn
on_source_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  WatchCamera *camera = data;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_EOS)
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&camera->lock);
  camera->ended = TRUE;
  g_mutex_unlock (&camera->lock);
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
on_pad (GstElement *source, GstPad *pad, WatchCamera *camera)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (camera->elements.pace, "sink");
  const gboolean live = is_live (pad);
  const GstClockTime now = gst_element_get_current_running_time (camera->elements.pipeline);

  if (gst_pad_is_linked (sink))
    return;
  /* What isn't live begins at 0 whenever it is begun. */
  if (!live && GST_CLOCK_TIME_IS_VALID (now))
    gst_pad_set_offset (pad, (gint64)now);
  g_object_set (camera->elements.pace, "sync", !live, NULL);
  g_mutex_lock (&camera->lock);
  camera->live = live;
  g_mutex_unlock (&camera->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_source_event, camera, NULL);
  gst_pad_link (pad, sink);
}

static void
stop_element (GstElement *element, gpointer data)
{
  gst_element_set_state (element, GST_STATE_NULL);
}

static void
unref (gpointer data)
{
  WatchCamera *camera = data;

  if (!g_atomic_ref_count_dec (&camera->references))
    return;
  g_clear_pointer (&camera->recorder, watch_recorder_free);
  g_clear_object (&camera->bus);
  g_clear_object (&camera->elements.pipeline);
  g_clear_pointer (&camera->latest, ens_result_unref);
  g_clear_pointer (&camera->result, ens_result_unref);
  g_clear_pointer (&camera->picture, g_bytes_unref);
  g_free (camera->error);
  g_mutex_clear (&camera->lock);
  g_free (camera);
}

/* A source may take long to stop, so nobody waits for it. */
static void
drop_source (WatchCamera *camera)
{
  GstElement *source = g_steal_pointer (&camera->source);

  if (source == NULL)
    return;
  g_signal_handlers_disconnect_by_data (source, camera);
  gst_object_ref (source);
  gst_bin_remove (GST_BIN (camera->elements.pipeline), source);
  /* Until then its streaming threads may still know the camera. */
  g_atomic_ref_count_inc (&camera->references);
  gst_element_call_async (source, stop_element, camera, unref);
  gst_object_unref (source);
}

static gboolean
make_source (WatchCamera *camera)
{
  camera->source = watch_pipeline_make_source (camera->camera_config->uri);
  if (camera->source == NULL)
    return FALSE;
  g_signal_connect (camera->source, "pad-added", G_CALLBACK (on_pad), camera);
  g_signal_connect (camera->source, "deep-element-added", G_CALLBACK (on_deep_element), camera);
  gst_bin_add (GST_BIN (camera->elements.pipeline), camera->source);
  /* A message says why it fails. */
  gst_element_sync_state_with_parent (camera->source);
  return TRUE;
}

/* ---- States ---- */

static void
set_state (WatchCamera *camera, WatchCameraState state)
{
  if (camera->state == state)
    return;
  camera->state = state;
  camera->listener->state (camera, camera->data);
}

static void fail (WatchCamera *camera, const char *what);

static void
begin_source (WatchCamera *camera)
{
  camera->since = g_get_monotonic_time ();
  g_mutex_lock (&camera->lock);
  camera->ended = FALSE;
  camera->encoded = FALSE;
  camera->last_frame = 0;
  camera->n_sources++;
  g_mutex_unlock (&camera->lock);
  if (gst_element_set_state (camera->elements.pipeline, GST_STATE_PLAYING)
      == GST_STATE_CHANGE_FAILURE)
    return; /* a message says why */
  if (!make_source (camera))
    fail (camera, "there is no uridecodebin: install gstreamer1.0-plugins-base");
}

static gboolean
connect_source (gpointer data)
{
  WatchCamera *camera = data;

  camera->retry = 0;
  set_state (camera, WATCH_CAMERA_CONNECTING);
  begin_source (camera);
  return G_SOURCE_REMOVE;
}

static void
leave_source (WatchCamera *camera)
{
  drop_source (camera);
  if (camera->recorder != NULL)
    watch_recorder_interrupt (camera->recorder);
}

/* A file that has ended has not failed: it plays on from its begin. */
static void
repeat (WatchCamera *camera)
{
  leave_source (camera);
  begin_source (camera);
}

/* Disconnects, and tries again later. */
static void
fail (WatchCamera *camera, const char *what)
{
  const gint64 now = g_get_monotonic_time ();
  guint wait;

  if (camera->state == WATCH_CAMERA_WAITING || camera->state == WATCH_CAMERA_STOPPED)
    return;
  leave_source (camera);
  g_free (camera->error);
  camera->error = watch_hide_password (what, camera->camera_config->uri);
  camera->reconnects++;
  wait = watch_back_off_fail (&camera->back_off, now, g_random_double ());
  camera->retry = g_timeout_add (wait, connect_source, camera);
  set_state (camera, WATCH_CAMERA_WAITING);
}

/* Of the rest of the pipeline: all of it starts again. */
static void
fail_all (WatchCamera *camera, const char *what)
{
  fail (camera, what);
  gst_element_call_async (camera->elements.pipeline, stop_element, NULL, NULL);
}

static void
on_error (WatchCamera *camera, GstMessage *message)
{
  GstObject *origin = GST_MESSAGE_SRC (message);
  g_autofree char *what = watch_describe_error (message);

  if (camera->source != NULL
      && (origin == GST_OBJECT (camera->source)
          || gst_object_has_as_ancestor (origin, GST_OBJECT (camera->source))))
    fail (camera, what);
  /* Of a source that was removed nobody hears. */
  else if (gst_object_has_as_ancestor (origin, GST_OBJECT (camera->elements.pipeline)))
    fail_all (camera, what);
}

static void
on_element (WatchCamera *camera, const GstStructure *message)
{
  const char *class_name = gst_structure_get_string (message, "class");

  if (gst_structure_has_name (message, "ensemble-model-changed"))
    camera->listener->model (camera, message, camera->data);
  if (class_name != NULL
      && (gst_structure_has_name (message, "class-appeared")
          || gst_structure_has_name (message, "class-left")))
    camera->listener->event (camera, message, camera->data);
}

static void
on_warning (WatchCamera *camera, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *shown = NULL;

  gst_message_parse_warning (message, &error, NULL);
  shown = watch_hide_password (error->message, camera->camera_config->uri);
  g_printerr ("%s: %s\n", camera->camera_config->name, shown);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  WatchCamera *camera = data;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    on_error (camera, message);
    break;
  case GST_MESSAGE_WARNING:
    on_warning (camera, message);
    break;
  case GST_MESSAGE_ELEMENT:
    on_element (camera, gst_message_get_structure (message));
    break;
  case GST_MESSAGE_LATENCY:
    gst_bin_recalculate_latency (GST_BIN (camera->elements.pipeline));
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static void
update_valve (WatchCamera *camera)
{
  gboolean encoded;

  g_mutex_lock (&camera->lock);
  encoded = camera->encoded;
  g_mutex_unlock (&camera->lock);
  g_object_set (camera->elements.valve, "drop",
                camera->viewers == 0 && (camera->recorder == NULL || encoded), NULL);
}

static gboolean
is_file (WatchCamera *camera)
{
  gboolean live;

  g_mutex_lock (&camera->lock);
  live = camera->live;
  g_mutex_unlock (&camera->lock);
  return !live;
}

static void
check_source (WatchCamera *camera, gint64 now, gint64 last_frame, gboolean ended)
{
  const gboolean playing = last_frame != 0;

  if (playing) {
    watch_back_off_play (&camera->back_off, now);
    set_state (camera, WATCH_CAMERA_PLAYING);
  }
  if (ended && playing && is_file (camera))
    repeat (camera);
  else if (ended)
    fail (camera, "the stream has ended");
  else if (playing && now - last_frame > SILENCE_TIMEOUT)
    fail (camera, "no picture for ten seconds");
  else if (!playing && now - camera->since > CONNECT_TIMEOUT)
    fail (camera, "no picture after half a minute");
}

static void
tick_recorder (WatchCamera *camera, gint64 now)
{
  gboolean recording;

  watch_recorder_tick (camera->recorder, now);
  recording = watch_recorder_is_recording (camera->recorder);
  if (recording == camera->recording)
    return;
  camera->recording = recording;
  camera->listener->state (camera, camera->data);
}

static gboolean
on_tick (gpointer data)
{
  WatchCamera *camera = data;
  const gint64 now = g_get_monotonic_time ();
  gint64 last_frame;
  gboolean ended;

  g_mutex_lock (&camera->lock);
  last_frame = camera->last_frame;
  ended = camera->ended;
  g_mutex_unlock (&camera->lock);
  if (camera->state == WATCH_CAMERA_CONNECTING || camera->state == WATCH_CAMERA_PLAYING)
    check_source (camera, now, last_frame, ended);
  if (camera->recorder != NULL)
    tick_recorder (camera, now);
  update_valve (camera);
  return G_SOURCE_CONTINUE;
}

/* ---- Its life ---- */

static void
add_probe (GstElement *element, const char *name, GstPadProbeCallback callback, WatchCamera *camera)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, camera, NULL);
}

static void
on_clip_failed (const char *what, gpointer data)
{
  WatchCamera *camera = data;

  g_printerr ("%s: a clip has failed: %s\n", camera->camera_config->name, what);
  camera->listener->state (camera, camera->data);
}

static void
set_up_recorder (WatchCamera *camera)
{
  char **classes = camera->camera_config->record != NULL ? camera->camera_config->record
                                                         : camera->config->record_classes;

  if (classes != NULL && classes[0] != NULL)
    camera->recorder = watch_recorder_new (camera->config, camera->camera_config->name,
                                           (const char *const *)classes, on_clip_failed, camera);
}

WatchCamera *
watch_camera_new (const WatchConfig *config, const WatchCameraConfig *camera_config,
                  const WatchCameraListener *listener, gpointer data, GError **error)
{
  static const GstAppSinkCallbacks callbacks = {.new_sample = on_picture};
  WatchCamera *camera = g_new0 (WatchCamera, 1);

  g_atomic_ref_count_init (&camera->references);
  camera->config = config;
  camera->camera_config = camera_config;
  camera->listener = listener;
  camera->data = data;
  g_mutex_init (&camera->lock);
  if (!watch_pipeline_build (&camera->elements, config, camera_config, error)) {
    watch_camera_free (camera);
    return NULL;
  }
  set_up_recorder (camera);
  add_probe (camera->elements.pace, "sink", on_frame, camera);
  add_probe (camera->elements.classify, "src", on_classified, camera);
  gst_app_sink_set_callbacks (GST_APP_SINK (camera->elements.pictures), (gpointer)&callbacks,
                              camera, NULL);
  camera->bus = gst_element_get_bus (camera->elements.pipeline);
  gst_bus_add_watch (camera->bus, on_message, camera);
  return camera;
}

void
watch_camera_stop (WatchCamera *camera)
{
  if (camera->stopping)
    return;
  camera->stopping = TRUE;
  camera->state = WATCH_CAMERA_STOPPED;
  g_clear_handle_id (&camera->tick, g_source_remove);
  g_clear_handle_id (&camera->retry, g_source_remove);
  if (camera->bus != NULL)
    gst_bus_remove_watch (camera->bus);
  if (camera->recorder != NULL)
    watch_recorder_stop (camera->recorder);
  if (camera->elements.pipeline == NULL)
    return;
  drop_source (camera);
  g_atomic_ref_count_inc (&camera->references);
  gst_element_call_async (camera->elements.pipeline, stop_element, camera, unref);
}

gboolean
watch_camera_has_stopped (WatchCamera *camera)
{
  return camera->stopping && g_atomic_ref_count_compare (&camera->references, 1)
         && (camera->recorder == NULL || !watch_recorder_is_writing (camera->recorder));
}

void
watch_camera_free (WatchCamera *camera)
{
  watch_camera_stop (camera);
  g_mutex_lock (&camera->lock);
  camera->freed = TRUE;
  g_clear_handle_id (&camera->delivery, g_source_remove);
  g_mutex_unlock (&camera->lock);
  unref (camera);
}

void
watch_camera_start (WatchCamera *camera)
{
  camera->tick = g_timeout_add_seconds (1, on_tick, camera);
  connect_source (camera);
}

void
watch_camera_add_viewer (WatchCamera *camera)
{
  camera->viewers++;
  update_valve (camera);
}

void
watch_camera_remove_viewer (WatchCamera *camera)
{
  camera->viewers--;
  update_valve (camera);
}

/* ---- What it says of itself ---- */

const char *
watch_camera_state_get_name (WatchCameraState state)
{
  return state_names[state];
}

const char *
watch_camera_get_name (const WatchCamera *camera)
{
  return camera->camera_config->name;
}

WatchCameraStatus
watch_camera_get_status (WatchCamera *camera)
{
  WatchCameraStatus status = {
      .state = camera->state, .error = camera->error, .reconnects = camera->reconnects};

  g_mutex_lock (&camera->lock);
  status.frames = camera->frames;
  g_mutex_unlock (&camera->lock);
  if (camera->recorder != NULL) {
    status.recording = watch_recorder_is_recording (camera->recorder);
    status.n_clips = watch_recorder_get_n_clips (camera->recorder);
    status.n_failed_clips = watch_recorder_get_n_failed (camera->recorder);
    status.clip_error = watch_recorder_get_problem (camera->recorder);
  }
  return status;
}

static GstStructure *
get_stats (GstElement *element)
{
  GstStructure *stats = NULL;

  if (element != NULL)
    g_object_get (element, "stats", &stats, NULL);
  return stats;
}

GstStructure *
watch_camera_get_stats (WatchCamera *camera)
{
  return get_stats (camera->elements.classify);
}

GstStructure *
watch_camera_get_publish_stats (WatchCamera *camera)
{
  return get_stats (camera->elements.publish);
}

const char *
watch_camera_get_clips (const WatchCamera *camera)
{
  return camera->recorder != NULL ? watch_recorder_get_folder (camera->recorder) : NULL;
}
