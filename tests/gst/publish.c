/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <glib/gstdio.h>

#include "ensemble-publish.h"
#include "publish/message.h"

#include "check-main.h"

typedef struct {
  char *folder, *path;
  GstElement *element;
} Publish;

static Publish *publish;

static void
set_up (void)
{
  publish = g_new0 (Publish, 1);
  publish->folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  publish->path = g_build_filename (publish->folder, "results.jsonl", NULL);
  publish->element = gst_object_ref_sink (g_object_new (GST_TYPE_ENSEMBLE_PUBLISH, NULL));
  g_object_set (publish->element, "location", publish->path, NULL);
}

static void
tear_down (void)
{
  gst_object_unref (publish->element);
  g_remove (publish->path);
  g_rmdir (publish->folder);
  g_free (publish->path);
  g_free (publish->folder);
  g_clear_pointer (&publish, g_free);
}

static EnsResult *
make_result (const char *bundle, guint64 pts)
{
  static const char *const classes[] = {"cat"}, *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, 1, networks, 1, 0);

  result->bundle = g_strdup (bundle);
  result->version = g_strdup ("1");
  result->pts = pts;
  return result;
}

static void
push (GstHarness *harness, EnsResult *a, EnsResult *b)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 8, NULL), *out;

  if (a != NULL)
    gst_buffer_add_ensemble_meta (buffer, a, 0);
  if (b != NULL)
    gst_buffer_add_ensemble_meta (buffer, b, 0);
  ck_assert_int_eq (gst_harness_push (harness, buffer), GST_FLOW_OK);
  out = gst_harness_pull (harness);
  ck_assert (out == buffer);
  gst_buffer_unref (out);
}

