/* What ensembleclassify does when: sync, async, flush, stop, end of stream, lateness. */
#include "classify-fixture.h"
#include "engine/device-private.h"
#include "ensemble-classify.h"

#define RED 0xff0000
#define GREEN 0x00ff00
#define BLUE 0x0000ff

/* ---- Sync ---- */

static void
test_sync (Classify *classify, gconstpointer data)
{
  static const guint colours[] = {RED, GREEN, BLUE};
  static const char *const names[] = {"red", "green", "blue"};

  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 6; i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, colours[i % 3], i * FRAME);

    g_assert_cmpuint (classify_get_result (out)->pts, ==, i * FRAME);
    g_assert_cmpuint (classify_get_age (out), ==, 0);
    for (guint c = 0; c < 3; c++)
      g_assert_true ((classify_get_probability (out, names[c]) > 0.5F) == (c == i % 3));
  }
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 6);
  g_assert_cmpuint (classify_get_stat (classify, "skipped"), ==, 0);
  g_assert_cmpuint (classify_get_stat (classify, "mean-total"), >, 0);
  g_assert_cmpuint (classify_get_stat (classify, "last-latency"), >=,
                    classify_get_stat (classify, "last-networks"));
}

/* Frames between samples carry the latest result, with its age. */
static void
test_interval (Classify *classify, gconstpointer data)
{
  g_object_set (classify->element, "inference-interval", 3, NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 7; i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, RED, i * FRAME);

    g_assert_cmpuint (classify_get_result (out)->pts, ==, i / 3 * 3 * FRAME);
    g_assert_cmpuint (classify_get_age (out), ==, i % 3 * FRAME);
  }
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 3);
}

static void
test_period (Classify *classify, gconstpointer data)
{
  g_object_set (classify->element, "inference-period", (guint64)5 * FRAME / 2, NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 11; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  /* Frames 0, 3, 5, 8 and 10. */
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 5);
}

static void
test_without_times (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) own = NULL;
  g_autoptr (GstBuffer) later = NULL;

  g_object_set (classify->element, "inference-interval", 2, NULL);
  classify_play_mode (classify, "sync");
  own = classify_push (classify, RED, GST_CLOCK_TIME_NONE);
  later = classify_push (classify, RED, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (classify_get_result (own)->pts, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (classify_get_age (own), ==, 0);
  g_assert_cmpuint (classify_get_age (later), ==, GST_CLOCK_TIME_NONE);
}

/* ---- Async ---- */

/* Video goes on while an analysis is held; of the frames that come meanwhile only the newest is
 * analysed; results ride on later frames. */
static void
test_async (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) out = NULL;

  classify_play_mode (classify, "async");
  gate_close ();
  for (guint i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) untagged = classify_push (classify, i == 0 ? RED : BLUE, i * FRAME);

    g_assert_null (gst_buffer_get_ensemble_meta (untagged));
    if (i == 0)
      gate_wait_arrived (1);
  }
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 0);
  g_assert_cmpuint (classify_get_stat (classify, "skipped"), ==, 8);

  gate_open ();
  while (classify_get_stat (classify, "analysed") < 2)
    g_thread_yield ();
  gate_close ();
  out = classify_push (classify, GREEN, 10 * FRAME);
  g_assert_cmpuint (classify_get_result (out)->pts, ==, 9 * FRAME);
  g_assert_cmpuint (classify_get_age (out), ==, FRAME);
  g_assert_cmpfloat (classify_get_probability (out, "blue"), >, 0.5F);
  g_assert_cmpuint (classify_get_stat (classify, "skipped"), ==, 8);
}

/* Nothing downstream does to a frame changes what is analysed. */
static void
test_async_copies (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *first;

  classify_play_mode (classify, "async");
  gate_close ();
  first = classify_push (classify, RED, 0);
  gate_wait_arrived (1);
  g_assert_true (gst_buffer_is_writable (first) && gst_buffer_is_all_memory_writable (first));
  gst_buffer_memset (first, 0, 0, gst_buffer_get_size (first));
  gst_buffer_unref (first);
  gate_open ();
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  gate_close ();
  out = classify_push (classify, GREEN, FRAME);
  g_assert_cmpfloat (classify_get_probability (out, "red"), >, 0.5F);
}

