/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plug-in as users get it: found in a folder, put into pipelines, leaving nothing behind. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "colour-bundle.h"

#include "check-main.h"

typedef struct {
  char *folder, *bundle, *results;
} Fixture;

static Fixture *fixture;

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  fixture->bundle = colour_bundle_make (fixture->folder);
  fixture->results = g_build_filename (fixture->folder, "results.jsonl", NULL);
}

static void
tear_down (void)
{
  colour_bundle_remove (fixture->bundle);
  g_remove (fixture->results);
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->results);
  g_clear_pointer (&fixture, g_free);
}

/* gst-inspect-1.0 shows what a user needs: every property says what it is. */
static const char *const factories[] = {"ensembleclassify", "ensembleoverlay", "ensemblepublish"};

START_TEST (test_inspection)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make (factories[_i], NULL));
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autofree GParamSpec **specs = NULL;
  guint n;

  ck_assert_ptr_nonnull (gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_LONGNAME));
  ck_assert_ptr_nonnull (
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_DESCRIPTION));
  ck_assert_contains (gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS),
                      "Video");
  ck_assert_uint_eq (gst_element_factory_get_num_pad_templates (factory), 2);
  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint p = 0; p < n; p++) {
    test_message ("%s.%s", factories[_i], specs[p]->name);
    ck_assert_ptr_nonnull (g_param_spec_get_blurb (specs[p]));
  }
}
END_TEST

/* FALSE for what is no number. */
static gboolean
set_extreme (GValue *value, gboolean highest)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
  case G_TYPE_BOOLEAN:
    g_value_set_boolean (value, highest);
    return TRUE;
  case G_TYPE_INT:
    g_value_set_int (value, highest ? G_MAXINT : G_MININT);
    return TRUE;
  case G_TYPE_UINT:
    g_value_set_uint (value, highest ? G_MAXUINT : 0);
    return TRUE;
  case G_TYPE_INT64:
    g_value_set_int64 (value, highest ? G_MAXINT64 : G_MININT64);
    return TRUE;
  case G_TYPE_UINT64:
    g_value_set_uint64 (value, highest ? G_MAXUINT64 : 0);
    return TRUE;
  case G_TYPE_FLOAT:
    g_value_set_float (value, highest ? G_MAXFLOAT : -G_MAXFLOAT);
    return TRUE;
  case G_TYPE_DOUBLE:
    g_value_set_double (value, highest ? G_MAXDOUBLE : -G_MAXDOUBLE);
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean
is_number (GParamSpec *spec, GValue *value, gboolean highest)
{
  g_value_init (value, spec->value_type);
  if ((spec->flags & G_PARAM_READWRITE) != G_PARAM_READWRITE || !set_extreme (value, highest))
    return FALSE;
  g_param_value_validate (spec, value);
  return TRUE;
}

/* Every property holds its highest and its lowest value, and disturbs no other. */
START_TEST (test_extremes)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make (factories[_i], NULL));
  g_autofree GParamSpec **specs = NULL;
  guint n;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint highest = 0; highest < 2; highest++) {
    for (guint p = 0; p < n; p++) {
      g_auto (GValue) value = G_VALUE_INIT;

      if (is_number (specs[p], &value, highest))
        g_object_set_property (G_OBJECT (element), specs[p]->name, &value);
    }
    for (guint p = 0; p < n; p++) {
      g_auto (GValue) expected = G_VALUE_INIT, found = G_VALUE_INIT;

      if (!is_number (specs[p], &expected, highest))
        continue;
      g_value_init (&found, specs[p]->value_type);
      g_object_get_property (G_OBJECT (element), specs[p]->name, &found);
      test_message ("%s.%s", factories[_i], specs[p]->name);
      ck_assert_int_eq (g_param_values_cmp (specs[p], &found, &expected), 0);
    }
  }
}
END_TEST

/* (transfer full) what ended the pipeline. */
static GstMessage *
run (const char *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = NULL;
  GstMessage *message;

  ck_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return message;
}

