/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several elements in one process whose frames share runs of networks: what each one's frames get
 * is what they get alone, whatever becomes of the others. */
#include "classify-fixture.h"

#define N_CAMERAS 4
#define RED 0xff0000
#define GREEN 0x00ff00
#define BLUE 0x0000ff
#define CAPS "video/x-raw, format=RGB, width=32, height=24, framerate=25/1"

/* More than any machine takes for a frame: who waits finds company. */
#define LONG (20 * GST_SECOND)

static const guint colours[N_CAMERAS] = {RED, GREEN, BLUE, 0x808000};

typedef struct {
  Classify classify; /* with the fixture's bundle */
  guint number, n_frames;
  guint n_bad; /* of these, the first ones hold no frame */
  float expected[3], worst;
} Camera;

static void
get_probabilities (GstBuffer *buffer, float *p)
{
  static const char *const names[] = {"red", "green", "blue"};

  for (guint c = 0; c < 3; c++)
    p[c] = classify_get_probability (buffer, names[c]);
}

static void
camera_init (Camera *camera, guint number, guint batch_size, GstClockTime timeout)
{
  Classify *own = &camera->classify;
  g_autoptr (GstBuffer) alone = NULL;

  *camera = (Camera) {.number = number, .n_frames = 10};
  own->element = g_object_new (g_type_from_name ("GstEnsembleClassify"), NULL);
  g_object_set (own->element, "model", classify->bundle, "device", "cpu", "batch-timeout", timeout,
                "tile-tolerance", -1.0F, NULL);
  own->harness = gst_harness_new_with_element (own->element, "sink", "src");
  gst_element_set_state (own->element, GST_STATE_NULL);
  classify_play_mode (own, "sync");
  alone = classify_push (own, colours[number], 0);
  get_probabilities (alone, camera->expected);
  /* The others know of it from its first frame on. */
  g_object_set (own->element, "batch-size", batch_size, "batch-timeout", (guint64)0, NULL);
  gst_buffer_unref (classify_push (own, colours[number], FRAME));
  g_object_set (own->element, "batch-timeout", timeout, NULL);
}

static void
camera_clear (Camera *camera)
{
  gst_harness_teardown (camera->classify.harness);
  gst_object_unref (camera->classify.element);
}

static void
push (Camera *camera, guint i)
{
  GstClockTime pts = (2 + i) * FRAME;
  g_autoptr (GstBuffer) out = NULL;
  float p[3];

  if (i < camera->n_bad) {
    GstBuffer *bad = gst_buffer_new_allocate (NULL, 10, NULL);

    GST_BUFFER_PTS (bad) = pts;
    ck_assert_int_eq (gst_harness_push (camera->classify.harness, bad), GST_FLOW_OK);
    out = gst_harness_pull (camera->classify.harness);
    return;
  }
  out = classify_push (&camera->classify, colours[camera->number], pts);
  ck_assert_uint_eq (classify_get_age (out), 0);
  get_probabilities (out, p);
  for (guint c = 0; c < 3; c++)
    camera->worst = MAX (camera->worst, fabsf (p[c] - camera->expected[c]));
}

static gpointer
play (gpointer data)
{
  Camera *camera = data;

  for (guint i = 0; i < camera->n_frames; i++)
    push (camera, i);
  /* The others no longer wait for it. */
  gst_element_set_state (camera->classify.element, GST_STATE_NULL);
  return NULL;
}

static double
get_mean_batch (Camera *camera)
{
  g_autoptr (GstStructure) stats = NULL;
  double mean = 0;

  g_object_get (camera->classify.element, "stats", &stats, NULL);
  ck_assert (gst_structure_get_double (stats, "mean-batch", &mean));
  return mean;
}

static void
play_all (Camera *cameras, guint n)
{
  GThread *threads[N_CAMERAS];

  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("camera", play, &cameras[i]);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
}

