/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT against a broker that the test starts, stops and starts again. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <mosquitto.h>
#include <signal.h>

#include "publish/home-assistant.h"

#include "fixture.h"

/* ---- The broker ---- */

static struct {
  char *program, *settings; /* of mosquitto.conf */
  guint16 port;
  GSubprocess *process;
} broker;

static guint16
find_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  return g_socket_listener_add_any_inet_port (listener, NULL, NULL);
}

static gboolean
is_up (void)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_to_host (client, "127.0.0.1", broker.port, NULL, NULL);

  return connection != NULL;
}

static void
start_broker (void)
{
  g_autofree char *path = g_build_filename (publish_folder, "mosquitto.conf", NULL);
  g_autofree char *text = g_strdup_printf ("listener %u 127.0.0.1\nlog_dest "
                                           "none\nuser root\nmax_queued_messages 0\n%s",
                                           broker.port, broker.settings);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, NULL);
  broker.process =
      g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, broker.program, "-c", path, NULL);
  ck_assert_no_error (error);
  publish_wait (is_up ());
}

static void
stop_broker (int number)
{
  g_subprocess_send_signal (broker.process, number);
  g_subprocess_wait (broker.process, NULL, NULL);
  g_clear_object (&broker.process);
}

/* ---- A subscriber ---- */

typedef struct {
  char *topic;
  GBytes *payload;
  gboolean retained;
} Message;

static struct {
  struct mosquitto *client;
  GMutex lock;
  GPtrArray *messages; /* Message */
  gboolean ready;
} subscriber;

static void
message_free (gpointer data)
{
  Message *message = data;

  g_free (message->topic);
  g_bytes_unref (message->payload);
  g_free (message);
}

static void
on_connect (struct mosquitto *client, void *data, int code)
{
  mosquitto_subscribe (client, NULL, "#", 1);
}

static void
on_subscribe (struct mosquitto *client, void *data, int mid, int n, const int *qos)
{
  g_mutex_lock (&subscriber.lock);
  subscriber.ready = TRUE;
  g_mutex_unlock (&subscriber.lock);
}

static void
on_message (struct mosquitto *client, void *data, const struct mosquitto_message *received)
{
  Message *message = g_new (Message, 1);

  *message =
      (Message) {g_strdup (received->topic),
                 g_bytes_new (received->payload, (gsize)received->payloadlen), received->retain};
  g_mutex_lock (&subscriber.lock);
  g_ptr_array_add (subscriber.messages, message);
  g_mutex_unlock (&subscriber.lock);
}

static gboolean
is_ready (void)
{
  gboolean ready;

  g_mutex_lock (&subscriber.lock);
  ready = subscriber.ready;
  g_mutex_unlock (&subscriber.lock);
  return ready;
}

static void
subscribe_as (const char *user, const char *password)
{
  /* Where the broker remembers, it keeps messages while this client is away. */
  subscriber.client = mosquitto_new ("subscriber", false, NULL);
  mosquitto_username_pw_set (subscriber.client, user, password);
  mosquitto_connect_callback_set (subscriber.client, on_connect);
  mosquitto_subscribe_callback_set (subscriber.client, on_subscribe);
  mosquitto_message_callback_set (subscriber.client, on_message);
  ck_assert_int_eq (mosquitto_connect (subscriber.client, "127.0.0.1", broker.port, 60), 0);
  mosquitto_loop_start (subscriber.client);
  publish_wait (is_ready ());
}

static void
unsubscribe (void)
{
  mosquitto_disconnect (subscriber.client);
  mosquitto_loop_stop (subscriber.client, true);
  mosquitto_destroy (subscriber.client);
  subscriber.client = NULL;
  subscriber.ready = FALSE;
  g_ptr_array_set_size (subscriber.messages, 0);
}

/* The latest message of the topic; NULL: none. (transfer full) */
static char *
get_latest (const char *topic)
{
  char *text = NULL;

  g_mutex_lock (&subscriber.lock);
  for (guint i = 0; i < subscriber.messages->len; i++) {
    const Message *message = subscriber.messages->pdata[i];

    if (!g_str_equal (message->topic, topic))
      continue;
    g_free (text);
    /* An empty one has no data. */
    text = g_bytes_get_size (message->payload) == 0
               ? g_strdup ("")
               : g_strndup (g_bytes_get_data (message->payload, NULL),
                            g_bytes_get_size (message->payload));
  }
  g_mutex_unlock (&subscriber.lock);
  return text;
}

static gboolean
has_latest (const char *topic, const char *expected)
{
  g_autofree char *text = get_latest (topic);

  return g_strcmp0 (text, expected) == 0;
}