/* Lines of results: events are lines too. */
static guint
count_results (const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    n += g_str_has_prefix (lines[i], "{\"schema\": \"gst-ensemble/result/1\"");
  return n;
}

static const struct {
  const char *mode, *video, *between;
  guint results; /* 0: any number */
} pipeline_rows[] = {
    {"sync", "format=I420, width=160, height=120, framerate=25/1", "identity", 25},
    {"sync", "format=NV12, width=161, height=121, framerate=25/1", "tee ! queue", 25},
    {"sync inference-interval=5", "format=RGB, width=64, height=48, framerate=25/1", "queue", 5},
    {"sync inference-period=200000000", "format=BGRx, width=64, height=48, framerate=25/1",
     "videoscale ! video/x-raw, width=32, height=32 ! videoconvert", 5},
    {"async", "format=I420, width=160, height=120, framerate=25/1", "videoconvert", 0},
    {"auto", "format=GRAY8, width=160, height=120, framerate=25/1", "identity", 25},
};

START_TEST (test_pipeline)
{
  g_autofree char *description =
      g_strdup_printf ("videotestsrc num-buffers=25 ! video/x-raw, %s ! "
                       "ensembleclassify model=%s device=cpu windows=4 mode=%s ! %s ! "
                       "ensemblepublish location=%s ! fakesink",
                       pipeline_rows[_i].video, fixture->bundle, pipeline_rows[_i].mode,
                       pipeline_rows[_i].between, fixture->results);
  g_autoptr (GstMessage) message = run (description);

  test_message ("%s", description);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  if (pipeline_rows[_i].results > 0)
    ck_assert_uint_eq (count_results (fixture->results), pipeline_rows[_i].results);
  else
    ck_assert_uint_le (count_results (fixture->results), 25);
}
END_TEST

/* Two streams, two ensembles in a row, and a seek. */
START_TEST (test_many)
{
  g_autofree char *description = g_strdup_printf (
      "videotestsrc num-buffers=20 ! ensembleclassify model=%s windows=0 mode=sync ! "
      "ensembleclassify model=%s mode=async ! fakesink "
      "videotestsrc num-buffers=20 pattern=ball ! ensembleclassify model=%s ! fakesink",
      fixture->bundle, fixture->bundle, fixture->bundle);
  g_autoptr (GstMessage) message = run (description);

  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
}
END_TEST

START_TEST (test_bad_model)
{
  g_autoptr (GstMessage) message =
      run ("videotestsrc ! ensembleclassify model=/nowhere.ensemble ! fakesink");
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  ck_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  ck_assert_contains (error->message, "/nowhere.ensemble");
}
END_TEST

/* Runs last: what GStreamer's own tracer counts as alive after all pipelines are gone. */
START_TEST (test_leaks)
{
  GList *tracers = gst_tracing_get_active_tracers ();
  g_autoptr (GstStructure) alive = NULL;
  const GValue *objects;

  ck_assert_ptr_nonnull (tracers);
  g_signal_emit_by_name (tracers->data, "get-live-objects", &alive);
  objects = gst_structure_get_value (alive, "live-objects-list");
  for (guint i = 0; i < gst_value_list_get_size (objects); i++) {
    g_autofree char *text = gst_value_serialize (gst_value_list_get_value (objects, i));

    test_message ("alive: %s", text);
  }
  ck_assert_uint_eq (gst_value_list_get_size (objects), 0);
  g_list_free_full (tracers, gst_object_unref);
}
END_TEST

int
main (int argc, char **argv)
{
  g_setenv ("GST_TRACERS", "leaks", TRUE);
  test_init (&argc, &argv);
  test_suite ("gst/plugin");
  test_fixture (set_up, tear_down);
  TEST_ADD_LOOP ("inspection", test_inspection, factories);
  TEST_ADD_LOOP ("extremes", test_extremes, factories);
  TEST_ADD_LOOP ("pipeline", test_pipeline, pipeline_rows);
  test_add ("many", test_many);
  test_add ("bad-model", test_bad_model);
  test_add ("leaks", test_leaks);
  return test_run_in_process ();
}
