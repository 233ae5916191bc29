/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a broker keeps of a camera, and Home Assistant makes of it. */
#include <json-glib/json-glib.h>
#include <signal.h>

#include "publish/home-assistant.h"

#include "broker.h"

/* Of the results that are made. */
static const char *made_bundle, *made_version;
static guint64 made_heartbeat;

static EnsResult *
make_result (const char *const *classes, float p)
{
  static const char *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, g_strv_length ((char **)classes), networks, 1, 0);

  result->bundle = g_strdup (made_bundle);
  result->version = g_strdup (made_version);
  for (guint c = 0; c < result->n_classes; c++) {
    result->classes[c].p = p;
    result->classes[c].present = p >= 0.5F;
  }
  return result;
}

/* Noise, so that a large one is large. */
static GstSample *
make_sample (guint width)
{
  g_autofree char *text =
      g_strdup_printf ("video/x-raw, format=I420, width=%u, height=16, framerate=1/1", width);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, width * 24, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8)g_random_int ();
  gst_buffer_unmap (buffer, &map);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static void
set_state (PublishQueue *queue, const char *const *classes, float p, GstSample *sample)
{
  GPtrArray *results = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);

  g_ptr_array_add (results, make_result (classes, p));
  publish_queue_set_state (queue, publish_state_new ("camera", results, sample, made_heartbeat));
}

#define CAT "gst-ensemble/camera/class/cat"

/* The broker forgets all when it restarts, a subscriber that comes later hears all. */
START_TEST (test_states)
{
  static const char *const first[] = {"cat", "hot dog", NULL}, *const second[] = {"cat", NULL};
  g_autofree char *id = publish_make_id ("hot dog");
  g_autofree char *dog = g_strconcat ("gst-ensemble/camera/class/", id, NULL);
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  queue = publish_start ();
  set_state (queue, first, 0.75F, NULL);
  publish_wait (
      publish_has_latest (CAT, "{\"class\": \"cat\", \"state\": \"ON\", \"probability\": 75}"));
  publish_wait (
      publish_has_latest (dog, "{\"class\": \"hot dog\", \"state\": \"ON\", \"probability\": 75}"));
  set_state (queue, first, 0.25F, NULL);
  publish_wait (
      publish_has_latest (CAT, "{\"class\": \"cat\", \"state\": \"OFF\", \"probability\": 25}"));
  publish_unsubscribe ();
  publish_stop_broker (SIGKILL);
  publish_start_broker ();
  publish_subscribe ();
  publish_wait (
      publish_has_latest (CAT, "{\"class\": \"cat\", \"state\": \"OFF\", \"probability\": 25}"));
  publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "online"));
  publish_unsubscribe ();
  publish_subscribe ();
  publish_wait (publish_has_latest (
      dog, "{\"class\": \"hot dog\", \"state\": \"OFF\", \"probability\": 25}"));
  made_version = "8";
  set_state (queue, second, 0.25F, NULL);
  publish_wait (publish_has_latest (dog, ""));
  publish_unsubscribe ();
  publish_subscribe ();
  publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "online"));
  ck_assert_ptr_null (publish_get_latest (dog));
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

#define DEVICE                                                                                    \
  "\"device\": {\"identifiers\": [\"gst-ensemble_camera\"], \"name\": \"camera\", "               \
  "\"manufacturer\": \"gst-ensemble\", \"model\": \"site\", \"sw_version\": \"7\"}, \"origin\": " \
  "{\"name\": \"gst-ensemble\", \"sw_version\": \"*\"}}"
#define AVAILABILITY                                               \
  "\"availability_topic\": \"gst-ensemble/camera/availability\", " \
  "\"payload_available\": \"online\", \"payload_not_available\": \"offline\", " DEVICE

static const struct {
  const char *topic, *payload;
} discovery_rows[] = {
    {"homeassistant/binary_sensor/gst-ensemble_camera/cat_present/config",
     "{\"name\": \"cat\", \"unique_id\": \"gst-ensemble_camera.cat_present\", \"state_topic\": "
     "\"" CAT
     "\", \"value_template\": \"{{ value_json.state }}\", \"payload_on\": \"ON\", \"payload_off\": "
     "\"OFF\", \"json_attributes_topic\": \"" CAT
     "\", \"expire_after\": 180, \"qos\": 1, " AVAILABILITY},
    {"homeassistant/sensor/gst-ensemble_camera/cat_probability/config",
     "{\"name\": \"cat probability\", \"unique_id\": \"gst-ensemble_camera.cat_probability\", "
     "\"state_topic\": \"" CAT
     "\", \"value_template\": \"{{ value_json.probability }}\", \"unit_of_measurement\": \"%\", "
     "\"state_class\": \"measurement\", \"suggested_display_precision\": 1, \"icon\": "
     "\"mdi:percent\", \"expire_after\": 180, \"qos\": 1, " AVAILABILITY},
    {"homeassistant/image/gst-ensemble_camera/picture/config",
     "{\"name\": \"Last event\", \"unique_id\": \"gst-ensemble_camera_picture\", \"image_topic\": "
     "\"gst-ensemble/camera/picture\", \"content_type\": \"image/jpeg\", " AVAILABILITY},
};

