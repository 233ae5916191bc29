/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that can't be analysed cost their results, never the stream. */
#include "classify-fixture.h"
#include "ensemble-classify.h"

#define RED 0xff0000
#define SIZE (32 * 24 * 3)

/* ---- What applications are told ---- */

static const struct {
  const char *name;
  guint n_before; /* failures for one reason */
  guint64 n;
  const char *reason;
  gint64 pause; /* milliseconds since the last message */
  gboolean told;
} log_rows[] = {
    {"the first", 0, 1, "a", 0, TRUE},
    {"the second", 1, 2, "a", 5000, FALSE},
    {"the tenth", 9, 10, "a", 0, TRUE},
    {"behind the tenth", 10, 11, "a", 5000, FALSE},
    {"several at a time, beyond the tenth", 8, 12, "a", 0, TRUE},
    {"the hundredth", 99, 100, "a", 0, TRUE},
    {"another reason", 3, 4, "b", 2000, TRUE},
    {"another reason again", 3, 4, "b", 10, FALSE},
};

START_TEST (test_log)
{
  GstEnsembleFailureLog log = {0};
  const gint64 start = 1000 * G_TIME_SPAN_SECOND;

  for (guint64 i = 1; i <= log_rows[_i].n_before; i++)
    gst_ensemble_failure_log_add (&log, i, "a", start);
  ck_assert_int_eq (
      gst_ensemble_failure_log_add (&log, log_rows[_i].n, log_rows[_i].reason,
                                    start + log_rows[_i].pause * G_TIME_SPAN_MILLISECOND),
      log_rows[_i].told);
  gst_ensemble_failure_log_clear (&log);
}
END_TEST

/* Reasons often hold a figure: one that is new with every frame is told ever more seldom, but told.
 */
START_TEST (test_log_of_changes)
{
  GstEnsembleFailureLog log = {0};
  guint n_told = 0;

  for (guint64 n = 11; n < 99; n++) {
    g_autofree char *reason = g_strdup_printf ("a buffer of %u bytes", (guint)n);

    n_told += gst_ensemble_failure_log_add (&log, n, reason, (gint64)n * G_TIME_SPAN_SECOND);
  }
  test_message ("%u told", n_told);
  ck_assert_uint_ge (n_told, 4);
  ck_assert_uint_le (n_told, 8);
  gst_ensemble_failure_log_clear (&log);
}
END_TEST

/* ---- Frames ---- */

static const struct {
  const char *name, *mode;
  gssize size;
  GstBufferFlags flags;
  guint failed, unusable;
  gboolean tagged; /* the frame itself */
} frame_rows[] = {
    {"short", "sync", 1000, 0, 1, 0, FALSE},
    {"short", "async", 1000, 0, 1, 0, FALSE},
    {"empty", "sync", 0, 0, 1, 0, FALSE},
    {"empty", "async", 0, 0, 1, 0, FALSE},
    {"empty gap", "sync", 0, GST_BUFFER_FLAG_GAP, 0, 1, FALSE},
    {"gap", "sync", SIZE, GST_BUFFER_FLAG_GAP, 0, 1, TRUE},
    {"corrupted", "sync", SIZE, GST_BUFFER_FLAG_CORRUPTED, 0, 1, TRUE},
    {"larger", "sync", SIZE + 5000, 0, 0, 0, TRUE},
};

/* Only what would have been a sample counts, and the next frame takes its place. */
static const struct {
  const char *frames; /* of which every third is due: . good, ! flagged */
  guint unusable, analysed;
} flagged_rows[] = {{"..!..!..", 0, 3}, {".!!...!!", 2, 2}, {"...!!...", 2, 2}};

static GstBuffer *
push_buffer (gsize size, GstBufferFlags flags, GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_memset (buffer, 0, 0, size);
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_FLAG_SET (buffer, flags);
  return gst_harness_push_and_pull (classify->harness, buffer);
}

