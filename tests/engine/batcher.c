/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that meet at a batcher: what each gets is what it would get alone, whoever else comes,
 * leaves, or fails. */
#include "engine/batcher-private.h"

#include <stdlib.h>

#include "base/fail.h"
#include "build.h"
#include "check-main.h"
#include "engine/jobs.h"
#include "engine/network-private.h"
#include "support/picture.h"

#define SIZE 16
#define FILTERS 8
#define N_STREAMS 4
#define N_IMAGES_ALONE 2 /* of a frame, where batches that are planned count */

static const EnsNormalise normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}};

/* ---- A gate before runs of several frames ---- */

static struct {
  GMutex lock;
  GCond changed;
  gboolean closed, failing;
  guint arrived;
  guint most, n_refused; /* images that can be planned, if not 0, and how often it were more */
  guint n_planned;       /* batches of several frames */
  gint64 planning;       /* what planning one takes at least */
} gate;

/* The linker puts it in place of the batcher's call (--wrap). */
gboolean __real_ens_batch_run_go (EnsBatchRun *run, GCancellable *cancellable, GError **error);
gboolean __wrap_ens_batch_run_go (EnsBatchRun *run, GCancellable *cancellable, GError **error);

gboolean
__wrap_ens_batch_run_go (EnsBatchRun *run, GCancellable *cancellable, GError **error)
{
  gboolean failing;

  g_mutex_lock (&gate.lock);
  gate.arrived++;
  g_cond_broadcast (&gate.changed);
  while (gate.closed)
    g_cond_wait (&gate.changed, &gate.lock);
  failing = gate.failing;
  g_mutex_unlock (&gate.lock);
  if (failing)
    return ens_fail (error, ENS_ERROR_RESOURCE, "test", "no memory is left");
  return __real_ens_batch_run_go (run, cancellable, error);
}

EnsPlan *__real_ens_network_plan_cancellable (EnsNetwork *network, const EnsShape *input_shapes,
                                              GCancellable *cancellable, GError **error);
EnsPlan *__wrap_ens_network_plan_cancellable (EnsNetwork *network, const EnsShape *input_shapes,
                                              GCancellable *cancellable, GError **error);

EnsPlan *
__wrap_ens_network_plan_cancellable (EnsNetwork *network, const EnsShape *input_shapes,
                                     GCancellable *cancellable, GError **error)
{
  gboolean refused, joint = input_shapes->dims[0] > N_IMAGES_ALONE;

  g_mutex_lock (&gate.lock);
  refused = gate.most > 0 && input_shapes->dims[0] > gate.most;
  gate.n_refused += refused;
  gate.n_planned += joint;
  g_mutex_unlock (&gate.lock);
  if (joint)
    g_usleep (gate.planning);
  if (!refused)
    return __real_ens_network_plan_cancellable (network, input_shapes, cancellable, error);
  ens_fail (error, ENS_ERROR_RESOURCE, "test", "no memory is left");
  return NULL;
}

static void
gate_set (gboolean closed)
{
  g_mutex_lock (&gate.lock);
  gate.closed = closed;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

static void
gate_await (guint n)
{
  g_mutex_lock (&gate.lock);
  while (gate.arrived < n)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

/* ---- Streams ---- */

typedef struct {
  EnsBatcher *batcher;
  EnsDevice *device;
  EnsNetwork *network;
} Fixture;

typedef struct {
  const Fixture *fixture;
  EnsBatchSeat *seat;
  guint number, images;        /* at a time */
  guint n_frames, n_per_frame; /* and how often for each */
  EnsBatchSettings settings;
  GCancellable *cancellable;
  float *expected, *found; /* of a run */
  /* After it has ended: */
  guint n_runs, n_shared; /* runs, and the sum of frames in them */
  gint64 planning;        /* that they have waited for, in ns */
  gboolean cancelled;
} Stream;

/* mixes: what it makes of an image depends on the other ones. */
static EnsNetwork *
make_network (EnsDevice *device, gboolean mixes)
{
  g_auto (Builder) b;
  EnsValue *input, *x;
  EnsNetwork *network;
  g_autoptr (GError) error = NULL;

  builder_init (&b, 1);
  input = build_input (&b, &ENS_SHAPE (1, SIZE, SIZE, 3));
  x = build_conv (&b, input, (ConvRow) {.filters = FILTERS, .kernel = 3});
  x = build_flatten (&b, build (&b, "GlobalAveragePool", NULL, x, NULL));
  if (mixes)
    x = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = 0}, x, NULL);
  ens_graph_add_output (b.graph, x);
  input->shape.dims[0] = -1;
  network = ens_network_new (g_steal_pointer (&b.graph), device, &error);
  ck_assert_no_error (error);
  return network;
}

