/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT against a broker that the test starts, stops and starts again. */
#include <signal.h>

#include "publish/home-assistant.h"

#include "broker.h"

/* ---- Messages ---- */

START_TEST (test_messages)
{
  g_autofree char *text = NULL, *id = publish_make_id ("a/b");
  g_autofree char *event = g_strconcat ("gst-ensemble/", id, "/event", NULL);
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  ck_assert (g_str_has_prefix (id, "a_b-"));
  queue = publish_start ();
  publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "online"));
  publish_push (queue, 0, 300);
  publish_wait_sent (queue, 300);
  publish_queue_push (queue,
                      publish_record_new (PUBLISH_EVENT, "a/b", g_strdup ("{\"event\": 1}\n")));
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "offline"));
  publish_wait (publish_has_latest (event, "{\"event\": 1}"));
  text = publish_get_new_lines ("gst-ensemble/camera/result");
  publish_check (text, 0, 300);
}
END_TEST

/* The broker dies under load and comes back, twice; of what the spool holds nothing is lost, and
 * order is kept. */
START_TEST (test_restart)
{
  enum { MESSAGES = 3000 };
  g_autofree char *text = NULL;
  PublishQueue *queue;

  g_free (publish_broker.settings);
  publish_broker.settings = g_strdup_printf (
      "allow_anonymous true\npersistence true\npersistence_location %s/\n", publish_folder);
  if (!publish_begin ())
    return;
  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  publish_options.queue_size = 100000;
  queue = publish_start ();
  for (guint i = 0; i < MESSAGES; i++) {
    publish_push (queue, i, 1);
    g_usleep (200);
    if (i == 500 || i == 2000)
      publish_stop_broker (SIGTERM);
    if (i == 1500 || i == 2500)
      publish_start_broker ();
  }
  publish_wait_sent (queue, MESSAGES);
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_wait (publish_count_new_lines ("gst-ensemble/camera/result") == MESSAGES);
  text = publish_get_new_lines ("gst-ensemble/camera/result");
  publish_check (text, 0, MESSAGES);
}
END_TEST

/* What does not fit into queue and spool is counted. */
START_TEST (test_beyond)
{
  enum { MESSAGES = 2000 };
  PublishCounts counts;
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  if (_i == 1) {
    publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
    publish_options.spool_size = 20000;
  }
  publish_options.queue_size = 20000;
  queue = publish_start ();
  publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "online"));
  publish_stop_broker (SIGKILL);
  publish_unsubscribe ();
  publish_push (queue, 0, MESSAGES);
  publish_wait (publish_count_notes ("results are being lost: ") > 0);
  publish_start_broker ();
  publish_subscribe ();
  publish_wait ((counts = publish_queue_get_counts (queue), counts.sent + counts.lost >= MESSAGES));
  ck_assert_uint_eq (counts.sent + counts.lost, MESSAGES);
  ck_assert_uint_gt (counts.sent, 100);
  publish_wait (publish_count_new_lines ("gst-ensemble/camera/result") == counts.sent);
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

/* A broker, or a network, that swallows everything for a while, before or after its welcome: it is
 * given up before messages don't fit into memory, and has them all from the same queue later. */
START_TEST (test_hangs)
{
  enum { MESSAGES = 2000 };
  g_autofree char *text = NULL;
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  publish_options.queue_size = 30000;
  publish_options.timeout = 600 * GST_SECOND;
  if (_i == 1)
    g_subprocess_send_signal (publish_broker.process, SIGSTOP);
  queue = publish_start ();
  if (_i == 0) {
    publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "online"));
    g_subprocess_send_signal (publish_broker.process, SIGSTOP);
  }
  for (guint i = 0; i < MESSAGES; i++) {
    publish_push (queue, i, 1);
    g_usleep (500);
  }
  publish_wait (publish_count_notes ("does not answer; messages go to the spool") == 1);
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  g_subprocess_send_signal (publish_broker.process, SIGCONT);
  publish_wait_sent (queue, MESSAGES);
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_wait (publish_count_new_lines ("gst-ensemble/camera/result") == MESSAGES);
  text = publish_get_new_lines ("gst-ensemble/camera/result");
  publish_check (text, 0, MESSAGES);
}
END_TEST

