/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/server.h"

#include <libsoup/soup.h>
#include <string.h>

#include "base/error.h"
#include "publish/secret.h"
#include "watch/call.h"
#include "watch/connections.h"

#define MAX_REQUEST (64 << 10) /* bytes */
#define MIN_TOKEN 16           /* characters */
#define TOKEN_INTERVAL 2       /* seconds between looks at the token's file */

/* A browser opens six connections to a page. */
static const WatchConnectionLimits limits = {.max = 200, .request = 30, .silence = 60};

struct _WatchServer {
  WatchStations *stations;
  SoupServer *soup;
  WatchConnections *connections;
  WatchAccess *access;
  guint token_check;
  gboolean token_failed; /* the file that was read before can't be used any more */
  WatchStreams *streams;
};

/* ---- What cameras tell ---- */

static void
on_news (const char *kind, const char *json, gpointer data)
{
  const WatchServer *server = data;

  watch_streams_tell (server->streams, kind, json);
}

static void
on_picture (WatchStation *station, GBytes *jpeg, gpointer data)
{
  const WatchServer *server = data;

  watch_streams_show (server->streams, station, jpeg);
}

static const WatchNews news = {on_news, on_picture};

static void
on_left (gconstpointer topic, gpointer data)
{
  const WatchStation *station = topic;

  watch_camera_remove_viewer (station->camera);
}

/* ---- Requests ---- */

/* Whether the path is the pattern's; names are the parts that stand for "*". */
static gboolean
matches (const char *pattern, char **parts, const char **names)
{
  g_auto (GStrv) wanted = g_strsplit (pattern, "/", -1);
  guint n_names = 0;

  if (g_strv_length (wanted) != g_strv_length (parts))
    return FALSE;
  for (guint i = 0; wanted[i] != NULL; i++) {
    if (strcmp (wanted[i], "*") == 0)
      names[n_names++] = parts[i];
    else if (strcmp (wanted[i], parts[i]) != 0)
      return FALSE;
  }
  return TRUE;
}

/* The route of this path and method; if only the method is wrong, *other. */
static const WatchRoute *
find_route (const char *method, char **parts, const char **names, gboolean *other)
{
  *other = FALSE;
  for (const WatchRoute *route = watch_routes; route->method != NULL; route++) {
    if (!matches (route->path, parts, names))
      continue;
    if (strcmp (route->method, method) == 0)
      return route;
    *other = TRUE;
  }
  return NULL;
}

/* Open routes can do without the token, nothing else. */
static gboolean
is_allowed (const WatchCall *call, const WatchRoute *route)
{
  const WatchRequest request = watch_call_read_request (call);
  const guint status = watch_access_check (call->access, &request);

  if (status == SOUP_STATUS_OK || (route->open && status == SOUP_STATUS_UNAUTHORIZED))
    return TRUE;
  watch_call_refuse_access (call, status);
  return FALSE;
}

static void
serve (WatchCall *call, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  const char *names[2] = {NULL, NULL};
  gboolean other;
  const WatchRoute *route =
      find_route (soup_server_message_get_method (call->message), parts, names, &other);

  if (route == NULL) {
    watch_call_refuse (call, other ? SOUP_STATUS_METHOD_NOT_ALLOWED : SOUP_STATUS_NOT_FOUND,
                       "there is nothing here");
    return;
  }
  if (!is_allowed (call, route))
    return;
  call->station = names[0] != NULL ? watch_stations_find (call->stations, names[0]) : NULL;
  call->name = names[1];
  if (names[0] != NULL && call->station == NULL)
    watch_call_refuse (call, SOUP_STATUS_NOT_FOUND, "there is no such camera");
  else
    route->answer (call);
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer data)
{
  WatchServer *server = data;
  WatchCall call = {message, server->stations, server->streams, server->access,
                    server->connections};

  serve (&call, path);
}

/* Long bodies are refused. What the client sends of one nevertheless is read, but not kept. */
static void
on_early_request (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
                  gpointer data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  if (soup_message_headers_get_encoding (headers) != SOUP_ENCODING_CHUNKED
      && soup_message_headers_get_content_length (headers) <= MAX_REQUEST)
    return;
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  soup_server_message_set_status (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, NULL);
}

/* ---- Its life ---- */

/* (transfer full) (nullable) */
static char *
read_token (const WatchConfig *config, GError **error)
{
  char *token = publish_secret_read (config->token, error);

  if (token == NULL || strlen (token) >= MIN_TOKEN)
    return token;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: [page] token: expected %d characters at least, found %d; try: openssl rand "
               "-hex 32",
               config->path, MIN_TOKEN, (gint)strlen (token));
  publish_secret_free (token);
  return NULL;
}

/* A file may be replaced while the program runs; the last token that could be read holds. */
static gboolean
on_token_check (gpointer data)
{
  WatchServer *server = data;
  g_autoptr (GError) error = NULL;
  char *token = read_token (server->stations->config, &error);

  if (token != NULL)
    watch_access_set_token (server->access, token);
  else if (!server->token_failed)
    g_printerr ("the page keeps its token: %s\n", error->message);
  server->token_failed = token == NULL;
  publish_secret_free (token);
  return G_SOURCE_CONTINUE;
}

static gboolean
set_up_access (WatchServer *server, GError **error)
{
  const WatchConfig *config = server->stations->config;
  char *token = config->token != NULL ? read_token (config, error) : NULL;

  if (token == NULL && config->token != NULL)
    return FALSE;
  server->access = watch_access_new (token);
  publish_secret_free (token);
  if (config->token != NULL)
    server->token_check = g_timeout_add_seconds (TOKEN_INTERVAL, on_token_check, server);
  return TRUE;
}

static gboolean
start_listening (WatchServer *server, GError **error)
{
  const WatchConfig *config = server->stations->config;
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string (config->listen, config->port);
  g_autoptr (GError) reason = NULL;

  soup_server_add_early_handler (server->soup, NULL, on_early_request, server, NULL);
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  if (soup_server_listen (server->soup, address, 0, &reason))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: [page] can't listen at %s, port %u: %s",
               config->path, config->listen, config->port, reason->message);
  return FALSE;
}

WatchServer *
watch_server_new (WatchStations *stations, GError **error)
{
  g_autoptr (WatchServer) server = g_new0 (WatchServer, 1);

  server->stations = stations;
  server->streams = watch_streams_new (on_left, server);
  server->soup = soup_server_new ("server-header", "gst-ensemble", NULL);
  server->connections = watch_connections_new (server->soup, &limits);
  if (!set_up_access (server, error) || !start_listening (server, error))
    return NULL;
  watch_stations_set_news (stations, &news, server);
  return g_steal_pointer (&server);
}

void
watch_server_free (WatchServer *server)
{
  watch_stations_set_news (server->stations, NULL, NULL);
  g_clear_handle_id (&server->token_check, g_source_remove);
  watch_streams_free (server->streams);
  watch_connections_free (server->connections);
  soup_server_disconnect (server->soup);
  g_object_unref (server->soup);
  g_clear_pointer (&server->access, watch_access_free);
  g_free (server);
}

char *
watch_server_get_address (const WatchServer *server)
{
  GSList *uris = soup_server_get_uris (server->soup);
  char *address = uris != NULL ? g_uri_to_string (uris->data) : NULL;

  g_slist_free_full (uris, (GDestroyNotify)g_uri_unref);
  return address;
}