/* Members as Home Assistant's documentation has them; a class that is no more is taken back. */
START_TEST (test_discovery)
{
  static const char *const first[] = {"cat", NULL}, *const second[] = {"dog", NULL};
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, first, 0.75F, NULL);
  publish_wait (publish_get_latest (discovery_rows[2].topic) != NULL);
  for (guint i = 0; i < G_N_ELEMENTS (discovery_rows); i++) {
    g_autofree char *found = publish_get_latest (discovery_rows[i].topic);
    g_autoptr (JsonNode) node = NULL;

    test_message ("%s: %s", discovery_rows[i].topic, found);
    ck_assert (g_pattern_match_simple (discovery_rows[i].payload, found));
    node = json_from_string (found, NULL);
    ck_assert_ptr_nonnull (node);
  }
  made_version = "8";
  set_state (queue, second, 0.75F, NULL);
  publish_wait (publish_has_latest (discovery_rows[0].topic, ""));
  publish_wait (publish_has_latest (discovery_rows[1].topic, ""));
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

/* What another camera's class is called does not matter: of two that have one id, Home Assistant
 * takes one. */
START_TEST (test_unique)
{
  static const struct {
    const char *source, *class_name;
  } rows[] = {{"front", "door_open"}, {"front_door", "open"},
              {"front", "present"},   {"front_present", NULL},
              {"front", "door.open"}, {"front", "door open"},
              {"front-door", "open"}, {"front_door_open", "present"},
              {"front", NULL},        {"front", "door_picture"},
              {"front", "中"},        {"front", "乌"}};
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *class_name = rows[i].class_name;
    g_autofree char *device_id = publish_make_id (rows[i].source);
    g_autofree char *class_id = class_name != NULL ? publish_make_id (class_name) : NULL;
    const PublishDevice device = {
        .prefix = "homeassistant", .topic = "t", .id = device_id, .source = rows[i].source};
    const PublishEntity first = class_name != NULL ? PUBLISH_PRESENCE : PUBLISH_PICTURE;
    const PublishEntity last = class_name != NULL ? PUBLISH_PROBABILITY : PUBLISH_PICTURE;

    for (PublishEntity entity = first; entity <= last; entity++, n++) {
      g_autofree char *payload = publish_discovery_payload (&device, entity, class_name, class_id);
      g_autoptr (JsonNode) node = json_from_string (payload, NULL);

      g_hash_table_add (
          ids, g_strdup (json_object_get_string_member (json_node_get_object (node), "unique_id")));
    }
  }
  ck_assert_uint_eq (g_hash_table_size (ids), n);
}
END_TEST

START_TEST (test_picture)
{
  static const char *const classes[] = {"cat", NULL};
  g_autofree char *picture = NULL;
  PublishQueue *queue;

  if (gst_registry_find_plugin (gst_registry_get (), "jpeg") == NULL) {
    test_skip ("no jpegenc");
    return;
  }
  if (!publish_begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, classes, 0.75F, make_sample (16));
  publish_wait ((picture = publish_get_latest ("gst-ensemble/camera/picture")) != NULL);
  ck_assert (g_str_has_prefix (picture, "\xff\xd8\xff"));
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

/* A class that is not among the most probable ones is absent; one of another ensemble stays, also
 * where both results come together; neither is taken back. */
START_TEST (test_unlisted)
{
  static const char *const both[] = {"cat", "dog", NULL}, *const top[] = {"dog", NULL};
  static const char *const other[] = {"car", NULL};
  g_autofree char *cat = NULL;
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, both, 0.75F, NULL);
  publish_wait (
      publish_has_latest (CAT, "{\"class\": \"cat\", \"state\": \"ON\", \"probability\": 75}"));
  set_state (queue, top, 0.5F, NULL);
  publish_wait (
      publish_has_latest (CAT, "{\"class\": \"cat\", \"state\": \"OFF\", \"probability\": 50}"));
  made_bundle = "cars";
  set_state (queue, other, 0.75F, NULL);
  made_bundle = "site";
  set_state (queue, both, 0.25F, NULL);
  publish_wait (
      publish_has_latest ("gst-ensemble/camera/class/car",
                          "{\"class\": \"car\", \"state\": \"ON\", \"probability\": 75}"));
  publish_wait (
      publish_has_latest ("gst-ensemble/camera/class/dog",
                          "{\"class\": \"dog\", \"state\": \"OFF\", \"probability\": 25}"));
  publish_queue_stop (queue, GST_SECOND * 20);
  publish_wait (publish_has_latest ("gst-ensemble/camera/availability", "offline"));
  ck_assert (!publish_was_emptied ("homeassistant/"));
  ck_assert (!publish_was_emptied ("gst-ensemble/camera/class/"));
}
END_TEST

