/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT 5, by libmosquitto.
 *
 * Source: OASIS, MQTT Version 5.0. */
#include "publish/mqtt-connection.h"

#include <gst/gst.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

#include "base/error.h"
#include "publish/destination.h"
#include "publish/secret.h"

#define GST_CAT_DEFAULT publish_debug

#define KEEP_ALIVE 30 /* seconds */
#define POLL_MS 5000  /* keep-alive is looked after this often */

gboolean
publish_connection_fail (PublishConnection *self, const char *what, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: %s", self->options->location,
               self->failure != NULL ? self->failure : what);
  return FALSE;
}

/* ---- What libmosquitto calls, inside its loop functions ---- */

static void
set_failure (PublishConnection *self, const char *text)
{
  g_free (self->failure);
  self->failure = g_strdup (text);
}

static void
on_connect (struct mosquitto *client, void *data, int reason, int flags,
            const mosquitto_property *properties)
{
  PublishConnection *self = data;

  self->connected = reason == 0;
  if (reason != 0)
    set_failure (self, mosquitto_reason_string (reason));
}

static void
on_disconnect (struct mosquitto *client, void *data, int reason,
               const mosquitto_property *properties)
{
  PublishConnection *self = data;

  self->connected = FALSE;
  if (reason != 0 && self->failure == NULL)
    set_failure (self,
                 reason >= 128 ? mosquitto_reason_string (reason) : mosquitto_strerror (reason));
}

static void
on_publish (struct mosquitto *client, void *data, int mid, int reason,
            const mosquitto_property *properties)
{
  PublishConnection *self = data;

  for (guint i = 0; i < self->deliveries->len; i++) {
    PublishInFlight *delivery = &g_array_index (self->deliveries, PublishInFlight, i);

    if (delivery->mid == mid) {
      self->answered = g_get_monotonic_time ();
      delivery->acknowledged = TRUE;
      delivery->reason = reason;
    }
  }
}

/* A message may come once for several subscriptions. */
static guint32
read_subscriptions (const mosquitto_property *properties)
{
  guint32 identifier, found = 0;
  gboolean again = FALSE;

  while ((properties = mosquitto_property_read_varint (
              properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, &identifier, again))
         != NULL) {
    again = TRUE;
    if (identifier < 32)
      found |= 1U << identifier;
  }
  return found;
}

static void
on_message (struct mosquitto *client, void *data, const struct mosquitto_message *message,
            const mosquitto_property *properties)
{
  PublishConnection *self = data;

  if (self->receive != NULL)
    self->receive (&(PublishMessage) {message->topic, message->payload, (gsize)message->payloadlen,
                                      message->retain},
                   read_subscriptions (properties), self->receive_data);
}

/* Without its subscriptions a connection is of no use. */
static void
on_subscribe (struct mosquitto *client, void *data, int mid, int n, const int *granted,
              const mosquitto_property *properties)
{
  int reason = n > 0 ? granted[0] : MQTT_RC_UNSPECIFIED;

  on_publish (client, data, mid, reason, properties);
  if (reason >= 128)
    set_failure (data, mosquitto_reason_string (reason));
}

static void
on_log (struct mosquitto *client, void *data, int level, const char *text)
{
  GST_LOG ("%s", text);
}

/* ---- Talking to the broker ---- */

gboolean
publish_connection_turn (PublishConnection *self, GPollFD *wake, gint timeout,
                         GCancellable *cancellable)
{
  GPollFD polls[3] = {{mosquitto_socket (self->client), G_IO_IN, 0}};
  guint n = 1;
  int code = MOSQ_ERR_SUCCESS;
  gboolean cancels;

  if (polls[0].fd < 0)
    return FALSE;
  if (mosquitto_want_write (self->client))
    polls[0].events |= G_IO_OUT;
  if (wake != NULL)
    polls[n++] = *wake;
  cancels = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &polls[n]);
  if (cancels)
    n++;
  g_poll (polls, n, timeout < 0 ? POLL_MS : MIN (timeout, POLL_MS));
  if (cancels)
    g_cancellable_release_fd (cancellable);
  if ((polls[0].revents & (G_IO_IN | G_IO_HUP | G_IO_ERR)) != 0)
    code = mosquitto_loop_read (self->client, 100);
  if (code == MOSQ_ERR_SUCCESS && (polls[0].revents & G_IO_OUT) != 0)
    code = mosquitto_loop_write (self->client, 100);
  if (code == MOSQ_ERR_SUCCESS)
    code = mosquitto_loop_misc (self->client);
  if (code == MOSQ_ERR_SUCCESS)
    return TRUE;
  if (self->failure == NULL)
    set_failure (self, mosquitto_strerror (code));
  return FALSE;
}

