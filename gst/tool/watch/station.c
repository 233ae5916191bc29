/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/station.h"

#include <string.h>

#define STOP_TIMEOUT (10 * G_TIME_SPAN_SECOND)
#define STOP_INTERVAL (10 * G_TIME_SPAN_MILLISECOND)
#define ROOM_INTERVAL 5 /* seconds between looks at the room for clips */

/* ---- What cameras tell ---- */

static void
tell (WatchStation *station, const char *kind, EnsJson *json)
{
  const WatchStations *all = station->all;
  g_autofree char *text = ens_json_finish (json);

  if (all->news != NULL)
    all->news->news (kind, text, all->data);
}

static void
tell_camera (WatchStation *station)
{
  EnsJson json;

  ens_json_init (&json);
  watch_station_write (station, &json);
  tell (station, "camera", &json);
}

static void
on_state (WatchCamera *camera, gpointer data)
{
  WatchStation *station = data;
  const WatchCameraStatus status = watch_camera_get_status (camera);

  if (status.state != station->state)
    g_printerr ("%s: %s%s%s\n", station->config->name, watch_camera_state_get_name (status.state),
                status.state == WATCH_CAMERA_WAITING ? ": " : "",
                status.state == WATCH_CAMERA_WAITING && status.error != NULL ? status.error : "");
  station->state = status.state;
  tell_camera (station);
}

static void
write_probabilities (const EnsResult *result, EnsJson *json)
{
  ens_json_open_object (json, "p", ENS_JSON_FLAT);
  for (guint i = 0; i < result->n_classes; i++)
    ens_json_float (json, result->classes[i].name, result->classes[i].p);
  ens_json_close (json);
  ens_json_open_array (json, "present", ENS_JSON_FLAT);
  for (guint i = 0; i < result->n_classes; i++)
    if (result->classes[i].state == ENS_CLASS_PRESENT)
      ens_json_string (json, NULL, result->classes[i].name);
  ens_json_close (json);
}

/* Seconds since 1970. */
static void
write_time (const char *name, gint64 microseconds, EnsJson *json)
{
  ens_json_double (json, name, (double)(microseconds / 1000) / 1000);
}

static void
on_result (WatchCamera *camera, EnsResult *result, gpointer data)
{
  WatchStation *station = data;
  const gint64 now = g_get_real_time ();
  EnsJson json;

  g_clear_pointer (&station->result, ens_result_unref);
  station->result = ens_result_ref (result);
  watch_history_add_result (station->history, now, result);
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "camera", station->config->name);
  write_time ("time", now, &json);
  write_probabilities (result, &json);
  ens_json_close (&json);
  tell (station, "result", &json);
}

static void
on_event (WatchStation *station, const GstStructure *message)
{
  const WatchEvent *event = watch_history_add_event (station->history, g_get_real_time (), message);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "camera", station->config->name);
  watch_event_write (event, "event", &json);
  ens_json_close (&json);
  tell (station, "event", &json);
}

static void
write_swapped (const WatchStation *station, EnsJson *json)
{
  if (station->swapped != 0)
    write_time ("swapped", station->swapped, json);
}

static void
on_model (WatchStation *station, const GstStructure *message)
{
  EnsJson json;

  station->n_models++;
  station->swapped = g_get_real_time ();
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "camera", station->config->name);
  ens_json_string (&json, "name", gst_structure_get_string (message, "name"));
  ens_json_string (&json, "version", gst_structure_get_string (message, "version"));
  write_swapped (station, &json);
  ens_json_close (&json);
  tell (station, "model", &json);
}

static void
on_collecting (WatchStation *station, const GstStructure *message)
{
  const gboolean failed = station->collect_error != NULL;

  g_free (station->collect_error);
  station->collect_error = g_strdup (gst_structure_get_string (message, "problem"));
  /* What goes wrong is a warning, which the camera prints. */
  if (failed && station->collect_error == NULL)
    g_printerr ("%s: frames are collected again\n", station->config->name);
  tell_camera (station);
}

