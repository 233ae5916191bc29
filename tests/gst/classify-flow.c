/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ensembleclassify does when: sync, async, flush, stop, end of stream, lateness. */
#include "classify-fixture.h"
#include "engine/device-private.h"
#include "ensemble-classify.h"
#include "ensemble/frame-windows.h"
#include "ensemble/member.h"

#define RED 0xff0000
#define GREEN 0x00ff00
#define BLUE 0x0000ff

/* ---- Sync ---- */

START_TEST (test_sync)
{
  static const guint colours[] = {RED, GREEN, BLUE};
  static const char *const names[] = {"red", "green", "blue"};

  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 6; i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, colours[i % 3], i * FRAME);

    ck_assert_uint_eq (classify_get_result (out)->pts, i * FRAME);
    ck_assert_uint_eq (classify_get_age (out), 0);
    for (guint c = 0; c < 3; c++)
      ck_assert ((classify_get_probability (out, names[c]) > 0.5F) == (c == i % 3));
  }
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 6);
  ck_assert_uint_eq (classify_get_stat (classify, "skipped"), 0);
  ck_assert_uint_gt (classify_get_stat (classify, "mean-total"), 0);
  ck_assert_uint_ge (classify_get_stat (classify, "last-latency"),
                     classify_get_stat (classify, "last-networks"));
}
END_TEST

/* Frames between samples carry the latest result, with its age. */
START_TEST (test_interval)
{
  g_object_set (classify->element, "inference-interval", 3, NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 7; i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, RED, i * FRAME);

    ck_assert_uint_eq (classify_get_result (out)->pts, i / 3 * 3 * FRAME);
    ck_assert_uint_eq (classify_get_age (out), i % 3 * FRAME);
  }
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 3);
}
END_TEST

START_TEST (test_period)
{
  g_object_set (classify->element, "inference-period", (guint64)5 * FRAME / 2, NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 11; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  /* Frames 0, 3, 5, 8 and 10. */
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 5);
}
END_TEST

START_TEST (test_without_times)
{
  g_autoptr (GstBuffer) own = NULL;
  g_autoptr (GstBuffer) later = NULL;

  g_object_set (classify->element, "inference-interval", 2, NULL);
  classify_play_mode (classify, "sync");
  own = classify_push (classify, RED, GST_CLOCK_TIME_NONE);
  later = classify_push (classify, RED, GST_CLOCK_TIME_NONE);
  ck_assert_uint_eq (classify_get_result (own)->pts, GST_CLOCK_TIME_NONE);
  ck_assert_uint_eq (classify_get_age (own), 0);
  ck_assert_uint_lt (classify_get_age (later), 60 * GST_SECOND); /* by the clock on the wall */
}
END_TEST

/* ---- Async ---- */

/* Video goes on while an analysis is held; of the frames that come meanwhile only the newest is
 * analysed; results ride on later frames. */
START_TEST (test_async)
{
  g_autoptr (GstBuffer) out = NULL;

  classify_play_mode (classify, "async");
  gate_close ();
  for (guint i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) untagged = classify_push (classify, i == 0 ? RED : BLUE, i * FRAME);

    ck_assert_ptr_null (gst_buffer_get_ensemble_meta (untagged));
    if (i == 0)
      gate_wait_arrived (1);
  }
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 0);
  ck_assert_uint_eq (classify_get_stat (classify, "skipped"), 8);

  gate_open ();
  while (classify_get_stat (classify, "analysed") < 2)
    g_thread_yield ();
  gate_close ();
  out = classify_push (classify, GREEN, 10 * FRAME);
  ck_assert_uint_eq (classify_get_result (out)->pts, 9 * FRAME);
  ck_assert_uint_eq (classify_get_age (out), FRAME);
  ck_assert_double_gt (classify_get_probability (out, "blue"), 0.5F);
  ck_assert_uint_eq (classify_get_stat (classify, "skipped"), 8);
}
END_TEST

/* Nothing downstream does to a frame changes what is analysed. */
START_TEST (test_async_copies)
{
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *first;

  classify_play_mode (classify, "async");
  gate_close ();
  first = classify_push (classify, RED, 0);
  gate_wait_arrived (1);
  ck_assert (gst_buffer_is_writable (first) && gst_buffer_is_all_memory_writable (first));
  gst_buffer_memset (first, 0, 0, gst_buffer_get_size (first));
  gst_buffer_unref (first);
  gate_open ();
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  gate_close ();
  out = classify_push (classify, GREEN, FRAME);
  ck_assert_double_gt (classify_get_probability (out, "red"), 0.5F);
}
END_TEST