static gboolean
all_acknowledged (const PublishConnection *self)
{
  for (guint i = 0; i < self->deliveries->len; i++)
    if (!g_array_index (self->deliveries, PublishInFlight, i).acknowledged)
      return FALSE;
  return TRUE;
}

/* Waits for the broker: for its welcome, or until it has all messages. */
static gboolean
wait_for_broker (PublishConnection *self, gboolean welcome, gint64 time, GCancellable *cancellable,
                 GError **error)
{
  const gint64 start = g_get_monotonic_time ();

  while (welcome ? !self->connected : !all_acknowledged (self)) {
    gint64 left = MAX (start, self->answered) + time - g_get_monotonic_time ();

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (left <= 0)
      return publish_connection_fail (self, "the broker does not answer", error);
    if (!publish_connection_turn (self, NULL, (gint)(left / 1000) + 1, cancellable)
        || self->failure != NULL)
      return publish_connection_fail (self, "the connection is lost", error);
  }
  return TRUE;
}

gboolean
publish_connection_wait (PublishConnection *self, gint64 time, GCancellable *cancellable,
                         GError **error)
{
  return wait_for_broker (self, FALSE, time, cancellable, error);
}

/* Larger than the broker takes, or than MQTT allows: answered here as the broker would. */
static gboolean
is_too_large (int code)
{
  return code == MOSQ_ERR_OVERSIZE_PACKET || code == MOSQ_ERR_PAYLOAD_SIZE;
}

/* What is answered by libmosquitto's number of it. */
static PublishInFlight *
add_delivery (PublishConnection *self)
{
  PublishInFlight delivery = {0};

  g_array_append_val (self->deliveries, delivery);
  return &g_array_index (self->deliveries, PublishInFlight, self->deliveries->len - 1);
}

