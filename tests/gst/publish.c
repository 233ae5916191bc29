#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <glib/gstdio.h>

#include "ensemble-publish.h"

typedef struct {
  char *folder, *path;
  GstElement *element;
} Publish;

static void
set_up (Publish *publish, gconstpointer data)
{
  publish->folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  publish->path = g_build_filename (publish->folder, "results.jsonl", NULL);
  publish->element = gst_object_ref_sink (g_object_new (GST_TYPE_ENSEMBLE_PUBLISH, NULL));
  g_object_set (publish->element, "location", publish->path, NULL);
}

static void
tear_down (Publish *publish, gconstpointer data)
{
  gst_object_unref (publish->element);
  g_remove (publish->path);
  g_rmdir (publish->folder);
  g_free (publish->path);
  g_free (publish->folder);
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
  g_assert_cmpint (gst_harness_push (harness, buffer), ==, GST_FLOW_OK);
  out = gst_harness_pull (harness);
  g_assert_true (out == buffer);
  gst_buffer_unref (out);
}

static void
test_lines (Publish *publish, gconstpointer data)
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

  g_assert_true (g_file_get_contents (publish->path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpstr (lines[3], ==, "");
  for (guint i = 0; i < 3; i++) {
    g_autofree char *pattern = g_strdup_printf ("{*%s*}", expected[i]);

    g_test_message ("%s", lines[i]);
    g_assert_true (g_pattern_match_simple (pattern, lines[i]));
  }
}

/* Each line is there before the next buffer comes. */
static void
test_at_once (Publish *publish, gconstpointer data)
{
  GstHarness *harness = gst_harness_new_with_element (publish->element, "sink", "src");
  g_autoptr (EnsResult) result = make_result ("a", 1);
  g_autofree char *text = NULL;

  gst_harness_set_caps_str (harness, "video/x-raw", "video/x-raw");
  push (harness, result, NULL);
  g_assert_true (g_file_get_contents (publish->path, &text, NULL, NULL));
  g_assert_true (g_str_has_suffix (text, "}\n"));
  gst_harness_teardown (harness);
}

static void
test_unwritable (Publish *publish, gconstpointer data)
{
  g_autofree char *path = g_build_filename (publish->folder, "missing", "results.jsonl", NULL);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (publish->element, bus);
  g_object_set (publish->element, "location", path, NULL);
  g_assert_cmpint (gst_element_set_state (publish->element, GST_STATE_PAUSED), ==,
                   GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE);
  g_assert_nonnull (strstr (error->message, path));
  gst_element_set_state (publish->element, GST_STATE_NULL);
  gst_element_set_bus (publish->element, NULL);
  gst_object_unref (bus);
}

/* A full disk costs results, not video. */
static void
test_full (Publish *publish, gconstpointer data)
{
  GstBus *bus = gst_bus_new ();
  g_autoptr (EnsResult) first = make_result ("a", 1);
  g_autoptr (EnsResult) second = make_result ("a", 2);
  g_autoptr (GstMessage) message = NULL;
  GstHarness *harness;

  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS)) {
    g_test_skip ("no /dev/full");
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
  g_assert_nonnull (message);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
  gst_harness_teardown (harness);
  gst_element_set_bus (publish->element, NULL);
  gst_object_unref (bus);
}

#define ADD(path, function) g_test_add (path, Publish, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD ("/gst/publish/lines", test_lines);
  ADD ("/gst/publish/at-once", test_at_once);
  ADD ("/gst/publish/unwritable", test_unwritable);
  ADD ("/gst/publish/full", test_full);
  return g_test_run ();
}
