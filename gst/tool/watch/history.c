/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/history.h"

#include <string.h>

#define MAX_POINTS 600
#define MAX_EVENTS 100

typedef struct {
  gint64 time;
  float p[]; /* per class */
} Point;

struct _WatchHistory {
  char **classes;
  guint n_classes;
  GQueue points; /* Point, the oldest first */
  GQueue events; /* WatchEvent, the newest first */
  GHashTable *counts;
};

WatchHistory *
watch_history_new (void)
{
  WatchHistory *history = g_new0 (WatchHistory, 1);

  history->classes = g_new0 (char *, 1);
  history->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return history;
}

static void
free_event (gpointer data)
{
  WatchEvent *event = data;

  g_free (event->class_name);
  g_free (event);
}

void
watch_history_free (WatchHistory *history)
{
  g_queue_clear_full (&history->points, g_free);
  g_queue_clear_full (&history->events, free_event);
  g_hash_table_unref (history->counts);
  g_strfreev (history->classes);
  g_free (history);
}

static gboolean
has_classes (const WatchHistory *history, const EnsResult *result)
{
  if (history->n_classes != result->n_classes)
    return FALSE;
  for (guint i = 0; i < result->n_classes; i++)
    if (strcmp (history->classes[i], result->classes[i].name) != 0)
      return FALSE;
  return TRUE;
}

static void
set_classes (WatchHistory *history, const EnsResult *result)
{
  g_queue_clear_full (&history->points, g_free);
  g_strfreev (history->classes);
  history->n_classes = result->n_classes;
  history->classes = g_new0 (char *, result->n_classes + 1);
  for (guint i = 0; i < result->n_classes; i++)
    history->classes[i] = g_strdup (result->classes[i].name);
}

static Point *
add_point (WatchHistory *history, gint64 time)
{
  Point *point = g_malloc0 (sizeof *point + history->n_classes * sizeof (float));

  point->time = time;
  g_queue_push_tail (&history->points, point);
  if (g_queue_get_length (&history->points) > MAX_POINTS)
    g_free (g_queue_pop_head (&history->points));
  return point;
}

void
watch_history_add_result (WatchHistory *history, gint64 time, const EnsResult *result)
{
  Point *point;

  if (!has_classes (history, result))
    set_classes (history, result);
  point = g_queue_peek_tail (&history->points);
  if (point == NULL || time - point->time >= G_TIME_SPAN_SECOND || time < point->time)
    point = add_point (history, time);
  for (guint i = 0; i < result->n_classes; i++)
    point->p[i] = MAX (point->p[i], result->classes[i].p);
}

static void
count (WatchHistory *history, const char *class_name)
{
  const guint n = GPOINTER_TO_UINT (g_hash_table_lookup (history->counts, class_name));

  g_hash_table_replace (history->counts, g_strdup (class_name), GUINT_TO_POINTER (n + 1));
}

const WatchEvent *
watch_history_add_event (WatchHistory *history, gint64 time, const GstStructure *message)
{
  WatchEvent *event = g_new0 (WatchEvent, 1);
  guint64 duration = 0;

  event->class_name = g_strdup (gst_structure_get_string (message, "class"));
  event->appeared = gst_structure_has_name (message, "class-appeared");
  event->time = time;
  gst_structure_get_double (message, "probability", &event->probability);
  gst_structure_get_uint64 (message, "duration", &duration);
  event->duration = (double)duration / GST_SECOND;
  g_queue_push_head (&history->events, event);
  if (g_queue_get_length (&history->events) > MAX_EVENTS)
    free_event (g_queue_pop_tail (&history->events));
  if (event->appeared)
    count (history, event->class_name);
  return event;
}

const char *const *
watch_history_get_classes (const WatchHistory *history)
{
  return (const char *const *)history->classes;
}

GHashTable *
watch_history_get_counts (const WatchHistory *history)
{
  return history->counts;
}

/* ---- JSON ---- */

/* Seconds; a thousandth is exact enough, and short. */
static double
seconds_of (gint64 time)
{
  return (double)(time / 1000) / 1000;
}

void
watch_event_write (const WatchEvent *event, const char *name, EnsJson *json)
{
  ens_json_open_object (json, name, ENS_JSON_FLAT);
  ens_json_string (json, "class", event->class_name);
  ens_json_string (json, "event", event->appeared ? "appeared" : "left");
  ens_json_double (json, "time", seconds_of (event->time));
  ens_json_double (json, "probability", event->probability);
  if (!event->appeared)
    ens_json_double (json, "duration", event->duration);
  ens_json_close (json);
}

static void
write_point (const WatchHistory *history, const Point *point, EnsJson *json)
{
  ens_json_open_array (json, NULL, ENS_JSON_FLAT);
  ens_json_double (json, NULL, seconds_of (point->time));
  for (guint i = 0; i < history->n_classes; i++)
    ens_json_double (json, NULL, (double)(gint)(point->p[i] * 1000 + 0.5F) / 1000);
  ens_json_close (json);
}

void
watch_history_write (const WatchHistory *history, EnsJson *json)
{
  ens_json_strings (json, "classes", watch_history_get_classes (history));
  ens_json_open_array (json, "points", ENS_JSON_FLAT);
  for (const GList *link = history->points.head; link != NULL; link = link->next)
    write_point (history, link->data, json);
  ens_json_close (json);
  ens_json_open_array (json, "events", ENS_JSON_FLAT);
  for (const GList *link = history->events.head; link != NULL; link = link->next)
    watch_event_write (link->data, NULL, json);
  ens_json_close (json);
}
