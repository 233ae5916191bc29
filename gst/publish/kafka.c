/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kafka, by librdkafka: kafka://HOST:PORT,HOST:PORT/TOPIC. The key of a message is its source, so
 * that a camera's messages stay in order, in one partition; a message counts as sent when all
 * in-sync replicas have it. */
#include <string.h>

#include "base/error.h"
#include "publish/destination.h"
#include "publish/kafka-settings.h"

#define GST_CAT_DEFAULT publish_debug

#define POLL_MS 100
#define IDLE_POLL_MS 5000                  /* without messages */
#define DOWN_TIME (3 * G_TIME_SPAN_SECOND) /* all brokers, until they count as away */

typedef struct {
  gboolean reported;
  rd_kafka_resp_err_t code;
} Delivery;

typedef struct {
  PublishDestination parent;
  PublishKafkaAddress address;
  rd_kafka_t *producer;
  guint unreported; /* of the messages that were produced together */
  gint64
      down_since; /* monotonic: no broker could be reached, and nothing was delivered; 0: not so */
} KafkaDestination;

static gboolean
fail (const KafkaDestination *self, const char *what, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: %s", self->parent.options.location, what);
  return FALSE;
}

/* ---- What librdkafka calls ---- */

static void
on_delivery (rd_kafka_t *producer, const rd_kafka_message_t *message, void *data)
{
  KafkaDestination *self = data;
  Delivery *delivery = message->_private;

  *delivery = (Delivery) {TRUE, message->err};
  self->unreported--;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
    self->down_since = 0;
}

/* Brokers close idle connections, and one that closes the last is reported as all being down: that
 * counts when it goes on. Other errors are temporary: deliveries tell what matters. */
static void
on_error (rd_kafka_t *producer, int code, const char *reason, void *data)
{
  KafkaDestination *self = data;

  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && self->down_since == 0)
    self->down_since = g_get_monotonic_time ();
  GST_DEBUG ("%s: %s", rd_kafka_err2str ((rd_kafka_resp_err_t)code), reason);
}

/* ---- Opening ---- */

static gboolean
configure (KafkaDestination *self, rd_kafka_conf_t *conf, GError **error)
{
  const PublishOptions *options = &self->parent.options;
  g_autofree char *timeout =
      g_strdup_printf ("%" G_GUINT64_FORMAT, MAX (options->timeout / GST_MSECOND, 1000));

  rd_kafka_conf_set_opaque (conf, self);
  rd_kafka_conf_set_dr_msg_cb (conf, on_delivery);
  rd_kafka_conf_set_error_cb (conf, on_error);
  return publish_kafka_configure (options, &self->address, conf, error)
         && publish_kafka_set (options, conf, "message.timeout.ms", timeout, error)
         && publish_kafka_set (options, conf, "linger.ms", "5", error)
         && publish_kafka_set (options, conf, "enable.idempotence", "true", error);
}

static gboolean
open_kafka (PublishDestination *destination, const char *source, GCancellable *cancellable,
            GError **error)
{
  KafkaDestination *self = (KafkaDestination *)destination;
  rd_kafka_conf_t *conf = rd_kafka_conf_new ();
  char text[256];

  if (!configure (self, conf, error)) {
    rd_kafka_conf_destroy (conf);
    return FALSE;
  }
  self->producer = rd_kafka_new (RD_KAFKA_PRODUCER, conf, text, sizeof text);
  if (self->producer != NULL)
    return TRUE;
  rd_kafka_conf_destroy (conf);
  return fail (self, text, error);
}