START_TEST (test_auto)
{
  for (guint live = 0; live < 2; live++) {
    g_autoptr (GstBuffer) out = NULL;

    gst_harness_set_live (classify->harness, live);
    classify_play_mode (classify, "auto");
    gate_close ();
    if (!live)
      gate_open ();
    out = classify_push (classify, RED, 0);
    ck_assert_int_eq (gst_buffer_get_ensemble_meta (out) != NULL, !live);
    gate_open ();
    gst_element_set_state (classify->element, GST_STATE_NULL);
  }
}
END_TEST

/* A frame that waits at the end is dropped; the end itself is not held up. */
START_TEST (test_eos)
{
  classify_play_mode (classify, "async");
  gate_close ();
  gst_buffer_unref (classify_push (classify, RED, 0));
  gate_wait_arrived (1);
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  ck_assert (gst_harness_push_event (classify->harness, gst_event_new_eos ()));
  while (TRUE) {
    g_autoptr (GstEvent) event = gst_harness_pull_event (classify->harness);

    ck_assert_ptr_nonnull (event);
    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
      break;
  }
  ck_assert_uint_eq (classify_get_stat (classify, "skipped"), 1);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 0);
}
END_TEST

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
START_TEST (test_flush_sync)
{
  g_autoptr (GstBuffer) out = NULL;
  GThread *thread;

  g_object_set (classify->element, "inference-interval", 100, NULL);
  classify_play_mode (classify, "sync");
  gate_close ();
  thread = g_thread_new ("push", push_frame, classify);
  gate_wait_arrived (1);
  gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  gst_harness_push_event (classify->harness, gst_event_new_flush_stop (TRUE));
  restart_segment (classify);

  gate_open ();
  out = classify_push (classify, GREEN, 0);
  ck_assert_double_gt (classify_get_probability (out, "green"), 0.5F);
}
END_TEST

START_TEST (test_flush_async)
{
  g_autoptr (GstBuffer) before = NULL;
  g_autoptr (GstBuffer) after = NULL;

  classify_play_mode (classify, "async");
  gst_buffer_unref (classify_push (classify, RED, 0));
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  gate_close ();
  before = classify_push (classify, RED, FRAME);
  ck_assert_ptr_nonnull (gst_buffer_get_ensemble_meta (before));
  gate_wait_arrived (1);

  gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
  gst_harness_push_event (classify->harness, gst_event_new_flush_stop (TRUE));
  restart_segment (classify);
  gate_open ();
  gate_wait_left (1);
  ck_assert_uint_eq (gate_count_cancelled (), 1);
  gate_close ();
  /* What was found before the flush is gone, and that the analysis did not end is no failure. */
  after = classify_push (classify, GREEN, 0);
  ck_assert_ptr_null (gst_buffer_get_ensemble_meta (after));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 1);
  ck_assert_uint_eq (classify_get_stat (classify, "failed"), 0);
}
END_TEST

/* What another file or camera showed does not belong on this one; its first frame is due. */
START_TEST (test_new_stream)
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
  ck_assert_ptr_null (gst_buffer_get_ensemble_meta (out));
  gate_wait_arrived (1);
}
END_TEST

/* What funnel and input-selector send when another source's turn comes: its sticky events. */
static void
begin_turn (const char *source)
{
  gst_harness_push_event (classify->harness, gst_event_new_stream_start (source));
}

/* Each of the sources is sampled as if it were alone. */
START_TEST (test_sources_in_turn)
{
  static const char *const sources[] = {"front", "back"};

  g_object_set (classify->element, "inference-period", (guint64)5 * FRAME, NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 50; i++) {
    begin_turn (sources[i % 2]);
    gst_buffer_unref (classify_push (classify, RED, i % 2 * 1000 * GST_SECOND + i / 2 * FRAME));
  }
  /* Frames 0, 5, 10, 15 and 20 of each; one source's come after the other one has begun. */
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 11);
}
END_TEST

