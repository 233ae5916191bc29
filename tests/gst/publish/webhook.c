/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Webhooks against a server in a thread of the test's. */
#include <libsoup/soup.h>

#include "fixture.h"

static struct {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  SoupServer *server;
  GMutex lock;
  const guint *answers; /* statuses, one after the other; 0: 200 from here on */
  GString *taken;       /* bodies that were answered by 200, a line each */
  guint requests;
  gboolean hangs;  /* never answers */
  gboolean floods; /* its answer never ends */
  gint64 due;      /* wall-clock time; 0: when it said that a message may come again */
  gboolean early;  /* one came before that */
  guint row;       /* of token_rows */
  char *authorization, *content_type;
  const char *token; /* NULL: none is needed */
} server;

/* A token that ran out; 403 of a token that is right is about the message. */
static const struct {
  const char *name;
  guint status;  /* without the new token */
  gboolean late; /* the new token comes after the first answer */
} token_rows[] = {
    {"renewed-401", 401, FALSE},
    {"renewed-403", 403, FALSE},
    {"renewed-late", 401, TRUE},
};

/* In seconds at first, then until a date, which has whole seconds. */
static void
ask_to_wait (SoupMessageHeaders *headers)
{
  const gint64 second = g_get_real_time () / G_USEC_PER_SEC + 2;
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (second);
  g_autofree char *text = soup_date_time_to_string (date, SOUP_DATE_HTTP);

  if (server.due == 0) {
    server.due = g_get_real_time () + G_USEC_PER_SEC;
    soup_message_headers_replace (headers, "Retry-After", "1");
  } else {
    server.due = second * G_USEC_PER_SEC;
    soup_message_headers_replace (headers, "Retry-After", text);
  }
}

static void
flood (SoupServerMessage *message, gpointer data)
{
  SoupMessageBody *body = soup_server_message_get_response_body (message);

  soup_message_body_append (body, SOUP_MEMORY_TAKE, g_strnfill (10000, 'x'), 10000);
}

static void
begin_flood (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  g_signal_connect (message, "wrote-chunk", G_CALLBACK (flood), NULL);
  flood (message, NULL);
}

static void
answer (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
        gpointer data)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  guint status = 200;

  g_mutex_lock (&server.lock);
  server.requests++;
  if (server.hangs) {
    soup_server_message_pause (message);
    g_mutex_unlock (&server.lock);
    return;
  }
  if (server.answers != NULL && *server.answers != 0)
    status = *server.answers++;
  if (server.token != NULL
      && !g_str_has_suffix (soup_message_headers_get_one (headers, "Authorization"), server.token))
    status = token_rows[server.row].status;
  if (status == 200) {
    g_string_append_len (server.taken, body->data, body->length);
    g_string_append_c (server.taken, '\n');
  }
  if (server.floods)
    begin_flood (message);
  server.early |= server.due > 0 && g_get_real_time () < server.due;
  if (status == 503)
    ask_to_wait (soup_server_message_get_response_headers (message));
  g_free (server.authorization);
  server.authorization = g_strdup (soup_message_headers_get_one (headers, "Authorization"));
  g_free (server.content_type);
  server.content_type = g_strdup (soup_message_headers_get_content_type (headers, NULL));
  g_mutex_unlock (&server.lock);
  soup_server_message_set_status (message, status, NULL);
}

