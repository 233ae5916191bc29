/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that meet at a batcher: what each gets is what it would get alone, whoever else comes,
 * leaves, or fails. */
#include "batcher-streams.h"

/* ---- Cases ---- */

static const struct {
  const char *name, *device;
  guint n_streams, images[MAX_STREAMS], size;
  gboolean batched; /* whether frames share runs */
} rows[] = {
    {"cpu/one", "cpu", 1, {1}, 4},
    {"cpu/two", "cpu", 2, {1, 1}, 2, TRUE},
    {"cpu/three-of-two", "cpu", 3, {2, 2, 2}, 2, TRUE},
    {"cpu/four", "cpu", 4, {4, 4, 4, 4}, 4, TRUE},
    {"cpu/other-sizes", "cpu", 2, {1, 2}, 4},
    {"cpu/off", "cpu", 2, {1, 1}, 1},
    {"vulkan/two", "vulkan", 2, {1, 1}, 2, TRUE},
    {"vulkan/four", "vulkan", 4, {3, 3, 3, 3}, 4, TRUE},
};

START_TEST (test_streams)
{
  g_auto (Fixture) fixture = {NULL};
  Stream streams[MAX_STREAMS];
  guint shared = 0, runs = 0;

  fixture_init (&fixture, rows[_i].device, PLAIN);
  if (fixture.device == NULL)
    return;
  for (guint i = 0; i < rows[_i].n_streams; i++) {
    stream_init (&streams[i], &fixture, i, rows[_i].images[i]);
    streams[i].settings = (EnsBatchSettings) {rows[_i].size, 10 * G_TIME_SPAN_MILLISECOND};
  }
  run_streams (streams, rows[_i].n_streams);
  for (guint i = 0; i < rows[_i].n_streams; i++) {
    ck_assert_uint_eq (streams[i].n_runs, 40);
    runs += streams[i].n_runs;
    shared += streams[i].n_shared;
    stream_clear (&streams[i]);
  }
  ck_assert_int_eq (shared > runs, rows[_i].batched);
}
END_TEST

/* One with many frames and one with few: both get theirs. */
START_TEST (test_rates)
{
  g_auto (Fixture) fixture = {NULL};
  Stream streams[2];

  fixture_init (&fixture, "cpu", PLAIN);
  for (guint i = 0; i < 2; i++) {
    stream_init (&streams[i], &fixture, i, 1);
    streams[i].settings.timeout = 0;
  }
  streams[0].n_frames = 300;
  streams[1].n_frames = 10;
  run_streams (streams, 2);
  ck_assert_uint_eq (streams[0].n_runs, 600);
  ck_assert_uint_eq (streams[1].n_runs, 20);
  for (guint i = 0; i < 2; i++)
    stream_clear (&streams[i]);
}
END_TEST

static const struct {
  const char *name, *device;
  guint n;      /* that are cancelled */
  gboolean end; /* they get the batch's end, and its result */
} cancel_rows[] = {
    {"cpu/one", "cpu", 1},
    {"cpu/two", "cpu", 2},
    {"cpu/all", "cpu", 3},
    {"vulkan/one", "vulkan", 1, TRUE},
    {"vulkan/two", "vulkan", 2, TRUE},
    {"vulkan/all", "vulkan", 3, TRUE},
};

/* A stream that is cancelled while its batch runs leaves at once, and the batch ends for the
 * others; where all are cancelled, so is the batch. A GPU reads their frames: there they stay. */
START_TEST (test_cancel)
{
  const guint n_cancelled = cancel_rows[_i].n;
  g_auto (Fixture) fixture = {NULL};
  Stream streams[3];
  GThread *threads[3];

  fixture_init (&fixture, cancel_rows[_i].device, PLAIN);
  if (fixture.device == NULL)
    return;
  for (guint i = 0; i < 3; i++) {
    stream_init (&streams[i], &fixture, i, 1);
    streams[i].settings = (EnsBatchSettings) {3, 60 * G_USEC_PER_SEC};
    streams[i].n_frames = streams[i].n_per_frame = 1;
  }
  gate_set (TRUE);
  for (guint i = 0; i < 3; i++)
    threads[i] = g_thread_new ("stream", run_stream, &streams[i]);
  gate_await (1);
  for (guint i = 0; i < n_cancelled; i++)
    g_cancellable_cancel (streams[i].cancellable);
  if (cancel_rows[_i].end)
    gate_set (FALSE);
  for (guint i = 0; i < n_cancelled; i++)
    g_thread_join (threads[i]);
  gate_set (FALSE);
  for (guint i = n_cancelled; i < 3; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 3; i++) {
    const gboolean left = i < n_cancelled && !cancel_rows[_i].end;

    ck_assert_int_eq (streams[i].cancelled, left);
    ck_assert_uint_eq (streams[i].n_shared, left ? 0 : 3);
    stream_clear (&streams[i]);
  }
}
END_TEST