START_TEST (test_lines)
{
  GstHarness *harness = gst_harness_new_with_element (publish->element, "sink", "src");
  g_autoptr (EnsResult) first = make_result ("a", 1);
  g_autoptr (EnsResult) second = make_result ("a", 2);
  g_autoptr (EnsResult) other = make_result ("b", 1);
  static const char *const expected[] = {"\"pts\": 1, *\"bundle\": \"a\"",
                                         "\"pts\": 1, *\"bundle\": \"b\"",
                                         "\"pts\": 2, *\"bundle\": \"a\""};
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  gst_harness_set_caps_str (harness, "video/x-raw", "video/x-raw");
  push (harness, NULL, NULL);
  push (harness, first, NULL);
  push (harness, NULL, NULL);
  push (harness, first, NULL);
  push (harness, first, other);
  push (harness, other, second);
  gst_harness_teardown (harness);

  ck_assert (g_file_get_contents (publish->path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  ck_assert_uint_eq (g_strv_length (lines), 4);
  ck_assert_str_eq (lines[3], "");
  for (guint i = 0; i < 3; i++) {
    g_autofree char *pattern = g_strdup_printf ("{*%s*}", expected[i]);

    test_message ("%s", lines[i]);
    ck_assert (g_pattern_match_simple (pattern, lines[i]));
  }
}
END_TEST

/* The file, once it has n lines. (transfer full) */
static char **
wait_lines (guint n)
{
  for (guint tries = 0; tries < 2000; tries++) {
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;

    if (g_file_get_contents (publish->path, &text, NULL, NULL))
      lines = g_strsplit (text, "\n", -1);
    if (lines != NULL && g_strv_length (lines) == n + 1)
      return g_steal_pointer (&lines);
    g_usleep (10000);
  }
  ck_abort_msg ("%s has never had %u lines", publish->path, n);
}

static GstHarness *
start (void)
{
  GstHarness *harness = gst_harness_new_with_element (publish->element, "sink", "src");

  gst_harness_set_caps_str (harness, "video/x-raw", "video/x-raw");
  return harness;
}

/* Each line is there while the next buffer is waited for, and at the end of the stream. */
START_TEST (test_at_once)
{
  GstHarness *harness = start ();
  g_autoptr (EnsResult) first = make_result ("a", 1);
  g_autoptr (EnsResult) second = make_result ("a", 2);
  g_autofree char *text = NULL;

  push (harness, first, NULL);
  g_strfreev (wait_lines (1));
  push (harness, second, NULL);
  gst_harness_push_event (harness, gst_event_new_eos ());
  ck_assert (g_file_get_contents (publish->path, &text, NULL, NULL));
  ck_assert (g_str_has_suffix (text, "}\n"));
  g_strfreev (wait_lines (2));
  gst_harness_teardown (harness);
}
END_TEST

static guint64
get_sent (void)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 sent;

  g_object_get (publish->element, "stats", &stats, NULL);
  ck_assert (gst_structure_get_uint64 (stats, "sent", &sent));
  return sent;
}

/* Who asks after the end learns what has become of it. */
START_TEST (test_stats)
{
  GstHarness *harness = start ();
  g_autoptr (EnsResult) result = make_result ("a", 1);

  push (harness, result, NULL);
  gst_harness_teardown (harness);
  ck_assert_int_eq (GST_STATE (publish->element), GST_STATE_NULL);
  ck_assert_uint_eq (get_sent (), 1);
  gst_element_set_state (publish->element, GST_STATE_PAUSED);
  ck_assert_uint_eq (get_sent (), 0);
  gst_element_set_state (publish->element, GST_STATE_NULL);
}
END_TEST

/* ---- What is sent ---- */

static EnsResult *
make_animals (guint64 pts, float cat, float dog)
{
  static const char *const classes[] = {"cat", "dog"}, *const networks[] = {"small"};
  EnsResult *result = ens_result_new (classes, 2, networks, 1, 0);
  const float p[] = {cat, dog};

  result->bundle = g_strdup ("a");
  result->version = g_strdup ("1");
  result->pts = pts;
  for (guint c = 0; c < 2; c++) {
    result->classes[c].p = p[c];
    result->classes[c].present = p[c] >= 0.5F;
  }
  return result;
}

/* Results with these probabilities are pushed; as many lines come of it, each with its text. */
static const struct {
  const char *name, *properties;
  float cat[4];
  guint n;
  const char *expected[4];
} message_rows[] = {
    {"all",
     "form=compact",
     {0.9F, 0.8F, 0.1F},
     3,
     {"\"probabilities\": {\"cat\": 0.9, \"dog\": 0.25}, \"present\": [\"cat\"]", "0.8",
      "\"present\": []"}},
    {"changes",
     "form=compact, send=changes",
     {0.9F, 0.8F, 0.1F, 0.1F},
     2,
     {"\"pts\": 0, ", "\"pts\": 2, "}},
    {"heartbeat",
     "form=compact, send=changes, heartbeat=1000",
     {0.9F, 0.8F},
     2,
     {"\"pts\": 0, ", "\"pts\": 1, "}},
    {"only-present",
     "only-present=true",
     {0.9F, 0.1F},
     2,
     {"\"classes\": [{\"name\": \"cat\", \"p\": 0.9, *\"present\": true}], *\"probabilities\": "
      "[0]}",
      "\"classes\": []"}},
    {"only-present-compact",
     "only-present=true, form=compact",
     {0.9F, 0.1F},
     2,
     {"\"probabilities\": {\"cat\": 0.9}, ", "\"probabilities\": {}, "}},
    {"source",
     "source=\"front \\\"door\\\"\"",
     {0.9F},
     1,
     {"{\"schema\": \"gst-ensemble/result/1\", \"source\": \"front \\\"door\\\"\", \"time\": "
      "\"20*T*Z\", "
      "\"clock\": \"*\", \"pts\": 0, \"width\": "}},
    {"stream-id", "form=full", {0.9F}, 1, {"\"source\": \"ensemblepublish*-0x*\", "}},
};

static void
set_properties (const char *text)
{
  g_autofree char *whole = g_strdup_printf ("p, %s", text);
  g_autoptr (GstStructure) structure = gst_structure_from_string (whole, NULL);

  ck_assert_ptr_nonnull (structure);
  for (gint i = 0; i < gst_structure_n_fields (structure); i++) {
    const char *name = gst_structure_nth_field_name (structure, (guint)i);
    const GValue *value = gst_structure_get_value (structure, name);
    g_autofree char *string =
        G_VALUE_HOLDS_STRING (value) ? g_value_dup_string (value) : gst_value_serialize (value);

    gst_util_set_object_arg (G_OBJECT (publish->element), name, string);
  }
}

START_TEST (test_messages)
{
  guint n = message_rows[_i].n;
  g_auto (GStrv) lines = NULL;
  GstHarness *harness;

  set_properties (message_rows[_i].properties);
  harness = start ();
  for (guint i = 0; i < 4 && message_rows[_i].cat[i] > 0; i++) {
    g_autoptr (EnsResult) result = make_animals (i, message_rows[_i].cat[i], 0.25F);

    push (harness, result, NULL);
  }
  gst_harness_teardown (harness);
  lines = wait_lines (n);
  for (guint i = 0; i < n; i++) {
    g_autofree char *pattern = g_strdup_printf ("*%s*", message_rows[_i].expected[i]);

    test_message ("%s\n# %s", lines[i], pattern);
    ck_assert (g_pattern_match_simple (pattern, lines[i]));
  }
}
END_TEST

/* How long messages are: of 20 classes, 2 networks and 20 windows, one class present. */
START_TEST (test_sizes)
{
  static const char *const networks[] = {"squeezenet1.1", "mobilenet_v1_0.5"};
  static const struct {
    PublishForm form;
    gboolean only_present;
    const char *name;
  } forms[] = {{PUBLISH_FULL, FALSE, "full"},
               {PUBLISH_FULL, TRUE, "full, only-present"},
               {PUBLISH_COMPACT, FALSE, "compact"},
               {PUBLISH_COMPACT, TRUE, "compact, only-present"}};
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_auto (GStrv) names =
      g_strsplit ("bicycle bird boat bottle bus car cat chair cow dog horse house "
                  "motorbike person plant sheep sofa table train tree",
                  " ", -1);
  g_autoptr (EnsResult) result = ens_result_new ((const char *const *)names, 20, networks, 2, 20);
  gsize last = G_MAXSIZE;

  result->bundle = g_strdup ("site");
  result->version = g_strdup ("1");
  for (guint c = 0; c < 20; c++) {
    EnsClassResult *found = &result->classes[c];

    found->p = found->p1 = found->p2 = found->p3 = (float)g_rand_double (random) / 2;
    found->present = c == 5;
    found->window = (gint)c;
    for (guint n = 0; n < 2; n++)
      result->networks[n].probabilities[c] = (float)g_rand_double (random) / 2;
    for (guint w = 0; w < 20; w++)
      result->window_probabilities[w * 20 + c] = (float)g_rand_double (random) / 2;
  }
  for (guint f = 0; f < G_N_ELEMENTS (forms); f++) {
    g_autofree char *line = publish_message_result (result, "yard", (PublishTime) {0},
                                                    forms[f].form, forms[f].only_present);

    test_message ("%s: %zu bytes", forms[f].name, strlen (line));
    ck_assert_uint_lt (strlen (line), last);
    last = strlen (line);
  }
}
END_TEST

/* ---- Time ---- */

static const struct {
  const char *name, *caps;
  guint64 timestamp; /* of the buffer; the result is 2 s older */
  const char *expected;
} time_rows[] = {
    {"ntp", "timestamp/x-ntp", G_GUINT64_CONSTANT (3944678400500000000),
     "\"time\": \"2024-12-31T23:59:58.500Z\", \"clock\": \"camera\""},
    {"unix", "timestamp/x-unix", G_GUINT64_CONSTANT (1735689600500000000),
     "\"time\": \"2024-12-31T23:59:58.500Z\", \"clock\": \"camera\""},
    {"other", "timestamp/x-drone", 1, "\"clock\": \"pipeline\""},
};

START_TEST (test_time)
{
  GstHarness *harness = start ();
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 8, NULL);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (time_rows[_i].caps);
  g_autoptr (EnsResult) result = make_result ("a", 1);
  g_auto (GStrv) lines = NULL;

  GST_BUFFER_PTS (buffer) = 5 * GST_SECOND;
  gst_buffer_add_reference_timestamp_meta (buffer, caps, time_rows[_i].timestamp,
                                           GST_CLOCK_TIME_NONE);
  gst_buffer_add_ensemble_meta (buffer, result, 2 * GST_SECOND);
  gst_harness_push (harness, buffer);
  gst_harness_teardown (harness);
  lines = wait_lines (1);
  test_message ("%s", lines[0]);
  ck_assert_contains (lines[0], time_rows[_i].expected);
}
END_TEST