/* A spool that can't be had is known before there is a source. */
START_TEST (test_no_spool)
{
  g_autofree char *file = g_build_filename (publish_folder, "file", NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (file, "", 0, NULL);
  publish_options.spool = g_build_filename (file, "spool", NULL);
  ck_assert_ptr_null (publish_try_start (&error));
  ck_assert_contains (error->message, "file/spool: can't be made");
}
END_TEST

/* A broker that is not there is not waited for. */
START_TEST (test_absent)
{
  gint64 time = g_get_monotonic_time ();
  PublishQueue *queue;

  if (_i == 1) {
    g_free (publish_options.location);
    publish_options.location = g_strdup ("mqtt://192.0.2.1"); /* RFC 5737: nobody's */
  }
  queue = publish_start ();
  publish_push (queue, 0, 10);
  publish_queue_stop (queue, GST_SECOND);
  ck_assert_int_lt (g_get_monotonic_time () - time, 60 * G_TIME_SPAN_SECOND);
}
END_TEST

/* ---- Security ---- */

static void
run_program (const char *first, ...)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  va_list arguments;
  int status = 1;

  va_start (arguments, first);
  for (const char *word = first; word != NULL; word = va_arg (arguments, const char *))
    g_ptr_array_add (words, (gpointer)word);
  va_end (arguments);
  g_ptr_array_add (words, NULL);
  g_spawn_sync (NULL, (char **)words->pdata, NULL,
                G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                NULL, NULL, NULL, &status, &error);
  ck_assert_no_error (error);
  ck_assert_int_eq (status, 0);
}

static GString *logged;
static GMutex log_lock;

static void
log_all (GstDebugCategory *category, GstDebugLevel level, const char *file, const char *function,
         int line, GObject *object, GstDebugMessage *message, gpointer data)
{
  g_mutex_lock (&log_lock);
  g_string_append_printf (logged, "%s\n", gst_debug_message_get (message));
  g_mutex_unlock (&log_lock);
}

static const struct {
  const char *name, *secret, *expected; /* expected: a warning; NULL: all is sent */
} login_rows[] = {
    {"file", "file", NULL},
    {"environment", "env:TEST_PUBLISH_SECRET", NULL},
    {"wrong", "env:TEST_PUBLISH_WRONG", "Not authorized"},
    {"missing", "env:TEST_PUBLISH_MISSING", "the environment has no variable TEST_PUBLISH_MISSING"},
};