/* All messages of a topic that did not come before, a line each. (transfer full) */
static char *
get_new_lines (const char *topic)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, NULL, NULL);

  g_mutex_lock (&subscriber.lock);
  for (guint i = 0; i < subscriber.messages->len; i++) {
    const Message *message = subscriber.messages->pdata[i];

    if (g_str_equal (message->topic, topic) && g_hash_table_add (seen, message->payload)) {
      g_string_append_len (text, g_bytes_get_data (message->payload, NULL),
                           (gssize)g_bytes_get_size (message->payload));
      g_string_append_c (text, '\n');
    }
  }
  g_mutex_unlock (&subscriber.lock);
  return g_string_free (text, FALSE);
}

static guint
count_new_lines (const char *topic)
{
  g_autofree char *text = get_new_lines (topic);
  guint n = 0;

  for (const char *c = text; *c != '\0'; c++)
    n += *c == '\n';
  return n;
}

/* ---- Fixture ---- */

static void
set_up (void)
{
  publish_set_up ();
  broker.program = g_find_program_in_path ("mosquitto");
  if (broker.program == NULL && g_file_test ("/usr/sbin/mosquitto", G_FILE_TEST_IS_EXECUTABLE))
    broker.program = g_strdup ("/usr/sbin/mosquitto");
  broker.settings = g_strdup ("allow_anonymous true\n");
  broker.port = find_port ();
  subscriber.messages = g_ptr_array_new_with_free_func (message_free);
  g_free (publish_options.location);
  publish_options.location = g_strdup_printf ("mqtt://127.0.0.1:%u", broker.port);
  mosquitto_lib_init ();
}

static void
tear_down (void)
{
  if (subscriber.client != NULL)
    unsubscribe ();
  if (broker.process != NULL)
    stop_broker (SIGKILL);
  g_ptr_array_unref (subscriber.messages);
  g_free (broker.program);
  g_free (broker.settings);
  publish_tear_down ();
}

/* Whether the test can go on. */
static gboolean
begin (void)
{
  if (broker.program == NULL) {
    test_skip ("no mosquitto");
    return FALSE;
  }
  start_broker ();
  subscribe_as (NULL, NULL);
  return TRUE;
}

/* ---- Messages ---- */

START_TEST (test_messages)
{
  g_autofree char *text = NULL, *id = publish_make_id ("a/b");
  g_autofree char *event = g_strconcat ("gst-ensemble/", id, "/event", NULL);
  PublishQueue *queue;

  if (!begin ())
    return;
  ck_assert (g_str_has_prefix (id, "a_b-"));
  queue = publish_start ();
  publish_wait (has_latest ("gst-ensemble/camera/availability", "online"));
  publish_push (queue, 0, 300);
  publish_wait_sent (queue, 300);
  publish_queue_push (queue,
                      publish_record_new (PUBLISH_EVENT, "a/b", g_strdup ("{\"event\": 1}\n")));
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_wait (has_latest ("gst-ensemble/camera/availability", "offline"));
  publish_wait (has_latest (event, "{\"event\": 1}"));
  text = get_new_lines ("gst-ensemble/camera/result");
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

  g_free (broker.settings);
  broker.settings = g_strdup_printf (
      "allow_anonymous true\npersistence true\npersistence_location %s/\n", publish_folder);
  if (!begin ())
    return;
  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  publish_options.queue_size = 100000;
  queue = publish_start ();
  for (guint i = 0; i < MESSAGES; i++) {
    publish_push (queue, i, 1);
    g_usleep (200);
    if (i == 500 || i == 2000)
      stop_broker (SIGTERM);
    if (i == 1500 || i == 2500)
      start_broker ();
  }
  publish_wait_sent (queue, MESSAGES);
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_wait (count_new_lines ("gst-ensemble/camera/result") == MESSAGES);
  text = get_new_lines ("gst-ensemble/camera/result");
  publish_check (text, 0, MESSAGES);
}
END_TEST

/* What does not fit into queue and spool is counted. */
START_TEST (test_beyond)
{
  enum { MESSAGES = 2000 };
  PublishCounts counts;
  PublishQueue *queue;

  if (!begin ())
    return;
  if (_i == 1) {
    publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
    publish_options.spool_size = 20000;
  }
  publish_options.queue_size = 20000;
  queue = publish_start ();
  publish_wait (has_latest ("gst-ensemble/camera/availability", "online"));
  stop_broker (SIGKILL);
  unsubscribe ();
  publish_push (queue, 0, MESSAGES);
  publish_wait (publish_count_notes ("results are being lost: ") > 0);
  start_broker ();
  subscribe_as (NULL, NULL);
  publish_wait ((counts = publish_queue_get_counts (queue), counts.sent + counts.lost >= MESSAGES));
  ck_assert_uint_eq (counts.sent + counts.lost, MESSAGES);
  ck_assert_uint_gt (counts.sent, 100);
  publish_wait (count_new_lines ("gst-ensemble/camera/result") == counts.sent);
  publish_queue_stop (queue, GST_SECOND * 20);
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

/* ---- States and Home Assistant ---- */

static EnsResult *
make_result (const char *const *classes, float p)
{
  static const char *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, g_strv_length ((char **)classes), networks, 1, 0);

  result->bundle = g_strdup ("site");
  result->version = g_strdup ("7");
  for (guint c = 0; c < result->n_classes; c++) {
    result->classes[c].p = p;
    result->classes[c].present = p >= 0.5F;
  }
  return result;
}