/* ---- Events ---- */

static const struct {
  const char *name, *structure, *expected; /* NULL: no line */
} event_rows[] = {
    {"appeared",
     "ensemble-event, class=cat, event=appeared, pts=(guint64)1, running-time=(guint64)2, "
     "probability=0.75",
     "\"event\": \"appeared\", \"class\": \"cat\", \"probability\": 0.75, \"pts\": 1}"},
    {"left",
     "ensemble-event, class=cat, event=left, pts=(guint64)5, running-time=(guint64)6, "
     "probability=0.25, duration=(guint64)4, reason=end",
     "\"event\": \"left\", \"class\": \"cat\", \"probability\": 0.25, \"pts\": 5, \"duration\": 4, "
     "\"reason\": \"end\"}"},
    {"broken", "ensemble-event, pts=(guint64)1", NULL},
    {"other", "application/x-other, class=cat, event=left", NULL},
};

START_TEST (test_event)
{
  guint n = event_rows[_i].expected != NULL ? 1 : 0;
  GstHarness *harness = start ();
  g_auto (GStrv) lines = NULL;

  gst_harness_push_event (
      harness, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
                                     gst_structure_from_string (event_rows[_i].structure, NULL)));
  gst_harness_teardown (harness);
  if (n == 0) {
    g_autofree char *text = NULL;

    ck_assert (g_file_get_contents (publish->path, &text, NULL, NULL));
    ck_assert_str_eq (text, "");
    return;
  }
  lines = wait_lines (n);
  test_message ("%s", lines[0]);
  ck_assert (g_str_has_prefix (lines[0], "{\"schema\": \"gst-ensemble/event/1\", \"source\": "));
  ck_assert (g_str_has_suffix (lines[0], event_rows[_i].expected));
}
END_TEST