static void
on_message (WatchCamera *camera, const GstStructure *message, gpointer data)
{
  WatchStation *station = data;

  if (gst_structure_has_name (message, "ensemble-model-changed"))
    on_model (station, message);
  else if (gst_structure_has_name (message, "ensemble-collecting"))
    on_collecting (station, message);
  else if (gst_structure_has_name (message, "class-appeared")
           || gst_structure_has_name (message, "class-left"))
    on_event (station, message);
}

static void
on_picture (WatchCamera *camera, GBytes *jpeg, gpointer data)
{
  WatchStation *station = data;

  if (station->all->news != NULL)
    station->all->news->picture (station, jpeg, station->all->data);
}

static const WatchCameraListener listener = {on_state, on_result, on_message, on_picture};

static void
on_training (gpointer data)
{
  WatchStations *stations = data;
  g_autofree char *text = NULL;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  watch_training_write (stations->training, &json);
  ens_json_close (&json);
  text = ens_json_finish (&json);
  if (stations->news != NULL)
    stations->news->news ("training", text, stations->data);
}

/* ---- Room for clips ---- */

static void
tell_room (const WatchStations *stations)
{
  const char *problem = watch_room_get_problem (stations->room);

  g_printerr ("clips: %s\n", problem != NULL ? problem : "there is room again");
  for (guint i = 0; i < stations->list->len; i++) {
    WatchStation *station = g_ptr_array_index (stations->list, i);

    watch_camera_set_clips_paused (station->camera, problem != NULL);
    tell_camera (station);
  }
}

static gboolean
on_room_check (gpointer data)
{
  const WatchStations *stations = data;

  if (watch_room_check (stations->room, g_get_monotonic_time ()))
    tell_room (stations);
  return G_SOURCE_CONTINUE;
}

static void
set_up_room (WatchStations *stations)
{
  for (guint i = 0; i < stations->list->len && stations->room == NULL; i++) {
    const WatchStation *station = g_ptr_array_index (stations->list, i);

    if (watch_camera_get_clips (station->camera) != NULL)
      stations->room = watch_room_new (stations->config);
  }
}

static void
start_room (WatchStations *stations)
{
  if (stations->room == NULL)
    return;
  on_room_check (stations);
  stations->room_check = g_timeout_add_seconds (ROOM_INTERVAL, on_room_check, stations);
}

/* ---- Their life ---- */

static void
free_station (gpointer data)
{
  WatchStation *station = data;

  g_clear_pointer (&station->camera, watch_camera_free);
  watch_history_free (station->history);
  g_clear_pointer (&station->result, ens_result_unref);
  g_free (station->collected);
  g_free (station->collect_error);
  g_free (station);
}

static gboolean
add_station (WatchStations *stations, const WatchCameraConfig *config, GError **error)
{
  WatchStation *station = g_new0 (WatchStation, 1);

  station->all = stations;
  station->config = config;
  station->history = watch_history_new ();
  if (stations->config->collect_folder != NULL)
    station->collected = g_build_filename (stations->config->collect_folder, config->name, NULL);
  g_ptr_array_add (stations->list, station);
  station->camera = watch_camera_new (stations->config, config, &listener, station, error);
  return station->camera != NULL;
}

WatchStations *
watch_stations_new (const WatchConfig *config, const char *program, GError **error)
{
  g_autoptr (WatchStations) stations = g_new0 (WatchStations, 1);

  stations->config = config;
  stations->started = g_get_monotonic_time ();
  stations->list = g_ptr_array_new_with_free_func (free_station);
  stations->training = watch_training_new (config, program, on_training, stations);
  for (guint i = 0; i < config->cameras->len; i++)
    if (!add_station (stations, g_ptr_array_index (config->cameras, i), error)) {
      g_prefix_error (error, "%s: ", config->path);
      return NULL;
    }
  set_up_room (stations);
  return g_steal_pointer (&stations);
}

static const WatchStation *
find_running (const WatchStations *stations)
{
  for (guint i = 0; i < stations->list->len; i++) {
    const WatchStation *station = g_ptr_array_index (stations->list, i);

    if (station->camera != NULL && !watch_camera_has_stopped (station->camera))
      return station;
  }
  return NULL;
}

