/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `watch` knows of its cameras, for the page and the figures. Of the main thread. */
#pragma once

#include "watch/camera.h"
#include "watch/history.h"
#include "watch/labels.h"
#include "watch/room.h"
#include "watch/training.h"

G_BEGIN_DECLS

typedef struct _WatchStations WatchStations;

typedef struct {
  WatchStations *all;
  const WatchCameraConfig *config;
  WatchCamera *camera;
  WatchCameraState state; /* the last one that was printed */
  WatchHistory *history;
  char *collected;     /* folder; NULL: nothing is collected */
  char *collect_error; /* why no frames are collected; NULL: they are */
  EnsResult *result;   /* the last one; NULL: none yet */
  guint n_models;      /* swapped in */
  gint64 swapped;      /* when the last one was, microseconds since 1970; 0: never */
} WatchStation;

/* What happens, as it happens: for pages that are open. json is an object. */
typedef struct {
  void (*news) (const char *kind, const char *json, gpointer data);
  void (*picture) (WatchStation *station, GBytes *jpeg, gpointer data);
} WatchNews;

struct _WatchStations {
  const WatchConfig *config;
  GPtrArray *list; /* WatchStation */
  WatchTraining *training;
  WatchRoom *room; /* NULL: nothing is recorded */
  guint room_check;
  const WatchNews *news;
  gpointer data;
  gint64 started; /* monotonic */
};

/* program: the tool, to train with. The configuration is the caller's, and stays. (transfer full)
 */
WatchStations *watch_stations_new (const WatchConfig *config, const char *program, GError **error);
void watch_stations_free (WatchStations *stations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchStations, watch_stations_free)
/* NULL: nobody listens any more. */
void watch_stations_set_news (WatchStations *stations, const WatchNews *news, gpointer data);
void watch_stations_start (WatchStations *stations);

/* NULL: there is no such camera. */
WatchStation *watch_stations_find (WatchStations *stations, const char *name);
/* Whether all cameras play. */
gboolean watch_stations_are_well (const WatchStations *stations);
/* Whether its clips are not recorded for want of room. */
gboolean watch_station_is_paused (const WatchStation *station);
/* (transfer none) */
WatchLabels watch_station_get_labels (const WatchStation *station);

/* An object: name, state, error, frames, reconnects, recording, clips, clip_error, collects,
 * collect_error, swapped, model, version, p, present. */
void watch_station_write (const WatchStation *station, EnsJson *json);
/* All of them, and the training. (transfer full) */
char *watch_stations_to_json (const WatchStations *stations);

G_END_DECLS