/* (transfer full) */
static mosquitto_property *
describe (const PublishMessage *message)
{
  mosquitto_property *properties = NULL;
  gboolean text = message->size > 0 && *(const char *)message->payload == '{';

  if (text) {
    mosquitto_property_add_byte (&properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
    mosquitto_property_add_string (&properties, MQTT_PROP_CONTENT_TYPE, "application/json");
  }
  if (message->expiry > 0)
    mosquitto_property_add_int32 (&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, message->expiry);
  return properties;
}

gboolean
publish_connection_send (PublishConnection *self, const PublishMessage *message, GError **error)
{
  mosquitto_property *properties = describe (message);
  PublishInFlight *delivery = add_delivery (self);
  int code;

  code =
      mosquitto_publish_v5 (self->client, &delivery->mid, message->topic, (int)message->size,
                            message->payload, (int)self->options->qos, message->retain, properties);
  mosquitto_property_free_all (&properties);
  if (is_too_large (code))
    *delivery = (PublishInFlight) {0, TRUE, MQTT_RC_PACKET_TOO_LARGE};
  return code == MOSQ_ERR_SUCCESS || is_too_large (code)
         || publish_connection_fail (self, mosquitto_strerror (code), error);
}

gboolean
publish_connection_subscribe (PublishConnection *self, const char *filter, guint identifier,
                              GError **error)
{
  mosquitto_property *properties = NULL;
  int code;

  mosquitto_property_add_varint (&properties, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, identifier);
  code = mosquitto_subscribe_v5 (self->client, &add_delivery (self)->mid, filter, 1, 0, properties);
  mosquitto_property_free_all (&properties);
  return code == MOSQ_ERR_SUCCESS
         || publish_connection_fail (self, mosquitto_strerror (code), error);
}

void
publish_connection_begin (PublishConnection *self)
{
  g_array_set_size (self->deliveries, 0);
}

const char *
publish_connection_get_refusal (const PublishConnection *self, guint i)
{
  int reason = g_array_index (self->deliveries, PublishInFlight, i).reason;

  return reason >= 128 ? mosquitto_reason_string (reason) : NULL;
}

/* ---- Opening and closing ---- */

/* libmosquitto takes the system's authorities only where there is no certificate of the client's,
 * and OpenSSL's folder of them otherwise. */
static gboolean
set_tls (PublishConnection *self, GError **error)
{
  const PublishOptions *options = self->options;
  const char *folder = options->tls_ca == NULL ? "/etc/ssl/certs" : NULL;
  int code;

  if (!self->address.tls)
    return TRUE;
  if (options->tls_ca == NULL && options->tls_cert == NULL)
    code = mosquitto_int_option (self->client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  else
    code = mosquitto_tls_set (self->client, options->tls_ca, folder, options->tls_cert,
                              options->tls_key, NULL);
  return code == MOSQ_ERR_SUCCESS
         || publish_connection_fail (
             self, "a file of tls-ca, tls-cert or tls-key can't be read, or one is missing", error);
}

static gboolean
set_login (PublishConnection *self, GError **error)
{
  const PublishOptions *options = self->options;
  const char *user = self->address.user != NULL ? self->address.user : options->user;
  char *secret;
  int code;

  if (!publish_options_read_secret (options, &secret, error))
    return FALSE;
  code = mosquitto_username_pw_set (self->client, user, secret);
  publish_secret_free (secret);
  return code == MOSQ_ERR_SUCCESS
         || publish_connection_fail (self, mosquitto_strerror (code), error);
}

static gboolean
set_up (PublishConnection *self, const char *will, gboolean retain_will, GError **error)
{
  self->client = mosquitto_new (self->client_id, true, self);
  if (self->client == NULL)
    return publish_connection_fail (
        self, "client-id: expected text in UTF-8 without control characters, found something else",
        error);
  mosquitto_int_option (self->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_connect_v5_callback_set (self->client, on_connect);
  mosquitto_disconnect_v5_callback_set (self->client, on_disconnect);
  mosquitto_publish_v5_callback_set (self->client, on_publish);
  mosquitto_message_v5_callback_set (self->client, on_message);
  mosquitto_subscribe_v5_callback_set (self->client, on_subscribe);
  mosquitto_log_callback_set (self->client, on_log);
  if (mosquitto_will_set_v5 (self->client, will, strlen ("offline"), "offline", 1, retain_will,
                             NULL)
      != MOSQ_ERR_SUCCESS)
    return publish_connection_fail (self, "the topic is not one of MQTT's", error);
  return set_login (self, error) && set_tls (self, error);
}

void
publish_connection_close (PublishConnection *self)
{
  g_clear_pointer (&self->client, mosquitto_destroy);
  g_clear_pointer (&self->failure, g_free);
  self->connected = FALSE;
}

/* libmosquitto's way to connect can neither be stopped nor bounded, so that the host is tried
 * first. */
static gboolean
connect_client (PublishConnection *self, GCancellable *cancellable, GError **error)
{
  const PublishAddress *address = &self->address;
  int code;

  if (!publish_address_reach (address, self->options->timeout, cancellable, error))
    return FALSE;
  code = mosquitto_connect_bind_v5 (self->client, address->host, address->port, KEEP_ALIVE, NULL,
                                    NULL);
  if (code != MOSQ_ERR_SUCCESS)
    return publish_connection_fail (self, mosquitto_strerror (code), error);
  return wait_for_broker (self, TRUE, (gint64)(self->options->timeout / 1000), cancellable, error);
}

gboolean
publish_connection_open (PublishConnection *self, const char *will, gboolean retain_will,
                         GCancellable *cancellable, GError **error)
{
  publish_connection_begin (self);
  return set_up (self, will, retain_will, error) && connect_client (self, cancellable, error);
}

void
publish_connection_disconnect (PublishConnection *self)
{
  mosquitto_disconnect_v5 (self->client, 0, NULL);
  while (mosquitto_want_write (self->client)
         && mosquitto_loop_write (self->client, 1) == MOSQ_ERR_SUCCESS)
    ;
}

void
publish_connection_init (PublishConnection *self, const PublishOptions *options,
                         PublishAddress address)
{
  static gsize initialised;
  g_autofree char *uuid = g_uuid_string_random ();

  if (g_once_init_enter (&initialised)) {
    mosquitto_lib_init ();
    g_once_init_leave (&initialised, 1);
  }
  *self = (PublishConnection) {.options = options, .address = address};
  self->client_id = options->client_id != NULL ? g_strdup (options->client_id)
                                               : g_strconcat ("gst-ensemble-", uuid, NULL);
  self->deliveries = g_array_new (FALSE, FALSE, sizeof (PublishInFlight));
}

void
publish_connection_clear (PublishConnection *self)
{
  publish_address_clear (&self->address);
  g_array_unref (self->deliveries);
  g_free (self->client_id);
}