static void
test_auto (Classify *classify, gconstpointer data)
{
  for (guint live = 0; live < 2; live++) {
    g_autoptr (GstBuffer) out = NULL;

    gst_harness_set_live (classify->harness, live);
    classify_play_mode (classify, "auto");
    gate_close ();
    if (!live)
      gate_open ();
    out = classify_push (classify, RED, 0);
    g_assert_cmpint (gst_buffer_get_ensemble_meta (out) != NULL, ==, !live);
    gate_open ();
    gst_element_set_state (classify->element, GST_STATE_NULL);
  }
}

/* A frame that waits at the end is dropped; the end itself is not held up. */
static void
test_eos (Classify *classify, gconstpointer data)
{
  classify_play_mode (classify, "async");
  gate_close ();
  gst_buffer_unref (classify_push (classify, RED, 0));
  gate_wait_arrived (1);
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  g_assert_true (gst_harness_push_event (classify->harness, gst_event_new_eos ()));
  while (TRUE) {
    g_autoptr (GstEvent) event = gst_harness_pull_event (classify->harness);

    g_assert_nonnull (event);
    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
      break;
  }
  g_assert_cmpuint (classify_get_stat (classify, "skipped"), ==, 1);
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 0);
}

/* ---- Interruptions ---- */

static gpointer
push_frame (gpointer data)
{
  Classify *classify = data;

  return GINT_TO_POINTER (
      gst_harness_push (classify->harness, classify_make_frame (classify, RED, 0)));
}

static void
restart_segment (Classify *classify)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (classify->harness, gst_event_new_segment (&segment));
}

/* A flush frees a frame that waits for its result, and the result never shows. The next frame is
 * due again. */
static void
test_flush_sync (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) out = NULL;
  GThread *thread;

  g_object_set (classify->element, "inference-interval", 100, NULL);
  classify_play_mode (classify, "sync");
  gate_close ();
  thread = g_thread_new ("push", push_frame, classify);
  gate_wait_arrived (1);
  gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_FLUSHING);
  gst_harness_push_event (classify->harness, gst_event_new_flush_stop (TRUE));
  restart_segment (classify);

  gate_open ();
  out = classify_push (classify, GREEN, 0);
  g_assert_cmpfloat (classify_get_probability (out, "green"), >, 0.5F);
}

static void
test_flush_async (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) before = NULL;
  g_autoptr (GstBuffer) after = NULL;

  classify_play_mode (classify, "async");
  gst_buffer_unref (classify_push (classify, RED, 0));
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  gate_close ();
  before = classify_push (classify, RED, FRAME);
  g_assert_nonnull (gst_buffer_get_ensemble_meta (before));
  gate_wait_arrived (1);

  gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
  gst_harness_push_event (classify->harness, gst_event_new_flush_stop (TRUE));
  restart_segment (classify);
  gate_open ();
  gate_wait_left (1);
  while (classify_get_stat (classify, "analysed") < 2)
    g_thread_yield ();
  gate_close ();
  /* What was found before the flush is gone, the analysis that ran through it too. */
  after = classify_push (classify, GREEN, 0);
  g_assert_null (gst_buffer_get_ensemble_meta (after));
}

/* What another file or camera showed does not belong on this one; its first frame is due. */
static void
test_new_stream (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) out = NULL;

  g_object_set (classify->element, "inference-interval", 100, NULL);
  classify_play_mode (classify, "async");
  gst_buffer_unref (classify_push (classify, RED, 0));
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  gate_close ();
  gst_harness_push_event (classify->harness, gst_event_new_stream_start ("another"));
  out = classify_push (classify, GREEN, FRAME);
  g_assert_null (gst_buffer_get_ensemble_meta (out));
  gate_wait_arrived (1);
}

static gpointer
stop_element (gpointer element)
{
  return GINT_TO_POINTER (gst_element_set_state (element, GST_STATE_NULL));
}

/* Stopping lets a waiting frame go at once, and itself waits for the analysis alone. */
static void
test_stop (Classify *classify, gconstpointer data)
{
  GThread *push, *stop;

  classify_play_mode (classify, "sync");
  gate_close ();
  push = g_thread_new ("push", push_frame, classify);
  gate_wait_arrived (1);
  stop = g_thread_new ("stop", stop_element, classify->element);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (push)), ==, GST_FLOW_FLUSHING);
  gate_open ();
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (stop)), ==, GST_STATE_CHANGE_SUCCESS);
}

static void
test_restart (Classify *classify, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out = NULL;

    classify_play_mode (classify, "sync");
    out = classify_push (classify, GREEN, 0);
    g_assert_cmpfloat (classify_get_probability (out, "green"), >, 0.5F);
    g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 1);
    gst_element_set_state (classify->element, i == 1 ? GST_STATE_READY : GST_STATE_NULL);
  }
}

