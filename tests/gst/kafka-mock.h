/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* librdkafka's mock cluster of one broker, in the program that uses it. */
#pragma once

#include <glib.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

typedef struct {
  rd_kafka_t *handle;
  rd_kafka_mock_cluster_t *cluster;
  const char *address; /* HOST:PORT */
} KafkaMock;

void kafka_mock_init (KafkaMock *mock);
void kafka_mock_clear (KafkaMock *mock);

/* A client of the cluster, which reads topics from their beginning. (transfer full) */
rd_kafka_t *kafka_mock_make_client (const KafkaMock *mock, rd_kafka_type_t type);
