/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The features of a network beside a result. */
#include "classify-fixture.h"

#define RED 0xff0000

static char *
read_embedding (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, GST_ENSEMBLE_META_NAME);
  const GValue *value = gst_structure_get_value (gst_custom_meta_get_structure (meta), "embedding");
  const char *name;

  if (value == NULL)
    return NULL;
  g_variant_get (g_value_get_variant (value), "(&sad)", &name, NULL);
  return g_strdup (name);
}

/* It may be set and taken away while playing. */
START_TEST (test_playing)
{
  static const char *const names[] = {NULL, "original", "retrained", "", "original"};

  classify_play_mode (classify, "sync");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstBuffer) out = NULL;
    g_autofree char *found = NULL;

    g_object_set (classify->element, "embedding", names[i], NULL);
    out = classify_push (classify, RED, i * FRAME);
    found = read_embedding (out);
    ck_assert_pstr_eq (found, i == 3 ? NULL : names[i]);
    ck_assert (classify_get_probability (out, "red") > 0.5F);
  }
}
END_TEST

/* A network that the bundle has not: a warning, and results without. */
START_TEST (test_unknown)
{
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "embedding", "nobody", NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) warning = NULL;
    g_autoptr (GstBuffer) out = NULL;
    g_autofree char *found = NULL, *embedding = NULL;

    message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING);
    gst_message_parse_warning (message, &warning, NULL);
    ck_assert_contains (warning->message, "Results have no embedding");
    ck_assert_contains (warning->message, "(original, retrained), found “nobody”");
    out = classify_push (classify, RED, i * FRAME);
    found = read_embedding (out);
    ck_assert_ptr_null (found);
    g_object_get (classify->element, "embedding", &embedding, NULL);
    ck_assert_str_eq (embedding, "nobody");
    g_object_set (classify->element, "embedding", "nobody", NULL);
  }
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-embedding");
  test_fixture (classify_set_up, classify_tear_down);
  test_add ("playing", test_playing);
  test_add ("unknown", test_unknown);
  return test_run ();
}
