/* The plug-in as users get it: found in a folder, put into pipelines, leaving nothing behind. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "colour-bundle.h"

typedef struct {
  char *folder, *bundle, *results;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  fixture->bundle = colour_bundle_make (fixture->folder);
  fixture->results = g_build_filename (fixture->folder, "results.jsonl", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  colour_bundle_remove (fixture->bundle);
  g_remove (fixture->results);
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->results);
}

/* gst-inspect-1.0 shows what a user needs: every property says what it is. */
static void
test_inspection (Fixture *fixture, gconstpointer data)
{
  static const char *const factories[] = {"ensembleclassify", "ensemblepublish"};

  for (guint i = 0; i < G_N_ELEMENTS (factories); i++) {
    g_autoptr (GstElement) element =
        gst_object_ref_sink (gst_element_factory_make (factories[i], NULL));
    GstElementFactory *factory = gst_element_get_factory (element);
    g_autofree GParamSpec **specs = NULL;
    guint n;

    g_assert_nonnull (gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_LONGNAME));
    g_assert_nonnull (gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_DESCRIPTION));
    g_assert_nonnull (
        strstr (gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS), "Video"));
    g_assert_cmpuint (gst_element_factory_get_num_pad_templates (factory), ==, 2);
    specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
    for (guint p = 0; p < n; p++) {
      g_test_message ("%s.%s", factories[i], specs[p]->name);
      g_assert_nonnull (g_param_spec_get_blurb (specs[p]));
    }
  }
}

/* (transfer full) what ended the pipeline. */
static GstMessage *
run (const char *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = NULL;
  GstMessage *message;

  g_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return message;
}

static guint
count_lines (const char *path)
{
  g_autofree char *text = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  for (const char *c = text; *c != '\0'; c++)
    n += *c == '\n';
  return n;
}

static void
test_pipeline (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *mode, *video, *between;
    guint results; /* 0: any number */
  } rows[] = {
      {"sync", "format=I420, width=160, height=120, framerate=25/1", "identity", 25},
      {"sync", "format=NV12, width=161, height=121, framerate=25/1", "tee ! queue", 25},
      {"sync inference-interval=5", "format=RGB, width=64, height=48, framerate=25/1", "queue", 5},
      {"sync inference-period=200000000", "format=BGRx, width=64, height=48, framerate=25/1",
       "videoscale ! video/x-raw, width=32, height=32 ! videoconvert", 5},
      {"async", "format=I420, width=160, height=120, framerate=25/1", "videoconvert", 0},
      {"auto", "format=GRAY8, width=160, height=120, framerate=25/1", "identity", 25},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *description = g_strdup_printf (
        "videotestsrc num-buffers=25 ! video/x-raw, %s ! "
        "ensembleclassify model=%s device=cpu windows=4 mode=%s ! %s ! "
        "ensemblepublish location=%s ! fakesink",
        rows[i].video, fixture->bundle, rows[i].mode, rows[i].between, fixture->results);
    g_autoptr (GstMessage) message = run (description);

    g_test_message ("%s", description);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    if (rows[i].results > 0)
      g_assert_cmpuint (count_lines (fixture->results), ==, rows[i].results);
    else
      g_assert_cmpuint (count_lines (fixture->results), <=, 25);
  }
}

/* Two streams, two ensembles in a row, and a seek. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autofree char *description = g_strdup_printf (
      "videotestsrc num-buffers=20 ! ensembleclassify model=%s windows=0 mode=sync ! "
      "ensembleclassify model=%s mode=async ! fakesink "
      "videotestsrc num-buffers=20 pattern=ball ! ensembleclassify model=%s ! fakesink",
      fixture->bundle, fixture->bundle, fixture->bundle);
  g_autoptr (GstMessage) message = run (description);

  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
}

static void
test_bad_model (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GstMessage) message =
      run ("videotestsrc ! ensembleclassify model=/nowhere.ensemble ! fakesink");
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "/nowhere.ensemble"));
}

/* Runs last: what GStreamer's own tracer counts as alive after all pipelines are gone. */
static void
test_leaks (void)
{
  GList *tracers = gst_tracing_get_active_tracers ();
  g_autoptr (GstStructure) alive = NULL;
  const GValue *objects;

  g_assert_nonnull (tracers);
  g_signal_emit_by_name (tracers->data, "get-live-objects", &alive);
  objects = gst_structure_get_value (alive, "live-objects-list");
  for (guint i = 0; i < gst_value_list_get_size (objects); i++) {
    g_autofree char *text = gst_value_serialize (gst_value_list_get_value (objects, i));

    g_test_message ("alive: %s", text);
  }
  g_assert_cmpuint (gst_value_list_get_size (objects), ==, 0);
  g_list_free_full (tracers, gst_object_unref);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_setenv ("GST_TRACERS", "leaks", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD ("/gst/plugin/inspection", test_inspection);
  ADD ("/gst/plugin/pipeline", test_pipeline);
  ADD ("/gst/plugin/many", test_many);
  ADD ("/gst/plugin/bad-model", test_bad_model);
  g_test_add_func ("/gst/plugin/leaks", test_leaks);
  return g_test_run ();
}
