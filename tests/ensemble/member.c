/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A member's graphs against the same computed step by step from the network's own outputs. */
#include "ensemble/member.h"

#include <math.h>
#include <string.h>

#include "check-main.h"
#include "engine/network-private.h"
#include "ensemble/member-graph.h"
#include "onnx/onnx.h"
#include "toy-member.h"

#define SIZE TOY_SIZE
#define CLASSES TOY_CLASSES
#define CHANNELS TOY_CHANNELS
#define SCORES TOY_CHANNELS
#define FEATURES TOY_FEATURES

typedef struct {
  gboolean fully_connected;
  ToyMember toy;
  EnsDevice *device;
  EnsPicture *picture;
} Fixture;

static Fixture *fixture;

static guint scales[] = {32, 40, 56};

static void
set_up_network (gboolean fully_connected)
{
  fixture = g_new0 (Fixture, 1);
  fixture->fully_connected = fully_connected;
  toy_member_init (&fixture->toy, fully_connected);
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->picture = toy_picture (3, 0, 72, 60);
}

static void
set_up (void)
{
  set_up_network (FALSE);
}

static void
set_up_fully_connected (void)
{
  set_up_network (TOY_FULLY_CONNECTED);
}

static void
tear_down (void)
{
  ens_picture_unref (fixture->picture);
  ens_device_unref (fixture->device);
  toy_member_clear (&fixture->toy);
  g_clear_pointer (&fixture, g_free);
}

static EnsMember *
make_member (const Fixture *fixture, gboolean with_classifiers)
{
  g_autoptr (GError) error = NULL;
  EnsMemberSource source = {.settings = &fixture->toy.settings,
                            .network = fixture->toy.network,
                            .classifier = with_classifiers ? fixture->toy.classifier : NULL,
                            .window_classifier =
                                with_classifiers ? fixture->toy.window_classifier : NULL,
                            .n_classes = CLASSES};
  EnsMember *member = ens_member_new (&source, fixture->device, &error);

  ck_assert_no_error (error);
  return member;
}

/* ---- The same, step by step ---- */

/* The mean over positions of the means over SIZE / 4 × SIZE / 4 squares of the map, which is what
 * an average over all positions of a SIZE × SIZE image becomes in a larger one. */
static void
average_squares (const float *map, guint width, guint height, guint channels, float *average)
{
  const guint side = SIZE / 4;
  guint n = (width - side + 1) * (height - side + 1);

  for (guint c = 0; c < channels; c++) {
    double sum = 0;

    for (guint y = 0; y + side <= height; y++)
      for (guint x = 0; x + side <= width; x++)
        for (guint i = 0; i < side * side; i++)
          sum += map[((y + i / side) * width + x + i % side) * channels + c];
    average[c] = (float)(sum / (n * side * side));
  }
}

static void
average_all (const float *map, guint n, guint channels, float *average)
{
  for (guint c = 0; c < channels; c++) {
    double sum = 0;

    for (guint i = 0; i < n; i++)
      sum += map[i * channels + c];
    average[c] = (float)(sum / n);
  }
}

/* The values of the taps for one image, from the network as it is imported. */
static void
tap_image (const Fixture *fixture, const float *pixels, guint width, guint height, float *features)
{
  g_autoptr (EnsGraph) graph = ens_onnx_import (fixture->toy.network, NULL, NULL);
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree float *map = NULL, *scores = NULL;
  const EnsShape *shape;

  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, ens_graph_find (graph, "relu2"));
  if (fixture->fully_connected)
    ens_graph_add_output (graph, ens_graph_find (graph, "scores"));
  ens_graph_remove_unused (graph);
  network = ens_network_new (g_steal_pointer (&graph), fixture->device, NULL);
  plan = ens_network_plan (network, &ENS_SHAPE (1, height, width, 3), NULL);
  shape = ens_plan_get_output_shape (plan, 0);
  map = g_new (float, (gsize)ens_shape_elements (shape));
  scores = g_new (float, SCORES);
  ck_assert (ens_plan_run (plan, (gconstpointer[]) {pixels}, (gpointer[]) {map, scores}, NULL));
  average_all (map, (guint)(shape->dims[1] * shape->dims[2]), CHANNELS, features);
  if (fixture->fully_connected)
    memcpy (&features[CHANNELS], scores, SCORES * sizeof *scores);
  else
    average_squares (map, (guint)shape->dims[2], (guint)shape->dims[1], CHANNELS,
                     &features[CHANNELS]);
}

