/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the classes that are present in each frame of a video: read-tags VIDEO NAME.ensemble
 *
 *   cc read-tags.c -o read-tags $(pkg-config --cflags --libs gstensemble-1.0) */
#include <gst/ensemble/ensemble.h>
#include <locale.h>

static void
print_result (const EnsResult *result, GstClockTime pts, GstClockTime age)
{
  g_print ("%" GST_TIME_FORMAT, GST_TIME_ARGS (pts));
  /* Frames that are not analysed themselves carry the result of an earlier one. */
  if (age > 0 && GST_CLOCK_TIME_IS_VALID (age))
    g_print (" (%.2f s old)", (double)age / GST_SECOND);
  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *found = &result->classes[c];

    if (!found->present)
      continue;
    g_print ("  %s %.2f", found->name, found->p);
    if (found->window >= 0) {
      const EnsRect *rect = &result->windows[found->window].rect;

      /* Shares of the frame's width and height. */
      g_print (" at (%.2f, %.2f), %.2f × %.2f", rect->x, rect->y, rect->width, rect->height);
    }
  }
  g_print ("\n");
}

/* Runs in the streaming thread, for every frame that arrives at the sink. */
static GstPadProbeReturn
read_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (buffer);

  /* The first frames of a camera carry none: their analysis is not finished yet. */
  if (meta != NULL)
    print_result (gst_ensemble_meta_get_result (meta), GST_BUFFER_PTS (buffer),
                  gst_ensemble_meta_get_age (meta));
  return GST_PAD_PROBE_OK;
}

static void
set_property (GstElement *pipeline, const char *element_name, const char *property,
              const char *value)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), element_name);

  g_object_set (element, property, value, NULL);
}

/* Until the video ends or something fails. */
static int
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return 0;
  gst_message_parse_error (message, &error, NULL);
  g_printerr ("%s\n", error->message);
  return 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) pipeline = NULL, sink = NULL;
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, ""); /* the terminal's characters */
  gst_init (&argc, &argv);
  if (argc != 3) {
    g_printerr ("Usage: %s VIDEO NAME.ensemble\n", argv[0]);
    return 2;
  }
  pipeline = gst_parse_launch ("filesrc name=source ! decodebin ! videoconvert ! "
                               "ensembleclassify name=classify mode=sync ! fakesink name=sink",
                               &error);
  if (error != NULL) { /* an element is not installed */
    g_printerr ("%s\n", error->message);
    return 1;
  }
  set_property (pipeline, "source", "location", argv[1]);
  set_property (pipeline, "classify", "model", argv[2]);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, read_buffer, NULL, NULL);
  return play (pipeline);
}