static void
fixture_init (Fixture *fixture, const char *device, gboolean mixes)
{
  g_autoptr (GError) error = NULL;

  *fixture = (Fixture) {ens_batcher_new (), ens_device_open (device, 2, &error)};
  if (fixture->device == NULL)
    test_skip (error->message);
  else
    fixture->network = make_network (fixture->device, mixes);
}

static void
fixture_clear (Fixture *fixture)
{
  ens_batcher_free (fixture->batcher);
  g_clear_pointer (&fixture->network, ens_network_unref);
  g_clear_pointer (&fixture->device, ens_device_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* One frame's images, in as many jobs. */
static gboolean
run_frame (const Stream *stream, EnsJobs *jobs, const EnsPicture *picture, float *results,
           GError **error)
{
  const EnsShape shape = ENS_SHAPE (stream->images, SIZE, SIZE, 3);
  g_autoptr (EnsPlan) plan =
      ens_network_plan_cancellable (stream->fixture->network, &shape, stream->cancellable, error);
  g_autofree EnsRect *rects = g_new (EnsRect, stream->images);
  EnsJob job = {.plan = plan,
                .network = stream->fixture->network,
                .n_inputs = 1,
                .shapes = &shape,
                .frame = &picture->frame,
                .rects = rects,
                .framing = ENS_FRAMING_STRETCH,
                .normalise = &normalise,
                .outputs = {results}};

  if (plan == NULL)
    return FALSE;
  for (guint i = 0; i < stream->images; i++)
    rects[i] = (EnsRect) {0, 0, 1 / (1 + (float)i), 1};
  ens_jobs_discard (jobs);
  return ens_jobs_add (jobs, &job, error) && ens_jobs_run (jobs, error);
}

static EnsPicture *
make_picture (const Stream *stream)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, 40, 32);

  test_picture_fill_random (picture, stream->number);
  return picture;
}

static void
stream_init (Stream *stream, const Fixture *fixture, guint number, guint images)
{
  g_autoptr (EnsJobs) jobs = ens_jobs_new (fixture->device, TRUE);
  g_autoptr (EnsPicture) picture = NULL;
  g_autoptr (GError) error = NULL;

  *stream = (Stream) {.fixture = fixture,
                      .seat = ens_batcher_join (fixture->batcher),
                      .number = number,
                      .images = images,
                      .n_frames = 20,
                      .n_per_frame = 2,
                      .settings = {N_STREAMS, 2 * G_USEC_PER_SEC},
                      .cancellable = g_cancellable_new (),
                      .expected = g_new (float, images *FILTERS),
                      .found = g_new (float, images *FILTERS)};
  /* The others know of it from now on. */
  ens_batch_seat_begin (stream->seat, &stream->settings);
  picture = make_picture (stream);
  ck_assert (run_frame (stream, jobs, picture, stream->expected, &error));
}

static void
stream_clear (Stream *stream)
{
  g_clear_pointer (&stream->seat, ens_batch_seat_leave);
  g_clear_object (&stream->cancellable);
  g_free (stream->expected);
  g_free (stream->found);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stream, stream_clear)