/* Taps of a rectangle of the picture at several sizes, averaged. */
static void
expect_features (const Fixture *fixture, const EnsRect *rect, const EnsShape *sizes, guint n_sizes,
                 float *features)
{
  memset (features, 0, FEATURES * sizeof *features);
  for (guint s = 0; s < n_sizes; s++) {
    guint height = (guint)sizes[s].dims[0], width = (guint)sizes[s].dims[1];
    g_autofree float *pixels = g_new (float, width *height * 3);
    float of_size[FEATURES];

    ens_frame_resize (&fixture->picture->frame, rect, 1, width, height,
                      &fixture->toy.settings.normalise, ens_device_get_pool (fixture->device),
                      pixels);
    tap_image (fixture, pixels, width, height, of_size);
    for (guint f = 0; f < FEATURES; f++)
      features[f] += of_size[f] / n_sizes;
  }
}

static void
expect_probabilities (const char *classifier, const EnsCalibration *map, const float *features,
                      float *probabilities)
{
  g_autoptr (EnsGraph) graph = ens_onnx_import (classifier, NULL, NULL);
  const float *weights = NULL, *biases = NULL;

  for (guint i = 0; i < graph->values->len; i++) {
    const EnsValue *value = graph->values->pdata[i];

    if (value->constant == NULL)
      continue;
    if (value->shape.rank == 2)
      weights = value->constant->data;
    else
      biases = value->constant->data;
  }
  for (guint c = 0; c < CLASSES; c++) {
    double t = biases[c];

    for (guint f = 0; f < FEATURES; f++)
      t += (double)weights[c * FEATURES + f] * features[f];
    probabilities[c] = (float)(1 / (1 + exp (-(map[c].a * t + map[c].b))));
  }
}

static void
check_near (const float *found, const float *expected, guint n)
{
  for (guint i = 0; i < n; i++)
    ck_assert_double_eq_tol (found[i], expected[i], 2e-5 * (1 + fabsf (expected[i])));
}

/* The picture is 72 × 60. */
static const EnsShape scaled[] = {ENS_SHAPE (32, 38), ENS_SHAPE (40, 48), ENS_SHAPE (56, 67)};
static const EnsShape squares[] = {ENS_SHAPE (32, 32), ENS_SHAPE (48, 48)};

/* ---- Tests ---- */

static void
run_whole (EnsMemberJobs *run, const EnsFrame *frame, const guint *sides, guint n, float *values)
{
  const EnsMemberImages image = {frame, &ENS_RECT_WHOLE, 1, sides, n};
  g_autoptr (GError) error = NULL;

  ens_member_jobs_run_whole (run, &image, values, &error);
  ck_assert_no_error (error);
}

START_TEST (test_whole)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);

  ck_assert_uint_eq (ens_member_get_width (member), CLASSES);
  for (guint n = 3; n > 0; n--) {
    float features[FEATURES], expected[CLASSES], found[CLASSES];

    expect_features (fixture, &ENS_RECT_WHOLE, scaled, n, features);
    expect_probabilities (fixture->toy.classifier, toy_calibration, features, expected);
    run_whole (run, &fixture->picture->frame, scales, n, found);
    check_near (found, expected, CLASSES);
  }
}
END_TEST

/* 7 rectangles, as rectangular as the picture: batches of 4, 2 and 1. */
START_TEST (test_rectangles)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  EnsRect rects[7];
  const EnsMemberImages images = {&fixture->picture->frame, rects, 7, scales, 3};
  float found[7 * CLASSES];

  for (guint i = 0; i < 7; i++)
    rects[i] = (EnsRect) {i / 12.F, i / 15.F, 0.5F, 0.5F};
  ck_assert (ens_member_jobs_run_whole (run, &images, found, NULL));
  for (guint i = 0; i < 7; i++) {
    float features[FEATURES], expected[CLASSES];

    expect_features (fixture, &rects[i], scaled, 3, features);
    expect_probabilities (fixture->toy.classifier, toy_calibration, features, expected);
    check_near (&found[i * CLASSES], expected, CLASSES);
  }
}
END_TEST