/* Whoever waits for others that never come can be cancelled. */
START_TEST (test_cancel_waiting)
{
  g_auto (Fixture) fixture = {NULL};
  Stream stream;
  EnsBatchSeat *other;
  GThread *thread;

  fixture_init (&fixture, "cpu", PLAIN);
  other = ens_batcher_join (fixture.batcher);
  ens_batch_seat_begin (other, &(EnsBatchSettings) {2, 0});
  stream_init (&stream, &fixture, 0, 1);
  stream.settings.timeout = 60 * G_USEC_PER_SEC;
  thread = g_thread_new ("stream", run_stream, &stream);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  g_cancellable_cancel (stream.cancellable);
  g_thread_join (thread);
  ck_assert (stream.cancelled);
  ens_batch_seat_leave (other);
  stream_clear (&stream);
}
END_TEST

/* Where a run of several fails, or would mix them, each runs alone. */
START_TEST (test_alone)
{
  const gboolean mixes = _i == 1; /* planned, and refused, once; else given up after some runs */
  g_auto (Fixture) fixture = {NULL};
  Stream streams[2];

  fixture_init (&fixture, "cpu", mixes ? MIXES : PLAIN);
  gate.failing = TRUE;
  for (guint i = 0; i < 2; i++) {
    stream_init (&streams[i], &fixture, i, N_IMAGES_ALONE);
    streams[i].settings = (EnsBatchSettings) {2, 10 * G_TIME_SPAN_MILLISECOND};
  }
  run_streams (streams, 2);
  ck_assert_int_eq (gate.arrived > 0, !mixes);
  ck_assert_uint_ge (gate.n_planned, 1);
  ck_assert_uint_le (gate.n_planned, mixes ? 1 : 8);
  for (guint i = 0; i < 2; i++) {
    ck_assert_uint_eq (streams[i].n_runs, 40);
    ck_assert_uint_eq (streams[i].n_shared, 40);
    stream_clear (&streams[i]);
  }
}
END_TEST

/* Of which a batch may have more than one frame. */
static const struct {
  const char *name;
  guint n_parts, images[3];
  gboolean several;
} works[] = {
    {"one", 1, {1}, TRUE},
    {"different", 3, {1, 2, 3}, TRUE},
    {"twice-the-same", 3, {1, 2, 1}, FALSE},
};

START_TEST (test_most)
{
  g_auto (Fixture) fixture = {NULL};
  EnsShape shapes[3];
  EnsBatchPart parts[3];
  EnsBatchWork work = {parts, works[_i].n_parts, NULL};

  fixture_init (&fixture, "cpu", PLAIN);
  for (guint i = 0; i < works[_i].n_parts; i++) {
    shapes[i] = ENS_SHAPE (works[_i].images[i], STREAM_SIZE, STREAM_SIZE, 3);
    parts[i] = (EnsBatchPart) {.network = fixture.network, .shapes = &shapes[i]};
  }
  ck_assert_int_eq (ens_batch_work_get_most (&work) > 1, works[_i].several);
}
END_TEST

/* Where so many frames are too much, fewer are batched. */
START_TEST (test_too_large)
{
  g_auto (Fixture) fixture = {NULL};
  Stream streams[3];
  guint shared = 0, runs = 0;

  fixture_init (&fixture, "cpu", PLAIN);
  for (guint i = 0; i < 3; i++)
    stream_init (&streams[i], &fixture, i, 1);
  gate.most = 2;
  run_streams (streams, 3);
  for (guint i = 0; i < 3; i++) {
    runs += streams[i].n_runs;
    shared += streams[i].n_shared;
    stream_clear (&streams[i]);
  }
  ck_assert_uint_eq (gate.n_refused, 1);
  ck_assert_uint_eq (runs, 120);
  ck_assert_uint_gt (shared, runs);
}
END_TEST

/* What planning a batch takes is said to be that, whether it can be planned or not, and once. */
START_TEST (test_planning)
{
  g_auto (Fixture) fixture = {NULL};
  Stream streams[2];

  fixture_init (&fixture, "cpu", PLAIN);
  for (guint i = 0; i < 2; i++) {
    stream_init (&streams[i], &fixture, i, N_IMAGES_ALONE);
    streams[i].settings = (EnsBatchSettings) {2, 60 * G_USEC_PER_SEC};
    streams[i].n_frames = streams[i].n_per_frame = 1;
  }
  gate.planning = 20 * G_TIME_SPAN_MILLISECOND;
  gate.most = _i == 1 ? N_IMAGES_ALONE : 0;
  run_streams (streams, 2);
  ck_assert_uint_eq (gate.n_planned, 1);
  for (guint i = 0; i < 2; i++) {
    ck_assert_int_ge (streams[i].planning, 1000 * gate.planning);
    stream_clear (&streams[i]);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/batcher");
  TEST_ADD_ROWS ("streams", test_streams, rows);
  TEST_ADD_ROWS ("most", test_most, works);
  test_add ("rates", test_rates);
  TEST_ADD_ROWS ("cancel", test_cancel, cancel_rows);
  test_add ("cancel-waiting", test_cancel_waiting);
  test_add_row ("alone", "fails", test_alone, 0);
  test_add_row ("alone", "mixes", test_alone, 1);
  test_add ("too-large", test_too_large);
  test_add_row ("planning", "done", test_planning, 0);
  test_add_row ("planning", "refused", test_planning, 1);
  return test_run ();
}
