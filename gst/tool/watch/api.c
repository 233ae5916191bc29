/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the page's server answers. */
#include <glib/gstdio.h>
#include <string.h>

#include "watch-resources.h"
#include "watch/call.h"
#include "watch/clip-folder.h"
#include "watch/metrics.h"

#define MAX_PICTURES 60 /* of those to label, in one answer */
#define MAX_CLIPS 100
#define RESOURCES "/gst-ensemble/watch/"

/* ---- The page ---- */

static void
answer_resource (const WatchCall *call, const char *name, const char *type)
{
  g_autofree char *path = g_strconcat (RESOURCES, name, NULL);
  GBytes *bytes =
      g_resource_lookup_data (watch_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_return_if_fail (bytes != NULL);
  watch_call_answer (call, SOUP_STATUS_OK, type, bytes);
}

static void
get_page (const WatchCall *call)
{
  answer_resource (call, "index.html", "text/html; charset=utf-8");
}

static void
get_style (const WatchCall *call)
{
  answer_resource (call, "watch.css", "text/css; charset=utf-8");
}

static void
get_script (const WatchCall *call)
{
  answer_resource (call, "watch.js", "text/javascript; charset=utf-8");
}

/* A wrong token costs a second, whoever tries them one after the other. */
static gboolean
refuse_later (gpointer data)
{
  SoupServerMessage *message = data;

  soup_server_message_unpause (message);
  g_object_unref (message);
  return G_SOURCE_REMOVE;
}

static void
log_in (const WatchCall *call)
{
  const WatchRequest request = watch_call_read_request (call);
  g_autofree char *token = watch_call_get_string (call, "token");
  g_autofree char *cookie = NULL;
  guint status = SOUP_STATUS_UNAUTHORIZED;

  if (token != NULL)
    status = watch_access_log_in (call->access, &request, token, &cookie);
  if (cookie == NULL) {
    if (status == SOUP_STATUS_UNAUTHORIZED)
      watch_call_refuse (call, status, "this is not the token");
    else
      watch_call_refuse_access (call, status);
    soup_server_message_pause (call->message);
    g_timeout_add_seconds (1, refuse_later, g_object_ref (call->message));
    return;
  }
  soup_message_headers_replace (soup_server_message_get_response_headers (call->message),
                                "Set-Cookie", cookie);
  watch_call_answer_json (call, g_strdup ("{}"));
}

/* ---- Cameras ---- */

static void
get_state (const WatchCall *call)
{
  watch_call_answer_json (call, watch_stations_to_json (call->stations));
}

static void
get_history (const WatchCall *call)
{
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  watch_history_write (call->station->history, &json);
  ens_json_close (&json);
  watch_call_answer_json (call, ens_json_finish (&json));
}

static void
add_stream (const WatchCall *call, const WatchStation *topic)
{
  if (!watch_streams_add (call->streams, call->message, topic))
    watch_call_refuse (call, SOUP_STATUS_SERVICE_UNAVAILABLE, "too many pages are open");
  else if (topic != NULL)
    watch_camera_add_viewer (topic->camera);
}

static void
get_live (const WatchCall *call)
{
  add_stream (call, call->station);
}

static void
get_events (const WatchCall *call)
{
  add_stream (call, NULL);
}

/* ---- Labels ---- */

static gboolean
can_collect (const WatchCall *call)
{
  if (call->station->collected != NULL)
    return TRUE;
  watch_call_refuse (call, SOUP_STATUS_NOT_FOUND,
                     "no frames are kept: [collect] folder is not set in the configuration");
  return FALSE;
}

static gboolean
can_label (const WatchCall *call)
{
  if (!can_collect (call))
    return FALSE;
  if (call->stations->config->train_dataset != NULL)
    return TRUE;
  watch_call_refuse (call, SOUP_STATUS_CONFLICT,
                     "labelled frames have no place: [train] dataset is not set in the "
                     "configuration");
  return FALSE;
}

/* Of the data set, and of the model. (transfer full) */
static char **
list_classes (const WatchCall *call)
{
  const WatchLabels labels = watch_station_get_labels (call->station);

  return watch_labels_list_classes (&labels, watch_history_get_classes (call->station->history));
}

static void
get_collected (const WatchCall *call)
{
  WatchLabels labels;
  EnsJson json;
  guint n;

  if (!can_collect (call))
    return;
  labels = watch_station_get_labels (call->station);
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  if (labels.dataset != NULL) {
    g_auto (GStrv) classes = list_classes (call);

    ens_json_strings (&json, "classes", (const char *const *)classes);
  }
  ens_json_open_array (&json, "pictures", ENS_JSON_FLAT);
  n = watch_labels_write (&labels, MAX_PICTURES, &json);
  ens_json_close (&json);
  ens_json_unsigned (&json, "n", n);
  ens_json_close (&json);
  watch_call_answer_json (call, ens_json_finish (&json));
}

static void
get_collected_picture (const WatchCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  WatchLabels labels;

  if (!can_collect (call))
    return;
  labels = watch_station_get_labels (call->station);
  path = watch_labels_find (&labels, call->name, &error);
  if (path == NULL)
    watch_call_refuse (call, SOUP_STATUS_NOT_FOUND, error->message);
  else
    watch_call_answer_file (call, "image/jpeg", path);
}

static void
answer_done (const WatchCall *call, gboolean done, const GError *error)
{
  if (done)
    watch_call_answer_json (call, g_strdup ("{}"));
  else
    watch_call_refuse (call, SOUP_STATUS_CONFLICT, error->message);
}

static gboolean
knows_class (const WatchCall *call, const char *class_name)
{
  g_auto (GStrv) classes = list_classes (call);

  return strcmp (class_name, WATCH_NO_CLASS) == 0
         || g_strv_contains ((const char *const *)classes, class_name);
}

/* {"class": NAME} labels a picture, with "new": true as a class that there was not;
 * {"undo": NAME} takes that back. */
static void
post_label (const WatchCall *call)
{
  g_autofree char *class_name = watch_call_get_string (call, "class");
  g_autofree char *undo = watch_call_get_string (call, "undo");
  const char *wanted = class_name != NULL ? class_name : undo;
  g_autoptr (GError) error = NULL;
  WatchLabels labels;
  gboolean done;

  if (!can_label (call))
    return;
  if (wanted == NULL
      || !(knows_class (call, wanted)
           || (class_name != NULL && watch_call_get_flag (call, "new")))) {
    watch_call_refuse (call, SOUP_STATUS_BAD_REQUEST,
                       "expected {\"class\": NAME} or {\"undo\": NAME} with the name of a class");
    return;
  }
  labels = watch_station_get_labels (call->station);
  done = class_name != NULL ? watch_labels_set (&labels, call->name, class_name, &error)
                            : watch_labels_unset (&labels, call->name, undo, &error);
  answer_done (call, done, error);
}

static void
delete_collected (const WatchCall *call)
{
  g_autoptr (GError) error = NULL;
  WatchLabels labels;
  gboolean done;

  if (!can_collect (call))
    return;
  labels = watch_station_get_labels (call->station);
  done = watch_labels_discard (&labels, call->name, &error);
  answer_done (call, done, error);
}

/* ---- Clips ---- */

static int
compare_newest_first (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)b, *(char *const *)a);
}