static void
check_camera (Camera *camera, gboolean batched)
{
  ck_assert_double_le (camera->worst, 1e-5);
  ck_assert_uint_eq (classify_get_stat (&camera->classify, "analysed"),
                     2 + camera->n_frames - camera->n_bad);
  ck_assert_int_eq (classify_get_stat (&camera->classify, "batched") > 0, batched);
  ck_assert_int_eq (get_mean_batch (camera) > 1, batched);
}

static const struct {
  const char *name;
  guint n_cameras, size;
  GstClockTime timeout;
  guint n_frames[N_CAMERAS]; /* 0: ten */
  guint n_bad;               /* of the first camera's */
  gboolean batched;
} rows[] = {
    {"off", 2, 1, LONG},
    {"two", 2, 2, LONG, .batched = TRUE},
    {"four", 4, 4, LONG, .batched = TRUE},
    {"four-by-two", 4, 2, LONG, .batched = TRUE},
    {"unequal", 2, 2, 20 * GST_MSECOND, {60, 4}, .batched = TRUE},
    {"bad-frames", 3, 3, 20 * GST_MSECOND, .n_bad = 5, .batched = TRUE},
};

START_TEST (test_cameras)
{
  Camera cameras[N_CAMERAS];

  for (guint i = 0; i < rows[_i].n_cameras; i++) {
    camera_init (&cameras[i], i, rows[_i].size, rows[_i].timeout);
    if (rows[_i].n_frames[i] > 0)
      cameras[i].n_frames = rows[_i].n_frames[i];
  }
  cameras[0].n_bad = rows[_i].n_bad;
  play_all (cameras, rows[_i].n_cameras);
  for (guint i = 0; i < rows[_i].n_cameras; i++) {
    check_camera (&cameras[i], rows[_i].batched);
    camera_clear (&cameras[i]);
  }
}
END_TEST

/* Frames of elements with other settings go together as far as their work is alike. */
START_TEST (test_settings)
{
  Camera cameras[2];

  for (guint i = 0; i < 2; i++) {
    camera_init (&cameras[i], i, 2, LONG);
    cameras[i].n_frames = 3;
  }
  g_object_set (cameras[0].classify.element, "threshold", 0.9F, "windows", 0, NULL);
  play_all (cameras, 2);
  ck_assert_double_le (cameras[1].worst, 1e-5);
  ck_assert_uint_gt (classify_get_stat (&cameras[0].classify, "batched"), 0);
  for (guint i = 0; i < 2; i++)
    camera_clear (&cameras[i]);
}
END_TEST

/* A stream that is flushed while it waits for others does not keep anybody. */
START_TEST (test_flush)
{
  Camera cameras[2];
  GThread *thread;
  GstBuffer *out;

  for (guint i = 0; i < 2; i++)
    camera_init (&cameras[i], i, 2, GST_CLOCK_TIME_NONE / 4);
  gate_close ();
  gst_util_set_object_arg (G_OBJECT (cameras[0].classify.element), "mode", "async");
  ck_assert_int_eq (gst_harness_push (cameras[0].classify.harness,
                                      classify_make_frame (&cameras[0].classify, RED, 2 * FRAME)),
                    GST_FLOW_OK);
  gate_wait_arrived (1);
  gate_open ();
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  gst_harness_push_event (cameras[0].classify.harness, gst_event_new_flush_start ());
  gate_wait_left (1);
  gst_harness_push_event (cameras[0].classify.harness, gst_event_new_flush_stop (TRUE));
  gst_element_set_state (cameras[0].classify.element, GST_STATE_NULL);
  cameras[1].n_frames = 3;
  thread = g_thread_new ("camera", play, &cameras[1]);
  g_thread_join (thread);
  check_camera (&cameras[1], FALSE);
  while ((out = gst_harness_try_pull (cameras[0].classify.harness)) != NULL)
    gst_buffer_unref (out);
  for (guint i = 0; i < 2; i++)
    camera_clear (&cameras[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-batch");
  test_fixture (classify_set_up, classify_tear_down);
  TEST_ADD_ROWS ("cameras", test_cameras, rows);
  test_add ("settings", test_settings);
  test_add ("flush", test_flush);
  return test_run ();
}
