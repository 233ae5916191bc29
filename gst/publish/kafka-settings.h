/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what connections to Kafka share, by librdkafka.
 *
 * Source: librdkafka's CONFIGURATION.md. */
#pragma once

#include <librdkafka/rdkafka.h>

#include "publish/options.h"

G_BEGIN_DECLS

typedef struct {
  char *brokers, *topic;
  char *user; /* NULL: none */
  gboolean tls;
} PublishKafkaAddress;

/* kafka[s]://[USER@]HOST:PORT,HOST:PORT/TOPIC: no URI that a library reads, as it has several
 * hosts. The user is the options' if the location has none. */
gboolean publish_kafka_address_parse (const PublishOptions *options, PublishKafkaAddress *address,
                                      GError **error);
void publish_kafka_address_clear (PublishKafkaAddress *address);

/* value NULL: the setting is left alone. */
gboolean publish_kafka_set (const PublishOptions *options, rd_kafka_conf_t *conf, const char *name,
                            const char *value, GError **error);
/* Brokers, login, TLS, client's id, and where the log goes. */
gboolean publish_kafka_configure (const PublishOptions *options, const PublishKafkaAddress *address,
                                  rd_kafka_conf_t *conf, GError **error);

G_END_DECLS
