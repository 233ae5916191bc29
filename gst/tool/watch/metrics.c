/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source: Prometheus' exposition format, text version 0.0.4. */
#include "watch/metrics.h"

#include <string.h>
#include <unistd.h>

typedef enum { OF_CLASSIFY, OF_PUBLISH } Element;

/* Fields of the elements' `stats`. Nanoseconds become seconds. */
static const struct {
  const char *name, *type, *help, *field;
  Element element;
  gboolean nanoseconds;
} stats_metrics[] = {
    {"analysed_total", "counter", "Frames that were classified.", "analysed", OF_CLASSIFY},
    {"skipped_total", "counter", "Due frames that were left out, as one was being classified.",
     "skipped", OF_CLASSIFY},
    {"failed_total", "counter", "Frames that could not be classified.", "failed", OF_CLASSIFY},
    {"missed_total", "counter", "Results that were not ready in their period.", "missed",
     OF_CLASSIFY},
    {"latency_seconds", "gauge", "From frame to result, mean.", "mean-latency", OF_CLASSIFY, TRUE},
    {"analysis_seconds", "gauge", "Duration of a classification, mean.", "mean-total", OF_CLASSIFY,
     TRUE},
    {"analysis_cpu_seconds", "gauge", "Processor time of a classification, mean.", "mean-cpu",
     OF_CLASSIFY, TRUE},
    {"published_total", "counter", "Messages that were sent.", "sent", OF_PUBLISH},
    {"publish_lost_total", "counter", "Messages that did not fit into queue and spool.", "lost",
     OF_PUBLISH},
    {"publish_waiting", "gauge", "Messages that wait to be sent.", "waiting", OF_PUBLISH},
};

/* Of the cameras' own state. */
static const struct {
  const char *name, *type, *help;
} camera_metrics[] = {
    {"camera_up", "gauge", "1 if the camera sends pictures."},
    {"frames_total", "counter", "Frames that the camera sent."},
    {"reconnects_total", "counter", "How often the camera failed."},
    {"clips_total", "counter", "Clips that were begun."},
    {"clips_failed_total", "counter", "Clips that could not be begun or written."},
    {"recording", "gauge", "1 while a clip is written."},
    {"models_total", "counter", "Models that were swapped in."},
    {"recording_paused", "gauge", "1 while no clips are written for want of room on the disk."},
    {"collecting_failed", "gauge", "1 while no frames can be kept, for want of room or otherwise."},
};

static void
head (GString *text, const char *name, const char *type, const char *help)
{
  g_string_append_printf (text, "# HELP gst_ensemble_%s %s\n# TYPE gst_ensemble_%s %s\n", name,
                          help, name, type);
}

static void
value (GString *text, const char *name, const WatchStation *station, double number)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (text, "gst_ensemble_%s{camera=\"%s\"} %s\n", name, station->config->name,
                          g_ascii_dtostr (digits, sizeof digits, number));
}

static double
get_camera_value (const WatchStation *station, guint metric)
{
  const WatchCameraStatus status = watch_camera_get_status (station->camera);
  const double values[G_N_ELEMENTS (camera_metrics)] = {status.state == WATCH_CAMERA_PLAYING,
                                                        (double)status.frames,
                                                        status.reconnects,
                                                        status.n_clips,
                                                        status.n_failed_clips,
                                                        status.recording,
                                                        station->n_models,
                                                        watch_station_is_paused (station),
                                                        station->collect_error != NULL};

  return values[metric];
}

static void
write_camera_metrics (const WatchStations *stations, GString *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (camera_metrics); i++) {
    head (text, camera_metrics[i].name, camera_metrics[i].type, camera_metrics[i].help);
    for (guint j = 0; j < stations->list->len; j++) {
      const WatchStation *station = g_ptr_array_index (stations->list, j);

      value (text, camera_metrics[i].name, station, get_camera_value (station, i));
    }
  }
}

static gboolean
get_number (const GstStructure *stats, const char *field, double *number)
{
  guint64 count;
  gint64 time;

  if (gst_structure_get_uint64 (stats, field, &count))
    *number = (double)count;
  else if (gst_structure_get_int64 (stats, field, &time))
    *number = (double)time;
  else
    return FALSE;
  return TRUE;
}

static void
write_stats_value (GString *text, guint metric, const WatchStation *station)
{
  GstStructure *stats = stats_metrics[metric].element == OF_CLASSIFY
                            ? watch_camera_get_stats (station->camera)
                            : watch_camera_get_publish_stats (station->camera);
  double number;

  if (stats == NULL)
    return;
  if (get_number (stats, stats_metrics[metric].field, &number))
    value (text, stats_metrics[metric].name, station,
           stats_metrics[metric].nanoseconds ? number / GST_SECOND : number);
  gst_structure_free (stats);
}

/* In a label "\", quotes and ends of lines are escaped. (transfer full) */
static char *
escape (const char *label)
{
  GString *text = g_string_new (label);

  g_string_replace (text, "\\", "\\\\", 0);
  g_string_replace (text, "\"", "\\\"", 0);
  g_string_replace (text, "\n", "\\n", 0);
  return g_string_free (text, FALSE);
}

static void
write_counts (const WatchStation *station, GString *text)
{
  GHashTableIter iter;
  gpointer class_name, n;

  g_hash_table_iter_init (&iter, watch_history_get_counts (station->history));
  while (g_hash_table_iter_next (&iter, &class_name, &n)) {
    g_autofree char *escaped = escape (class_name);

    g_string_append_printf (text, "gst_ensemble_appeared_total{camera=\"%s\",class=\"%s\"} %u\n",
                            station->config->name, escaped, GPOINTER_TO_UINT (n));
  }
}

static guint64
get_resident_memory (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return 0;
  words = g_strsplit (text, " ", 3);
  return words[0] != NULL && words[1] != NULL
             ? g_ascii_strtoull (words[1], NULL, 10) * (guint64)sysconf (_SC_PAGESIZE)
             : 0;
}

void
watch_metrics_add (GString *text, const char *name, const char *type, const char *help,
                   guint64 number)
{
  head (text, name, type, help);
  g_string_append_printf (text, "gst_ensemble_%s %" G_GUINT64_FORMAT "\n", name, number);
}

void
watch_metrics_add_stations (GString *text, const WatchStations *stations)
{
  write_camera_metrics (stations, text);
  for (guint i = 0; i < G_N_ELEMENTS (stats_metrics); i++) {
    head (text, stats_metrics[i].name, stats_metrics[i].type, stats_metrics[i].help);
    for (guint j = 0; j < stations->list->len; j++)
      write_stats_value (text, i, g_ptr_array_index (stations->list, j));
  }
  head (text, "appeared_total", "counter", "How often a class appeared.");
  for (guint j = 0; j < stations->list->len; j++)
    write_counts (g_ptr_array_index (stations->list, j), text);
  if (stations->room != NULL)
    watch_metrics_add (text, "clips_removed_total", "counter",
                       "Clips that went for want of room on the disk.",
                       watch_room_get_n_removed (stations->room));
  g_string_append_printf (text,
                          "# TYPE process_resident_memory_bytes gauge\n"
                          "process_resident_memory_bytes %" G_GUINT64_FORMAT "\n",
                          get_resident_memory ());
}