/* All at once; a camera, or a disk, that hangs keeps nobody waiting for long. */
static void
stop_cameras (const WatchStations *stations)
{
  const gint64 end = g_get_monotonic_time () + STOP_TIMEOUT;
  const WatchStation *running;

  for (guint i = 0; i < stations->list->len; i++) {
    const WatchStation *station = g_ptr_array_index (stations->list, i);

    if (station->camera != NULL)
      watch_camera_stop (station->camera);
  }
  while ((running = find_running (stations)) != NULL && g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (STOP_INTERVAL);
  if (running != NULL)
    g_printerr ("%s: has not stopped in %d seconds, and is left alone\n", running->config->name,
                (gint)(STOP_TIMEOUT / G_TIME_SPAN_SECOND));
}

void
watch_stations_free (WatchStations *stations)
{
  g_clear_handle_id (&stations->room_check, g_source_remove);
  stop_cameras (stations);
  g_clear_pointer (&stations->room, watch_room_free);
  watch_training_free (stations->training);
  g_ptr_array_unref (stations->list);
  g_free (stations);
}

void
watch_stations_set_news (WatchStations *stations, const WatchNews *news, gpointer data)
{
  stations->news = news;
  stations->data = data;
}

void
watch_stations_start (WatchStations *stations)
{
  start_room (stations);
  for (guint i = 0; i < stations->list->len; i++) {
    WatchStation *station = g_ptr_array_index (stations->list, i);

    watch_camera_start (station->camera);
  }
}

WatchStation *
watch_stations_find (WatchStations *stations, const char *name)
{
  for (guint i = 0; i < stations->list->len; i++) {
    WatchStation *station = g_ptr_array_index (stations->list, i);

    if (strcmp (station->config->name, name) == 0)
      return station;
  }
  return NULL;
}

gboolean
watch_stations_are_well (const WatchStations *stations)
{
  for (guint i = 0; i < stations->list->len; i++) {
    const WatchStation *station = g_ptr_array_index (stations->list, i);

    if (watch_camera_get_status (station->camera).state != WATCH_CAMERA_PLAYING)
      return FALSE;
  }
  return TRUE;
}

gboolean
watch_station_is_paused (const WatchStation *station)
{
  const WatchRoom *room = station->all->room;

  return room != NULL && watch_room_get_problem (room) != NULL
         && watch_camera_get_clips (station->camera) != NULL;
}

WatchLabels
watch_station_get_labels (const WatchStation *station)
{
  return (WatchLabels) {station->collected, station->all->config->train_dataset};
}

/* ---- JSON ---- */

void
watch_station_write (const WatchStation *station, EnsJson *json)
{
  const WatchCameraStatus status = watch_camera_get_status (station->camera);

  ens_json_open_object (json, NULL, ENS_JSON_FLAT);
  ens_json_string (json, "name", station->config->name);
  ens_json_string (json, "state", watch_camera_state_get_name (status.state));
  ens_json_string (json, "error", status.error);
  ens_json_unsigned (json, "frames", status.frames);
  ens_json_unsigned (json, "reconnects", status.reconnects);
  ens_json_boolean (json, "recording", status.recording);
  ens_json_unsigned (json, "clips", status.n_clips);
  ens_json_string (json, "clip_error",
                   watch_station_is_paused (station) ? watch_room_get_problem (station->all->room)
                                                     : status.clip_error);
  ens_json_boolean (json, "collects", station->collected != NULL);
  ens_json_string (json, "collect_error", station->collect_error);
  write_swapped (station, json);
  if (station->result != NULL) {
    ens_json_string (json, "model", station->result->bundle);
    ens_json_string (json, "version", station->result->version);
    write_probabilities (station->result, json);
  }
  ens_json_close (json);
}

char *
watch_stations_to_json (const WatchStations *stations)
{
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_string (&json, "schema", "gst-ensemble/watch/1");
  write_time ("time", g_get_real_time (), &json);
  ens_json_open_array (&json, "cameras", ENS_JSON_BLOCK);
  for (guint i = 0; i < stations->list->len; i++)
    watch_station_write (g_ptr_array_index (stations->list, i), &json);
  ens_json_close (&json);
  ens_json_boolean (&json, "trains", stations->config->train_dataset != NULL);
  ens_json_open_object (&json, "training", ENS_JSON_FLAT);
  watch_training_write (stations->training, &json);
  ens_json_close (&json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}
