/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers of endless answers that are slow, gone, or get nothing to read. */
#include "watch/streams.h"

#include "check-main.h"

#define PICTURE "not really a JPEG"

static const char camera; /* the topic */

static struct {
  SoupServer *server;
  SoupSession *session;
  WatchStreams *streams;
  guint n_left;
} test;

static void
on_left (gconstpointer topic, gpointer data)
{
  ck_assert_ptr_eq (topic, &camera);
  test.n_left++;
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer data)
{
  watch_streams_add (test.streams, message, g_str_equal (path, "/live") ? &camera : NULL);
}

static void
set_up (void)
{
  test.n_left = 0;
  test.streams = watch_streams_new (on_left, NULL);
  test.server = soup_server_new (NULL, NULL);
  soup_server_add_handler (test.server, NULL, on_request, NULL, NULL);
  ck_assert (soup_server_listen_local (test.server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
  test.session = soup_session_new ();
}

static void
tear_down (void)
{
  g_clear_object (&test.session);
  watch_streams_free (test.streams);
  soup_server_disconnect (test.server);
  g_clear_object (&test.server);
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncResult **kept = data;

  *kept = g_object_ref (result);
}

static void
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* (transfer full) */
static GInputStream *
open_stream (const char *path)
{
  GSList *uris = soup_server_get_uris (test.server);
  g_autoptr (GUri) uri = g_uri_parse_relative (uris->data, path, SOUP_HTTP_URI_FLAGS, NULL);
  g_autoptr (SoupMessage) message = soup_message_new_from_uri ("GET", uri);
  g_autoptr (GAsyncResult) result = NULL;

  g_slist_free_full (uris, (GDestroyNotify)g_uri_unref);
  soup_session_send_async (test.session, message, 0, NULL, on_result, &result);
  wait_for (&result);
  return soup_session_send_finish (test.session, result, NULL);
}

/* How many bytes; 0 at the end. */
static gssize
read_some (GInputStream *stream, char *bytes, gsize size)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_input_stream_read_async (stream, bytes, size, 0, NULL, on_result, &result);
  wait_for (&result);
  return g_input_stream_read_finish (stream, result, NULL);
}

/* Until `text` has come; FALSE if the end comes before. */
static gboolean
read_until (GInputStream *stream, const char *text)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char bytes[4096];
  gssize n;

  while (strstr (all->str, text) == NULL) {
    n = read_some (stream, bytes, sizeof bytes);
    if (n <= 0)
      return FALSE;
    g_string_append_len (all, bytes, n);
  }
  return TRUE;
}

static void
show (void)
{
  g_autoptr (GBytes) jpeg = g_bytes_new_static (PICTURE, strlen (PICTURE));

  watch_streams_show (test.streams, &camera, jpeg);
}

/* What comes too fast for a reader ends it, instead of being left out. */
START_TEST (test_slow)
{
  g_autoptr (GInputStream) stream = open_stream ("/events");
  g_autofree char *result = g_strnfill (10000, ' ');

  ck_assert (read_until (stream, "retry"));
  for (guint i = 0; i < 30; i++)
    watch_streams_tell (test.streams, "result", result);
  watch_streams_tell (test.streams, "training", "{}");
  ck_assert (!read_until (stream, "training"));
}
END_TEST

/* Many events are not much. */
START_TEST (test_short)
{
  g_autoptr (GInputStream) stream = open_stream ("/events");

  ck_assert (read_until (stream, "retry"));
  for (guint i = 0; i < 1000; i++)
    watch_streams_tell (test.streams, "result", "{}");
  watch_streams_tell (test.streams, "training", "{}");
  ck_assert (read_until (stream, "training"));
}
END_TEST

/* The last picture stays, however long the camera is away. */
START_TEST (test_away)
{
  g_autoptr (GInputStream) stream = open_stream ("/live");

  ck_assert (read_until (stream, "--"));
  show ();
  for (guint i = 0; i < 10; i++) {
    ck_assert (read_until (stream, PICTURE));
    watch_streams_ping (test.streams);
  }
}
END_TEST

START_TEST (test_gone)
{
  GInputStream *stream = open_stream ("/live");

  show ();
  ck_assert (read_until (stream, PICTURE));
  g_input_stream_close (stream, NULL, NULL);
  g_object_unref (stream);
  while (test.n_left == 0) {
    g_main_context_iteration (NULL, FALSE);
    watch_streams_ping (test.streams);
  }
}
END_TEST

START_TEST (test_no_picture)
{
  g_autoptr (GInputStream) stream = open_stream ("/live");

  ck_assert (read_until (stream, "--"));
  while (test.n_left == 0) {
    g_main_context_iteration (NULL, FALSE);
    watch_streams_ping (test.streams);
  }
  ck_assert (!read_until (stream, PICTURE));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("watch-streams");
  test_fixture (set_up, tear_down);
  test_add ("slow", test_slow);
  test_add ("short", test_short);
  test_add ("away", test_away);
  test_add ("gone", test_gone);
  test_add ("no-picture", test_no_picture);
  return test_run ();
}
