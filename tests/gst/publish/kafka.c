/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kafka against librdkafka's mock cluster, whose broker goes away and comes back. */
#include "fixture.h"
#include "gst/kafka-mock.h"

static KafkaMock mock;

static void
set_up (void)
{
  publish_set_up ();
  kafka_mock_init (&mock);
  rd_kafka_mock_topic_create (mock.cluster, "results", 4, 1);
  g_free (publish_options.location);
  publish_options.location = g_strdup_printf ("kafka://%s/results", mock.address);
  publish_options.timeout = GST_SECOND;
}

static void
tear_down (void)
{
  kafka_mock_clear (&mock);
  publish_tear_down ();
}

static rd_kafka_t *
make_consumer (void)
{
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new (1);
  rd_kafka_t *consumer = kafka_mock_make_client (&mock, RD_KAFKA_CONSUMER);

  rd_kafka_poll_set_consumer (consumer);
  rd_kafka_topic_partition_list_add (topics, "results", RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe (consumer, topics);
  rd_kafka_topic_partition_list_destroy (topics);
  return consumer;
}

/* The messages without those that came before, until there are n; all have the key. (transfer
 * full) */
static char *
consume (guint n)
{
  rd_kafka_t *consumer = make_consumer ();
  GString *text = g_string_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint idle = 0; idle < 300 && g_hash_table_size (seen) < n;) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll (consumer, 100);

    idle += message == NULL;
    if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      char *line = g_strndup (message->payload, message->len);

      ck_assert_bytes_eq (message->key, message->key_len, "camera", 6);
      if (!g_hash_table_contains (seen, line))
        g_string_append_printf (text, "%s\n", line);
      g_hash_table_add (seen, line);
    }
    if (message != NULL)
      rd_kafka_message_destroy (message);
  }
  rd_kafka_consumer_close (consumer);
  rd_kafka_destroy (consumer);
  return g_string_free (text, FALSE);
}

START_TEST (test_messages)
{
  PublishQueue *queue = publish_start ();
  g_autofree char *text = NULL;

  publish_push (queue, 0, 300);
  publish_wait_sent (queue, 300);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = consume (300);
  publish_check (text, 0, 300);
}
END_TEST

/* The broker is away under load: what the spool holds arrives, in order. */
START_TEST (test_away)
{
  g_autofree char *text = NULL;
  PublishQueue *queue;

  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  publish_options.queue_size = 60000;
  queue = publish_start ();
  publish_push (queue, 0, 200);
  publish_wait_sent (queue, 100);
  rd_kafka_mock_broker_set_down (mock.cluster, 1);
  for (guint i = 0; i < 1000; i++) {
    publish_push (queue, 200 + i, 1);
    g_usleep (1000);
  }
  publish_wait (publish_count_notes ("kafka://") > 0);
  rd_kafka_mock_broker_set_up (mock.cluster, 1);
  publish_wait_sent (queue, 1200);
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = consume (1200);
  publish_check (text, 0, 1200);
}
END_TEST

/* A connection that nobody needed was closed, as brokers do: no fault, and no message twice. */
START_TEST (test_idle)
{
  PublishQueue *queue;

  publish_options.timeout = 20 * GST_SECOND;
  queue = publish_start ();
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  rd_kafka_mock_broker_set_down (mock.cluster, 1);
  g_usleep (500000);
  rd_kafka_mock_broker_set_up (mock.cluster, 1);
  publish_push (queue, 1, 1);
  publish_wait_sent (queue, 2);
  publish_queue_stop (queue, GST_SECOND * 20);
  ck_assert_uint_eq (publish_count_notes ("\n"), 0);
}
END_TEST

/* What Kafka will never take is refused, counted, and does not hold up the rest. */
START_TEST (test_refused)
{
  PublishQueue *queue = publish_start ();
  g_autofree char *line = g_strnfill (2000000, 'x');

  line[1999999] = '\n';
  publish_queue_push (queue,
                      publish_record_new (PUBLISH_RESULT, "camera", g_steal_pointer (&line)));
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  ck_assert_uint_eq (publish_queue_get_counts (queue).refused, 1);
  publish_queue_stop (queue, GST_SECOND * 20);
  ck_assert_uint_eq (publish_count_notes ("too large"), 1);
}
END_TEST

static const PublishLocation location_rows[] = {
    {"kafka://host:9092", "expected kafka://HOST:PORT,HOST:PORT/TOPIC"},
    {"kafka://host:9092/", "expected kafka://HOST:PORT,HOST:PORT/TOPIC"},
    {"kafka:///topic", "expected kafka://HOST:PORT,HOST:PORT/TOPIC"},
    {"kafka://user:hunter2@host/topic", "expected an address without a password"},
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
  test_suite ("gst/publish/kafka");
  test_fixture (set_up, tear_down);
  test_add ("messages", test_messages);
  test_add ("away", test_away);
  test_add ("idle", test_idle);
  test_add ("refused", test_refused);
  TEST_ADD_LOOP ("location", test_locations, location_rows);
  return test_run ();
}
