/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

/* Seconds of silence before a connection is probed, and between probes: clients that have vanished
 * without a word. */
#define KEEP_ALIVE_IDLE 120
#define KEEP_ALIVE_INTERVAL 30

struct _WatchConnections {
  SoupServer *server;
  WatchConnectionLimits limits;
  GHashTable *since; /* GSocket → gint64 *: since when its request is waited for; 0: it has come */
  guint sweep;
  guint n_refused, n_cut_off;
};

static gboolean
is_closed (gpointer socket, gpointer since, gpointer data)
{
  return g_socket_is_closed (socket);
}

/* Whether libsoup lets go of a socket that it has closed depends on its version. */
static void
forget_closed (const WatchConnections *connections)
{
  g_hash_table_foreach_remove (connections->since, is_closed, NULL);
}

/* libsoup sees the end, and frees what it has of the connection. */
static void
end (GSocket *socket)
{
  g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

static void
add (WatchConnections *connections, GSocket *socket)
{
  const gint64 now = g_get_monotonic_time ();

  forget_closed (connections);
  g_hash_table_insert (connections->since, g_object_ref (socket), g_memdup2 (&now, sizeof now));
  g_socket_set_timeout (socket, connections->limits.silence);
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL, NULL);
  if (g_hash_table_size (connections->since) <= connections->limits.max)
    return;
  connections->n_refused++;
  end (socket);
}

/* Emitted when the connection is accepted. */
static void
on_started (SoupServer *server, SoupServerMessage *message, WatchConnections *connections)
{
  GSocket *socket = soup_server_message_get_socket (message);

  if (socket != NULL && !g_hash_table_contains (connections->since, socket))
    add (connections, socket);
}

static void
on_read (SoupServer *server, SoupServerMessage *message, WatchConnections *connections)
{
  gint64 *since =
      g_hash_table_lookup (connections->since, soup_server_message_get_socket (message));

  if (since != NULL)
    *since = 0;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                "close");
}

static gboolean
on_sweep (gpointer data)
{
  WatchConnections *connections = data;
  const gint64 begin = g_get_monotonic_time () - connections->limits.request * G_TIME_SPAN_SECOND;
  GHashTableIter iter;
  gpointer socket, since;

  forget_closed (connections);
  g_hash_table_iter_init (&iter, connections->since);
  while (g_hash_table_iter_next (&iter, &socket, &since))
    if (*(gint64 *)since != 0 && *(gint64 *)since < begin) {
      connections->n_cut_off++;
      *(gint64 *)since = 0; /* counted once, however long its socket stays */
      end (socket);
    }
  return G_SOURCE_CONTINUE;
}

WatchConnections *
watch_connections_new (SoupServer *server, const WatchConnectionLimits *limits)
{
  WatchConnections *connections = g_new0 (WatchConnections, 1);

  connections->server = g_object_ref (server);
  connections->limits = *limits;
  connections->since = g_hash_table_new_full (NULL, NULL, g_object_unref, g_free);
  connections->sweep = g_timeout_add_seconds (1, on_sweep, connections);
  g_signal_connect (server, "request-started", G_CALLBACK (on_started), connections);
  g_signal_connect (server, "request-read", G_CALLBACK (on_read), connections);
  return connections;
}

void
watch_connections_free (WatchConnections *connections)
{
  g_signal_handlers_disconnect_by_data (connections->server, connections);
  g_source_remove (connections->sweep);
  g_hash_table_unref (connections->since);
  g_object_unref (connections->server);
  g_free (connections);
}

WatchConnectionCounts
watch_connections_get_counts (const WatchConnections *connections)
{
  forget_closed (connections);
  return (WatchConnectionCounts) {g_hash_table_size (connections->since), connections->n_refused,
                                  connections->n_cut_off};
}
