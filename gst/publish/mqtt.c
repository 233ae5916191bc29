/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT 5, by libmosquitto.
 *
 * TOPIC/SOURCE/result and …/event are the messages; of the others the broker keeps the last one:
 * …/availability, "online" or, by the last will too, "offline"; …/class/CLASS, the state of a
 * class; …/picture, a JPEG of the last frame on which a class appeared. After the connection was
 * lost all these are published again, as the broker may have forgotten them.
 *
 * Source: OASIS, MQTT Version 5.0. */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>

#include "base/error.h"
#include "publish/address.h"
#include "publish/classes.h"
#include "publish/destination.h"
#include "publish/home-assistant.h"
#include "publish/picture.h"

#define GST_CAT_DEFAULT publish_debug

#define KEEP_ALIVE 30                   /* seconds */
#define POLL_MS 5000                    /* keep-alive is looked after this often */
#define GOODBYE_TIME G_TIME_SPAN_SECOND /* for "offline" */

/* A message on its way. */
typedef struct {
  int mid;
  gboolean acknowledged;
  int reason; /* MQTT's reason code */
} Delivery;

typedef struct {
  PublishDestination parent;
  PublishAddress address;
  char *client_id;
  struct mosquitto *client;
  gboolean connected;
  char *failure;      /* of the connection */
  GArray *deliveries; /* Delivery: of the messages that were published together */
  char *source, *id, *topic;

  GHashTable *classes; /* name → PublishClass */
  char *bundle, *version;
  GBytes *picture;
  gboolean picture_announced, no_encoder;
  guint64 heartbeat; /* of the last state */
} MqttDestination;

static gboolean
fail (MqttDestination *self, const char *what, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: %s", self->parent.options.location,
               self->failure != NULL ? self->failure : what);
  return FALSE;
}

/* ---- What libmosquitto calls, inside its loop functions ---- */

static void
set_failure (MqttDestination *self, const char *text)
{
  g_free (self->failure);
  self->failure = g_strdup (text);
}

static void
on_connect (struct mosquitto *client, void *data, int reason, int flags,
            const mosquitto_property *properties)
{
  MqttDestination *self = data;

  self->connected = reason == 0;
  if (reason != 0)
    set_failure (self, mosquitto_reason_string (reason));
}

static void
on_disconnect (struct mosquitto *client, void *data, int reason,
               const mosquitto_property *properties)
{
  MqttDestination *self = data;

  self->connected = FALSE;
  if (reason != 0 && self->failure == NULL)
    set_failure (self,
                 reason >= 128 ? mosquitto_reason_string (reason) : mosquitto_strerror (reason));
}

static void
on_publish (struct mosquitto *client, void *data, int mid, int reason,
            const mosquitto_property *properties)
{
  MqttDestination *self = data;

  for (guint i = 0; i < self->deliveries->len; i++) {
    Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);

    if (delivery->mid == mid) {
      delivery->acknowledged = TRUE;
      delivery->reason = reason;
    }
  }
}

static void
on_log (struct mosquitto *client, void *data, int level, const char *text)
{
  GST_LOG ("%s", text);
}

/* ---- The connection ---- */

/* One round: waits, reads, writes, keeps the connection alive. FALSE: it is lost. */
static gboolean
turn (MqttDestination *self, GPollFD *wake, gint timeout, GCancellable *cancellable)
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
all_acknowledged (const MqttDestination *self)
{
  for (guint i = 0; i < self->deliveries->len; i++)
    if (!g_array_index (self->deliveries, Delivery, i).acknowledged)
      return FALSE;
  return TRUE;
}

/* Waits for the broker: for its welcome, or until it has all messages. */
static gboolean
wait_for_broker (MqttDestination *self, gboolean welcome, gint64 time, GCancellable *cancellable,
                 GError **error)
{
  gint64 until = g_get_monotonic_time () + time;

  while (welcome ? !self->connected : !all_acknowledged (self)) {
    gint64 left = until - g_get_monotonic_time ();

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (left <= 0)
      return fail (self, "the broker does not answer", error);
    if (!turn (self, NULL, (gint)(left / 1000) + 1, cancellable) || self->failure != NULL)
      return fail (self, "the connection is lost", error);
  }
  return TRUE;
}

