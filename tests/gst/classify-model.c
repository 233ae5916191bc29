/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another model while ensembleclassify plays: set, or replaced on disk. */
#include <glib/gstdio.h>
#include <string.h>

#include "classify-fixture.h"
#include "colour-bundle.h"
#include "ensemble-classify.h"

#define RED 0xff0000
#define N_SWAPS 100

static GstBus *bus;
static char *other; /* another bundle, “paints”, which says rose instead of red */
static guint pushed;

static char *
read_json (const char *bundle)
{
  g_autofree char *path = g_build_filename (bundle, "ensemble.json", NULL);
  char *text = NULL;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
write_json (const char *bundle, const char *text)
{
  g_autofree char *path = g_build_filename (bundle, "ensemble.json", NULL);

  ck_assert (g_file_set_contents (path, text, -1, NULL));
}

/* A bundle's text, with another name and another class. (transfer full) */
static char *
paint (const char *bundle)
{
  g_autofree char *text = read_json (bundle);
  GString *edited = g_string_new (text);

  ck_assert_uint_eq (g_string_replace (edited, "\"name\": \"colours\"", "\"name\": \"paints\"", 1),
                     1);
  ck_assert_uint_gt (g_string_replace (edited, "\"red\"", "\"rose\"", 0), 1);
  return g_string_free (edited, FALSE);
}

static void
set_up (void)
{
  g_autofree char *folder = NULL, *text = NULL;

  classify_set_up ();
  bus = gst_bus_new ();
  gst_element_set_bus (classify->element, bus);
  folder = g_build_filename (classify->folder, "other", NULL);
  g_mkdir (folder, 0777);
  other = colour_bundle_make (folder);
  text = paint (other);
  write_json (other, text);
  pushed = 0;
}

static void
tear_down (void)
{
  gst_element_set_state (classify->element, GST_STATE_NULL);
  classify_tear_down ();
  g_clear_object (&bus);
  g_clear_pointer (&other, g_free);
}

/* Pushes a red frame, which comes out with a result: none is ever lost. (transfer full) */
static char *
push (void)
{
  g_autoptr (GstBuffer) out = classify_push (classify, RED, pushed++ * FRAME);
  const EnsResult *result = classify_get_result (out);

  ck_assert_double_gt (result->classes[0].p, 0.5F);
  return g_strdup (result->bundle);
}

static void
push_until (const char *name)
{
  gboolean reached = FALSE;

  while (!reached) {
    g_autofree char *found = push ();

    reached = g_str_equal (found, name);
    g_usleep (100);
  }
}

/* The next message of this kind; “name” of an element message, the text of a warning. (transfer
 * full) */
static char *
wait_message (GstMessageType type, const char *name)
{
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, type);
    g_autoptr (GError) warning = NULL;

    if (type == GST_MESSAGE_WARNING) {
      gst_message_parse_warning (message, &warning, NULL);
      return g_strdup (warning->message);
    }
    if (gst_message_has_name (message, name))
      return gst_structure_to_string (gst_message_get_structure (message));
  }
}

START_TEST (test_swaps)
{
  for (guint i = 0; i < N_SWAPS; i++) {
    const gboolean to_other = i % 2 == 0;
    g_autofree char *message = NULL;

    if (i == 0)
      classify_play_mode (classify, "sync");
    g_object_set (classify->element, "model", to_other ? other : classify->bundle, NULL);
    push_until (to_other ? "paints" : "colours");
    message = wait_message (GST_MESSAGE_ELEMENT, "ensemble-model-changed");
    ck_assert_contains (message, to_other ? "name=(string)paints" : "name=(string)colours");
    ck_assert_contains (message, "version=(string)1");
  }
  ck_assert_uint_eq (gst_harness_buffers_received (classify->harness), pushed);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), pushed);
}
END_TEST

static char *
describe_device (void)
{
  g_autoptr (EnsDevice) device =
      gst_ensemble_classify_get_device (GST_ENSEMBLE_CLASSIFY (classify->element));

  return g_strdup (ens_device_get_description (device));
}

/* Another model runs on as many processors. */
START_TEST (test_threads)
{
  g_autofree char *before = NULL, *after = NULL;

  g_object_set (classify->element, "threads", 3, NULL);
  classify_play_mode (classify, "sync");
  before = describe_device ();
  ck_assert_contains (before, "3 threads");
  g_object_set (classify->element, "model", other, NULL);
  push_until ("paints");
  after = describe_device ();
  ck_assert_pstr_eq (after, before);
}
END_TEST