/* 21 windows: batches of 16, 4 and 1. */
START_TEST (test_windows)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  EnsRect windows[21];
  const EnsMemberImages images = {&fixture->picture->frame, windows, 21};
  float found[21 * CLASSES];

  for (guint w = 0; w < 21; w++)
    windows[w] = (EnsRect) {0.03F * w, 0.02F * w, 0.4F, 0.2F + 0.02F * w};
  ck_assert (ens_member_jobs_run_windows (run, &images, found, NULL));
  for (guint w = 0; w < 21; w++) {
    float features[FEATURES], expected[CLASSES];

    expect_features (fixture, &windows[w], squares, 2, features);
    expect_probabilities (fixture->toy.window_classifier, toy_window_calibration, features,
                          expected);
    check_near (&found[w * CLASSES], expected, CLASSES);
  }
}
END_TEST

#define N_WINDOWS 21

/* By a new member, as plans are kept. */
static gboolean
run_windows (gsize memory, guint n, float *values)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  g_autoptr (GError) error = NULL;
  EnsRect windows[N_WINDOWS];
  const EnsMemberImages images = {&fixture->picture->frame, windows, n};

  ens_device_set_limits (fixture->device, &(EnsLimits) {.memory = memory});
  for (guint w = 0; w < n; w++)
    windows[w] = (EnsRect) {0.03F * w, 0.02F * w, 0.4F, 0.2F + 0.02F * w};
  if (ens_member_jobs_run_windows (run, &images, values, &error))
    return TRUE;
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_RESOURCE);
  return FALSE;
}

/* Memory for one image, or two: all are done, as few at a time as fit. */
START_TEST (test_little_memory)
{
  float expected[N_WINDOWS * CLASSES], found[N_WINDOWS * CLASSES];
  gsize memory = 1024;

  ck_assert (run_windows (0, N_WINDOWS, expected));
  while (!run_windows (memory, 1, found))
    memory *= 2;
  ck_assert_uint_gt (memory, 1024);
  ck_assert (run_windows (memory, N_WINDOWS, found));
  check_near (found, expected, N_WINDOWS * CLASSES);
}
END_TEST

START_TEST (test_features)
{
  g_autoptr (EnsMember) member = make_member (fixture, FALSE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  float expected[FEATURES], found[FEATURES];

  ck_assert_uint_eq (ens_member_get_width (member), FEATURES);
  ck_assert (ens_member_takes_windows (member));
  expect_features (fixture, &ENS_RECT_WHOLE, scaled, 3, expected);
  run_whole (run, &fixture->picture->frame, scales, 3, found);
  check_near (found, expected, FEATURES);
  expect_features (fixture, &(EnsRect) {0.25F, 0.125F, 0.5F, 0.5F}, squares, 2, expected);
  ck_assert (ens_member_jobs_run_windows (
      run, &(EnsMemberImages) {&fixture->picture->frame, &(EnsRect) {0.25F, 0.125F, 0.5F, 0.5F}, 1},
      found, NULL));
  check_near (found, expected, FEATURES);
}
END_TEST

/* At its own size the network gives what it always gave; at others it runs convolutionally. */
START_TEST (test_fully_connected)
{
  g_autoptr (EnsMember) member = NULL;
  g_autoptr (EnsMemberJobs) run = NULL;
  g_autoptr (EnsPicture) square = toy_picture (9, 1, 64, 64);
  float expected[FEATURES], found[FEATURES], larger[FEATURES];

  ens_picture_unref (fixture->picture);
  fixture->picture = g_steal_pointer (&square);
  member = make_member (fixture, FALSE);
  run = ens_member_jobs_new (member);
  expect_features (fixture, &ENS_RECT_WHOLE, squares, 1, expected);
  run_whole (run, &fixture->picture->frame, scales, 1, found);
  check_near (found, expected, FEATURES);
  run_whole (run, &fixture->picture->frame, &scales[2], 1, larger);
  for (guint f = 0; f < FEATURES; f++)
    ck_assert (isfinite (larger[f]));
}
END_TEST

/* Networks for other numbers of scales and for windows don't hold the weights once more. */
START_TEST (test_weights_once)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  float found[CLASSES];
  gsize size;

  run_whole (run, &fixture->picture->frame, scales, 3, found);
  size = ens_member_get_weights_size (member);
  run_whole (run, &fixture->picture->frame, scales, 2, found);
  ck_assert (ens_member_jobs_run_windows (
      run, &(EnsMemberImages) {&fixture->picture->frame, &ENS_RECT_WHOLE, 1}, found, NULL));
  /* The window classifiers have joined the common weights, and the network has not done so again.
   */
  ck_assert_uint_gt (ens_member_get_weights_size (member), size);
  ck_assert_uint_le (ens_member_get_weights_size (member),
                     size + 2 * (FEATURES + 16) * 16 * sizeof (float));
}
END_TEST