START_TEST (test_flagged)
{
  const char *frames = flagged_rows[_i].frames;

  g_object_set (classify->element, "inference-interval", 3, NULL);
  classify_play_mode (classify, "sync");
  for (guint f = 0; frames[f] != '\0'; f++)
    gst_buffer_unref (
        push_buffer (SIZE, frames[f] == '!' ? GST_BUFFER_FLAG_CORRUPTED : 0, f * FRAME));
  ck_assert_uint_eq (classify_get_stat (classify, "unusable"), flagged_rows[_i].unusable);
  ck_assert_uint_eq (classify_get_stat (classify, "analysed"), flagged_rows[_i].analysed);
}
END_TEST

/* As videoconvert does: a warning, and the buffer passes as it is. The frame behind it is analysed.
 */
START_TEST (test_frame)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstBuffer) odd = NULL, next = NULL;
  g_autoptr (GstMessage) warning = NULL;

  gst_element_set_bus (classify->element, bus);
  classify_play_mode (classify, frame_rows[_i].mode);
  gst_buffer_unref (classify_push (classify, RED, 0));
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  odd = push_buffer ((gsize)frame_rows[_i].size, frame_rows[_i].flags, FRAME);
  ck_assert_uint_eq (gst_buffer_get_size (odd), (gsize)frame_rows[_i].size);
  ck_assert_int_eq (gst_buffer_get_ensemble_meta (odd) != NULL, frame_rows[_i].tagged);
  ck_assert_uint_eq (classify_get_stat (classify, "failed"), frame_rows[_i].failed);
  ck_assert_uint_eq (classify_get_stat (classify, "unusable"), frame_rows[_i].unusable);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  ck_assert_int_eq (warning != NULL, frame_rows[_i].failed > 0);
  next = classify_push (classify, RED, 2 * FRAME);
  ck_assert_ptr_nonnull (gst_buffer_get_ensemble_meta (next));
  ck_assert_ptr_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

static const char *const mode_rows[] = {"sync", "async"};

/* An analysis that a limit forbids: a warning for each network when the bundle is opened, one for
 * the first frame, one for the tenth. */
START_TEST (test_analysis)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstMessage *message;
  guint n_warnings = 0;

  g_object_set (classify->element, "max-operations", G_GUINT64_CONSTANT (1), NULL);
  gst_element_set_bus (classify->element, bus);
  classify_play_mode (classify, mode_rows[_i]);
  for (guint i = 0; i < 12; i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, RED, i * FRAME);

    ck_assert_ptr_nonnull (out);
    ck_assert_ptr_null (gst_buffer_get_ensemble_meta (out));
    while (classify_get_stat (classify, "failed") < i + 1)
      g_thread_yield ();
  }
  gst_harness_push_event (classify->harness, gst_event_new_eos ());
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR)) != NULL) {
    ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
    n_warnings++;
    gst_message_unref (message);
  }
  ck_assert_uint_eq (n_warnings, 4);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* ---- Queries ---- */

static const GstState state_rows[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED};

START_TEST (test_allocation)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (classify->element, "sink");
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw,format=RGB,width=32,height=24");
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);

  gst_element_set_state (classify->element, state_rows[_i]);
  if (state_rows[_i] == GST_STATE_NULL)
    ck_assert (!gst_pad_query (pad, query));
  else
    gst_pad_query (pad, query);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-failures");
  test_fixture (classify_set_up, classify_tear_down);
  TEST_ADD_ROWS ("log", test_log, log_rows);
  test_add ("log-of-changes", test_log_of_changes);
  TEST_ADD_LOOP ("frame", test_frame, frame_rows);
  TEST_ADD_LOOP ("flagged", test_flagged, flagged_rows);
  TEST_ADD_LOOP ("analysis", test_analysis, mode_rows);
  TEST_ADD_LOOP ("allocation", test_allocation, state_rows);
  return test_run ();
}
