/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* librdkafka's mock cluster as a program: prints its address, sends lines that it reads to the
 * topic "jobs", to its three partitions in turn, and prints what comes to "jobs-results". The lines
 * "down" and "up" are for the broker. Until its input ends. */
#include <stdio.h>
#include <string.h>

#include "gst/kafka-mock.h"

#define PARTITIONS 3

/* Until nobody reads it. */
static gpointer
print_results (gpointer consumer)
{
  while (!ferror (stdout)) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll (consumer, 100);

    if (message == NULL)
      continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      printf ("%.*s\n", (int)message->len, (const char *)message->payload);
    fflush (stdout);
    rd_kafka_message_destroy (message);
  }
  return NULL;
}

static void
listen_to_results (const KafkaMock *mock)
{
  rd_kafka_t *consumer = kafka_mock_make_client (mock, RD_KAFKA_CONSUMER);
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new (1);

  rd_kafka_poll_set_consumer (consumer);
  rd_kafka_topic_partition_list_add (topics, "jobs-results", 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign (consumer, topics);
  rd_kafka_topic_partition_list_destroy (topics);
  g_thread_new ("results", print_results, consumer);
}

static void
produce (rd_kafka_t *producer, const char *text, gint32 partition)
{
  rd_kafka_producev (producer, RD_KAFKA_V_TOPIC ("jobs"), RD_KAFKA_V_PARTITION (partition),
                     RD_KAFKA_V_VALUE ((void *)text, strlen (text)),
                     RD_KAFKA_V_MSGFLAGS (RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  rd_kafka_flush (producer, 10000);
}

int
main (void)
{
  KafkaMock mock;
  rd_kafka_t *producer;
  char line[4096];

  kafka_mock_init (&mock);
  rd_kafka_mock_topic_create (mock.cluster, "jobs", PARTITIONS, 1);
  rd_kafka_mock_topic_create (mock.cluster, "jobs-results", 1, 1);
  printf ("%s\n", mock.address);
  fflush (stdout);
  listen_to_results (&mock);
  producer = kafka_mock_make_client (&mock, RD_KAFKA_PRODUCER);
  for (gint32 i = 0; fgets (line, sizeof line, stdin) != NULL; i++) {
    g_strchomp (line);
    if (strcmp (line, "down") == 0)
      rd_kafka_mock_broker_set_down (mock.cluster, 1);
    else if (strcmp (line, "up") == 0)
      rd_kafka_mock_broker_set_up (mock.cluster, 1);
    else
      produce (producer, line, i % PARTITIONS);
  }
  return 0;
}