/* Frames that are longer than four to one are compressed, not spread over the memory. */
START_TEST (test_long_frame)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  g_autoptr (EnsPicture) strip = toy_picture (1, 0, 20000, 2);
  float found[CLASSES];

  run_whole (run, &strip->frame, scales, 3, found);
}
END_TEST

static void
check_error (const Fixture *fixture, const EnsMemberSource *source, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsMember) member = ens_member_new (source, fixture->device, &error);

  ck_assert_ptr_null (member);
  ck_assert_ptr_nonnull (error);
  if (strstr (error->message, message) == NULL)
    ck_abort_msg ("expected a message with “%s”, found “%s”", message, error->message);
}

START_TEST (test_errors)
{
  static char *no_such_tap[] = {(char *)"relu2", (char *)"fc7", NULL};
  static char *other_taps[] = {(char *)"conv1", (char *)"pool", NULL};
  g_autofree char *short_classifier =
      toy_save_classifier (8, 12, CLASSES, test_folder, "short.onnx");
  g_autofree char *few_classes = toy_save_classifier (8, FEATURES, 2, test_folder, "few.onnx");
  EnsMemberSource sound = {&fixture->toy.settings,
                           fixture->toy.network,
                           fixture->toy.classifier,
                           fixture->toy.window_classifier,
                           NULL,
                           CLASSES};
  EnsMemberSource source = sound;
  EnsBundleNetwork settings = fixture->toy.settings;

  source.settings = &settings;
  settings.taps = no_such_tap;
  check_error (
      fixture, &source,
      "toy.onnx: has no value “fc7” to tap; from the output backwards it has prob, scores");
  settings.taps = fixture->toy.settings.taps;
  settings.normalise.order = ENS_ORDER_GRAY;
  check_error (fixture, &source,
               "takes images of 3 channels, but the order says 1; it should be RGB or BGR");
  settings.normalise.order = ENS_ORDER_RGB;
  settings.taps = other_taps;
  source.classifier = short_classifier;
  check_error (fixture, &source, "short.onnx");
  source = sound;
  source.window_classifier = few_classes;
  check_error (fixture, &source, "few.onnx: expected one value for each of 3 classes");
  source = sound;
  source.gate = few_classes;
  check_error (fixture, &source, "few.onnx: expected one value for each of 3 classes");
  source = sound;
  source.network = "/nowhere/net.onnx";
  check_error (fixture, &source, "/nowhere/net.onnx");
}
END_TEST

/* The average over relu2's positions is "pool" already; the largest of each four are not. */
START_TEST (test_defaults)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = ens_member_default_taps (fixture->toy.network, SIZE, &error);

  ck_assert_no_error (error);
  ck_assert_uint_eq (g_strv_length (names), fixture->fully_connected ? ENS_DEFAULT_TAPS : 3);
  ck_assert_str_eq (names[0], "scores");
  ck_assert_str_eq (names[1], "pool");
  ck_assert_str_eq (names[2], fixture->fully_connected ? "relu2" : "relu1");
  ck_assert_uint_eq (ens_member_standard_size (fixture->toy.network, NULL), SIZE);
}
END_TEST

/* ---- Mirror images ---- */

/* (transfer full) */
static EnsPicture *
mirror_picture (const EnsFrame *frame)
{
  EnsPicture *mirror = ens_picture_new (frame->pixels, frame->width, frame->height);
  guint8 *pixels = ens_picture_get_pixels (mirror, 0);

  for (guint y = 0; y < frame->height; y++)
    for (guint x = 0; x < frame->width; x++)
      memcpy (&pixels[y * mirror->frame.strides[0] + 3 * x],
              &frame->planes[0][y * frame->strides[0] + 3 * (frame->width - 1 - x)], 3);
  return mirror;
}

static const EnsRect left_window = {0.1F, 0.2F, 0.4F, 0.5F};