static GstSample *
make_sample (void)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw, format=I420, width=16, height=16, framerate=1/1");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 384, NULL);

  gst_buffer_memset (buffer, 0, 128, 384);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static void
set_state (PublishQueue *queue, const char *const *classes, float p, GstSample *sample)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);

  g_ptr_array_add (results, make_result (classes, p));
  publish_queue_set_state (queue, publish_state_new ("camera", results, sample));
}

#define CAT "gst-ensemble/camera/class/cat"

/* The broker forgets all when it restarts, a subscriber that comes later hears all. */
START_TEST (test_states)
{
  static const char *const first[] = {"cat", "hot dog", NULL}, *const second[] = {"cat", NULL};
  g_autofree char *id = publish_make_id ("hot dog");
  g_autofree char *dog = g_strconcat ("gst-ensemble/camera/class/", id, NULL);
  PublishQueue *queue;

  if (!begin ())
    return;
  queue = publish_start ();
  set_state (queue, first, 0.75F, NULL);
  publish_wait (has_latest (CAT, "{\"class\": \"cat\", \"state\": \"ON\", \"probability\": 75}"));
  publish_wait (
      has_latest (dog, "{\"class\": \"hot dog\", \"state\": \"ON\", \"probability\": 75}"));
  set_state (queue, first, 0.25F, NULL);
  publish_wait (has_latest (CAT, "{\"class\": \"cat\", \"state\": \"OFF\", \"probability\": 25}"));
  unsubscribe ();
  stop_broker (SIGKILL);
  start_broker ();
  subscribe_as (NULL, NULL);
  publish_wait (has_latest (CAT, "{\"class\": \"cat\", \"state\": \"OFF\", \"probability\": 25}"));
  publish_wait (has_latest ("gst-ensemble/camera/availability", "online"));
  unsubscribe ();
  subscribe_as (NULL, NULL);
  publish_wait (
      has_latest (dog, "{\"class\": \"hot dog\", \"state\": \"OFF\", \"probability\": 25}"));
  set_state (queue, second, 0.25F, NULL);
  publish_wait (has_latest (dog, ""));
  unsubscribe ();
  subscribe_as (NULL, NULL);
  publish_wait (has_latest ("gst-ensemble/camera/availability", "online"));
  ck_assert_ptr_null (get_latest (dog));
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

#define DEVICE                                                                                    \
  "\"device\": {\"identifiers\": [\"gst-ensemble_camera\"], \"name\": \"camera\", "               \
  "\"manufacturer\": \"gst-ensemble\", \"model\": \"site\", \"sw_version\": \"7\"}, \"origin\": " \
  "{\"name\": \"gst-ensemble\", \"sw_version\": \"*\"}}"
#define AVAILABILITY                                               \
  "\"availability_topic\": \"gst-ensemble/camera/availability\", " \
  "\"payload_available\": \"online\", \"payload_not_available\": \"offline\", " DEVICE

static const struct {
  const char *topic, *payload;
} discovery_rows[] = {
    {"homeassistant/binary_sensor/gst-ensemble_camera/cat_present/config",
     "{\"name\": \"cat\", \"unique_id\": \"gst-ensemble_camera_cat_present\", \"state_topic\": "
     "\"" CAT
     "\", \"value_template\": \"{{ value_json.state }}\", \"payload_on\": \"ON\", \"payload_off\": "
     "\"OFF\", \"json_attributes_topic\": \"" CAT
     "\", \"expire_after\": 180, \"qos\": 1, " AVAILABILITY},
    {"homeassistant/sensor/gst-ensemble_camera/cat_probability/config",
     "{\"name\": \"cat probability\", \"unique_id\": \"gst-ensemble_camera_cat_probability\", "
     "\"state_topic\": \"" CAT
     "\", \"value_template\": \"{{ value_json.probability }}\", \"unit_of_measurement\": \"%\", "
     "\"state_class\": \"measurement\", \"suggested_display_precision\": 1, \"icon\": "
     "\"mdi:percent\", \"expire_after\": 180, \"qos\": 1, " AVAILABILITY},
    {"homeassistant/image/gst-ensemble_camera/picture/config",
     "{\"name\": \"Last event\", \"unique_id\": \"gst-ensemble_camera_picture\", \"image_topic\": "
     "\"gst-ensemble/camera/picture\", \"content_type\": \"image/jpeg\", " AVAILABILITY},
};

/* Members as Home Assistant's documentation has them; a class that is no more is taken back. */
START_TEST (test_discovery)
{
  static const char *const first[] = {"cat", NULL}, *const second[] = {"dog", NULL};
  PublishQueue *queue;

  if (!begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, first, 0.75F, NULL);
  publish_wait (get_latest (discovery_rows[2].topic) != NULL);
  for (guint i = 0; i < G_N_ELEMENTS (discovery_rows); i++) {
    g_autofree char *found = get_latest (discovery_rows[i].topic);
    g_autoptr (JsonNode) node = NULL;

    test_message ("%s: %s", discovery_rows[i].topic, found);
    ck_assert (g_pattern_match_simple (discovery_rows[i].payload, found));
    node = json_from_string (found, NULL);
    ck_assert_ptr_nonnull (node);
  }
  set_state (queue, second, 0.75F, NULL);
  publish_wait (has_latest (discovery_rows[0].topic, ""));
  publish_wait (has_latest (discovery_rows[1].topic, ""));
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

START_TEST (test_picture)
{
  static const char *const classes[] = {"cat", NULL};
  g_autofree char *picture = NULL;
  PublishQueue *queue;

  if (gst_registry_find_plugin (gst_registry_get (), "jpeg") == NULL) {
    test_skip ("no jpegenc");
    return;
  }
  if (!begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, classes, 0.75F, make_sample ());
  publish_wait ((picture = get_latest ("gst-ensemble/camera/picture")) != NULL);
  ck_assert (g_str_has_prefix (picture, "\xff\xd8\xff"));
  publish_queue_stop (queue, GST_SECOND * 20);
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

static void
log_all (GstDebugCategory *category, GstDebugLevel level, const char *file, const char *function,
         int line, GObject *object, GstDebugMessage *message, gpointer data)
{
  g_mutex_lock (&subscriber.lock);
  g_string_append_printf (logged, "%s\n", gst_debug_message_get (message));
  g_mutex_unlock (&subscriber.lock);
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

  if (broker.program == NULL || g_find_program_in_path ("mosquitto_passwd") == NULL) {
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
  g_free (broker.settings);
  broker.settings = g_strdup_printf ("allow_anonymous false\npassword_file %s\n", passwords);
  publish_options.user = g_strdup ("camera");
  publish_options.secret = g_str_equal (login_rows[_i].secret, "file")
                               ? g_strconcat ("file:", secret, NULL)
                               : g_strdup (login_rows[_i].secret);
  start_broker ();
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

  if (broker.program == NULL || g_find_program_in_path ("openssl") == NULL) {
    test_skip ("no mosquitto or no openssl");
    return;
  }
  run_program ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
               certificate, NULL);
  g_free (broker.settings);
  broker.settings =
      g_strdup_printf ("allow_anonymous true\ncertfile %s\nkeyfile %s\n", certificate, key);
  g_free (publish_options.location);
  publish_options.location = g_strdup_printf ("mqtts://127.0.0.1:%u", broker.port);
  if (_i == 0)
    publish_options.tls_ca = g_strdup (certificate);
  start_broker ();
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

static const struct {
  const char *location, *expected;
} location_rows[] = {
    {"mqtt://user:hunter2@host", "expected an address without a password"},
    {"mqtt://", "expected SCHEME://HOST, found no host"},
    {"mqtt://host:port", "port"},
};

START_TEST (test_locations)
{
  g_autoptr (GError) error = NULL;

  g_free (publish_options.location);
  publish_options.location = g_strdup (location_rows[_i].location);
  ck_assert_ptr_null (publish_destination_new (&publish_options, &error));
  ck_assert_contains (error->message, location_rows[_i].expected);
  ck_assert_ptr_null (strstr (error->message, "hunter2"));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/mqtt");
  test_fixture (set_up, tear_down);
  test_add ("messages", test_messages);
  test_add ("restart", test_restart);
  test_add_loop ("beyond", test_beyond, 2);
  test_add_loop ("absent", test_absent, 2);
  test_add ("states", test_states);
  test_add ("discovery", test_discovery);
  test_add ("picture", test_picture);
  TEST_ADD_ROWS ("login", test_login, login_rows);
  test_add_loop ("tls", test_tls, 2);
  TEST_ADD_LOOP ("location", test_locations, location_rows);
  return test_run ();
}