static gboolean
wait_acknowledged (MqttDestination *self, GCancellable *cancellable, GError **error)
{
  return wait_for_broker (self, FALSE, (gint64)(self->parent.options.timeout / 1000), cancellable,
                          error);
}

static void
set_notice (MqttDestination *self, const char *what, const char *why)
{
  g_free (self->parent.notice);
  self->parent.notice = g_strdup_printf ("%s: %s: %s", self->parent.options.location, what, why);
}

/* The same for what the broker keeps: what it refuses is told, and comes again with the next
 * change.
 */
static gboolean
wait_kept (MqttDestination *self, GCancellable *cancellable, GError **error)
{
  if (!wait_acknowledged (self, cancellable, error))
    return FALSE;
  for (guint i = 0; i < self->deliveries->len; i++) {
    int reason = g_array_index (self->deliveries, Delivery, i).reason;

    if (reason >= 128)
      set_notice (self, "a state or picture is refused", mosquitto_reason_string (reason));
  }
  return TRUE;
}

/* Larger than the broker takes, or than MQTT allows: answered here as the broker would. */
static gboolean
is_too_large (int code)
{
  return code == MOSQ_ERR_OVERSIZE_PACKET || code == MOSQ_ERR_PAYLOAD_SIZE;
}

/* Joins the messages that are on their way. */
static gboolean
publish (MqttDestination *self, const char *topic, gconstpointer payload, gsize size,
         gboolean retain, GError **error)
{
  mosquitto_property *properties = NULL;
  Delivery delivery = {0};
  gboolean text = size > 0 && *(const char *)payload == '{';
  Delivery *last;
  int code;

  g_array_append_val (self->deliveries, delivery);
  last = &g_array_index (self->deliveries, Delivery, self->deliveries->len - 1);
  if (text) {
    mosquitto_property_add_byte (&properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
    mosquitto_property_add_string (&properties, MQTT_PROP_CONTENT_TYPE, "application/json");
  }
  code = mosquitto_publish_v5 (self->client, &last->mid, topic, (int)size, payload,
                               (int)self->parent.options.qos, retain, properties);
  mosquitto_property_free_all (&properties);
  if (is_too_large (code))
    *last = (Delivery) {0, TRUE, MQTT_RC_PACKET_TOO_LARGE};
  return code == MOSQ_ERR_SUCCESS || is_too_large (code)
         || fail (self, mosquitto_strerror (code), error);
}

static gboolean
publish_at (MqttDestination *self, const char *level, const char *payload, GError **error)
{
  g_autofree char *topic = g_strconcat (self->topic, "/", level, NULL);

  return publish (self, topic, payload, strlen (payload), TRUE, error);
}

/* ---- States ---- */

static PublishDevice
describe (const MqttDestination *self)
{
  const PublishOptions *options = &self->parent.options;
  guint64 seconds = self->heartbeat / GST_SECOND, rest = self->heartbeat % GST_SECOND;
  guint64 expire_after = self->heartbeat > 0 ? MAX (3 * seconds + 3 * rest / GST_SECOND, 1) : 0;

  return (PublishDevice) {options->discovery_prefix,
                          self->source,
                          self->id,
                          self->topic,
                          self->bundle,
                          self->version,
                          options->qos,
                          expire_after};
}

static void
forget_announcements (MqttDestination *self)
{
  GHashTableIter iter;
  gpointer state;

  g_hash_table_iter_init (&iter, self->classes);
  while (g_hash_table_iter_next (&iter, NULL, &state))
    ((PublishClass *)state)->announced = FALSE;
  self->picture_announced = FALSE;
}

/* Makes an entity known to Home Assistant, or unknown. */
static gboolean
announce (MqttDestination *self, PublishEntity entity, const char *class_name, const char *class_id,
          gboolean known, GError **error)
{
  PublishDevice device = describe (self);
  g_autofree char *topic = publish_discovery_topic (&device, entity, class_id);
  g_autofree char *payload =
      known ? publish_discovery_payload (&device, entity, class_name, class_id) : g_strdup ("");

  return !self->parent.options.home_assistant
         || publish (self, topic, payload, strlen (payload), TRUE, error);
}

static gboolean
announce_class (MqttDestination *self, const char *name, PublishClass *state, gboolean known,
                GError **error)
{
  if (known && state->announced)
    return TRUE;
  state->announced = known;
  return announce (self, PUBLISH_PRESENCE, name, state->id, known, error)
         && announce (self, PUBLISH_PROBABILITY, name, state->id, known, error);
}

static gboolean
publish_class (MqttDestination *self, const char *name, PublishClass *state, GError **error)
{
  g_autofree char *level = g_strconcat ("class/", state->id, NULL);
  g_autofree char *payload = NULL;

  if (!announce_class (self, name, state, TRUE, error))
    return FALSE;
  if (!publish_class_is_due (state, self->heartbeat))
    return TRUE;
  payload = publish_class_send (state, name);
  return publish_at (self, level, payload, error);
}

static gboolean
forget_class (MqttDestination *self, const char *name, PublishClass *state, GError **error)
{
  g_autofree char *level = g_strconcat ("class/", state->id, NULL);

  return announce_class (self, name, state, FALSE, error) && publish_at (self, level, "", error);
}

/* Classes that are no more are taken back. */
static gboolean
publish_classes (MqttDestination *self, GError **error)
{
  GHashTableIter iter;
  gpointer name, state;

  g_hash_table_iter_init (&iter, self->classes);
  while (g_hash_table_iter_next (&iter, &name, &state)) {
    gboolean listed = ((PublishClass *)state)->views->len > 0;

    if (!(listed ? publish_class : forget_class) (self, name, state, error))
      return FALSE;
    if (!listed)
      g_hash_table_iter_remove (&iter);
  }
  return TRUE;
}

static void
describe_bundle (MqttDestination *self, const GPtrArray *results)
{
  const EnsResult *first = results->len > 0 ? results->pdata[0] : NULL;

  if (first == NULL)
    return;
  g_free (self->bundle);
  g_free (self->version);
  self->bundle = g_strdup (first->bundle);
  self->version = g_strdup (first->version);
}

/* ---- Pictures ---- */

/* NULL: it can't be encoded, or not now. (transfer full) */
static GBytes *
encode (MqttDestination *self, GstSample *sample)
{
  g_autoptr (GError) error = NULL;
  GBytes *picture = self->no_encoder ? NULL : publish_picture_encode (sample, &error);

  if (error == NULL)
    return picture;
  set_notice (self, "no picture of an event", error->message);
  self->no_encoder = g_error_matches (error, GST_CORE_ERROR, (gint)GST_CORE_ERROR_MISSING_PLUGIN);
  return NULL;
}

static gboolean
publish_picture (MqttDestination *self, GError **error)
{
  g_autofree char *topic = g_strconcat (self->topic, "/picture", NULL);
  gsize size;
  gconstpointer data;

  if (self->picture == NULL)
    return TRUE;
  data = g_bytes_get_data (self->picture, &size);
  return publish (self, topic, data, size, TRUE, error);
}

static gboolean
announce_picture (MqttDestination *self, GError **error)
{
  if (self->picture_announced)
    return TRUE;
  self->picture_announced = TRUE;
  return announce (self, PUBLISH_PICTURE, NULL, NULL, TRUE, error);
}

/* All entities say when they expire. */
static void
set_heartbeat (MqttDestination *self, guint64 heartbeat)
{
  if (heartbeat != self->heartbeat)
    forget_announcements (self);
  self->heartbeat = heartbeat;
}

static gboolean
set_state (PublishDestination *destination, const PublishState *state, GCancellable *cancellable,
           GError **error)
{
  MqttDestination *self = (MqttDestination *)destination;
  GBytes *picture = state->event != NULL ? encode (self, state->event) : NULL;

  if (picture != NULL) {
    g_clear_pointer (&self->picture, g_bytes_unref);
    self->picture = picture;
  }
  set_heartbeat (self, state->heartbeat);
  publish_classes_merge (self->classes, state->results);
  describe_bundle (self, state->results);
  /* The last will names the source: a camera that was renamed needs another connection. */
  if (!g_str_equal (state->source, self->source)) {
    destination->quiet = TRUE;
    return fail (self, "the source has another name now", error);
  }
  g_array_set_size (self->deliveries, 0);
  return publish_classes (self, error) && announce_picture (self, error)
         && (picture == NULL || publish_picture (self, error))
         && wait_kept (self, cancellable, error);
}

/* All that the broker keeps, when it may have forgotten. */
static gboolean
publish_all (MqttDestination *self, GCancellable *cancellable, GError **error)
{
  GHashTableIter iter;
  gpointer state;

  g_hash_table_iter_init (&iter, self->classes);
  while (g_hash_table_iter_next (&iter, NULL, &state))
    ((PublishClass *)state)->sent_time = 0;
  forget_announcements (self);
  g_array_set_size (self->deliveries, 0);
  return publish_at (self, "availability", "online", error) && publish_classes (self, error)
         && (self->bundle == NULL || announce_picture (self, error))
         && publish_picture (self, error) && wait_kept (self, cancellable, error);
}

/* ---- Opening and closing ---- */

/* libmosquitto takes the system's authorities only where there is no certificate of the client's,
 * and OpenSSL's folder of them otherwise. */
static gboolean
set_tls (MqttDestination *self, GError **error)
{
  const PublishOptions *options = &self->parent.options;
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
         || fail (self, "a file of tls-ca, tls-cert or tls-key can't be read, or one is missing",
                  error);
}

static gboolean
set_login (MqttDestination *self, GError **error)
{
  const PublishOptions *options = &self->parent.options;
  const char *user = self->address.user != NULL ? self->address.user : options->user;
  char *secret;
  int code;

  if (!publish_options_read_secret (options, &secret, error))
    return FALSE;
  code = mosquitto_username_pw_set (self->client, user, secret);
  if (secret != NULL)
    memset (secret, 0, strlen (secret));
  g_free (secret);
  return code == MOSQ_ERR_SUCCESS || fail (self, mosquitto_strerror (code), error);
}

static void
set_source (MqttDestination *self, const char *source)
{
  g_free (self->source);
  g_free (self->id);
  g_free (self->topic);
  self->source = g_strdup (source);
  self->id = publish_make_id (source);
  self->topic = g_strdup_printf ("%s/%s", self->parent.options.topic, self->id);
}

static gboolean
set_up (MqttDestination *self, GError **error)
{
  g_autofree char *will = g_strconcat (self->topic, "/availability", NULL);

  self->client = mosquitto_new (self->client_id, true, self);
  mosquitto_int_option (self->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_connect_v5_callback_set (self->client, on_connect);
  mosquitto_disconnect_v5_callback_set (self->client, on_disconnect);
  mosquitto_publish_v5_callback_set (self->client, on_publish);
  mosquitto_log_callback_set (self->client, on_log);
  if (mosquitto_will_set_v5 (self->client, will, strlen ("offline"), "offline", 1, true, NULL)
      != MOSQ_ERR_SUCCESS)
    return fail (self, "the topic is not one of MQTT's", error);
  return set_login (self, error) && set_tls (self, error);
}

static void
destroy (MqttDestination *self)
{
  g_clear_pointer (&self->client, mosquitto_destroy);
  g_clear_pointer (&self->failure, g_free);
  self->connected = FALSE;
}

/* libmosquitto's way to connect can neither be stopped nor bounded, so that the host is tried
 * first. */
static gboolean
connect_client (MqttDestination *self, GCancellable *cancellable, GError **error)
{
  const PublishAddress *address = &self->address;
  int code;

  if (!publish_address_reach (address, self->parent.options.timeout, cancellable, error))
    return FALSE;
  code = mosquitto_connect_bind_v5 (self->client, address->host, address->port, KEEP_ALIVE, NULL,
                                    NULL);
  if (code != MOSQ_ERR_SUCCESS)
    return fail (self, mosquitto_strerror (code), error);
  return wait_for_broker (self, TRUE, (gint64)(self->parent.options.timeout / 1000), cancellable,
                          error);
}

static gboolean
open_mqtt (PublishDestination *destination, const char *source, GCancellable *cancellable,
           GError **error)
{
  MqttDestination *self = (MqttDestination *)destination;

  set_source (self, source);
  if (set_up (self, error) && connect_client (self, cancellable, error)
      && publish_all (self, cancellable, error))
    return TRUE;
  destroy (self);
  return FALSE;
}

/* Says goodbye, if there is time: otherwise the last will does. */
static void
close_mqtt (PublishDestination *destination, GCancellable *cancellable)
{
  MqttDestination *self = (MqttDestination *)destination;

  g_array_set_size (self->deliveries, 0);
  if (self->connected && publish_at (self, "availability", "offline", NULL)
      && wait_for_broker (self, FALSE, GOODBYE_TIME, cancellable, NULL)) {
    mosquitto_disconnect_v5 (self->client, 0, NULL);
    while (mosquitto_want_write (self->client)
           && mosquitto_loop_write (self->client, 1) == MOSQ_ERR_SUCCESS)
      ;
  }
  destroy (self);
}

/* ---- Messages ---- */

/* From the first on, those that the broker has. */
static void
count_done (MqttDestination *self, PublishDelivery *delivery)
{
  for (guint i = 0; i < self->deliveries->len; i++) {
    const Delivery *one = &g_array_index (self->deliveries, Delivery, i);

    if (!one->acknowledged)
      return;
    delivery->done++;
    if (one->reason < 128)
      continue;
    delivery->refused++;
    g_clear_error (&delivery->reason);
    fail (self, mosquitto_reason_string (one->reason), &delivery->reason);
  }
}

static gboolean
send_messages (PublishDestination *destination, PublishRecord *const *records, guint n,
               PublishDelivery *delivery, GCancellable *cancellable, GError **error)
{
  static const char *const levels[] = {"result", "event"};
  MqttDestination *self = (MqttDestination *)destination;
  gboolean sent = TRUE;

  g_array_set_size (self->deliveries, 0);
  for (guint i = 0; i < n && sent; i++) {
    g_autofree char *id = publish_make_id (records[i]->source);
    g_autofree char *topic = g_strdup_printf ("%s/%s/%s", destination->options.topic, id,
                                              levels[records[i]->kind == PUBLISH_EVENT]);

    /* Without its newline. */
    sent = publish (self, topic, records[i]->line, records[i]->length - 1, FALSE, error);
  }
  sent = sent && wait_acknowledged (self, cancellable, error);
  count_done (self, delivery);
  return sent;
}

static gboolean
wait_mqtt (PublishDestination *destination, GPollFD *wake, gint timeout, GError **error)
{
  MqttDestination *self = (MqttDestination *)destination;

  return turn (self, wake, timeout, NULL) || fail (self, "the connection is lost", error);
}

static void
free_mqtt (PublishDestination *destination)
{
  MqttDestination *self = (MqttDestination *)destination;

  publish_address_clear (&self->address);
  g_hash_table_unref (self->classes);
  g_array_unref (self->deliveries);
  g_clear_pointer (&self->picture, g_bytes_unref);
  g_free (self->client_id);
  g_free (self->bundle);
  g_free (self->version);
  g_free (self->source);
  g_free (self->id);
  g_free (self->topic);
}

static const PublishDestinationClass mqtt_class = {
    .open = open_mqtt,
    .send = send_messages,
    .set_state = set_state,
    .wait = wait_mqtt,
    .close = close_mqtt,
    .free = free_mqtt,
    .retry_min = 250,
    .retry_max = 30000,
    .needs_source = TRUE,
};

PublishDestination *
publish_mqtt_new (const PublishOptions *options, GError **error)
{
  static gsize initialised;
  g_autofree char *uuid = g_uuid_string_random ();
  PublishAddress address;
  MqttDestination *self;

  if (!publish_address_parse (options->location, 1883, 8883, &address, error))
    return NULL;
  if (g_once_init_enter (&initialised)) {
    mosquitto_lib_init ();
    g_once_init_leave (&initialised, 1);
  }
  self = publish_destination_alloc (sizeof *self, &mqtt_class, options);
  self->address = address;
  self->heartbeat = options->heartbeat;
  self->client_id = options->client_id != NULL ? g_strdup (options->client_id)
                                               : g_strconcat ("gst-ensemble-", uuid, NULL);
  self->classes = publish_classes_new ();
  self->deliveries = g_array_new (FALSE, FALSE, sizeof (Delivery));
  return &self->parent;
}