/* Of the whole picture, and of a window. */
static void
find_features (const Fixture *fixture, const EnsFrame *frame, guint n_scales, float *whole,
               float *window)
{
  g_autoptr (EnsMember) member = make_member (fixture, FALSE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);

  run_whole (run, frame, scales, n_scales, whole);
  ck_assert (
      ens_member_jobs_run_windows (run, &(EnsMemberImages) {frame, &left_window, 1}, window, NULL));
}

/* A picture and its mirror image have the same features: the mean of what each has alone. Windows
 * have what they always had. */
START_TEST (test_flip)
{
  g_autoptr (EnsPicture) mirror = mirror_picture (&fixture->picture->frame);
  const EnsFrame *frames[] = {&fixture->picture->frame, &mirror->frame};

  for (guint n_scales = 1; n_scales <= 3; n_scales += 2) {
    float alone[2][FEATURES], both[2][FEATURES], windows[2][2][FEATURES], mean[FEATURES];

    for (guint i = 0; i < 2; i++) {
      fixture->toy.settings.flip = FALSE;
      find_features (fixture, frames[i], n_scales, alone[i], windows[i][0]);
      fixture->toy.settings.flip = TRUE;
      find_features (fixture, frames[i], n_scales, both[i], windows[i][1]);
      ck_assert_bytes_eq (windows[i][0], sizeof windows[i][0], windows[i][1], sizeof windows[i][1]);
    }
    for (guint f = 0; f < FEATURES; f++)
      mean[f] = (alone[0][f] + alone[1][f]) / 2;
    check_near (both[0], mean, FEATURES);
    check_near (both[1], mean, FEATURES);
    ck_assert_double_gt (fabsf (alone[0][FEATURES - 1] - alone[1][FEATURES - 1]), 1e-4);
  }
}
END_TEST

/* ---- Framing ---- */

static void
judge_whole (const Fixture *fixture, const EnsRect *rect, guint n_values, float *values)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  const EnsMemberImages images = {&fixture->picture->frame, rect, 1, scales, 2};
  g_autoptr (GError) error = NULL;

  ck_assert_uint_eq (ens_member_get_width (member), n_values);
  ens_member_jobs_run_whole (run, &images, values, &error);
  ck_assert_no_error (error);
}

static void
judge_window (const Fixture *fixture, const EnsRect *rect, float *values)
{
  g_autoptr (EnsMember) member = make_member (fixture, TRUE);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  const EnsMemberImages images = {&fixture->picture->frame, rect, 1};
  g_autoptr (GError) error = NULL;

  ens_member_jobs_run_windows (run, &images, values, &error);
  ck_assert_no_error (error);
}

/* The square in the middle looked at alone is that square as a frame of its own. */
START_TEST (test_framing)
{
  /* Of 72 × 60. */
  const EnsRect middle = {6 / 72.0F, 0, 60 / 72.0F, 1};
  float expected[CLASSES], stretched[CLASSES], found[CLASSES];

  judge_whole (fixture, &middle, CLASSES, expected);
  fixture->toy.settings.framing = ENS_FRAMING_CROP;
  fixture->toy.settings.crop = 1;
  judge_whole (fixture, &ENS_RECT_WHOLE, CLASSES, found);
  for (guint c = 0; c < CLASSES; c++)
    ck_assert_double_eq_tol (found[c], expected[c], 1e-3);

  judge_window (fixture, &middle, expected);
  judge_window (fixture, &ENS_RECT_WHOLE, stretched);
  fixture->toy.settings.window_framing = ENS_FRAMING_CROP;
  judge_window (fixture, &ENS_RECT_WHOLE, found);
  for (guint c = 0; c < CLASSES; c++)
    ck_assert_double_eq_tol (found[c], expected[c], 1e-3);
  ck_assert (memcmp (found, stretched, sizeof found) != 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/member");
  test_fixture (set_up, tear_down);
  test_add ("whole", test_whole);
  test_add ("rectangles", test_rectangles);
  test_add ("windows", test_windows);
  test_add ("little-memory", test_little_memory);
  test_add ("features", test_features);
  test_add ("weights-once", test_weights_once);
  test_add ("long-frame", test_long_frame);
  test_add ("flip", test_flip);
  test_add ("framing", test_framing);
  test_add ("errors", test_errors);
  test_add ("defaults", test_defaults);
  test_fixture (set_up_fully_connected, tear_down);
  test_add ("fully-connected", test_fully_connected);
  test_add ("flip-fully-connected", test_flip);
  test_add ("defaults-fully-connected", test_defaults);
  return test_run ();
}
