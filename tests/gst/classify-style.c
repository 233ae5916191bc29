/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Styles of ensembleclassify: per element, changed while playing, refused. */
#include <string.h>

#include "classify-fixture.h"
#include "colour-bundle.h"

#define RED 0xff0000

static void
set_up (void)
{
  classify_set_up ();
  g_free (colour_bundle_add_style (classify->bundle, "shift", colour_bundle_shift, "32"));
}

static const EnsResult *
push (guint i, GstBuffer **out)
{
  *out = classify_push (classify, RED, i * FRAME);
  return classify_get_result (*out);
}

/* Pushes red frames until the result names the style, or none; styles are loaded in the background.
 */
static void
push_until (const char *style)
{
  static guint i;
  gboolean reached = FALSE;

  while (!reached) {
    g_autoptr (GstBuffer) out = NULL;
    const EnsResult *result = push (++i, &out);

    reached = g_strcmp0 (result->style, style) == 0;
    ck_assert_int_eq (classify_get_probability (out, "green") > 0.5F, result->style != NULL);
    ck_assert_int_eq (classify_get_probability (out, "red") > 0.5F, result->style == NULL);
  }
}

/* From the first frame on, where it was set before. */
START_TEST (test_before)
{
  g_autoptr (GstBuffer) out = NULL;
  GstEnsembleMeta *meta;
  const char *name;

  g_object_set (classify->element, "style", "shift", NULL);
  classify_play_mode (classify, "sync");
  ck_assert_str_eq (push (0, &out)->style, "shift");
  meta = gst_buffer_get_ensemble_meta (out);
  name = gst_structure_get_string (gst_custom_meta_get_structure (&meta->meta), "style");
  ck_assert_str_eq (name, "shift");
  ck_assert_double_gt (classify_get_probability (out, "green"), 0.5F);
}
END_TEST

START_TEST (test_while_playing)
{
  g_autoptr (GstBuffer) out = NULL;
  g_autofree char *path =
      colour_bundle_add_style (classify->folder, "own", colour_bundle_shift, NULL);

  classify_play_mode (classify, "sync");
  ck_assert_ptr_null (push (0, &out)->style);
  for (guint i = 0; i < 3; i++) {
    g_object_set (classify->element, "style", i == 1 ? path : "shift", NULL);
    push_until (i == 1 ? "own" : "shift");
    g_object_set (classify->element, "style", i == 1 ? "none" : NULL, NULL);
    push_until (NULL);
  }
  /* The last of many counts. */
  for (guint i = 0; i < 20; i++)
    g_object_set (classify->element, "style", i % 2 ? "shift" : "none", NULL);
  push_until ("shift");
}
END_TEST

/* With a warning that says why; the property says what is in use. */
START_TEST (test_refused)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GError) warning = NULL;
  g_autofree char *style = NULL;

  g_object_set (classify->element, "style", "shift", NULL);
  classify_play_mode (classify, "sync");
  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "style", "sepia", NULL);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &warning, NULL);
  ck_assert_contains (warning->message, "The style stays as it was");
  ck_assert_contains (warning->message, "has no style “sepia” (it has shift)");
  g_object_get (classify->element, "style", &style, NULL);
  ck_assert_str_eq (style, "shift");
  ck_assert_str_eq (push (0, &out)->style, "shift");
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* A bad one from the beginning is an error of READY. */
START_TEST (test_bad)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "style", "sepia", NULL);
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_READY),
                    GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  ck_assert_contains (error->message, "has no style “sepia”");
  gst_element_set_bus (classify->element, NULL);
  g_object_set (classify->element, "style", "none", NULL);
  ck_assert_int_eq (gst_element_set_state (classify->element, GST_STATE_READY),
                    GST_STATE_CHANGE_SUCCESS);
}
END_TEST

/* How many of the frames of a camera were found green. */
static gpointer
play_camera (gpointer data)
{
  guint n_green = 0;

  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstBuffer) out = classify_push (data, RED, i * FRAME);

    n_green += classify_get_probability (out, "green") > 0.5F;
  }
  return GUINT_TO_POINTER (n_green);
}

/* Two cameras at once share a bundle, and each has its own style. */
START_TEST (test_two_cameras)
{
  Classify *first = classify, *second;
  GThread *thread;
  guint n_first, n_second;

  classify_set_up ();
  second = classify;
  g_object_set (first->element, "style", "shift", NULL);
  g_object_set (second->element, "model", first->bundle, NULL);
  classify_play_mode (first, "sync");
  classify_play_mode (second, "sync");
  thread = g_thread_new ("second", play_camera, second);
  n_first = GPOINTER_TO_UINT (play_camera (first));
  n_second = GPOINTER_TO_UINT (g_thread_join (thread));
  classify_tear_down ();
  classify = first;
  ck_assert_uint_eq (n_first, 20);
  ck_assert_uint_eq (n_second, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-style");
  test_fixture (set_up, classify_tear_down);
  test_add ("before", test_before);
  test_add ("while-playing", test_while_playing);
  test_add ("refused", test_refused);
  test_add ("bad", test_bad);
  test_add ("two-cameras", test_two_cameras);
  return test_run ();
}