/* ---- Time ---- */

/* Sync mode reports what it adds; async mode adds nothing. */
static void
test_latency (Classify *classify, gconstpointer data)
{
  GstClockTime upstream = 20 * GST_MSECOND;
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_bus (classify->element, bus);
  gst_harness_set_live (classify->harness, TRUE);
  gst_harness_set_upstream_latency (classify->harness, upstream);
  classify_play_mode (classify, "sync");
  g_assert_cmpuint (gst_harness_query_latency (classify->harness), ==, upstream);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  g_assert_cmpuint (gst_harness_query_latency (classify->harness), >, upstream);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  g_assert_nonnull (message);

  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "async");
  g_assert_cmpuint (gst_harness_query_latency (classify->harness), ==, upstream);
  gst_element_set_bus (classify->element, NULL);
  gst_object_unref (bus);
}

/* Frames that downstream can't show in time any more pass without an analysis of their own. */
static void
test_lateness (Classify *classify, gconstpointer data)
{
  static const guint64 analysed[] = {1, 1, 1, 2, 3};

  classify_play_mode (classify, "sync");
  for (guint i = 0; i < G_N_ELEMENTS (analysed); i++) {
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
    g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, analysed[i]);
    if (i == 0)
      gst_harness_push_upstream_event (
          classify->harness,
          gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2, 2 * (GstClockTimeDiff)FRAME, 0));
  }
  g_assert_cmpuint (classify_get_stat (classify, "late"), ==, 2);

  g_object_set (classify->element, "qos", FALSE, NULL);
  gst_harness_push_upstream_event (
      classify->harness,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2, 100 * (GstClockTimeDiff)FRAME, 0));
  gst_buffer_unref (classify_push (classify, RED, 5 * FRAME));
  g_assert_cmpuint (classify_get_stat (classify, "analysed"), ==, 4);
}

static void
test_gap (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBuffer) out = NULL;

  g_object_set (classify->element, "inference-interval", 2, NULL);
  classify_play_mode (classify, "sync");
  gst_buffer_unref (classify_push (classify, RED, 0));
  g_assert_true (gst_harness_push_event (classify->harness, gst_event_new_gap (FRAME, 5 * FRAME)));
  out = classify_push (classify, RED, 6 * FRAME);
  g_assert_cmpuint (classify_get_age (out), ==, 6 * FRAME);
}

/* What goes wrong on the device without stopping the analysis is a warning on the bus. */
static void
test_warning (Classify *classify, gconstpointer data)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;

  gst_element_set_bus (classify->element, bus);
  classify_play_mode (classify, "sync");
  gst_buffer_unref (classify_push (classify, RED, 0));
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  ens_device_warn (ens_ensemble_get_device (GST_ENSEMBLE_CLASSIFY (classify->element)->ensemble),
                   "toy now runs on the CPU: its GPU is gone");
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &warning, NULL);
  g_assert_cmpstr (warning->message, ==, "toy now runs on the CPU: its GPU is gone");
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_element_set_bus (classify->element, NULL);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  CLASSIFY_ADD ("/gst/classify-flow/sync", test_sync);
  CLASSIFY_ADD ("/gst/classify-flow/interval", test_interval);
  CLASSIFY_ADD ("/gst/classify-flow/period", test_period);
  CLASSIFY_ADD ("/gst/classify-flow/without-times", test_without_times);
  CLASSIFY_ADD ("/gst/classify-flow/async", test_async);
  CLASSIFY_ADD ("/gst/classify-flow/async-copies", test_async_copies);
  CLASSIFY_ADD ("/gst/classify-flow/auto", test_auto);
  CLASSIFY_ADD ("/gst/classify-flow/eos", test_eos);
  CLASSIFY_ADD ("/gst/classify-flow/flush-sync", test_flush_sync);
  CLASSIFY_ADD ("/gst/classify-flow/flush-async", test_flush_async);
  CLASSIFY_ADD ("/gst/classify-flow/new-stream", test_new_stream);
  CLASSIFY_ADD ("/gst/classify-flow/stop", test_stop);
  CLASSIFY_ADD ("/gst/classify-flow/restart", test_restart);
  CLASSIFY_ADD ("/gst/classify-flow/latency", test_latency);
  CLASSIFY_ADD ("/gst/classify-flow/lateness", test_lateness);
  CLASSIFY_ADD ("/gst/classify-flow/gap", test_gap);
  CLASSIFY_ADD ("/gst/classify-flow/warning", test_warning);
  return g_test_run ();
}