/* The last of many counts, in async mode too, where video goes on. */
START_TEST (test_last_counts)
{
  guint n = 0;

  classify_play_mode (classify, "async");
  for (guint i = 0; i < 20; i++) {
    g_object_set (classify->element, "model", i % 2 == 0 ? classify->bundle : other, NULL);
    gst_buffer_unref (classify_push (classify, RED, n++ * FRAME));
  }
  for (gboolean reached = FALSE; !reached; g_usleep (1000)) {
    g_autoptr (GstBuffer) out = classify_push (classify, RED, n++ * FRAME);

    reached = gst_buffer_get_ensemble_meta (out) != NULL
              && g_str_equal (classify_get_result (out)->bundle, "paints");
  }
  ck_assert_uint_eq (gst_harness_buffers_received (classify->harness), n);
}
END_TEST

/* What is there leaves if the new model does not know it; what the new one finds appears. */
START_TEST (test_states)
{
  g_autofree char *appeared = NULL, *left = NULL, *again = NULL;

  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 3; i++)
    g_free (push ());
  appeared = wait_message (GST_MESSAGE_ELEMENT, "class-appeared");
  ck_assert_contains (appeared, "class=(string)red");
  g_object_set (classify->element, "model", other, NULL);
  push_until ("paints");
  for (guint i = 0; i < 3; i++)
    g_free (push ());
  left = wait_message (GST_MESSAGE_ELEMENT, "class-left");
  ck_assert_contains (left, "class=(string)red");
  ck_assert_contains (left, "reason=(string)model");
  again = wait_message (GST_MESSAGE_ELEMENT, "class-appeared");
  ck_assert_contains (again, "class=(string)rose");
}
END_TEST

/* The old one is kept, and the property says so. */
static const struct {
  const char *name, *from, *to, *message;
} bad_rows[] = {
    {"no-json", "{", "[", "ensemble.json"},
    {"no-file", "\"average.onnx\"", "\"gone.onnx\"", "gone.onnx"},
    {"another-network", "\"average.onnx\"", "\"classifier.onnx\"", "classifier.onnx"},
};

START_TEST (test_refused)
{
  g_autofree char *text = read_json (other), *warning = NULL, *model = NULL, *bundle = NULL;
  GString *edited = g_string_new (text);

  g_string_replace (edited, bad_rows[_i].from, bad_rows[_i].to, 0);
  write_json (other, edited->str);
  g_string_free (edited, TRUE);
  classify_play_mode (classify, "sync");
  g_free (push ());
  g_object_set (classify->element, "model", other, NULL);
  warning = wait_message (GST_MESSAGE_WARNING, NULL);
  ck_assert_contains (warning, "The model stays as it was: ");
  ck_assert_contains (warning, bad_rows[_i].message);
  bundle = push ();
  ck_assert_str_eq (bundle, "colours");
  g_object_get (classify->element, "model", &model, NULL);
  ck_assert_str_eq (model, classify->bundle);
}
END_TEST

/* A style that only the old bundle has is left out, with a warning. */
START_TEST (test_style)
{
  g_autofree char *warning = NULL, *style = NULL;

  g_free (colour_bundle_add_style (classify->bundle, "same",
                                   (const float[]) {1, 0, 0, 0, 1, 0, 0, 0, 1}, NULL));
  g_object_set (classify->element, "style", "same", NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  g_object_set (classify->element, "model", other, NULL);
  push_until ("paints");
  warning = wait_message (GST_MESSAGE_WARNING, NULL);
  ck_assert_contains (warning, "The new model is used without a style: ");
  g_free (wait_message (GST_MESSAGE_ELEMENT, "ensemble-model-changed"));
  g_object_get (classify->element, "style", &style, NULL);
  ck_assert_ptr_null (style);
}
END_TEST

/* A model that is not used in the end says nothing of the style that it would have been without. */
START_TEST (test_style_of_overtaken)
{
  g_autoptr (GstMessage) message = NULL;

  g_free (colour_bundle_add_style (classify->bundle, "same",
                                   (const float[]) {1, 0, 0, 0, 1, 0, 0, 0, 1}, NULL));
  g_object_set (classify->element, "style", "same", NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  gate_close ();
  g_object_set (classify->element, "model", other, NULL);
  gate_wait_arrived (1);
  g_object_set (classify->element, "model", classify->bundle, NULL);
  gate_open ();
  do {
    g_clear_pointer (&message, gst_message_unref);
    message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
                                          GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING);
    ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_ELEMENT);
  } while (!gst_message_has_name (message, "ensemble-model-changed"));
  ck_assert_str_eq (gst_structure_get_string (gst_message_get_structure (message), "name"),
                    "colours");
}
END_TEST

