/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pulls frames with their tags into an application's own loop, and prints how probable a class is
 * and how bright the frame is: pull-tags SOURCE NAME.ensemble CLASS
 *
 * SOURCE is the address of a camera (rtsp://…), or a file.
 *
 *   cc pull-tags.c -o pull-tags \
 *     $(pkg-config --cflags --libs gstensemble-1.0 gstreamer-app-1.0 gstreamer-video-1.0) */
#include <gst/app/app.h>
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

/* Stands for what the application does with the pixels: the mean of the luminance, 0 to 255. */
static double
measure_brightness (GstSample *sample)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  guint64 sum = 0;

  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample))
      || !gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return 0;
  for (int y = 0; y < info.height; y++) {
    const guint8 *row = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
                        + (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (int x = 0; x < info.width; x++)
      sum += row[x];
  }
  gst_video_frame_unmap (&frame);
  return (double)sum / ((double)info.width * info.height);
}

/* FALSE: the ensemble does not know the class. */
static gboolean
print_sample (GstSample *sample, const char *name)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (buffer);
  gboolean present;
  float p;

  if (meta == NULL) /* a camera's first frames carry no result yet */
    return TRUE;
  if (!gst_ensemble_meta_get_probability (meta, name, &p, &present)) {
    g_printerr ("The ensemble does not know the class “%s”.\n", name);
    return FALSE;
  }
  g_print ("%" GST_TIME_FORMAT "  %s %.2f%s  brightness %.0f\n",
           GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), name, p, present ? " present" : "",
           measure_brightness (sample));
  return TRUE;
}

/* Whether the stream has ended; 1 if it has because something failed, else 0, goes to status. */
static gboolean
has_ended (GstBus *bus, int *status)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_autoptr (GError) error = NULL;

  if (message == NULL)
    return FALSE;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s\n", error->message);
    *status = 1;
  }
  return TRUE;
}

/* The program's exit status. */
static int
pull_samples (GstElement *pipeline, GstAppSink *sink, const char *name)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  int status = 0;

  for (;;) {
    /* With a limit of time: nothing comes from a pipeline that has failed. */
    g_autoptr (GstSample) sample = gst_app_sink_try_pull_sample (sink, GST_SECOND / 10);

    if (sample != NULL && !print_sample (sample, name))
      return 1;
    if (sample == NULL && has_ended (bus, &status))
      return status;
  }
}

static GstElement *
make_pipeline (const char *source, const char *model, GError **error)
{
  g_autofree char *uri =
      gst_uri_is_valid (source) ? g_strdup (source) : gst_filename_to_uri (source, error);
  GstElement *pipeline;
  g_autoptr (GstElement) decoder = NULL, classify = NULL, sink = NULL;

  if (uri == NULL)
    return NULL;
  pipeline = gst_parse_launch_full (
      "uridecodebin name=decoder ! videoconvert ! "
      "video/x-raw,format={I420,NV12,GRAY8} ! ensembleclassify name=classify ! "
      "appsink name=sink max-buffers=2 sync=false",
      NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (pipeline == NULL) /* an element is not installed */
    return NULL;
  decoder = gst_bin_get_by_name (GST_BIN (pipeline), "decoder");
  classify = gst_bin_get_by_name (GST_BIN (pipeline), "classify");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (decoder, "uri", uri, NULL);
  g_object_set (classify, "model", model, NULL);
  /* A camera does not wait for an application that is slow: it gets the newest frames. */
  g_object_set (sink, "drop", !g_str_has_prefix (uri, "file:"), NULL);
  return pipeline;
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) pipeline = NULL, sink = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  gst_init (&argc, &argv);
  if (argc != 4) {
    g_printerr ("Usage: %s SOURCE NAME.ensemble CLASS\n", argv[0]);
    return 2;
  }
  pipeline = make_pipeline (argv[1], argv[2], &error);
  if (pipeline == NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  status = pull_samples (pipeline, GST_APP_SINK (sink), argv[3]);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return status;
}
