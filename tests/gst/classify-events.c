/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* States and events of ensembleclassify: in results, on the bus, and before the buffers that show
 * them. */
#include "classify-fixture.h"

#define RED 0xff0000
#define GREEN 0x00ff00

static GstBus *bus;

static void
set_up (void)
{
  classify_set_up ();
  bus = gst_bus_new ();
  gst_element_set_bus (classify->element, bus);
  gst_util_set_object_arg (G_OBJECT (classify->element), "smoothing", "0");
  gst_util_set_object_arg (G_OBJECT (classify->element), "consensus", "2");
  gst_util_set_object_arg (G_OBJECT (classify->element), "consensus-of", "2");
}

static void
tear_down (void)
{
  classify_tear_down ();
  g_clear_object (&bus);
}

/* "red appeared 40", with the running time in milliseconds, behind @ the frame's time if that is
 * another; of those that left the reason and the duration follow. */
static void
describe (GString *text, const GstStructure *event)
{
  guint64 running_time = 0, duration = 0, pts;
  double probability = -1;

  ck_assert (gst_structure_get_uint64 (event, "pts", &pts));
  ck_assert (gst_structure_get_uint64 (event, "running-time", &running_time));
  ck_assert (gst_structure_get_double (event, "probability", &probability));
  ck_assert_str_eq (gst_structure_get_string (event, "bundle"), "colours");
  ck_assert (probability >= 0 && probability <= 1);
  g_string_append_printf (text, "%s%s %s %" G_GUINT64_FORMAT, text->len > 0 ? ", " : "",
                          gst_structure_get_string (event, "class"),
                          gst_structure_get_string (event, "event"), running_time / GST_MSECOND);
  if (pts != running_time) /* the segment begins at 0 */
    g_string_append_printf (text, "@%" G_GUINT64_FORMAT, pts / GST_MSECOND);
  if (gst_structure_get_uint64 (event, "duration", &duration))
    g_string_append_printf (text, " %s %" G_GUINT64_FORMAT,
                            gst_structure_get_string (event, "reason"), duration / GST_MSECOND);
}

/* Events that have come downstream since, or messages. (transfer full) */
static char *
take_events (void)
{
  GString *text = g_string_new (NULL);
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (classify->harness)) != NULL) {
    if (gst_event_has_name (event, "ensemble-event")) {
      ck_assert (GST_EVENT_IS_SERIALIZED (event) && GST_EVENT_IS_DOWNSTREAM (event));
      describe (text, gst_event_get_structure (event));
    }
    gst_event_unref (event);
  }
  return g_string_free (text, FALSE);
}

static char *
take_messages (void)
{
  GString *text = g_string_new (NULL);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT)) != NULL) {
    const GstStructure *fields = gst_message_get_structure (message);
    const char *event = gst_structure_get_string (fields, "event");

    if (event != NULL) {
      g_autofree char *name = g_strconcat ("class-", event, NULL);

      ck_assert_str_eq (gst_structure_get_name (fields), name);
      describe (text, fields);
    }
    gst_message_unref (message);
  }
  return g_string_free (text, FALSE);
}

static void
expect (const char *expected)
{
  g_autofree char *events = take_events (), *messages = take_messages ();

  ck_assert_str_eq (events, expected);
  ck_assert_str_eq (messages, expected);
}

/* Pushes frame i; returns the state of red in its result. */
static EnsClassState
push (guint colour, guint i)
{
  g_autoptr (GstBuffer) out = classify_push (classify, colour, i * FRAME);
  const EnsResult *result = classify_get_result (out);
  GstEnsembleMeta *meta = gst_buffer_get_ensemble_meta (out);
  g_autofree char *json = gst_ensemble_meta_to_json (meta);

  ck_assert_str_eq (result->classes[0].name, "red");
  ck_assert_contains (json, "\"state\": ");
  return result->classes[0].state;
}

