/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker.h"

#include <mosquitto.h>
#include <signal.h>

/* ---- The broker ---- */

PublishBroker publish_broker;

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
      g_socket_client_connect_to_host (client, "127.0.0.1", publish_broker.port, NULL, NULL);

  return connection != NULL;
}

void
publish_start_broker (void)
{
  g_autofree char *path = g_build_filename (publish_folder, "mosquitto.conf", NULL);
  g_autofree char *text = g_strdup_printf ("listener %u 127.0.0.1\nlog_dest "
                                           "none\nuser root\nmax_queued_messages 0\n%s",
                                           publish_broker.port, publish_broker.settings);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, NULL);
  publish_broker.process =
      g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, publish_broker.program, "-c", path, NULL);
  ck_assert_no_error (error);
  publish_wait (is_up ());
}

void
publish_stop_broker (int number)
{
  g_subprocess_send_signal (publish_broker.process, number);
  g_subprocess_wait (publish_broker.process, NULL, NULL);
  g_clear_object (&publish_broker.process);
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

void
publish_subscribe (void)
{
  /* Where the broker remembers, it keeps messages while this client is away. */
  subscriber.client = mosquitto_new ("subscriber", false, NULL);
  mosquitto_connect_callback_set (subscriber.client, on_connect);
  mosquitto_subscribe_callback_set (subscriber.client, on_subscribe);
  mosquitto_message_callback_set (subscriber.client, on_message);
  ck_assert_int_eq (mosquitto_connect (subscriber.client, "127.0.0.1", publish_broker.port, 60), 0);
  mosquitto_loop_start (subscriber.client);
  publish_wait (is_ready ());
}

void
publish_unsubscribe (void)
{
  mosquitto_disconnect (subscriber.client);
  mosquitto_loop_stop (subscriber.client, true);
  mosquitto_destroy (subscriber.client);
  subscriber.client = NULL;
  subscriber.ready = FALSE;
  g_ptr_array_set_size (subscriber.messages, 0);
}

/* The latest message of the topic; NULL: none. (transfer full) */
char *
publish_get_latest (const char *topic)
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

gboolean
publish_latest_contains (const char *topic, const char *part)
{
  g_autofree char *text = publish_get_latest (topic);

  return text != NULL && strstr (text, part) != NULL;
}

/* Whether something that begins so was taken back. */
gboolean
publish_was_emptied (const char *topic)
{
  gboolean emptied = FALSE;

  g_mutex_lock (&subscriber.lock);
  for (guint i = 0; i < subscriber.messages->len; i++) {
    const Message *message = subscriber.messages->pdata[i];

    emptied |= g_str_has_prefix (message->topic, topic) && g_bytes_get_size (message->payload) == 0;
  }
  g_mutex_unlock (&subscriber.lock);
  return emptied;
}

gboolean
publish_has_latest (const char *topic, const char *expected)
{
  g_autofree char *text = publish_get_latest (topic);

  return g_strcmp0 (text, expected) == 0;
}

/* All messages of a topic that did not come before, a line each. (transfer full) */
char *
publish_get_new_lines (const char *topic)
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

guint
publish_count_new_lines (const char *topic)
{
  g_autofree char *text = publish_get_new_lines (topic);
  guint n = 0;

  for (const char *c = text; *c != '\0'; c++)
    n += *c == '\n';
  return n;
}

/* ---- Both ---- */

void
publish_broker_set_up (void)
{
  publish_set_up ();
  publish_broker.program = g_find_program_in_path ("mosquitto");
  if (publish_broker.program == NULL
      && g_file_test ("/usr/sbin/mosquitto", G_FILE_TEST_IS_EXECUTABLE))
    publish_broker.program = g_strdup ("/usr/sbin/mosquitto");
  publish_broker.settings = g_strdup ("allow_anonymous true\n");
  publish_broker.port = find_port ();
  subscriber.messages = g_ptr_array_new_with_free_func (message_free);
  g_free (publish_options.location);
  publish_options.location = g_strdup_printf ("mqtt://127.0.0.1:%u", publish_broker.port);
  mosquitto_lib_init ();
}

void
publish_broker_tear_down (void)
{
  if (subscriber.client != NULL)
    publish_unsubscribe ();
  if (publish_broker.process != NULL)
    publish_stop_broker (SIGKILL);
  g_ptr_array_unref (subscriber.messages);
  g_free (publish_broker.program);
  g_free (publish_broker.settings);
  publish_tear_down ();
}

/* Whether the test can go on. */
gboolean
publish_begin (void)
{
  if (publish_broker.program == NULL) {
    test_skip ("no mosquitto");
    return FALSE;
  }
  publish_start_broker ();
  publish_subscribe ();
  return TRUE;
}
