/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <glib/gstdio.h>

#include "ensemble-publish.h"

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

/* Each line is there before the next buffer comes. */
START_TEST (test_at_once)
{
  GstHarness *harness = gst_harness_new_with_element (publish->element, "sink", "src");
  g_autoptr (EnsResult) result = make_result ("a", 1);
  g_autofree char *text = NULL;

  gst_harness_set_caps_str (harness, "video/x-raw", "video/x-raw");
  push (harness, result, NULL);
  ck_assert (g_file_get_contents (publish->path, &text, NULL, NULL));
  ck_assert (g_str_has_suffix (text, "}\n"));
  gst_harness_teardown (harness);
}
END_TEST

START_TEST (test_unwritable)
{
  g_autofree char *path = g_build_filename (publish->folder, "missing", "results.jsonl", NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (publish->element, bus);
  g_object_set (publish->element, "location", path, NULL);
  ck_assert_int_eq (gst_element_set_state (publish->element, GST_STATE_PAUSED),
                    GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  ck_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE);
  ck_assert_contains (error->message, path);
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
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  ck_assert_ptr_nonnull (message);
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  gst_harness_teardown (harness);
  gst_element_set_bus (publish->element, NULL);
  gst_object_unref (bus);
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
  test_add ("unwritable", test_unwritable);
  test_add ("full", test_full);
  return test_run ();
}
