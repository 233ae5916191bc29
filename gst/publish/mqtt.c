/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT 5: what is published, and what the broker keeps.
 *
 * TOPIC/SOURCE/result and …/event are the messages; of the others the broker keeps the last one:
 * …/availability, "online" or, by the last will too, "offline"; …/class/CLASS, the state of a
 * class; …/picture, a JPEG of the last frame on which a class appeared. After the connection was
 * lost all these are published again, as the broker may have forgotten them.
 *
 * Source: OASIS, MQTT Version 5.0. */
#include <mosquitto.h>
#include <string.h>

#include "base/error.h"
#include "publish/classes.h"
#include "publish/destination.h"
#include "publish/home-assistant.h"
#include "publish/mqtt-connection.h"
#include "publish/picture.h"

#define GOODBYE_TIME G_TIME_SPAN_SECOND /* for "offline" */

typedef struct {
  PublishDestination parent;
  PublishConnection connection;
  char *source, *id, *topic;

  GHashTable *classes; /* name → PublishClass */
  char *bundle, *version;
  GBytes *picture;
  gboolean picture_announced, no_encoder;
  guint64 heartbeat; /* of the last state */
} MqttDestination;

/* ---- Waiting for the broker ---- */

static gboolean
wait_acknowledged (MqttDestination *self, GCancellable *cancellable, GError **error)
{
  return publish_connection_wait (&self->connection, (gint64)(self->parent.options.timeout / 1000),
                                  cancellable, error);
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
  for (guint i = 0; i < self->connection.deliveries->len; i++) {
    const char *refusal = publish_connection_get_refusal (&self->connection, i);

    if (refusal != NULL)
      set_notice (self, "a state or picture is refused", refusal);
  }
  return TRUE;
}

/* ---- States ---- */

static gboolean
publish (MqttDestination *self, const char *topic, gconstpointer payload, gsize size,
         gboolean retain, GError **error)
{
  return publish_connection_send (&self->connection,
                                  &(PublishMessage) {topic, payload, size, retain}, error);
}

static gboolean
publish_at (MqttDestination *self, const char *level, const char *payload, GError **error)
{
  g_autofree char *topic = g_strconcat (self->topic, "/", level, NULL);

  return publish (self, topic, payload, strlen (payload), TRUE, error);
}

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
    return publish_connection_fail (&self->connection, "the source has another name now", error);
  }
  publish_connection_begin (&self->connection);
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
  publish_connection_begin (&self->connection);
  return publish_at (self, "availability", "online", error) && publish_classes (self, error)
         && (self->bundle == NULL || announce_picture (self, error))
         && publish_picture (self, error) && wait_kept (self, cancellable, error);
}

/* ---- Opening and closing ---- */

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
open_mqtt (PublishDestination *destination, const char *source, GCancellable *cancellable,
           GError **error)
{
  MqttDestination *self = (MqttDestination *)destination;
  g_autofree char *will = NULL;

  set_source (self, source);
  will = g_strconcat (self->topic, "/availability", NULL);
  if (publish_connection_open (&self->connection, will, TRUE, cancellable, error)
      && publish_all (self, cancellable, error))
    return TRUE;
  publish_connection_close (&self->connection);
  return FALSE;
}

/* Says goodbye, if there is time: otherwise the last will does. */
static void
close_mqtt (PublishDestination *destination, GCancellable *cancellable)
{
  MqttDestination *self = (MqttDestination *)destination;

  publish_connection_begin (&self->connection);
  if (self->connection.connected && publish_at (self, "availability", "offline", NULL)
      && publish_connection_wait (&self->connection, GOODBYE_TIME, cancellable, NULL))
    publish_connection_disconnect (&self->connection);
  publish_connection_close (&self->connection);
}

/* ---- Messages ---- */

/* From the first on, those that the broker has. */
static void
count_done (MqttDestination *self, PublishDelivery *delivery)
{
  const GArray *deliveries = self->connection.deliveries;

  for (guint i = 0; i < deliveries->len; i++) {
    const char *refusal = publish_connection_get_refusal (&self->connection, i);

    if (!g_array_index (deliveries, PublishInFlight, i).acknowledged)
      return;
    delivery->done++;
    if (refusal == NULL)
      continue;
    delivery->refused++;
    g_clear_error (&delivery->reason);
    publish_connection_fail (&self->connection, refusal, &delivery->reason);
  }
}

static gboolean
send_messages (PublishDestination *destination, PublishRecord *const *records, guint n,
               PublishDelivery *delivery, GCancellable *cancellable, GError **error)
{
  static const char *const levels[] = {"result", "event"};
  MqttDestination *self = (MqttDestination *)destination;
  gboolean sent = TRUE;

  publish_connection_begin (&self->connection);
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

  return publish_connection_turn (&self->connection, wake, timeout, NULL)
         || publish_connection_fail (&self->connection, "the connection is lost", error);
}

static void
free_mqtt (PublishDestination *destination)
{
  MqttDestination *self = (MqttDestination *)destination;

  publish_connection_clear (&self->connection);
  g_hash_table_unref (self->classes);
  g_clear_pointer (&self->picture, g_bytes_unref);
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

static gboolean
check_topic (const char *property, const char *topic, GError **error)
{
  if (mosquitto_pub_topic_check (topic) == MOSQ_ERR_SUCCESS
      && mosquitto_validate_utf8 (topic, (int)strlen (topic)) == MOSQ_ERR_SUCCESS)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: expected the first levels of a topic in UTF-8, without +, # and control "
               "characters, found “%s”",
               property, topic);
  return FALSE;
}

PublishDestination *
publish_mqtt_new (const PublishOptions *options, GError **error)
{
  PublishAddress address;
  MqttDestination *self;

  if (!check_topic ("topic", options->topic, error)
      || !check_topic ("discovery-prefix", options->discovery_prefix, error))
    return NULL;
  if (!publish_address_parse (options->location, 1883, 8883, &address, error))
    return NULL;
  self = publish_destination_alloc (sizeof *self, &mqtt_class, options);
  publish_connection_init (&self->connection, &self->parent.options, address);
  self->heartbeat = options->heartbeat;
  self->classes = publish_classes_new ();
  return &self->parent;
}