/* (transfer full) */
static GPtrArray *
list_clips (const char *folder)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, WATCH_CLIP_ENDING))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_newest_first);
  return names;
}

static void
get_clips (const WatchCall *call)
{
  const char *folder = watch_camera_get_clips (call->station->camera);
  g_autoptr (GPtrArray) names = list_clips (folder);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_open_array (&json, "clips", ENS_JSON_FLAT);
  for (guint i = 0; i < MIN (names->len, MAX_CLIPS); i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf status = {0};

    g_stat (path, &status);
    ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
    ens_json_string (&json, "clip", name);
    ens_json_unsigned (&json, "bytes", (guint64)status.st_size);
    ens_json_close (&json);
  }
  ens_json_close (&json);
  ens_json_close (&json);
  watch_call_answer_json (call, ens_json_finish (&json));
}

static void
get_clip (const WatchCall *call)
{
  const char *folder = watch_camera_get_clips (call->station->camera);
  g_autofree char *path = NULL;

  /* The name has no "/", as it is one part of the URL's path. */
  if (folder == NULL || *call->name == '.' || !g_str_has_suffix (call->name, WATCH_CLIP_ENDING)) {
    watch_call_refuse (call, SOUP_STATUS_NOT_FOUND, "there is no such clip");
    return;
  }
  path = g_build_filename (folder, call->name, NULL);
  watch_call_answer_file (call, "video/x-matroska", path);
}

/* ---- Training ---- */

static void
start_training (const WatchCall *call)
{
  g_autoptr (GError) error = NULL;
  const gboolean done = watch_training_start (call->stations->training, &error);

  answer_done (call, done, error);
}

static void
stop_training (const WatchCall *call)
{
  watch_training_stop (call->stations->training);
  watch_call_answer_json (call, g_strdup ("{}"));
}

/* ---- Figures ---- */

static void
get_health (const WatchCall *call)
{
  const gboolean well = watch_stations_are_well (call->stations);
  char *text = g_strdup (well ? "{\"healthy\": true}" : "{\"healthy\": false}");

  watch_call_answer (call, well ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE,
                     "application/json", g_bytes_new_take (text, strlen (text)));
}

static void
add_connections (GString *text, const WatchConnections *connections)
{
  const WatchConnectionCounts counts = watch_connections_get_counts (connections);

  watch_metrics_add (text, "page_connections", "gauge", "Connections to the page.", counts.open);
  watch_metrics_add (text, "page_refused_total", "counter",
                     "Connections that were closed at once, as there were too many.",
                     counts.refused);
  watch_metrics_add (text, "page_cut_off_total", "counter",
                     "Connections that were closed, as their request did not come in time.",
                     counts.cut_off);
}

static void
get_metrics (const WatchCall *call)
{
  GString *text = g_string_new (NULL);

  watch_metrics_add_stations (text, call->stations);
  add_connections (text, call->connections);
  watch_call_answer (call, SOUP_STATUS_OK, "text/plain; version=0.0.4; charset=utf-8",
                     g_string_free_to_bytes (text));
}

const WatchRoute watch_routes[] = {
    {"GET", "/", get_page, TRUE},
    {"GET", "/watch.css", get_style, TRUE},
    {"GET", "/watch.js", get_script, TRUE},
    {"POST", "/api/login", log_in, TRUE},
    {"GET", "/api/state", get_state},
    {"GET", "/api/events", get_events},
    {"GET", "/api/cameras/*/history", get_history},
    {"GET", "/api/cameras/*/live", get_live},
    {"GET", "/api/cameras/*/collected", get_collected},
    {"GET", "/api/cameras/*/collected/*", get_collected_picture},
    {"POST", "/api/cameras/*/collected/*", post_label},
    {"DELETE", "/api/cameras/*/collected/*", delete_collected},
    {"GET", "/api/cameras/*/clips", get_clips},
    {"GET", "/api/cameras/*/clips/*", get_clip},
    {"POST", "/api/training", start_training},
    {"DELETE", "/api/training", stop_training},
    {"GET", "/health", get_health, TRUE},
    {"GET", "/metrics", get_metrics},
    {NULL},
};