/* ---- Trouble ---- */

/* What can't be is refused at once. A password is not repeated. */
static const struct {
  const char *name, *property, *value, *expected;
} unusable_rows[] = {
    {"folder", "location", "/missing/results.jsonl", "/missing/results.jsonl: can't be written to"},
    {"uri", "location", "file:%", "file:%"},
    {"secret", "secret", "hunter2", "expected file:PATH or env:NAME"},
    {"spool", "spool", "/proc/spool", "/proc/spool: can't be made"},
};

START_TEST (test_unusable)
{
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (publish->element, bus);
  g_object_set (publish->element, unusable_rows[_i].property, unusable_rows[_i].value, NULL);
  ck_assert_int_eq (gst_element_set_state (publish->element, GST_STATE_PAUSED),
                    GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  ck_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE);
  ck_assert_contains (error->message, unusable_rows[_i].expected);
  ck_assert_ptr_null (strstr (error->message, "hunter2"));
  gst_element_set_state (publish->element, GST_STATE_NULL);
  gst_element_set_bus (publish->element, NULL);
  gst_object_unref (bus);
}
END_TEST

/* A full disk costs results, not video. */
START_TEST (test_full)
{
  GstBus *bus = gst_bus_new ();
  g_autoptr (EnsResult) first = make_result ("a", 1);
  g_autoptr (EnsResult) second = make_result ("a", 2);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  GstHarness *harness;

  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS)) {
    test_skip ("no /dev/full");
    gst_object_unref (bus);
    return;
  }
  g_object_set (publish->element, "location", "/dev/full", NULL);
  gst_element_set_bus (publish->element, bus);
  harness = gst_harness_new_with_element (publish->element, "sink", "src");
  gst_harness_set_caps_str (harness, "video/x-raw", "video/x-raw");
  push (harness, first, NULL);
  push (harness, second, NULL);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_WARNING);
  ck_assert_ptr_nonnull (message);
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  ck_assert_uint_eq (get_sent (), 0);
  gst_harness_teardown (harness);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  ck_assert_contains (error->message, "/dev/full: results are being lost: 2 so far");
  gst_element_set_bus (publish->element, NULL);
  gst_object_unref (bus);
}
END_TEST

static gpointer
push_eos (gpointer harness)
{
  return GINT_TO_POINTER (gst_harness_push_event (harness, gst_event_new_eos ()));
}

/* The end of a stream waits for a receiver that takes connections and never answers, a flush does
 * not wait for the end. */
START_TEST (test_flush_at_end)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *location = g_strdup_printf ("http://127.0.0.1:%u/", port);
  g_autoptr (EnsResult) result = make_result ("a", 1);
  GstHarness *harness;
  GThread *thread;

  g_object_set (publish->element, "location", location, "drain-timeout", (guint64)GST_SECOND * 3600,
                "timeout", (guint64)GST_SECOND * 3600, NULL);
  if (gst_element_set_state (publish->element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
    test_skip ("built without webhooks");
    return;
  }
  harness = gst_harness_new_with_element (publish->element, "sink", "src");
  gst_harness_set_caps_str (harness, "video/x-raw", "video/x-raw");
  push (harness, result, NULL);
  thread = g_thread_new ("end", push_eos, harness);
  g_usleep (100000);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  g_thread_join (thread);
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  g_object_set (publish->element, "drain-timeout", (guint64)0, NULL);
  gst_harness_teardown (harness);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish");
  test_fixture (set_up, tear_down);
  test_add ("lines", test_lines);
  test_add ("at-once", test_at_once);
  test_add ("stats", test_stats);
  TEST_ADD_ROWS ("message", test_messages, message_rows);
  test_add ("sizes", test_sizes);
  TEST_ADD_ROWS ("time", test_time, time_rows);
  TEST_ADD_ROWS ("event", test_event, event_rows);
  TEST_ADD_ROWS ("unusable", test_unusable, unusable_rows);
  test_add ("full", test_full);
  test_add ("flush-at-end", test_flush_at_end);
  return test_run ();
}
