/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify-fixture.h"

#include "colour-bundle.h"
#include "ensemble-classify.h"
#include "ensemble/ensemble.h"

/* ---- Gate ---- */

static struct {
  GMutex lock;
  GCond changed;
  gboolean closed, failing;
  guint arrived, left, cancelled;
} gate;

/* The linker puts these in place of the elements' calls (--wrap). */
EnsResult *__real_ens_analysis_run (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                                    const EnsAnalyseOptions *options, GError **error);
EnsResult *__wrap_ens_analysis_run (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                                    const EnsAnalyseOptions *options, GError **error);

EnsResult *
__wrap_ens_analysis_run (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                         const EnsAnalyseOptions *options, GError **error)
{
  EnsResult *result = NULL;
  gboolean failing;

  g_mutex_lock (&gate.lock);
  gate.arrived++;
  g_cond_broadcast (&gate.changed);
  while (gate.closed)
    g_cond_wait (&gate.changed, &gate.lock);
  gate.cancelled += g_cancellable_is_cancelled (options->cancellable);
  failing = gate.failing;
  g_mutex_unlock (&gate.lock);

  if (failing)
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE, "no memory is left for this test");
  else
    result = __real_ens_analysis_run (analysis, frame, pts, options, error);

  g_mutex_lock (&gate.lock);
  gate.left++;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
  return result;
}

void
gate_close (void)
{
  g_mutex_lock (&gate.lock);
  gate.closed = TRUE;
  gate.arrived = gate.left = gate.cancelled = 0;
  g_mutex_unlock (&gate.lock);
}

void
gate_open (void)
{
  g_mutex_lock (&gate.lock);
  gate.closed = FALSE;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

void
gate_set_failing (gboolean failing)
{
  g_mutex_lock (&gate.lock);
  gate.failing = failing;
  g_mutex_unlock (&gate.lock);
}

void
gate_wait_arrived (guint n)
{
  g_mutex_lock (&gate.lock);
  while (gate.arrived < n)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

guint
gate_count_cancelled (void)
{
  guint n;

  g_mutex_lock (&gate.lock);
  n = gate.cancelled;
  g_mutex_unlock (&gate.lock);
  return n;
}

void
gate_wait_left (guint n)
{
  g_mutex_lock (&gate.lock);
  while (gate.left < n)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

/* ---- Element ---- */

Classify *classify;

void
classify_set_up (void)
{
  classify = g_new0 (Classify, 1);
  classify->folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  classify->bundle = colour_bundle_make (classify->folder);
  classify->element = g_object_new (GST_TYPE_ENSEMBLE_CLASSIFY, NULL);
  g_object_set (classify->element, "model", classify->bundle, "device", "cpu", NULL);
  classify->harness = gst_harness_new_with_element (classify->element, "sink", "src");
  /* The harness has set it playing already. */
  gst_element_set_state (classify->element, GST_STATE_NULL);
}

static gint element_ended;

static void
note_end (gpointer data, GObject *element)
{
  g_atomic_int_set (&element_ended, TRUE);
}

/* Threads that stopping does not wait for hold the element: they must have ended before GStreamer
 * itself does, which gstcheck's programs see to at their exit. */
static void
wait_for_end (GstElement *element)
{
  const gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
  g_autoptr (GstBus) bus = gst_element_get_bus (element);

  /* Messages hold it too. */
  if (bus != NULL)
    gst_bus_set_flushing (bus, TRUE);
  g_atomic_int_set (&element_ended, FALSE);
  g_object_weak_ref (G_OBJECT (element), note_end, NULL);
  gst_object_unref (element);
  while (!g_atomic_int_get (&element_ended) && g_get_monotonic_time () < deadline)
    g_usleep (1000);
  ck_assert_msg (g_atomic_int_get (&element_ended), "something holds the element for ever");
}

void
classify_tear_down (void)
{
  gate_open ();
  gate_set_failing (FALSE);
  gst_harness_teardown (classify->harness);
  wait_for_end (classify->element);
  colour_bundle_remove (classify->folder);
  g_free (classify->folder);
  g_free (classify->bundle);
  g_clear_pointer (&classify, g_free);
}

void
classify_play (Classify *classify, const char *caps)
{
  if (GST_STATE (classify->element) != GST_STATE_PLAYING) {
    gst_harness_play (classify->harness);
    gst_harness_push_event (classify->harness, gst_event_new_stream_start ("video"));
  }
  gst_harness_set_caps_str (classify->harness, caps, caps);
}

void
classify_play_mode (Classify *classify, const char *mode)
{
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", mode);
  classify_play (classify, "video/x-raw, format=RGB, width=32, height=24, framerate=25/1");
}

static void
fill (GstVideoFrame *video, guint colour)
{
  const guint8 rgb[] = {colour >> 16, colour >> 8 & 0xff, colour & 0xff};
  guint8 components[4] = {rgb[0], rgb[1], rgb[2], 255};

  if (!GST_VIDEO_INFO_IS_RGB (&video->info)) {
    components[0] = (guint8)(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
    components[1] = (guint8)(128 + 0.492 * (rgb[2] - components[0]));
    components[2] = (guint8)(128 + 0.877 * (rgb[0] - components[0]));
  }
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (video); c++) {
    guint8 *data = GST_VIDEO_FRAME_COMP_DATA (video, c);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (video, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (video, c); x++)
        data[y * GST_VIDEO_FRAME_COMP_STRIDE (video, c)
             + x * GST_VIDEO_FRAME_COMP_PSTRIDE (video, c)] = components[c];
  }
}

static void
get_info (Classify *classify, GstVideoInfo *info)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (classify->harness->srcpad);

  ck_assert (gst_video_info_from_caps (info, caps));
}

void
classify_fill_frame (Classify *classify, GstBuffer *buffer, guint colour)
{
  GstVideoFrame video;
  GstVideoInfo info;

  get_info (classify, &info);
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  fill (&video, colour);
  gst_video_frame_unmap (&video);
}

GstBuffer *
classify_make_frame (Classify *classify, guint colour, GstClockTime pts)
{
  GstBuffer *buffer;
  GstVideoInfo info;

  get_info (classify, &info);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  classify_fill_frame (classify, buffer, colour);
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = FRAME;
  return buffer;
}

GstBuffer *
classify_push (Classify *classify, guint colour, GstClockTime pts)
{
  ck_assert_int_eq (
      gst_harness_push (classify->harness, classify_make_frame (classify, colour, pts)),
      GST_FLOW_OK);
  return gst_harness_pull (classify->harness);
}

guint64
classify_get_stat (Classify *classify, const char *field)
{
  g_autoptr (GstStructure) stats = NULL;
  const GValue *value;

  g_object_get (classify->element, "stats", &stats, NULL);
  value = gst_structure_get_value (stats, field);
  ck_assert_ptr_nonnull (value);
  return G_VALUE_HOLDS_UINT64 (value) ? g_value_get_uint64 (value)
                                      : (guint64)g_value_get_int64 (value);
}

const EnsResult *
classify_get_result (GstBuffer *buffer)
{
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (buffer);

  ck_assert_ptr_nonnull (meta);
  return gst_ensemble_meta_get_result (meta);
}

GstClockTime
classify_get_age (GstBuffer *buffer)
{
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (buffer);

  ck_assert_ptr_nonnull (meta);
  return gst_ensemble_meta_get_age (meta);
}

float
classify_get_probability (GstBuffer *buffer, const char *class_name)
{
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (buffer);
  float p = -1;

  ck_assert_ptr_nonnull (meta);
  ck_assert (gst_ensemble_meta_get_probability (meta, class_name, &p, NULL));
  return p;
}
