/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/camera.h"

#include <gst/app/gstappsink.h>
#include <gst/ensemble/meta.h>

#include "watch/back-off.h"
#include "watch/camera-source.h"

static const char *const state_names[] = {"stopped", "connecting", "playing", "waiting"};

struct _WatchCamera {
  gatomicrefcount references; /* elements that are being stopped have one each */
  const WatchConfig *config;
  const WatchCameraConfig *camera_config;
  const WatchCameraListener *listener;
  gpointer data;
  WatchPipeline elements;
  WatchSource source;
  WatchRecorder *recorder; /* NULL: nothing is recorded */
  GstBus *bus;
  WatchCameraState state;
  WatchBackOff back_off;
  char *error;
  guint reconnects, viewers;
  guint tick, retry;
  gboolean recording; /* as the listener was told */
  gboolean stopping;

  GMutex lock;       /* guards what follows, of streaming threads too */
  EnsResult *latest; /* of the classifier, to tell a new one */
  EnsResult *result; /* for the listener */
  GBytes *picture;
  guint delivery; /* source id; 0: nothing waits */
  gboolean freed; /* by its owner: nothing is delivered any more */
};

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

  if (sample == NULL)
    return GST_FLOW_EOS;
  g_mutex_lock (&camera->lock);
  g_clear_pointer (&camera->picture, g_bytes_unref);
  camera->picture = copy_bytes (gst_sample_get_buffer (sample));
  schedule (camera);
  g_mutex_unlock (&camera->lock);
  /* A source that doesn't compress its video is recorded as the page shows it. */
  if (camera->recorder != NULL && !watch_source_is_encoded (&camera->source))
    watch_recorder_push (camera->recorder, gst_sample_get_caps (sample),
                         gst_sample_get_buffer (sample));
  return GST_FLOW_OK;
}

/* ---- States ---- */

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
  watch_source_clear (&camera->source);
  g_mutex_clear (&camera->lock);
  g_free (camera);
}

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
  if (!watch_source_connect (&camera->source))
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
drop_source (WatchCamera *camera)
{
  g_atomic_ref_count_inc (&camera->references);
  watch_source_disconnect (&camera->source, unref, camera);
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

  if (watch_source_contains (&camera->source, origin))
    fail (camera, what);
  /* Of a source that was removed nobody hears. */
  else if (gst_object_has_as_ancestor (origin, GST_OBJECT (camera->elements.pipeline)))
    fail_all (camera, what);
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
    camera->listener->message (camera, gst_message_get_structure (message), camera->data);
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
  const gboolean recorded = camera->recorder != NULL && !watch_source_is_encoded (&camera->source);

  g_object_set (camera->elements.valve, "drop", camera->viewers == 0 && !recorded, NULL);
}

static void
check_source (WatchCamera *camera, gint64 now)
{
  const char *problem;
  const WatchSourceState state = watch_source_check (&camera->source, now, &problem);

  if (state == WATCH_SOURCE_PLAYING || state == WATCH_SOURCE_REPEATING) {
    watch_back_off_play (&camera->back_off, now);
    set_state (camera, WATCH_CAMERA_PLAYING);
  }
  if (state == WATCH_SOURCE_REPEATING)
    repeat (camera);
  else if (state == WATCH_SOURCE_FAILED)
    fail (camera, problem);
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

  if (camera->state == WATCH_CAMERA_CONNECTING || camera->state == WATCH_CAMERA_PLAYING)
    check_source (camera, now);
  if (camera->recorder != NULL)
    tick_recorder (camera, now);
  update_valve (camera);
  return G_SOURCE_CONTINUE;
}

/* ---- Its life ---- */

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
  g_autoptr (GstPad) classified = NULL;

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
  watch_source_init (&camera->source, camera_config->uri, &camera->elements, camera->recorder);
  classified = gst_element_get_static_pad (camera->elements.classify, "src");
  gst_pad_add_probe (classified, GST_PAD_PROBE_TYPE_BUFFER, on_classified, camera, NULL);
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
watch_camera_set_clips_paused (WatchCamera *camera, gboolean paused)
{
  if (camera->recorder != NULL)
    watch_recorder_set_paused (camera->recorder, paused);
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
  WatchCameraStatus status = {.state = camera->state,
                              .error = camera->error,
                              .frames = watch_source_get_n_frames (&camera->source),
                              .reconnects = camera->reconnects};

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
