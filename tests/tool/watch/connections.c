/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients that hold on to a server: what they get, and when they are cut off. */
#include "watch/connections.h"

#include "check-main.h"

#define MOST 3
#define TIMEOUT 10 /* seconds, after which a client that was not cut off fails the test */
#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n"

static struct {
  SoupServer *server;
  WatchConnections *connections;
  GSocketClient *client;
  guint16 port;
  GBytes *answer;
} test;

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer data)
{
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), test.answer);
}

static void
start (const WatchConnectionLimits *limits, gsize answer)
{
  GSList *uris;

  test.answer = g_bytes_new_take (g_malloc0 (answer), answer);
  test.server = soup_server_new (NULL, NULL);
  test.connections = watch_connections_new (test.server, limits);
  soup_server_add_handler (test.server, NULL, on_request, NULL, NULL);
  ck_assert (soup_server_listen_local (test.server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
  uris = soup_server_get_uris (test.server);
  test.port = (guint16)g_uri_get_port (uris->data);
  g_slist_free_full (uris, (GDestroyNotify)g_uri_unref);
  test.client = g_socket_client_new ();
}

static void
tear_down (void)
{
  watch_connections_free (test.connections);
  soup_server_disconnect (test.server);
  g_clear_object (&test.server);
  g_clear_object (&test.client);
  g_clear_pointer (&test.answer, g_bytes_unref);
}

/* The system takes the connection, before the server does. (transfer full) */
static GIOStream *
open_connection (void)
{
  g_autoptr (GError) error = NULL;
  GIOStream *stream = G_IO_STREAM (
      g_socket_client_connect_to_host (test.client, "127.0.0.1", test.port, NULL, &error));

  ck_assert_no_error (error);
  return stream;
}

static void
send (GIOStream *stream, const char *text)
{
  g_output_stream_write_all (g_io_stream_get_output_stream (stream), text, strlen (text), NULL,
                             NULL, NULL);
}

static void
serve (gint64 microseconds)
{
  const gint64 end = g_get_monotonic_time () + microseconds;

  while (g_get_monotonic_time () < end) {
    while (g_main_context_iteration (NULL, FALSE))
      ;
    g_usleep (1000);
  }
}

/* What has come, without waiting. 0: the end has, -1: nothing. */
static gssize
receive (GIOStream *stream, char *bytes, gsize size)
{
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream));
  g_autoptr (GError) error = NULL;
  const gssize n = g_pollable_input_stream_read_nonblocking (input, bytes, size, NULL, &error);

  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? -1 : MAX (n, 0);
}

static void
wait_for_end (GIOStream *stream)
{
  const gint64 end = g_get_monotonic_time () + TIMEOUT * G_TIME_SPAN_SECOND;
  char bytes[4096];

  while (receive (stream, bytes, sizeof bytes) != 0) {
    serve (G_TIME_SPAN_MILLISECOND);
    ck_assert_int_lt (g_get_monotonic_time (), end);
  }
}

static void
wait_for_answer (GIOStream *stream)
{
  const gint64 end = g_get_monotonic_time () + TIMEOUT * G_TIME_SPAN_SECOND;
  char bytes[4096] = {0};
  gssize n;

  while ((n = receive (stream, bytes, sizeof bytes - 1)) < 0) {
    serve (G_TIME_SPAN_MILLISECOND);
    ck_assert_int_lt (g_get_monotonic_time (), end);
  }
  ck_assert_msg (g_str_has_prefix (bytes, "HTTP/1.1 200"), "%s", bytes);
}

/* One more than there may be ends; when another has gone there is room again. */
START_TEST (test_max)
{
  GIOStream *streams[MOST + 1];

  start (&(WatchConnectionLimits) {MOST, 60, 60}, 1);
  for (guint i = 0; i <= MOST; i++) {
    streams[i] = open_connection ();
    serve (20 * G_TIME_SPAN_MILLISECOND);
  }
  wait_for_end (streams[MOST]);
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).refused, 1);
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).open, MOST);
  g_clear_object (&streams[0]);
  while (watch_connections_get_counts (test.connections).open == MOST)
    serve (G_TIME_SPAN_MILLISECOND);
  streams[0] = open_connection ();
  for (guint i = 0; i < MOST; i++) {
    send (streams[i], REQUEST "\r\n");
    wait_for_answer (streams[i]);
  }
  for (guint i = 0; i <= MOST; i++)
    g_object_unref (streams[i]);
}
END_TEST

/* What a client sends at first, and then again and again. */
static const struct {
  const char *name, *first, *more;
} slow[] = {
    {"nothing", "", ""},
    {"headers", REQUEST, "A: b\r\n"},
    {"body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", "x"},
};

START_TEST (test_slow)
{
  const gint64 end = g_get_monotonic_time () + TIMEOUT * G_TIME_SPAN_SECOND;
  g_autoptr (GIOStream) stream = NULL;

  start (&(WatchConnectionLimits) {MOST, 1, 60}, 1);
  stream = open_connection ();
  send (stream, slow[_i].first);
  serve (100 * G_TIME_SPAN_MILLISECOND);
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).open, 1);
  while (watch_connections_get_counts (test.connections).open > 0) {
    send (stream, slow[_i].more);
    serve (100 * G_TIME_SPAN_MILLISECOND);
    ck_assert_int_lt (g_get_monotonic_time (), end);
  }
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).cut_off, 1);
}
END_TEST

/* Nothing is left of connections that were answered. */
START_TEST (test_answered)
{
  start (&(WatchConnectionLimits) {MOST, 60, 60}, 1);
  for (guint i = 0; i < 2 * MOST; i++) {
    g_autoptr (GIOStream) stream = open_connection ();

    send (stream, REQUEST "\r\n");
    wait_for_answer (stream);
    wait_for_end (stream);
    ck_assert_uint_eq (watch_connections_get_counts (test.connections).open, 0);
  }
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).refused, 0);
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).cut_off, 0);
}
END_TEST

/* More than the system keeps for who does not read. */
START_TEST (test_no_reader)
{
  const gint64 end = g_get_monotonic_time () + TIMEOUT * G_TIME_SPAN_SECOND;
  g_autoptr (GIOStream) stream = NULL;

  start (&(WatchConnectionLimits) {MOST, 60, 1}, 64 << 20);
  stream = open_connection ();
  send (stream, REQUEST "\r\n");
  serve (100 * G_TIME_SPAN_MILLISECOND);
  ck_assert_uint_eq (watch_connections_get_counts (test.connections).open, 1);
  while (watch_connections_get_counts (test.connections).open > 0) {
    serve (100 * G_TIME_SPAN_MILLISECOND);
    ck_assert_int_lt (g_get_monotonic_time (), end);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("watch-connections");
  test_fixture (NULL, tear_down);
  test_add ("max", test_max);
  TEST_ADD_ROWS ("slow", test_slow, slow);
  test_add ("answered", test_answered);
  test_add ("no-reader", test_no_reader);
  return test_run ();
}