static void
check_found (const Stream *stream)
{
  for (guint i = 0; i < stream->images * FILTERS; i++)
    ck_assert_double_eq_tol (stream->found[i], stream->expected[i], 1e-5);
}

static void
run_one (Stream *stream, EnsJobs *jobs, const EnsPicture *picture)
{
  g_autoptr (GError) error = NULL;
  const EnsJobTimes *times = ens_jobs_get_times (jobs);

  memset (stream->found, 0xff, stream->images * FILTERS * sizeof (float));
  if (!run_frame (stream, jobs, picture, stream->found, &error)) {
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
    stream->cancelled = TRUE;
    return;
  }
  stream->n_runs += times->runs;
  stream->n_shared += times->frames;
  stream->planning += times->planning;
  check_found (stream);
}

static gpointer
run_stream (gpointer data)
{
  Stream *stream = data;
  g_autoptr (EnsJobs) jobs = ens_jobs_new (stream->fixture->device, TRUE);
  g_autoptr (EnsPicture) picture = make_picture (stream);

  ens_jobs_set_seat (jobs, stream->seat);
  ens_jobs_set_cancellable (jobs, stream->cancellable);
  for (guint i = 0; i < stream->n_frames && !stream->cancelled; i++) {
    ens_batch_seat_begin (stream->seat, &stream->settings);
    for (guint k = 0; k < stream->n_per_frame && !stream->cancelled; k++)
      run_one (stream, jobs, picture);
    ens_batch_seat_end (stream->seat);
  }
  g_clear_pointer (&stream->seat, ens_batch_seat_leave);
  return NULL;
}

static void
run_streams (Stream *streams, guint n)
{
  GThread *threads[N_STREAMS];

  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("stream", run_stream, &streams[i]);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
}

/* ---- Cases ---- */

static const struct {
  const char *name, *device;
  guint n_streams, images[N_STREAMS], size;
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
  Stream streams[N_STREAMS];
  guint shared = 0, runs = 0;

  fixture_init (&fixture, rows[_i].device, FALSE);
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

  fixture_init (&fixture, "cpu", FALSE);
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

/* A stream that is cancelled while its batch runs leaves at once, and the batch ends for the
 * others; where all are cancelled, so is the batch. */
START_TEST (test_cancel)
{
  const guint n_cancelled = (guint)_i + 1;
  g_auto (Fixture) fixture = {NULL};
  Stream streams[3];
  GThread *threads[3];

  fixture_init (&fixture, "cpu", FALSE);
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
  for (guint i = 0; i < n_cancelled; i++)
    g_thread_join (threads[i]);
  gate_set (FALSE);
  for (guint i = n_cancelled; i < 3; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 3; i++) {
    ck_assert_int_eq (streams[i].cancelled, i < n_cancelled);
    ck_assert_uint_eq (streams[i].n_shared, i < n_cancelled ? 0 : 3);
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

  fixture_init (&fixture, "cpu", FALSE);
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

  fixture_init (&fixture, "cpu", mixes);
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

  fixture_init (&fixture, "cpu", FALSE);
  for (guint i = 0; i < works[_i].n_parts; i++) {
    shapes[i] = ENS_SHAPE (works[_i].images[i], SIZE, SIZE, 3);
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

  fixture_init (&fixture, "cpu", FALSE);
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

  fixture_init (&fixture, "cpu", FALSE);
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
  test_add_loop ("cancel", test_cancel, 3);
  test_add ("cancel-waiting", test_cancel_waiting);
  test_add_row ("alone", "fails", test_alone, 0);
  test_add_row ("alone", "mixes", test_alone, 1);
  test_add ("too-large", test_too_large);
  test_add_row ("planning", "done", test_planning, 0);
  test_add_row ("planning", "refused", test_planning, 1);
  return test_run ();
}
