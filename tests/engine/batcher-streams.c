/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "batcher-streams.h"

#include "base/fail.h"
#include "build.h"
#include "engine/jobs.h"
#include "support/picture.h"

static const EnsNormalise normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}};

/* ---- A gate before runs of several frames ---- */

StreamGate gate;

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

void
gate_set (gboolean closed)
{
  g_mutex_lock (&gate.lock);
  gate.closed = closed;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

void
gate_await (guint n)
{
  g_mutex_lock (&gate.lock);
  while (gate.arrived < n)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

/* ---- Streams ---- */

/* Its square root is that of what float16 can't hold. */
static EnsValue *
build_overflow (Builder *b, EnsValue *x)
{
  x = build (b, "Mul", NULL, x, build_number (b, 1000), NULL);
  return build (b, "Sqrt", NULL, build (b, "Mul", NULL, x, x, NULL), NULL);
}

static EnsNetwork *
make_network (EnsDevice *device, NetworkKind kind)
{
  g_auto (Builder) b;
  EnsValue *input, *x;
  EnsNetwork *network;
  g_autoptr (GError) error = NULL;

  builder_init (&b, 1);
  input = build_input (&b, &ENS_SHAPE (1, STREAM_SIZE, STREAM_SIZE, 3));
  x = build_conv (&b, input, (ConvRow) {.filters = STREAM_FILTERS, .kernel = 3});
  x = build_flatten (&b, build (&b, "GlobalAveragePool", NULL, x, NULL));
  if (kind == MIXES)
    x = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = 0}, x, NULL);
  if (kind == OVERFLOWS)
    x = build_overflow (&b, x);
  ens_graph_add_output (b.graph, x);
  input->shape.dims[0] = -1;
  network = ens_network_new (g_steal_pointer (&b.graph), device, &error);
  ck_assert_no_error (error);
  return network;
}

void
fixture_init_on (Fixture *fixture, EnsDevice *device, NetworkKind kind)
{
  *fixture = (Fixture) {ens_batcher_new (), device, ens_device_open ("cpu", 2, NULL)};
  fixture->tolerance = 1e-5;
  if (device == NULL)
    return;
  fixture->network = make_network (device, kind);
  fixture->reference = make_network (fixture->reference_device, kind);
}

void
fixture_init (Fixture *fixture, const char *device, NetworkKind kind)
{
  g_autoptr (GError) error = NULL;

  fixture_init_on (fixture, ens_device_open (device, 2, &error), kind);
  if (fixture->device == NULL)
    test_skip (error->message);
}

void
fixture_clear (Fixture *fixture)
{
  ens_batcher_free (fixture->batcher);
  g_clear_pointer (&fixture->network, ens_network_unref);
  g_clear_pointer (&fixture->reference, ens_network_unref);
  g_clear_pointer (&fixture->device, ens_device_unref);
  g_clear_pointer (&fixture->reference_device, ens_device_unref);
}

/* One frame's images, in as many jobs. */
static gboolean
run_frame (const Stream *stream, EnsNetwork *network, EnsJobs *jobs, const EnsPicture *picture,
           float *results, GError **error)
{
  const EnsShape shape = ENS_SHAPE (stream->images, STREAM_SIZE, STREAM_SIZE, 3);
  g_autoptr (EnsPlan) plan =
      ens_network_plan_cancellable (network, &shape, stream->cancellable, error);
  g_autofree EnsRect *rects = g_new (EnsRect, stream->images);
  EnsJob job = {.plan = plan,
                .network = network,
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

void
stream_init (Stream *stream, const Fixture *fixture, guint number, guint images)
{
  g_autoptr (EnsJobs) jobs = ens_jobs_new (fixture->reference_device, TRUE);
  g_autoptr (EnsPicture) picture = NULL;
  g_autoptr (GError) error = NULL;

  *stream = (Stream) {.fixture = fixture,
                      .seat = ens_batcher_join (fixture->batcher),
                      .number = number,
                      .images = images,
                      .n_frames = 20,
                      .n_per_frame = 2,
                      .settings = {MAX_STREAMS, 2 * G_USEC_PER_SEC},
                      .cancellable = g_cancellable_new (),
                      .expected = g_new (float, images *STREAM_FILTERS),
                      .found = g_new (float, images *STREAM_FILTERS)};
  /* The others know of it from now on. */
  ens_batch_seat_begin (stream->seat, &stream->settings);
  picture = make_picture (stream);
  ck_assert (run_frame (stream, fixture->reference, jobs, picture, stream->expected, &error));
}

void
stream_clear (Stream *stream)
{
  g_clear_pointer (&stream->seat, ens_batch_seat_leave);
  g_clear_object (&stream->cancellable);
  g_free (stream->expected);
  g_free (stream->found);
}
static void
check_found (const Stream *stream)
{
  ck_assert_double_lt (
      relative_error (stream->found, stream->expected, stream->images * STREAM_FILTERS),
      stream->fixture->tolerance);
}

static void
run_one (Stream *stream, EnsJobs *jobs, const EnsPicture *picture)
{
  g_autoptr (GError) error = NULL;
  const EnsJobTimes *times = ens_jobs_get_times (jobs);

  memset (stream->found, 0xff, stream->images * STREAM_FILTERS * sizeof (float));
  if (!run_frame (stream, stream->fixture->network, jobs, picture, stream->found, &error)) {
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
    stream->cancelled = TRUE;
    return;
  }
  stream->n_runs += times->runs;
  stream->n_shared += times->frames;
  stream->planning += times->planning;
  check_found (stream);
}

gpointer
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

void
run_streams (Stream *streams, guint n)
{
  GThread *threads[MAX_STREAMS];

  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("stream", run_stream, &streams[i]);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
}