static void
close_kafka (PublishDestination *destination, GCancellable *cancellable)
{
  KafkaDestination *self = (KafkaDestination *)destination;

  rd_kafka_purge (self->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll (self->producer, 0);
  rd_kafka_destroy (self->producer);
  self->producer = NULL;
}

/* ---- Sending ---- */

static rd_kafka_resp_err_t
produce (KafkaDestination *self, const PublishRecord *record, Delivery *delivery)
{
  rd_kafka_resp_err_t code = rd_kafka_producev (
      self->producer, RD_KAFKA_V_TOPIC (self->address.topic),
      RD_KAFKA_V_KEY (record->source, strlen (record->source)),
      RD_KAFKA_V_VALUE (record->line, record->length - 1),
      RD_KAFKA_V_MSGFLAGS (RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE (delivery), RD_KAFKA_V_END);

  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    self->unreported++;
  else
    *delivery = (Delivery) {TRUE, code};
  return code;
}

/* A message that Kafka will never take. */
static gboolean
is_refusal (rd_kafka_resp_err_t code)
{
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG
         || code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

static gboolean
count_done (const KafkaDestination *self, const Delivery *deliveries, guint n,
            PublishDelivery *delivery, GError **error)
{
  for (guint i = 0; i < n; i++) {
    rd_kafka_resp_err_t code = deliveries[i].code;

    if (!deliveries[i].reported)
      return fail (self, "messages were not sent in time", error);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !is_refusal (code))
      return fail (self,
                   self->down_since != 0 ? "no broker can be reached" : rd_kafka_err2str (code),
                   error);
    delivery->done++;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      continue;
    delivery->refused++;
    g_clear_error (&delivery->reason);
    fail (self, rd_kafka_err2str (code), &delivery->reason);
  }
  return TRUE;
}

/* What happened before, to connections that nobody needed, says nothing of now. */
static void
forget_events (KafkaDestination *self)
{
  while (rd_kafka_poll (self->producer, 0) > 0)
    ;
  self->down_since = 0;
}

static gboolean
is_away (const KafkaDestination *self)
{
  return self->down_since != 0 && g_get_monotonic_time () - self->down_since >= DOWN_TIME;
}

static gboolean
send_batch (PublishDestination *destination, PublishRecord *const *records, guint n,
            PublishDelivery *delivery, GCancellable *cancellable, GError **error)
{
  KafkaDestination *self = (KafkaDestination *)destination;
  g_autofree Delivery *deliveries = g_new0 (Delivery, n);

  forget_events (self);
  self->unreported = 0;
  for (guint i = 0; i < n; i++)
    produce (self, records[i], &deliveries[i]);
  /* message.timeout.ms bounds this. */
  while (self->unreported > 0 && !is_away (self) && !g_cancellable_is_cancelled (cancellable))
    rd_kafka_poll (self->producer, POLL_MS);
  if (self->unreported > 0) {
    rd_kafka_purge (self->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (self->unreported > 0)
      rd_kafka_poll (self->producer, POLL_MS);
  }
  return count_done (self, deliveries, n, delivery, error);
}

static gboolean
wait_kafka (PublishDestination *destination, GPollFD *wake, gint timeout, GError **error)
{
  KafkaDestination *self = (KafkaDestination *)destination;

  if (timeout != 0)
    g_poll (wake, 1, timeout < 0 ? IDLE_POLL_MS : MIN (timeout, IDLE_POLL_MS));
  rd_kafka_poll (self->producer, 0);
  return TRUE;
}

static void
free_kafka (PublishDestination *destination)
{
  KafkaDestination *self = (KafkaDestination *)destination;

  publish_kafka_address_clear (&self->address);
}

static const PublishDestinationClass kafka_class = {
    .open = open_kafka,
    .send = send_batch,
    .wait = wait_kafka,
    .close = close_kafka,
    .free = free_kafka,
    .retry_min = 250,
    .retry_max = 30000,
};

PublishDestination *
publish_kafka_new (const PublishOptions *options, GError **error)
{
  PublishKafkaAddress address;
  KafkaDestination *self;

  if (!publish_kafka_address_parse (options, &address, error))
    return NULL;
  self = publish_destination_alloc (sizeof *self, &kafka_class, options);
  self->address = address;
  return &self->parent;
}