/* Stopping does not wait for a model that is being opened, and a flush does not disturb it. */
START_TEST (test_races)
{
  for (guint i = 0; i < 20; i++) {
    classify_play_mode (classify, "sync");
    g_object_set (classify->element, "watch-model", i % 3 == 0, NULL);
    g_free (push ());
    g_object_set (classify->element, "model", i % 2 == 0 ? other : classify->bundle, NULL);
    if (i % 4 == 1) {
      gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
      gst_harness_push_event (classify->harness, gst_event_new_flush_stop (TRUE));
      classify_play_mode (classify, "sync");
      push_until (i % 2 == 0 ? "paints" : "colours");
    }
    gst_element_set_state (classify->element, i % 5 == 0 ? GST_STATE_READY : GST_STATE_NULL);
  }
}
END_TEST

/* ---- Watching ---- */

START_TEST (test_watch)
{
  g_autofree char *old = read_json (classify->bundle), *new = paint (classify->bundle);
  g_autofree char *network = g_build_filename (classify->bundle, "average.onnx", NULL);
  g_autofree char *aside = g_build_filename (classify->bundle, "aside.onnx", NULL);

  g_object_set (classify->element, "watch-model", TRUE, NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  /* Half of it is there: a network is missing, then text ends too early. */
  g_rename (network, aside);
  write_json (classify->bundle, new);
  for (guint i = 0; i < 60; i++) {
    g_autofree char *bundle = push ();

    ck_assert_str_eq (bundle, "colours");
    g_usleep (10000);
  }
  write_json (classify->bundle, "{\"schema\": \"gst-ens");
  g_rename (aside, network);
  g_usleep (600000);
  write_json (classify->bundle, new);
  push_until ("paints");
  g_free (wait_message (GST_MESSAGE_ELEMENT, "ensemble-model-changed"));
  write_json (classify->bundle, old);
  push_until ("colours");
  ck_assert_uint_eq (gst_harness_buffers_received (classify->harness), pushed);
}
END_TEST

/* The whole folder is renamed away and another takes its place, as train does. */
START_TEST (test_replaced_folder)
{
  g_autofree char *aside = g_strconcat (classify->bundle, ".old", NULL);

  g_object_set (classify->element, "watch-model", TRUE, NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  g_rename (classify->bundle, aside);
  g_rename (other, classify->bundle);
  push_until ("paints");
}
END_TEST

/* One that can't be used is refused once, and its repair is seen. */
START_TEST (test_watch_refused)
{
  g_autofree char *old = read_json (classify->bundle), *new = paint (classify->bundle);
  g_autofree char *warning = NULL;
  GString *bad = g_string_new (old);

  g_object_set (classify->element, "watch-model", TRUE, NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  g_string_replace (bad, "\"average.onnx\"", "\"classifier.onnx\"", 0);
  write_json (classify->bundle, bad->str);
  g_string_free (bad, TRUE);
  warning = wait_message (GST_MESSAGE_WARNING, NULL);
  ck_assert_contains (warning, "The model stays as it was: ");
  g_usleep (1000000);
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  write_json (classify->bundle, new);
  push_until ("paints");
}
END_TEST

/* Files that were being opened when another model was asked for in vain are none that don't work.
 */
START_TEST (test_watch_overtaken)
{
  g_autofree char *new = paint (classify->bundle), *warning = NULL;

  g_object_set (classify->element, "watch-model", TRUE, NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  gate_close ();
  write_json (classify->bundle, new);
  gate_wait_arrived (1);
  g_object_set (classify->element, "model", "/nowhere", NULL);
  warning = wait_message (GST_MESSAGE_WARNING, NULL);
  ck_assert_contains (warning, "The model stays as it was: ");
  gate_open ();
  push_until ("paints");
}
END_TEST

/* An element that shares the old bundle keeps it. */
START_TEST (test_shared)
{
  Classify *first = classify;
  g_autofree char *bundle = NULL;

  classify_play_mode (first, "sync");
  g_free (push ());
  classify_set_up ();
  g_object_set (classify->element, "model", first->bundle, NULL);
  classify_play_mode (classify, "sync");
  g_free (push ());
  g_object_set (classify->element, "model", other, NULL);
  push_until ("paints");
  classify_tear_down ();
  classify = first;
  bundle = push ();
  ck_assert_str_eq (bundle, "colours");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-model");
  test_fixture (set_up, tear_down);
  test_add ("swaps", test_swaps);
  test_add ("threads", test_threads);
  test_add ("last-counts", test_last_counts);
  test_add ("states", test_states);
  TEST_ADD_ROWS ("refused", test_refused, bad_rows);
  test_add ("style", test_style);
  test_add ("style-of-overtaken", test_style_of_overtaken);
  test_add ("races", test_races);
  test_add ("watch", test_watch);
  test_add ("replaced-folder", test_replaced_folder);
  test_add ("watch-refused", test_watch_refused);
  test_add ("watch-overtaken", test_watch_overtaken);
  test_add ("shared", test_shared);
  return test_run ();
}
