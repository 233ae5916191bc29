/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera: its pipeline, kept running while its source comes and goes.
 *
 *   source → clocksync → queue → videoconvert → ensembleclassify → tee
 *     tee → queue → ensemblepublish → fakesink
 *     tee → queue → valve → ensembleoverlay → videoscale → jpegenc → appsink (the page)
 *
 * The source (camera-source.h) is replaced when it fails, ends or falls silent; model, publisher
 * and states stay. A file plays over and over. All functions, and the listener's, are of the main
 * thread. */
#pragma once

#include "ensemble/result.h"
#include "watch/config.h"
#include "watch/recorder.h"

G_BEGIN_DECLS

typedef enum {
  WATCH_CAMERA_STOPPED,
  WATCH_CAMERA_CONNECTING,
  WATCH_CAMERA_PLAYING,
  WATCH_CAMERA_WAITING, /* until it is tried again */
} WatchCameraState;

typedef struct _WatchCamera WatchCamera;

typedef struct {
  void (*state) (WatchCamera *camera, gpointer data); /* or what it says of its clips */
  void (*result) (WatchCamera *camera, EnsResult *result, gpointer data);
  /* Of an element, such as class-appeared. */
  void (*message) (WatchCamera *camera, const GstStructure *message, gpointer data);
  void (*picture) (WatchCamera *camera, GBytes *jpeg, gpointer data);
} WatchCameraListener;

/* The configuration and the listener are the caller's, and stay. NULL with an error if elements are
 * missing or a property can't be set. (transfer full) */
WatchCamera *watch_camera_new (const WatchConfig *config, const WatchCameraConfig *camera_config,
                               const WatchCameraListener *listener, gpointer data, GError **error);
/* Stops it in the background, which may take as long as elements need to stop. */
void watch_camera_stop (WatchCamera *camera);
/* Whether that is over, and its clips are written. */
gboolean watch_camera_has_stopped (WatchCamera *camera);
/* Waits for nothing: what has not stopped by then goes on without it. */
void watch_camera_free (WatchCamera *camera);
void watch_camera_start (WatchCamera *camera);

/* While they are paused none is written; nothing happens if nothing is recorded. */
void watch_camera_set_clips_paused (WatchCamera *camera, gboolean paused);

/* How many look at the live picture; without viewers none is drawn. */
void watch_camera_add_viewer (WatchCamera *camera);
void watch_camera_remove_viewer (WatchCamera *camera);

typedef struct {
  WatchCameraState state;
  const char *error; /* last one; NULL: there was none */
  guint64 frames;    /* since the start */
  guint reconnects;
  gboolean recording;
  guint n_clips, n_failed_clips;
  const char *clip_error; /* why the last clip failed; NULL: it did not */
} WatchCameraStatus;

const char *watch_camera_state_get_name (WatchCameraState state);
const char *watch_camera_get_name (const WatchCamera *camera);
WatchCameraStatus watch_camera_get_status (WatchCamera *camera);
/* Statistics of ensembleclassify and, NULL if nothing is published, ensemblepublish. (transfer
 * full) */
GstStructure *watch_camera_get_stats (WatchCamera *camera);
GstStructure *watch_camera_get_publish_stats (WatchCamera *camera);
/* NULL: nothing is recorded. */
const char *watch_camera_get_clips (const WatchCamera *camera);

G_END_DECLS
