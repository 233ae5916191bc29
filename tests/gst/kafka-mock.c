/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kafka-mock.h"

/* mock NULL: of no cluster. */
static rd_kafka_t *
make_client (const KafkaMock *mock, rd_kafka_type_t type)
{
  rd_kafka_conf_t *conf = rd_kafka_conf_new ();
  rd_kafka_t *client;
  char text[256];

  rd_kafka_conf_set (conf, "log_level", "0", text, sizeof text);
  rd_kafka_conf_set (conf, "group.id", "test", text, sizeof text);
  rd_kafka_conf_set (conf, "auto.offset.reset", "earliest", text, sizeof text);
  rd_kafka_conf_set (conf, "fetch.wait.max.ms", "10", text, sizeof text);
  if (mock != NULL)
    rd_kafka_conf_set (conf, "bootstrap.servers", mock->address, text, sizeof text);
  client = rd_kafka_new (type, conf, text, sizeof text);
  if (client == NULL)
    g_error ("no client of Kafka: %s", text);
  return client;
}

void
kafka_mock_init (KafkaMock *mock)
{
  mock->handle = make_client (NULL, RD_KAFKA_PRODUCER);
  mock->cluster = rd_kafka_mock_cluster_new (mock->handle, 1);
  mock->address = rd_kafka_mock_cluster_bootstraps (mock->cluster);
}

void
kafka_mock_clear (KafkaMock *mock)
{
  rd_kafka_mock_cluster_destroy (mock->cluster);
  rd_kafka_destroy (mock->handle);
}

rd_kafka_t *
kafka_mock_make_client (const KafkaMock *mock, rd_kafka_type_t type)
{
  return make_client (mock, type);
}
