/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/options.h"

#include "publish/secret.h"

#define ALWAYS GST_PARAM_MUTABLE_PLAYING
#define READY GST_PARAM_MUTABLE_READY
#define AT(member) G_STRUCT_OFFSET (PublishOptions, member)

typedef enum { STRING, FLAG, NUMBER, SIZE, SEND, FORM } Kind;

static const struct {
  const char *name;
  Kind kind;
  gsize offset;
  GParamFlags when;
  guint64 maximum, value;
  const char *text, *blurb;
} settings[] = {
    {"location", STRING, AT (location), READY, 0, 0, "-",
     "Where results go: the path of a file or FIFO; \"-\": standard output (with gst-launch-1.0 "
     "-q); mqtt://HOST:PORT or mqtts://HOST:PORT; kafka://HOST:PORT,HOST:PORT/TOPIC or "
     "kafkas://…; http://… or https://… for a webhook"},
    {"source", STRING, AT (source), ALWAYS, 0, 0, NULL,
     "Name of the camera in every message; unset: the stream's id, else the element's name"},
    {"send", SEND, AT (send), ALWAYS, 0, PUBLISH_ALL, NULL,
     "Which results are sent: all, or one whenever the set of present classes changes"},
    {"heartbeat", SIZE, AT (heartbeat), ALWAYS, G_MAXINT64, 60 * GST_SECOND, NULL,
     "With send=changes a result is also sent after this time without a change, in nanoseconds; 0: "
     "never. MQTT's states are published again as often, and expire in Home Assistant after "
     "three times as long"},
    {"only-present", FLAG, AT (only_present), ALWAYS, 0, FALSE, NULL,
     "Messages list the classes that are present, no others"},
    {"form", FORM, AT (form), ALWAYS, 0, PUBLISH_FULL, NULL,
     "How much a message says: all of a result, or its classes and their probabilities"},
    {"queue-size", SIZE, AT (queue_size), READY, G_MAXINT64, 4 << 20, NULL,
     "Bytes of messages that wait in memory; beyond it the oldest are lost, and counted"},
    {"spool", STRING, AT (spool), READY, 0, 0, NULL,
     "Folder, of this element alone, that keeps messages on disk while the receiver is away; they "
     "are sent in order afterwards, also by the next process; unset: memory alone"},
    {"spool-size", SIZE, AT (spool_size), READY, G_MAXINT64, 64 << 20, NULL,
     "Bytes in the spool's folder; beyond it the oldest messages are lost, and counted"},
    {"drain-timeout", SIZE, AT (drain_timeout), ALWAYS, G_MAXINT64, 2 * GST_SECOND, NULL,
     "How long the end of the stream, and stopping, wait for messages to be sent, in nanoseconds; "
     "neither waits while the receiver is away"},
    {"rotate-size", SIZE, AT (rotate_size), READY, G_MAXINT64, 0, NULL,
     "Files: renamed to NAME.1 before they grow beyond these bytes; 0: never"},
    {"rotate-time", SIZE, AT (rotate_time), READY, G_MAXINT64, 0, NULL,
     "Files: renamed to NAME.1 when a new period of this length begins, counted from 1970, in "
     "nanoseconds; 0: never"},
    {"rotate-keep", NUMBER, AT (rotate_keep), READY, 1000, 5, NULL,
     "How many renamed files are kept, NAME.1 the newest"},
    {"timeout", SIZE, AT (timeout), READY, G_MAXINT64, 10 * GST_SECOND, NULL,
     "How long a receiver on the network may take to answer, in nanoseconds"},
    {"user", STRING, AT (user), READY, 0, 0, NULL, "User name for MQTT or Kafka"},
    {"secret", STRING, AT (secret), READY, 0, 0, NULL,
     "Where the password (MQTT, Kafka) or bearer token (webhook) is: file:PATH or env:NAME. It is "
     "read when a connection is made, and never logged"},
    {"tls-ca", STRING, AT (tls_ca), READY, 0, 0, NULL,
     "PEM file of the authorities that servers are trusted by; unset: the system's"},
    {"tls-cert", STRING, AT (tls_cert), READY, 0, 0, NULL, "PEM file of the client's certificate"},
    {"tls-key", STRING, AT (tls_key), READY, 0, 0, NULL,
     "PEM file of the key of the client's certificate"},
    {"qos", NUMBER, AT (qos), READY, 2, 1, NULL,
     "MQTT: quality of service; 0: results can be lost unnoticed"},
    {"client-id", STRING, AT (client_id), READY, 0, 0, NULL,
     "MQTT, Kafka: the client's id, another one for every element; unset: one that is unique"},
    {"topic", STRING, AT (topic), READY, 0, 0, "gst-ensemble",
     "MQTT: where topics begin: TOPIC/SOURCE/result"},
    {"home-assistant", FLAG, AT (home_assistant), READY, 0, FALSE, NULL,
     "MQTT: publish what Home Assistant needs to show the camera's classes by itself, and a "
     "picture "
     "of the last event"},
    {"discovery-prefix", STRING, AT (discovery_prefix), READY, 0, 0, "homeassistant",
     "MQTT: where Home Assistant looks for new devices"},
};