/* One source's frame does not end the analysis of another's. */
START_TEST (test_sources_in_turn_async)
{
  classify_play_mode (classify, "async");
  begin_turn ("front");
  gst_buffer_unref (classify_push (classify, RED, 0));
  begin_turn ("back");
  gst_buffer_unref (classify_push (classify, RED, 0));
  gate_close ();
  begin_turn ("front");
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  gate_wait_arrived (1);
  begin_turn ("back");
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  gate_open ();
  gate_wait_left (1);
  ck_assert_uint_eq (gate_count_cancelled (), 0);
}
END_TEST

static gpointer
stop_element (gpointer element)
{
  return GINT_TO_POINTER (gst_element_set_state (element, GST_STATE_NULL));
}

/* Stopping lets a waiting frame go at once, and cancels the analysis. */
START_TEST (test_stop)
{
  GThread *push, *stop;

  classify_play_mode (classify, "sync");
  gate_close ();
  push = g_thread_new ("push", push_frame, classify);
  gate_wait_arrived (1);
  stop = g_thread_new ("stop", stop_element, classify->element);
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (push)), GST_FLOW_FLUSHING);
  gate_open ();
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (stop)), GST_STATE_CHANGE_SUCCESS);
  ck_assert_uint_eq (gate_count_cancelled (), 1);
}
END_TEST

/* Analyses that have begun, held before their networks run. */
static struct {
  GMutex lock;
  GCond changed;
  gboolean holds, holding;
  guint n_networks; /* that have begun */
} inside;

/* The linker puts these in place of the analysis's own calls (--wrap). */
EnsFrameWindows *__real_ens_frame_windows_search (const EnsFrameWindowsSource *source);
EnsFrameWindows *__wrap_ens_frame_windows_search (const EnsFrameWindowsSource *source);

EnsFrameWindows *
__wrap_ens_frame_windows_search (const EnsFrameWindowsSource *source)
{
  g_mutex_lock (&inside.lock);
  inside.holding = TRUE;
  g_cond_broadcast (&inside.changed);
  while (inside.holds)
    g_cond_wait (&inside.changed, &inside.lock);
  g_mutex_unlock (&inside.lock);
  return __real_ens_frame_windows_search (source);
}

gboolean __real_ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images,
                                           float *values, GError **error);
gboolean __wrap_ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images,
                                           float *values, GError **error);

gboolean
__wrap_ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images, float *values,
                                  GError **error)
{
  g_mutex_lock (&inside.lock);
  inside.n_networks++;
  g_mutex_unlock (&inside.lock);
  return __real_ens_member_jobs_run_whole (jobs, images, values, error);
}

static void
hold_inside (gboolean holds)
{
  g_mutex_lock (&inside.lock);
  inside.holds = holds;
  if (holds)
    inside.holding = FALSE;
  inside.n_networks = 0;
  g_cond_broadcast (&inside.changed);
  g_mutex_unlock (&inside.lock);
}

static void
wait_held_inside (void)
{
  g_mutex_lock (&inside.lock);
  while (!inside.holding)
    g_cond_wait (&inside.changed, &inside.lock);
  g_mutex_unlock (&inside.lock);
}

/* Of an analysis that is under way nothing runs any more, and it is no failure. */
START_TEST (test_stop_inside)
{
  g_autoptr (GstBuffer) out = NULL;
  GThread *push, *stop;

  classify_play_mode (classify, "sync");
  hold_inside (TRUE);
  push = g_thread_new ("push", push_frame, classify);
  wait_held_inside ();
  stop = g_thread_new ("stop", stop_element, classify->element);
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (push)), GST_FLOW_FLUSHING);
  hold_inside (FALSE);
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (stop)), GST_STATE_CHANGE_SUCCESS);
  ck_assert_uint_eq (inside.n_networks, 0);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 0);
  ck_assert_uint_eq (classify_get_stat (classify, "failed"), 0);

  classify_play_mode (classify, "sync");
  out = classify_push (classify, GREEN, 0);
  ck_assert_uint_gt (inside.n_networks, 0);
  ck_assert_double_gt (classify_get_probability (out, "green"), 0.5F);
}
END_TEST

/* Who asks after the end learns what there was. */
START_TEST (test_stats)
{
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  gst_element_set_state (classify->element, GST_STATE_NULL);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 3);
  ck_assert_uint_gt (classify_get_stat (classify, "mean-total"), 0);
  classify_play_mode (classify, "sync");
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 0);
}
END_TEST

