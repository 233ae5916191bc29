/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source: Home Assistant's documentation of the MQTT integration (discovery, binary sensor, sensor,
 * image). `object_id` is not among the members: it became `default_entity_id`, and Home Assistant
 * makes good entity ids from the names of device and entity. */
#include "publish/home-assistant.h"

#include "base/json.h"

#define MAKER "gst-ensemble"

/* Topics of MQTT have 65535 bytes at most, and people read them. */
#define MAX_ID 64

/* Of what tells a name from others whose id would be the same. Short names of two letters that are
 * neighbours in Unicode have one g_str_hash (). */
#define N_DIGITS 12

char *
publish_make_id (const char *name)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  GString *id = g_string_new (NULL);

  for (const char *c = name; *c != '\0' && id->len < MAX_ID; c++)
    g_string_append_c (id, g_ascii_isalnum (*c) || *c == '-' || *c == '_' ? *c : '_');
  if (!g_str_equal (id->str, name) || id->len == 0)
    g_string_append_printf (id, "-%.*s", N_DIGITS, sum);
  return g_string_free (id, FALSE);
}

static const struct {
  const char *component, *suffix; /* of the unique id */
} entities[] = {
    [PUBLISH_PRESENCE] = {"binary_sensor", "present"},
    [PUBLISH_PROBABILITY] = {"sensor", "probability"},
    [PUBLISH_PICTURE] = {"image", "picture"},
};

/* Ids hold no dot: what is told apart by two of them has no id in common. (transfer full) */
static char *
unique_id (const PublishDevice *device, PublishEntity entity, const char *class_id)
{
  return class_id != NULL
             ? g_strdup_printf (MAKER "_%s.%s_%s", device->id, class_id, entities[entity].suffix)
             : g_strdup_printf (MAKER "_%s_%s", device->id, entities[entity].suffix);
}

char *
publish_discovery_topic (const PublishDevice *device, PublishEntity entity, const char *class_id)
{
  g_autofree char *object = class_id != NULL
                                ? g_strdup_printf ("%s_%s", class_id, entities[entity].suffix)
                                : g_strdup (entities[entity].suffix);

  return g_strdup_printf ("%s/%s/" MAKER "_%s/%s/config", device->prefix,
                          entities[entity].component, device->id, object);
}

static void
write_topic (EnsJson *json, const char *member, const PublishDevice *device, const char *level,
             const char *class_id)
{
  g_autofree char *topic =
      g_strconcat (device->topic, "/", level, class_id != NULL ? "/" : "", class_id, NULL);

  ens_json_string (json, member, topic);
}

static void
write_state (EnsJson *json, const PublishDevice *device, PublishEntity entity, const char *class_id)
{
  write_topic (json, "state_topic", device, "class", class_id);
  if (entity == PUBLISH_PRESENCE) {
    ens_json_string (json, "value_template", "{{ value_json.state }}");
    ens_json_string (json, "payload_on", "ON");
    ens_json_string (json, "payload_off", "OFF");
    write_topic (json, "json_attributes_topic", device, "class", class_id);
  } else {
    ens_json_string (json, "value_template", "{{ value_json.probability }}");
    ens_json_string (json, "unit_of_measurement", "%");
    ens_json_string (json, "state_class", "measurement");
    ens_json_unsigned (json, "suggested_display_precision", 1);
    ens_json_string (json, "icon", "mdi:percent");
  }
  if (device->expire_after > 0)
    ens_json_unsigned (json, "expire_after", device->expire_after);
}

static void
write_device (EnsJson *json, const PublishDevice *device)
{
  g_autofree char *identifier = g_strdup_printf (MAKER "_%s", device->id);

  ens_json_open_object (json, "device", ENS_JSON_FLAT);
  ens_json_strings (json, "identifiers", (const char *[]) {identifier, NULL});
  ens_json_string (json, "name", device->source);
  ens_json_string (json, "manufacturer", MAKER);
  if (device->bundle != NULL)
    ens_json_string (json, "model", device->bundle);
  if (device->version != NULL)
    ens_json_string (json, "sw_version", device->version);
  ens_json_close (json);
  ens_json_open_object (json, "origin", ENS_JSON_FLAT);
  ens_json_string (json, "name", MAKER);
  ens_json_string (json, "sw_version", PACKAGE_VERSION);
  ens_json_close (json);
}

char *
publish_discovery_payload (const PublishDevice *device, PublishEntity entity,
                           const char *class_name, const char *class_id)
{
  g_autofree char *id = unique_id (device, entity, class_id), *name = NULL;
  EnsJson json;

  name = entity == PUBLISH_PRESENCE      ? g_strdup (class_name)
         : entity == PUBLISH_PROBABILITY ? g_strdup_printf ("%s probability", class_name)
                                         : g_strdup ("Last event");
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "name", name);
  ens_json_string (&json, "unique_id", id);
  if (entity == PUBLISH_PICTURE) {
    write_topic (&json, "image_topic", device, "picture", NULL);
    ens_json_string (&json, "content_type", "image/jpeg");
  } else {
    write_state (&json, device, entity, class_id);
    ens_json_unsigned (&json, "qos", device->qos);
  }
  write_topic (&json, "availability_topic", device, "availability", NULL);
  ens_json_string (&json, "payload_available", "online");
  ens_json_string (&json, "payload_not_available", "offline");
  write_device (&json, device);
  ens_json_close (&json);
  return ens_json_finish (&json);
}
