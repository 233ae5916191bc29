/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two workers and librdkafka's mock cluster: a job is another's when its worker goes without having
 * ended it, and nobody's when it has. */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "worker/queue.h"

#include "check-main.h"
#include "gst/kafka-mock.h"

static KafkaMock mock;

static void
set_up (void)
{
  kafka_mock_init (&mock);
  rd_kafka_mock_topic_create (mock.cluster, "jobs", 1, 1);
  rd_kafka_mock_topic_create (mock.cluster, "jobs-results", 1, 1);
}

static void
tear_down (void)
{
  kafka_mock_clear (&mock);
}

/* NULL: a message without value. */
static void
submit (const char *job)
{
  gsize size = job != NULL ? strlen (job) : 0;
  rd_kafka_t *producer = kafka_mock_make_client (&mock, RD_KAFKA_PRODUCER);

  rd_kafka_producev (producer, RD_KAFKA_V_TOPIC ("jobs"), RD_KAFKA_V_VALUE ((void *)job, size),
                     RD_KAFKA_V_MSGFLAGS (RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  ck_assert_int_eq (rd_kafka_flush (producer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_destroy (producer);
}

/* (transfer full) */
static WorkerQueue *
open_with_lease (const char *name, gint64 lease)
{
  g_auto (PublishOptions) options;
  g_autoptr (GError) error = NULL;
  WorkerQueue *queue;

  publish_options_init (&options);
  g_free (options.location);
  options.location = g_strdup_printf ("kafka://%s/jobs", mock.address);
  options.client_id = g_strdup (name);
  queue =
      worker_queue_new (&(WorkerQueueParams) {&options, "group", lease, G_TIME_SPAN_DAY}, &error);
  ck_assert_no_error (error);
  queue->klass->open (queue, NULL, &error);
  ck_assert_no_error (error);
  return queue;
}

/* (transfer full) */
static WorkerQueue *
open_worker (const char *name)
{
  return open_with_lease (name, 6 * G_TIME_SPAN_SECOND);
}

static void
leave (WorkerQueue *queue)
{
  queue->klass->close (queue);
  queue->klass->free (queue);
}

/* Until there is an order of this kind, or `seconds` have gone by. */
static gboolean
follow (WorkerQueue *queue, WorkerOrderKind kind, WorkerOrder *order, gint seconds)
{
  GPollFD wake = {eventfd (0, EFD_CLOEXEC), G_IO_IN, 0};
  g_autoptr (GError) error = NULL;

  order->kind = WORKER_ORDER_NONE;
  for (gint i = 0; i < seconds * 10 && order->kind != kind; i++) {
    queue->klass->wait (queue, &wake, 100, NULL, &error);
    ck_assert_no_error (error);
    queue->klass->next (queue, order, &error);
    ck_assert_no_error (error);
  }
  close (wake.fd);
  return order->kind == kind;
}

static void
send_result (WorkerQueue *queue, guint64 sequence)
{
  WorkerResult result = {sequence, 0, (char *)"{}"};
  WorkerResult *results[] = {&result};
  g_autoptr (GError) error = NULL;

  queue->klass->send (queue, results, 1, &error);
  ck_assert_no_error (error);
}

/* How often the results' topic has the text, in n messages. */
static guint
count_results (guint n, const char *part)
{
  rd_kafka_t *consumer = kafka_mock_make_client (&mock, RD_KAFKA_CONSUMER);
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new (1);
  guint found = 0, seen = 0;

  rd_kafka_poll_set_consumer (consumer);
  rd_kafka_topic_partition_list_add (topics, "jobs-results", 0);
  rd_kafka_topic_partition_list_set_offset (topics, "jobs-results", 0, RD_KAFKA_OFFSET_BEGINNING);
  rd_kafka_assign (consumer, topics);
  rd_kafka_topic_partition_list_destroy (topics);
  for (guint i = 0; i < 200 && seen < n; i++) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll (consumer, 100);

    if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      g_autofree char *line = g_strndup (message->payload, message->len);

      ck_assert_bytes_eq (message->key, message->key_len, "a", 1);
      found += strstr (line, part) != NULL;
      seen++;
    }
    if (message != NULL)
      rd_kafka_message_destroy (message);
  }
  rd_kafka_consumer_close (consumer);
  rd_kafka_destroy (consumer);
  ck_assert_uint_eq (seen, n);
  return found;
}

START_TEST (test_handed_on)
{
  WorkerQueue *first = open_worker ("first"), *second;
  g_autoptr (GError) error = NULL;
  WorkerOrder order;

  submit ("{\"schema\": \"gst-ensemble/job/1\", \"id\": \"a\", \"uri\": \"b\"}");
  ck_assert (follow (first, WORKER_ORDER_START, &order, 30));
  ck_assert_contains (order.text, "\"id\": \"a\"");
  send_result (first, 0);
  leave (first);

  second = open_worker ("second");
  ck_assert (follow (second, WORKER_ORDER_START, &order, 30));
  send_result (second, 0);
  send_result (second, 1);
  second->klass->end (second, 2, NULL, &error);
  ck_assert_no_error (error);
  leave (second);

  first = open_worker ("first");
  ck_assert (!follow (first, WORKER_ORDER_START, &order, 8));
  leave (first);
  ck_assert_uint_eq (count_results (4, "\"sequence\": 0"), 2);
  ck_assert_uint_eq (count_results (4, "\"state\": \"done\", \"results\": 2"), 1);
}
END_TEST

/* Both for so many seconds; has: whether each has a job. */
static void
follow_both (WorkerQueue *queues[2], gboolean has[2], gint seconds)
{
  for (gint i = 0; i < seconds * 10; i++) {
    g_autoptr (GError) error = NULL;
    GPollFD wake = {-1, 0, 0};
    WorkerOrder order;

    queues[i % 2]->klass->wait (queues[i % 2], &wake, 100, NULL, &error);
    ck_assert_no_error (error);
    queues[i % 2]->klass->next (queues[i % 2], &order, &error);
    ck_assert_no_error (error);
    if (order.kind != WORKER_ORDER_NONE)
      has[i % 2] = order.kind == WORKER_ORDER_START;
  }
}

/* When a worker comes, the job stays or moves, and is done once more only if it moves. */
START_TEST (test_joined)
{
  WorkerQueue *queues[2] = {open_worker ("first")};
  gboolean has[2] = {TRUE, FALSE}, again[2] = {FALSE, FALSE};
  g_autoptr (GError) error = NULL;
  WorkerOrder order;

  submit ("{\"schema\": \"gst-ensemble/job/1\", \"id\": \"a\", \"uri\": \"b\"}");
  ck_assert (follow (queues[0], WORKER_ORDER_START, &order, 30));
  queues[1] = open_worker ("second");
  follow_both (queues, has, 15);
  ck_assert_int_ne (has[0], has[1]);
  queues[has[1]]->klass->end (queues[has[1]], 0, NULL, &error);
  ck_assert_no_error (error);
  follow_both (queues, again, 5);
  ck_assert (!again[0] && !again[1]);
  leave (queues[0]);
  leave (queues[1]);
}
END_TEST

static const struct {
  const char *name, *job, *text;
} nonsense_rows[] = {
    {"nonsense", "nonsense", "nonsense"},
    {"no value", NULL, ""},
};

/* What can't be read is named after its place. */
START_TEST (test_nonsense)
{
  WorkerQueue *queue = open_worker ("first");
  g_autoptr (GError) error = NULL;
  WorkerOrder order;

  submit (nonsense_rows[_i].job);
  ck_assert (follow (queue, WORKER_ORDER_START, &order, 30));
  ck_assert_str_eq (order.text, nonsense_rows[_i].text);
  queue->klass->end (queue, 0, "not JSON", &error);
  ck_assert_no_error (error);
  leave (queue);
}
END_TEST

START_TEST (test_long_lease)
{
  leave (open_with_lease ("first", G_TIME_SPAN_HOUR));
}
END_TEST

static const struct {
  const char *location, *expected;
  gint64 lease;
} location_rows[] = {
    {"kafka://host/topic", "at most 3600 seconds, found 3601", 3601 * G_TIME_SPAN_SECOND},
    {"amqp://host", "expected mqtt://HOST"},
    {"kafka://host:9092", "expected kafka://HOST:PORT,HOST:PORT/TOPIC"},
    {"kafka://user:hunter2@host/topic", "expected an address without a password"},
};

START_TEST (test_locations)
{
  g_auto (PublishOptions) options;
  g_autoptr (GError) error = NULL;

  publish_options_init (&options);
  g_free (options.location);
  options.location = g_strdup (location_rows[_i].location);
  ck_assert_ptr_null (worker_queue_new (
      &(WorkerQueueParams) {&options, "group", location_rows[_i].lease, 1}, &error));
  ck_assert_contains (error->message, location_rows[_i].expected);
  ck_assert_ptr_null (strstr (error->message, "hunter2"));
}
END_TEST

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  test_init (&argc, &argv);
  test_suite ("gst/worker/kafka");
  TEST_ADD_LOOP ("location", test_locations, location_rows);
  test_fixture (set_up, tear_down);
  test_add ("handed on", test_handed_on);
  test_add ("long lease", test_long_lease);
  test_add ("joined", test_joined);
  TEST_ADD_ROWS (NULL, test_nonsense, nonsense_rows);
  return test_run ();
}