/* A name of any length is a level of a topic, and longer ones are told apart. */
START_TEST (test_long)
{
  g_autofree char *name = g_strnfill (100000, 'a');
  g_autofree char *one = publish_make_id (name), *other = publish_make_id (name + 1);
  g_autofree char *longest = publish_make_id (name + 100000 - 64);

  ck_assert_uint_lt (strlen (one), 100);
  ck_assert_str_ne (one, other);
  ck_assert_str_eq (longest, name + 100000 - 64);
}
END_TEST

static const struct {
  const char *name;
  guint64 heartbeat;
  const char *expected; /* of the entity; NULL: it does not expire */
} heartbeat_rows[] = {
    {"short", GST_SECOND / 10, "\"expire_after\": 1,"},
    {"fraction", GST_SECOND * 3 / 2, "\"expire_after\": 4,"},
    {"long", G_MAXINT64, "\"expire_after\": 27670116110,"},
    {"never", 0, NULL},
};

/* Changed while it plays. */
START_TEST (test_heartbeat)
{
  static const char *const classes[] = {"cat", NULL};
  const char *topic = discovery_rows[0].topic, *expected = heartbeat_rows[_i].expected;
  PublishQueue *queue;

  if (!publish_begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, classes, 0.75F, NULL);
  publish_wait (publish_latest_contains (topic, "\"expire_after\": 180,"));
  made_heartbeat = heartbeat_rows[_i].heartbeat;
  set_state (queue, classes, 0.75F, NULL);
  publish_wait (!publish_latest_contains (topic, "\"expire_after\": 180,"));
  ck_assert (publish_latest_contains (topic, expected != NULL ? expected : "\"ON\""));
  ck_assert (expected != NULL || !publish_latest_contains (topic, "expire_after"));
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

/* What is larger than the broker takes is refused, and told, and does not hold up the rest, also
 * after the next connection. */
START_TEST (test_too_large)
{
  static const char *const classes[] = {"cat", NULL};
  g_autofree char *line = g_strnfill (5000, 'x');
  PublishQueue *queue;

  g_free (publish_broker.settings);
  publish_broker.settings = g_strdup ("allow_anonymous true\nmax_packet_size 2000\n");
  if (!publish_begin ())
    return;
  publish_options.home_assistant = TRUE;
  queue = publish_start ();
  set_state (queue, classes, 0.75F, make_sample (1024));
  publish_wait (publish_get_latest (discovery_rows[2].topic) != NULL);
  line[4999] = '\n';
  publish_queue_push (queue,
                      publish_record_new (PUBLISH_RESULT, "camera", g_steal_pointer (&line)));
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  ck_assert_uint_eq (publish_queue_get_counts (queue).refused, 1);
  publish_unsubscribe ();
  publish_stop_broker (SIGKILL);
  publish_start_broker ();
  publish_subscribe ();
  publish_push (queue, 1, 1);
  publish_wait_sent (queue, 2);
  publish_queue_stop (queue, GST_SECOND * 20);
  ck_assert_uint_eq (publish_count_notes ("are being lost: 1 so far"), 1);
  if (gst_registry_find_plugin (gst_registry_get (), "jpeg") != NULL)
    ck_assert_uint_eq (publish_count_notes ("a state or picture is refused: "), 1);
}
END_TEST

static void
set_up (void)
{
  publish_broker_set_up ();
  made_bundle = "site";
  made_version = "7";
  made_heartbeat = publish_options.heartbeat;
}

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/home-assistant");
  test_fixture (set_up, publish_broker_tear_down);
  test_add ("states", test_states);
  test_add ("discovery", test_discovery);
  test_add ("unlisted", test_unlisted);
  TEST_ADD_ROWS ("heartbeat", test_heartbeat, heartbeat_rows);
  test_add ("unique", test_unique);
  test_add ("long", test_long);
  test_add ("picture", test_picture);
  test_add ("too-large", test_too_large);
  return test_run ();
}