START_TEST (test_restart)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out = NULL;

    classify_play_mode (classify, "sync");
    out = classify_push (classify, GREEN, 0);
    ck_assert_double_gt (classify_get_probability (out, "green"), 0.5F);
    ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 1);
    gst_element_set_state (classify->element, i == 1 ? GST_STATE_READY : GST_STATE_NULL);
  }
}
END_TEST

/* ---- Time ---- */

/* Sync mode reports what it adds; async mode adds nothing. */
START_TEST (test_latency)
{
  GstClockTime upstream = 20 * GST_MSECOND;
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_bus (classify->element, bus);
  gst_harness_set_live (classify->harness, TRUE);
  gst_harness_set_upstream_latency (classify->harness, upstream);
  classify_play_mode (classify, "sync");
  ck_assert_uint_eq (gst_harness_query_latency (classify->harness), upstream);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
  ck_assert_uint_gt (gst_harness_query_latency (classify->harness), upstream);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  ck_assert_ptr_nonnull (message);

  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "async");
  ck_assert_uint_eq (gst_harness_query_latency (classify->harness), upstream);
  gst_element_set_bus (classify->element, NULL);
  gst_object_unref (bus);
}
END_TEST

/* Frames that downstream can't show in time any more pass without an analysis of their own. */
START_TEST (test_lateness)
{
  static const guint64 analysed[] = {1, 1, 1, 2, 3};

  classify_play_mode (classify, "sync");
  for (guint i = 0; i < G_N_ELEMENTS (analysed); i++) {
    gst_buffer_unref (classify_push (classify, RED, i * FRAME));
    ck_assert_uint_eq (classify_get_stat (classify, "analysed"), analysed[i]);
    if (i == 0)
      gst_harness_push_upstream_event (
          classify->harness,
          gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2, 2 * (GstClockTimeDiff)FRAME, 0));
  }
  ck_assert_uint_eq (classify_get_stat (classify, "late"), 2);

  g_object_set (classify->element, "qos", FALSE, NULL);
  gst_harness_push_upstream_event (
      classify->harness,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2, 100 * (GstClockTimeDiff)FRAME, 0));
  gst_buffer_unref (classify_push (classify, RED, 5 * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 4);
}
END_TEST

START_TEST (test_gap)
{
  g_autoptr (GstBuffer) out = NULL;

  g_object_set (classify->element, "inference-interval", 2, NULL);
  classify_play_mode (classify, "sync");
  gst_buffer_unref (classify_push (classify, RED, 0));
  ck_assert (gst_harness_push_event (classify->harness, gst_event_new_gap (FRAME, 5 * FRAME)));
  out = classify_push (classify, RED, 6 * FRAME);
  ck_assert_uint_eq (classify_get_age (out), 6 * FRAME);
}
END_TEST

/* What goes wrong on the device without stopping the analysis is a warning on the bus. */
START_TEST (test_warning)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;

  gst_element_set_bus (classify->element, bus);
  classify_play_mode (classify, "sync");
  gst_buffer_unref (classify_push (classify, RED, 0));
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  ens_device_warn (ens_ensemble_get_device (GST_ENSEMBLE_CLASSIFY (classify->element)->ensemble),
                   "toy now runs on the CPU: its GPU is gone");
  gst_buffer_unref (classify_push (classify, RED, FRAME));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  ck_assert_ptr_nonnull (message);
  gst_message_parse_warning (message, &warning, NULL);
  ck_assert_str_eq (warning->message, "toy now runs on the CPU: its GPU is gone");
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-flow");
  test_fixture (classify_set_up, classify_tear_down);
  test_add ("sync", test_sync);
  test_add ("interval", test_interval);
  test_add ("period", test_period);
  test_add ("without-times", test_without_times);
  test_add ("async", test_async);
  test_add ("async-copies", test_async_copies);
  test_add ("auto", test_auto);
  test_add ("eos", test_eos);
  test_add ("flush-sync", test_flush_sync);
  test_add ("flush-async", test_flush_async);
  test_add ("new-stream", test_new_stream);
  test_add ("sources-in-turn", test_sources_in_turn);
  test_add ("sources-in-turn-async", test_sources_in_turn_async);
  test_add ("stop", test_stop);
  test_add ("stop-inside", test_stop_inside);
  test_add ("stats", test_stats);
  test_add ("restart", test_restart);
  test_add ("latency", test_latency);
  test_add ("lateness", test_lateness);
  test_add ("gap", test_gap);
  test_add ("warning", test_warning);
  return test_run ();
}
