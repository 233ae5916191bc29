/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the page shows of a camera's past: the probabilities of the last ten minutes, one point a
 * second at most, and the last hundred events. Of the main thread. Times are microseconds since
 * 1970. */
#pragma once

#include <gst/gst.h>

#include "base/json.h"
#include "ensemble/result.h"

G_BEGIN_DECLS

typedef struct {
  char *class_name;
  gboolean appeared;
  gint64 time;
  double probability;
  double duration; /* seconds that it was present; of what has left */
} WatchEvent;

typedef struct _WatchHistory WatchHistory;

WatchHistory *watch_history_new (void);
void watch_history_free (WatchHistory *history);

/* A model of other classes begins a new curve. Of results within a second the highest
 * probabilities are kept. */
void watch_history_add_result (WatchHistory *history, gint64 time, const EnsResult *result);
/* The message class-appeared or class-left of ensembleclassify. */
const WatchEvent *watch_history_add_event (WatchHistory *history, gint64 time,
                                           const GstStructure *message);

/* Classes of the last result, up to a NULL; empty before the first. */
const char *const *watch_history_get_classes (const WatchHistory *history);
/* Events of each class since the start, by its name: GUINT_TO_POINTER. */
GHashTable *watch_history_get_counts (const WatchHistory *history);

/* Members of an open object: classes, points ([[seconds since 1970, P …] …]) and events, the newest
 * first. */
void watch_history_write (const WatchHistory *history, EnsJson *json);
/* An object. */
void watch_event_write (const WatchEvent *event, const char *name, EnsJson *json);

G_END_DECLS