/* The password is in no log and no message. */
START_TEST (test_login)
{
  g_autofree char *passwords = g_build_filename (publish_folder, "passwords", NULL);
  g_autofree char *secret = g_build_filename (publish_folder, "secret", NULL), *notes = NULL;
  PublishQueue *queue;

  if (publish_broker.program == NULL || g_find_program_in_path ("mosquitto_passwd") == NULL) {
    test_skip ("no mosquitto");
    return;
  }
  logged = g_string_new (NULL);
  GST_DEBUG_CATEGORY_INIT (publish_debug, "publish", 0, NULL);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_set_threshold_from_string ("*:9", TRUE);
  gst_debug_add_log_function (log_all, NULL, NULL);
  run_program ("mosquitto_passwd", "-b", "-c", passwords, "camera", "hunter2", NULL);
  g_file_set_contents (secret, "hunter2\n", -1, NULL);
  g_setenv ("TEST_PUBLISH_SECRET", "hunter2", TRUE);
  g_setenv ("TEST_PUBLISH_WRONG", "hunter2x", TRUE);
  g_free (publish_broker.settings);
  publish_broker.settings =
      g_strdup_printf ("allow_anonymous false\npassword_file %s\n", passwords);
  publish_options.user = g_strdup ("camera");
  publish_options.secret = g_str_equal (login_rows[_i].secret, "file")
                               ? g_strconcat ("file:", secret, NULL)
                               : g_strdup (login_rows[_i].secret);
  publish_start_broker ();
  queue = publish_start ();
  publish_push (queue, 0, 10);
  if (login_rows[_i].expected == NULL)
    publish_wait_sent (queue, 10);
  else
    publish_wait (publish_count_notes (login_rows[_i].expected) > 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  notes = publish_get_notes ();
  gst_debug_remove_log_function (log_all);
  ck_assert_uint_gt (logged->len, 0);
  ck_assert_ptr_null (strstr (logged->str, "hunter2"));
  ck_assert_ptr_null (strstr (notes, "hunter2"));
  g_string_free (logged, TRUE);
}
END_TEST

/* TLS: a broker whose authority is known is trusted, another is not. */
START_TEST (test_tls)
{
  g_autofree char *key = g_build_filename (publish_folder, "key.pem", NULL);
  g_autofree char *certificate = g_build_filename (publish_folder, "certificate.pem", NULL);
  PublishQueue *queue;

  if (publish_broker.program == NULL || g_find_program_in_path ("openssl") == NULL) {
    test_skip ("no mosquitto or no openssl");
    return;
  }
  run_program ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
               certificate, NULL);
  g_free (publish_broker.settings);
  publish_broker.settings =
      g_strdup_printf ("allow_anonymous true\ncertfile %s\nkeyfile %s\n", certificate, key);
  g_free (publish_options.location);
  publish_options.location = g_strdup_printf ("mqtts://127.0.0.1:%u", publish_broker.port);
  if (_i == 0)
    publish_options.tls_ca = g_strdup (certificate);
  publish_start_broker ();
  queue = publish_start ();
  publish_push (queue, 0, 100);
  if (_i == 0)
    publish_wait_sent (queue, 100);
  else
    publish_wait (publish_count_notes ("TLS") > 0);
  ck_assert_uint_eq (publish_queue_get_counts (queue).sent, _i == 0 ? 100 : 0);
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

static const PublishLocation location_rows[] = {
    {"mqtt://user:hunter2@host", "expected an address without a password"},
    {"mqtt://", "expected SCHEME://HOST, found no host"},
    {"mqtt://host:port", "port"},
};

START_TEST (test_locations)
{
  publish_check_location (&location_rows[_i]);
}
END_TEST

/* What MQTT takes nowhere. */
static const struct {
  const char *name;
  gsize option;
  const char *value, *expected;
} option_rows[] = {
    {"topic", G_STRUCT_OFFSET (PublishOptions, topic), "a/+/b", "topic: expected"},
    {"topic-control", G_STRUCT_OFFSET (PublishOptions, topic), "a\nb", "topic: expected"},
    {"prefix", G_STRUCT_OFFSET (PublishOptions, discovery_prefix), "home#",
     "discovery-prefix: expected"},
};

static void
set_option (gsize option, const char *value)
{
  char **member = G_STRUCT_MEMBER_P (&publish_options, option);

  g_free (*member);
  *member = g_strdup (value);
}

START_TEST (test_options)
{
  g_autoptr (GError) error = NULL;

  set_option (option_rows[_i].option, option_rows[_i].value);
  ck_assert_ptr_null (publish_destination_new (&publish_options, &error));
  ck_assert_contains (error->message, option_rows[_i].expected);
}
END_TEST

START_TEST (test_client_id)
{
  PublishQueue *queue;

  publish_options.client_id = g_strdup ("a\tb");
  queue = publish_start ();
  publish_wait (publish_count_notes ("client-id: expected") > 0);
  publish_queue_stop (queue, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/mqtt");
  test_fixture (publish_broker_set_up, publish_broker_tear_down);
  test_add ("messages", test_messages);
  test_add ("restart", test_restart);
  test_add_loop ("beyond", test_beyond, 2);
  test_add_loop ("hangs", test_hangs, 2);
  test_add ("no-spool", test_no_spool);
  test_add_loop ("absent", test_absent, 2);
  TEST_ADD_ROWS ("login", test_login, login_rows);
  test_add_loop ("tls", test_tls, 2);
  TEST_ADD_ROWS ("option", test_options, option_rows);
  test_add ("client-id", test_client_id);
  TEST_ADD_LOOP ("location", test_locations, location_rows);
  return test_run ();
}