START_TEST (test_states)
{
  classify_play_mode (classify, "sync");
  ck_assert_int_eq (push (RED, 0), ENS_CLASS_UNKNOWN);
  expect ("");
  ck_assert_int_eq (push (RED, 1), ENS_CLASS_PRESENT);
  expect ("red appeared 40");
  ck_assert_int_eq (push (GREEN, 2), ENS_CLASS_PRESENT);
  ck_assert_int_eq (push (RED, 3), ENS_CLASS_PRESENT);
  expect ("");
  ck_assert_int_eq (push (GREEN, 4), ENS_CLASS_PRESENT);
  ck_assert_int_eq (push (GREEN, 5), ENS_CLASS_ABSENT);
  expect ("red left 200 absent 160, green appeared 200");
}
END_TEST

/* What a still frame's vote changes is an event of that frame. */
START_TEST (test_still)
{
  g_object_set (classify->element, "motion", 0.02, NULL);
  classify_play_mode (classify, "sync");
  push (RED, 0);
  push (RED, 1);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), 1);
  expect ("red appeared 40");
}
END_TEST

/* The event comes before the buffer whose result shows it, not only somewhere. */
static GstPadProbeReturn
note_order (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GString *order = data;

  if (GST_IS_BUFFER (info->data))
    g_string_append_c (order, 'b');
  else if (gst_event_has_name (GST_PAD_PROBE_INFO_EVENT (info), "ensemble-event"))
    g_string_append_c (order, 'e');
  return GST_PAD_PROBE_OK;
}

START_TEST (test_order)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (classify->element, "src");
  g_autoptr (GString) order = g_string_new (NULL);
  gulong probe;

  classify_play_mode (classify, "sync");
  probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                             note_order, order, NULL);
  for (guint i = 0; i < 3; i++)
    push (RED, i);
  ck_assert_str_eq (order->str, "bebb");
  gst_pad_remove_probe (pad, probe);
}
END_TEST

/* Settings may change between two frames. */
START_TEST (test_while_playing)
{
  g_autofree char *events = NULL, *messages = NULL;
  gint64 smoothing = 0;
  gint consensus = 0, of = 0;
  float hysteresis = 0;

  classify_play_mode (classify, "sync");
  push (RED, 0);
  push (RED, 1);
  g_object_set (classify->element, "consensus", 1, "consensus-of", 1, "post-messages", FALSE, NULL);
  g_free (take_events ());
  g_free (take_messages ());
  ck_assert_int_eq (push (GREEN, 2), ENS_CLASS_ABSENT);
  events = take_events ();
  messages = take_messages ();
  ck_assert_str_eq (events, "red left 80 absent 40, green appeared 80");
  ck_assert_str_eq (messages, "");
  g_object_set (classify->element, "min-absent", G_GINT64_CONSTANT (1000000000), NULL);
  ck_assert_int_eq (push (RED, 3), ENS_CLASS_ABSENT);
  g_object_set (classify->element, "min-absent", G_GINT64_CONSTANT (-1), "hysteresis", 0.5F, NULL);
  ck_assert_int_eq (push (RED, 4), ENS_CLASS_PRESENT);
  g_object_get (classify->element, "smoothing", &smoothing, "consensus", &consensus, "consensus-of",
                &of, "hysteresis", &hysteresis, NULL);
  ck_assert (smoothing == 0 && consensus == 1 && of == 1 && hysteresis == 0.5F);
}
END_TEST

/* What ends a stretch, and the reason. */
static void
send_eos (void)
{
  gst_harness_push_event (classify->harness, gst_event_new_eos ());
}

static void
send_stream_start (void)
{
  gst_harness_push_event (classify->harness, gst_event_new_stream_start ("another"));
}

static void
flush (void)
{
  gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
  gst_harness_push_event (classify->harness, gst_event_new_flush_stop (TRUE));
  classify_play (classify, "video/x-raw, format=RGB, width=32, height=24, framerate=25/1");
  ck_assert_int_eq (push (GREEN, 2), ENS_CLASS_UNKNOWN);
}

/* What some sources fill an outage with. */
static void
push_empty (void)
{
  GstBuffer *buffer = gst_buffer_new ();

  GST_BUFFER_PTS (buffer) = 10 * GST_SECOND;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  gst_buffer_unref (gst_harness_push_and_pull (classify->harness, buffer));
}

static const struct {
  const char *name;
  void (*end) (void);
  const char *expected;
} end_rows[] = {
    {"eos", send_eos, "red left 40 end 0"},
    {"stream-start", send_stream_start, "red left 40 end 0"},
    {"flush", flush, "red left 40 flush 0"},
    {"empty-buffers", push_empty, "red left 40 gap 0"},
};