static GType
send_type (void)
{
  static const GEnumValue values[] = {{PUBLISH_ALL, "Every result", "all"},
                                      {PUBLISH_CHANGES, "Changes and heartbeats", "changes"},
                                      {0}};
  static GType type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstEnsemblePublishSend", values));
  return type;
}

static GType
form_type (void)
{
  static const GEnumValue values[] = {
      {PUBLISH_FULL, "Everything (result.schema.json)", "full"},
      {PUBLISH_COMPACT, "Classes and probabilities (message.schema.json)", "compact"},
      {0}};
  static GType type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstEnsemblePublishForm", values));
  return type;
}

static GParamSpec *
make_spec (guint i)
{
  const char *name = settings[i].name, *blurb = settings[i].blurb;
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | settings[i].when;
  guint64 maximum = settings[i].maximum, value = settings[i].value;

  switch (settings[i].kind) {
  case STRING:
    return g_param_spec_string (name, name, blurb, settings[i].text, flags);
  case FLAG:
    return g_param_spec_boolean (name, name, blurb, value != 0, flags);
  case NUMBER:
    return g_param_spec_uint (name, name, blurb, 0, (guint)maximum, (guint)value, flags);
  case SIZE:
    return g_param_spec_uint64 (name, name, blurb, 0, maximum, value, flags);
  case SEND:
    return g_param_spec_enum (name, name, blurb, send_type (), (gint)value, flags);
  case FORM:
    return g_param_spec_enum (name, name, blurb, form_type (), (gint)value, flags);
  }
  g_assert_not_reached ();
}

void
publish_options_install (GObjectClass *klass, guint first)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    g_object_class_install_property (klass, first + i, make_spec (i));
  gst_type_mark_as_plugin_api (send_type (), 0);
  gst_type_mark_as_plugin_api (form_type (), 0);
}

/* Without a value a string has its default. */
static void
set_string (char **member, const char *text, const char *otherwise)
{
  g_free (*member);
  *member = g_strdup (text != NULL && *text != '\0' ? text : otherwise);
}

gboolean
publish_options_set (PublishOptions *self, guint index, const GValue *value)
{
  gpointer member;

  if (index >= G_N_ELEMENTS (settings))
    return FALSE;
  member = G_STRUCT_MEMBER_P (self, settings[index].offset);
  switch (settings[index].kind) {
  case STRING:
    set_string (member, g_value_get_string (value), settings[index].text);
    break;
  case FLAG:
    *(gboolean *)member = g_value_get_boolean (value);
    break;
  case NUMBER:
    *(guint *)member = g_value_get_uint (value);
    break;
  case SIZE:
    *(guint64 *)member = g_value_get_uint64 (value);
    break;
  case SEND:
  case FORM:
    *(gint *)member = g_value_get_enum (value);
    break;
  }
  return TRUE;
}

gboolean
publish_options_get (const PublishOptions *self, guint index, GValue *value)
{
  gconstpointer member;

  if (index >= G_N_ELEMENTS (settings))
    return FALSE;
  member = G_STRUCT_MEMBER_P (self, settings[index].offset);
  switch (settings[index].kind) {
  case STRING:
    g_value_set_string (value, *(char *const *)member);
    break;
  case FLAG:
    g_value_set_boolean (value, *(const gboolean *)member);
    break;
  case NUMBER:
    g_value_set_uint (value, *(const guint *)member);
    break;
  case SIZE:
    g_value_set_uint64 (value, *(const guint64 *)member);
    break;
  case SEND:
  case FORM:
    g_value_set_enum (value, *(const gint *)member);
    break;
  }
  return TRUE;
}

void
publish_options_init (PublishOptions *self)
{
  *self = (PublishOptions) {0};
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++) {
    GParamSpec *spec = g_param_spec_ref_sink (make_spec (i));

    publish_options_set (self, i, g_param_spec_get_default_value (spec));
    g_param_spec_unref (spec);
  }
}

static void
each_string (PublishOptions *self, void (*function) (char **member))
{
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    if (settings[i].kind == STRING)
      function (G_STRUCT_MEMBER_P (self, settings[i].offset));
}

static void
free_string (char **member)
{
  g_clear_pointer (member, g_free);
}

static void
own_string (char **member)
{
  *member = g_strdup (*member);
}

void
publish_options_clear (PublishOptions *self)
{
  each_string (self, free_string);
}

void
publish_options_copy (const PublishOptions *self, PublishOptions *copy)
{
  *copy = *self;
  each_string (copy, own_string);
}

/* ---- Secrets ---- */

gboolean
publish_options_check (const PublishOptions *self, GError **error)
{
  return publish_secret_check (self->secret, error);
}

gboolean
publish_options_read_secret (const PublishOptions *self, char **secret, GError **error)
{
  *secret = self->secret != NULL ? publish_secret_read (self->secret, error) : NULL;
  return *secret != NULL || self->secret == NULL;
}
