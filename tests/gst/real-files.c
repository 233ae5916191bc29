/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clips of surveillance cameras through the plug-in, and photographs through the decoder. */
#include <glib/gstdio.h>
#include <gst/gst.h>

#include "check-main.h"
#include "colour-bundle.h"
#include "decode.h"
#include "engine/network.h"

typedef struct {
  char *folder, *bundle;
  guint n_frames;
  guint64 analysed, skipped;
  GArray *probabilities; /* double, of all classes of all frames, or NULL */
} Stream;

static void
note_probabilities (GstBuffer *buffer, GArray *probabilities)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstEnsembleMeta");
  GVariantIter iter;
  double probability;

  ck_assert_ptr_nonnull (meta);
  g_variant_iter_init (&iter, g_value_get_variant (gst_structure_get_value (
                                  gst_custom_meta_get_structure (meta), "probabilities")));
  while (g_variant_iter_next (&iter, "{sd}", NULL, &probability))
    g_array_append_val (probabilities, probability);
}

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = data;

  stream->n_frames++;
  if (stream->probabilities != NULL)
    note_probabilities (GST_PAD_PROBE_INFO_BUFFER (info), stream->probabilities);
  return GST_PAD_PROBE_OK;
}

static void
play (Stream *stream, const char *clip, const char *properties)
{
  g_autofree char *description = g_strdup_printf (
      "filesrc location=%s/video/%s ! decodebin ! videoconvert ! ensembleclassify name=tagger "
      "model=%s windows=0 %s ! fakesink",
      g_getenv ("ENSEMBLE_TEST_DATA"), clip, stream->bundle, properties);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstElement) tagger = gst_bin_get_by_name (GST_BIN (pipeline), "tagger");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (tagger, "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstStructure) stats = NULL;

  ck_assert_no_error (error);
  stream->n_frames = 0;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, stream, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_object_get (tagger, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "analysed", &stream->analysed);
  gst_structure_get_uint64 (stats, "skipped", &stream->skipped);
}

START_TEST (test_clips)
{
  static const struct {
    const char *name;
    guint n_frames;
  } clips[] = {{"vtest.avi", 795},
               {"car-detection.mp4", 377},
               {"bottle-detection.mp4", 1189},
               {"one-by-one-person-detection.mp4", 1394}};
  Stream stream = {.folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL)};

  stream.bundle = colour_bundle_make (stream.folder);
  for (guint i = 0; i < G_N_ELEMENTS (clips); i++) {
    test_message ("%s", clips[i].name);
    play (&stream, clips[i].name, "mode=sync inference-interval=20");
    ck_assert_uint_eq (stream.n_frames, clips[i].n_frames);
    ck_assert_uint_eq (stream.analysed, (clips[i].n_frames + 19) / 20);
    ck_assert_uint_eq (stream.skipped, 0);

    play (&stream, clips[i].name, "mode=async");
    ck_assert_uint_eq (stream.n_frames, clips[i].n_frames);
    ck_assert_uint_gt (stream.analysed, 0);
    ck_assert_uint_eq (stream.analysed + stream.skipped, stream.n_frames);
  }
  colour_bundle_remove (stream.folder);
  g_free (stream.folder);
  g_free (stream.bundle);
}
END_TEST

static gboolean
has_vulkan (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open ("vulkan", 1, &error);

  return device != NULL;
}

/* A GPU, software if need be, says what the CPU says. */
START_TEST (test_vulkan)
{
  static const char *const properties[] = {"mode=sync inference-interval=50 device=cpu",
                                           "mode=sync inference-interval=50 device=vulkan"};
  Stream stream = {0};
  GArray *probabilities[2];

  if (!has_vulkan ()) {
    test_skip ("no Vulkan here");
    return;
  }
  stream.folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  stream.bundle = colour_bundle_make (stream.folder);
  for (guint i = 0; i < 2; i++) {
    stream.probabilities = probabilities[i] = g_array_new (FALSE, FALSE, sizeof (double));
    play (&stream, "vtest.avi", properties[i]);
  }
  ck_assert_uint_eq (probabilities[0]->len, 3 * stream.n_frames);
  ck_assert_uint_eq (probabilities[1]->len, probabilities[0]->len);
  for (guint i = 0; i < probabilities[0]->len; i++)
    ck_assert_double_eq_tol (g_array_index (probabilities[0], double, i),
                             g_array_index (probabilities[1], double, i), 1e-3);
  for (guint i = 0; i < 2; i++)
    g_array_unref (probabilities[i]);
  colour_bundle_remove (stream.folder);
  g_free (stream.folder);
  g_free (stream.bundle);
}
END_TEST

static guint
read_folder (const EnsFrameOpener *opener, const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *inside = g_build_filename (path, name, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (EnsPicture) picture = NULL;

    if (g_file_test (inside, G_FILE_TEST_IS_DIR)) {
      n += read_folder (opener, inside);
      continue;
    }
    picture = ens_frame_opener_read (opener, inside, &error);
    ck_assert_no_error (error);
    ck_assert (ens_frame_validate (&picture->frame, NULL));
    n++;
  }
  return n;
}

START_TEST (test_photographs)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autofree char *photographs =
      g_build_filename (g_getenv ("ENSEMBLE_TEST_DATA"), "photos", "test", NULL);
  g_autofree char *pictures =
      g_build_filename (g_getenv ("ENSEMBLE_TEST_DATA"), "reference", "inputs", NULL);
  const EnsFrameOpener *opener = gst_ensemble_decoder_get_opener (decoder);

  ck_assert_uint_eq (read_folder (opener, photographs), 200);
  ck_assert_uint_gt (read_folder (opener, pictures), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  if (g_getenv ("ENSEMBLE_TEST_DATA") == NULL) {
    g_print ("1..0 # SKIP ENSEMBLE_TEST_DATA is not set\n");
    return 0;
  }
  test_init (&argc, &argv);
  test_suite ("gst/real-files");
  test_add ("clips", test_clips);
  test_add ("vulkan", test_vulkan);
  test_add ("photographs", test_photographs);
  return test_run ();
}