START_TEST (test_end)
{
  g_object_set (classify->element, "forget", (guint64)GST_SECOND, NULL);
  classify_play_mode (classify, "sync");
  push (RED, 0);
  push (RED, 1);
  expect ("red appeared 40");
  end_rows[_i].end ();
  expect (end_rows[_i].expected);
}
END_TEST

/* Times in milliseconds, of a segment of four seconds. duration -1: the event has none. */
static const struct {
  const char *name;
  double rate;
  gint64 first, second, start, duration;
  const char *expected;
} gap_rows[] = {
    {"short", 1, 0, 40, 80, 500, ""},
    {"long", 1, 0, 40, 80, 2000, "red left 40 gap 0"},
    {"instant", 1, 0, 40, 2000, -1, "red left 40 gap 0"},
    {"beyond-the-segment", 1, 0, 40, 3000, 5000, "red left 40 gap 0"},
    {"backwards", -1, 3960, 3920, 1900, 2000, "red left 80@3920 gap 0"},
};

/* Time passes although no frames come. */
START_TEST (test_gap)
{
  const gint64 duration = gap_rows[_i].duration;
  GstSegment segment;

  g_object_set (classify->element, "forget", (guint64)GST_SECOND, NULL);
  classify_play_mode (classify, "sync");
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = gap_rows[_i].rate;
  segment.stop = 4 * GST_SECOND;
  gst_harness_push_event (classify->harness, gst_event_new_segment (&segment));
  gst_buffer_unref (classify_push (classify, RED, (GstClockTime)gap_rows[_i].first * GST_MSECOND));
  gst_buffer_unref (classify_push (classify, RED, (GstClockTime)gap_rows[_i].second * GST_MSECOND));
  g_free (take_events ());
  g_free (take_messages ());
  gst_harness_push_event (classify->harness,
                          gst_event_new_gap ((GstClockTime)gap_rows[_i].start * GST_MSECOND,
                                             duration < 0 ? GST_CLOCK_TIME_NONE
                                                          : (GstClockTime)duration * GST_MSECOND));
  expect (gap_rows[_i].expected);
}
END_TEST

/* A minimum duration ends while no frames come. */
START_TEST (test_gap_settles)
{
  g_object_set (classify->element, "min-present", (guint64)GST_SECOND, NULL);
  classify_play_mode (classify, "sync");
  push (RED, 0);
  push (RED, 1);
  push (GREEN, 2);
  push (GREEN, 3);
  expect ("red appeared 40, green appeared 120");
  gst_harness_push_event (classify->harness, gst_event_new_gap (4 * FRAME, 2 * GST_SECOND));
  expect ("red left 1040@120 absent 1000");
}
END_TEST

/* Pads are not active any more: only the bus hears of it. */
START_TEST (test_stop)
{
  g_autofree char *messages = NULL;

  classify_play_mode (classify, "sync");
  push (RED, 0);
  push (RED, 1);
  g_free (take_messages ());
  gst_element_set_state (classify->element, GST_STATE_READY);
  messages = take_messages ();
  ck_assert_str_eq (messages, "red left 40 end 0");
}
END_TEST

/* An analysis that ends after the stream has counts for nothing. */
START_TEST (test_too_late)
{
  g_object_set (classify->element, "consensus", 1, "consensus-of", 1, NULL);
  classify_play_mode (classify, "async");
  gate_close ();
  gst_buffer_unref (classify_push (classify, RED, 0));
  gate_wait_arrived (1);
  gst_harness_push_event (classify->harness, gst_event_new_eos ());
  gate_open ();
  gate_wait_left (1);
  gst_element_set_state (classify->element, GST_STATE_READY);
  expect ("");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-events");
  test_fixture (set_up, tear_down);
  test_add ("states", test_states);
  test_add ("still", test_still);
  test_add ("order", test_order);
  test_add ("while-playing", test_while_playing);
  TEST_ADD_ROWS ("end", test_end, end_rows);
  TEST_ADD_ROWS ("gap", test_gap, gap_rows);
  test_add ("gap-settles", test_gap_settles);
  test_add ("stop", test_stop);
  test_add ("too-late", test_too_late);
  return test_run ();
}