static gpointer
serve (gpointer data)
{
  g_autoptr (GError) error = NULL;
  GSList *uris;

  g_main_context_push_thread_default (server.context);
  server.server = soup_server_new (NULL, NULL);
  soup_server_add_handler (server.server, "/results", answer, NULL, NULL);
  soup_server_listen_local (server.server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  ck_assert_no_error (error);
  uris = soup_server_get_uris (server.server);
  g_mutex_lock (&server.lock);
  g_free (publish_options.location);
  publish_options.location =
      g_strdup_printf ("http://127.0.0.1:%d/results", g_uri_get_port (uris->data));
  g_mutex_unlock (&server.lock);
  g_slist_free_full (uris, (GDestroyNotify)g_uri_unref);
  g_main_loop_run (server.loop);
  g_object_unref (server.server);
  g_main_context_pop_thread_default (server.context);
  return NULL;
}

static gboolean
is_listening (void)
{
  gboolean listening;

  g_mutex_lock (&server.lock);
  listening = g_str_has_prefix (publish_options.location, "http:");
  g_mutex_unlock (&server.lock);
  return listening;
}

static void
set_up (void)
{
  publish_set_up ();
  server.context = g_main_context_new ();
  server.loop = g_main_loop_new (server.context, FALSE);
  server.taken = g_string_new (NULL);
  server.floods = FALSE;
  server.thread = g_thread_new ("server", serve, NULL);
  publish_wait (is_listening ());
}

static void
tear_down (void)
{
  g_main_loop_quit (server.loop);
  g_main_context_wakeup (server.context);
  g_thread_join (server.thread);
  g_main_loop_unref (server.loop);
  g_main_context_unref (server.context);
  g_string_free (server.taken, TRUE);
  g_free (server.authorization);
  g_free (server.content_type);
  publish_tear_down ();
}

/* Five messages are pushed; the server answers as it says, and then takes all. */
static const struct {
  const char *name;
  guint answers[8];
  guint refused, requests, first; /* first: of the messages that it takes */
  const char *warning;
} answer_rows[] = {
    {"taken", {0}, 0, 5, 0, NULL},
    {"later", {503, 500, 429, 408}, 0, 9, 0, "503 Service Unavailable"},
    {"later-by-date", {503, 503}, 0, 7, 0, "503 Service Unavailable"},
    {"not-about-tokens",
     {401, 403},
     2,
     5,
     2,
     "are being lost: 2 so far: http*/results: 403 Forbidden"},
    {"refused", {404, 400}, 2, 5, 2, "are being lost: 2 so far: http*/results: 400 Bad Request"},
    {"redirected", {302}, 1, 5, 1, "302 Found"},
};

START_TEST (test_answers)
{
  guint refused = answer_rows[_i].refused;
  g_autofree char *notes = NULL;
  PublishQueue *queue;

  server.answers = answer_rows[_i].answers;
  queue = publish_start ();
  publish_push (queue, 0, 5);
  publish_wait_sent (queue, 5 - refused);
  ck_assert_uint_eq (publish_queue_get_counts (queue).refused, refused);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_check (server.taken->str, answer_rows[_i].first, 5 - refused);
  ck_assert_uint_eq (server.requests, answer_rows[_i].requests);
  ck_assert (!server.early);
  ck_assert_str_eq (server.content_type, "application/json");
  ck_assert_ptr_null (server.authorization);
  notes = publish_get_notes ();
  test_message ("%s", notes);
  if (answer_rows[_i].warning != NULL) {
    g_autofree char *pattern = g_strdup_printf ("*%s*", answer_rows[_i].warning);

    ck_assert (g_pattern_match_simple (pattern, notes));
  } else {
    ck_assert_str_eq (notes, "");
  }
}
END_TEST

START_TEST (test_token)
{
  PublishQueue *queue;

  g_setenv ("TEST_PUBLISH_TOKEN", "hunter2", TRUE);
  publish_options.secret = g_strdup ("env:TEST_PUBLISH_TOKEN");
  queue = publish_start ();
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  publish_queue_stop (queue, GST_SECOND * 20);
  ck_assert_str_eq (server.authorization, "Bearer hunter2");
}
END_TEST

static void
set_token (const char *token)
{
  g_mutex_lock (&server.lock);
  server.token = token;
  g_mutex_unlock (&server.lock);
}

START_TEST (test_renewed)
{
  g_autofree char *path = g_build_filename (publish_folder, "token", NULL);
  PublishQueue *queue;

  server.row = (guint)_i;
  g_file_set_contents (path, "first", -1, NULL);
  publish_options.secret = g_strconcat ("file:", path, NULL);
  set_token ("first");
  queue = publish_start ();
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  set_token ("second");
  if (!token_rows[_i].late)
    g_file_set_contents (path, "second", -1, NULL);
  publish_push (queue, 1, 4);
  if (token_rows[_i].late) {
    publish_wait (publish_count_notes ("401 Unauthorized") > 0);
    g_file_set_contents (path, "second", -1, NULL);
  }
  publish_wait_sent (queue, 5);
  ck_assert_uint_eq (publish_queue_get_counts (queue).refused, 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_check (server.taken->str, 0, 5);
}
END_TEST

/* Nobody listens: messages wait in the spool for the next process. */
START_TEST (test_absent)
{
  g_autofree char *location = g_strdup (publish_options.location);
  PublishQueue *queue;

  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  g_free (publish_options.location);
  publish_options.location = g_strdup ("http://127.0.0.1:1/");
  queue = publish_start ();
  publish_push (queue, 0, 10);
  publish_wait (publish_count_notes ("http://127.0.0.1:1/: ") > 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  g_free (publish_options.location);
  publish_options.location = g_steal_pointer (&location);
  queue = publish_start ();
  publish_wait_sent (queue, 10);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_check (server.taken->str, 0, 10);
}
END_TEST

/* A server that takes connections and never answers is given up before messages don't fit into
 * memory, not only when it is too late; they are in the spool then. */
START_TEST (test_hangs)
{
  enum { MESSAGES = 1000 };
  PublishQueue *queue;

  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  publish_options.queue_size = 30000;
  publish_options.timeout = 600 * GST_SECOND;
  server.hangs = TRUE;
  queue = publish_start ();
  for (guint i = 0; i < MESSAGES; i++) {
    publish_push (queue, i, 1);
    g_usleep (1000);
  }
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  publish_queue_stop (queue, 0);
  g_mutex_lock (&server.lock);
  server.hangs = FALSE;
  g_mutex_unlock (&server.lock);
  queue = publish_start ();
  publish_wait_sent (queue, MESSAGES);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_check (server.taken->str, 0, MESSAGES);
}
END_TEST

/* What a server says beside its status is of no use, however much it is. */
START_TEST (test_floods)
{
  PublishQueue *queue;

  server.floods = TRUE;
  queue = publish_start ();
  publish_push (queue, 0, 3);
  publish_wait_sent (queue, 3);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_check (server.taken->str, 0, 3);
}
END_TEST

/* A token of two lines is not one. */
START_TEST (test_lines)
{
  PublishQueue *queue;

  g_setenv ("TEST_PUBLISH_TOKEN", "hunter2\nX-Other: 1", TRUE);
  publish_options.secret = g_strdup ("env:TEST_PUBLISH_TOKEN");
  queue = publish_start ();
  publish_wait (publish_count_notes ("secret: env:TEST_PUBLISH_TOKEN: expected one line") > 0);
  publish_queue_stop (queue, 0);
  ck_assert_uint_eq (publish_count_notes ("hunter2"), 0);
}
END_TEST

static const PublishLocation location_rows[] = {
    {"http://host/%zz", "http://host/%zz: expected http://HOST/PATH"},
    {"http://", "expected SCHEME://HOST, found no host"},
    {"https://user:hunter2@host/", "expected an address without a password"},
};

START_TEST (test_locations)
{
  publish_check_location (&location_rows[_i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/webhook");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("answers", test_answers, answer_rows);
  test_add ("token", test_token);
  TEST_ADD_ROWS ("token", test_renewed, token_rows);
  test_add ("absent", test_absent);
  test_add ("hangs", test_hangs);
  test_add ("floods", test_floods);
  test_add ("lines", test_lines);
  TEST_ADD_LOOP ("location", test_locations, location_rows);
  return test_run ();
}
