/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sub-images beside dense evaluation (M1.4) on photographs, with real networks. Where convolutions
 * pad, a sub-image by itself ends in zeroes where dense evaluation goes on to its neighbours'
 * pixels; how much that changes its features is printed. tests/ensemble/dense.c has the case
 * without padding, where nothing may change. */
#include <gst/gst.h>
#include <math.h>

#include "check-main.h"
#include "decode.h"
#include "engine/network-private.h"
#include "ensemble/member.h"
#include "onnx/onnx.h"
#include "vision/pixel-layout.h"

/* Sub-images every two positions of the map. */
#define COLUMNS 4
#define ROWS 3
#define STEP 2

typedef struct {
  const char *file, *tap;
  EnsNormalise normalise;
  guint size;   /* of sub-images */
  guint stride; /* pixels between positions of the tapped map */
  guint side;   /* positions of a sub-image in a row of the map */
  guint n_features;
} Case;

static const Case cases[] = {
    {"squeezenet1.1.onnx",
     "fire9/concat",
     {ENS_ORDER_BGR, {104, 117, 123}, {1, 1, 1}},
     227,
     16,
     14,
     512},
    {"mobilenet_v1_0.5_160.onnx",
     "relu6_27",
     {ENS_ORDER_RGB, {127.5F, 127.5F, 127.5F}, {1 / 127.5F, 1 / 127.5F, 1 / 127.5F}},
     160,
     32,
     5,
     512},
};

static const char *const photographs[] = {"000000000009.jpg", "000000000025.jpg",
                                          "000000000034.jpg"};

/* The tapped map of the whole frame. (transfer full) */
static float *
run_densely (const Case *row, const char *path, const EnsFrame *frame, EnsDevice *device,
             EnsShape *shape)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, NULL, &error);
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree float *pixels = g_new (float, (gsize)frame->width * frame->height * 3);
  float *map;

  ck_assert_no_error (error);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, ens_graph_find (graph, row->tap));
  ens_graph_remove_unused (graph);
  network = ens_network_new (g_steal_pointer (&graph), device, &error);
  ck_assert_no_error (error);
  plan = ens_network_plan (network, &ENS_SHAPE (1, frame->height, frame->width, 3), &error);
  ck_assert_no_error (error);
  *shape = *ens_plan_get_output_shape (plan, 0);
  map = g_new (float, (gsize)ens_shape_elements (shape));
  ens_frame_resize (frame, &ENS_RECT_WHOLE, 1, frame->width, frame->height, &row->normalise,
                    ens_device_get_pool (device), pixels);
  ck_assert (ens_plan_run (plan, (gconstpointer[]) {pixels}, (gpointer[]) {map}, NULL));
  return map;
}

/* Features of all sub-images, each by itself. (transfer full) */
static float *
run_singly (const Case *row, const char *path, const EnsFrame *frame, EnsDevice *device)
{
  char *taps[] = {(char *)row->tap, NULL};
  guint scale = row->size;
  const EnsBundleNetwork settings = {.name = (char *)row->file,
                                     .taps = taps,
                                     .normalise = row->normalise,
                                     .size = row->size,
                                     .scales = &scale,
                                     .n_scales = 1};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsMember) member =
      ens_member_new (&(EnsMemberSource) {.settings = &settings, .network = path}, device, &error);
  g_autoptr (EnsMemberJobs) run = NULL;
  EnsRect rects[COLUMNS * ROWS];
  const EnsMemberImages images = {frame, rects, COLUMNS * ROWS, &scale, 1};
  float *features = g_new (float, COLUMNS *ROWS * row->n_features);

  ck_assert_no_error (error);
  ck_assert_uint_eq (ens_member_get_width (member), row->n_features);
  run = ens_member_jobs_new (member);
  for (guint s = 0; s < COLUMNS * ROWS; s++)
    rects[s] = (EnsRect) {(float)(s % COLUMNS * STEP * row->stride) / frame->width,
                          (float)(s / COLUMNS * STEP * row->stride) / frame->height,
                          (float)row->size / frame->width, (float)row->size / frame->height};
  ck_assert (ens_member_jobs_run_whole (run, &images, features, NULL));
  return features;
}

/* The mean over a sub-image's positions in the map. */
static void
average_block (const Case *row, const float *map, const EnsShape *shape, guint s, float *average)
{
  for (guint f = 0; f < row->n_features; f++) {
    double sum = 0;

    for (guint i = 0; i < row->side * row->side; i++) {
      gint64 y = s / COLUMNS * STEP + i / row->side, x = s % COLUMNS * STEP + i % row->side;

      sum += map[(y * shape->dims[2] + x) * row->n_features + f];
    }
    average[f] = (float)(sum / (row->side * row->side));
  }
}

static double
get_cosine (const float *a, const float *b, guint n)
{
  double ab = 0, aa = 0, bb = 0;

  for (guint i = 0; i < n; i++) {
    ab += (double)a[i] * b[i];
    aa += (double)a[i] * a[i];
    bb += (double)b[i] * b[i];
  }
  return ab / sqrt (aa * bb);
}

/* Mean cosine similarities of what both ways give: for the same sub-image, and for different ones.
 */
typedef struct {
  double same, different;
} Similarity;

static Similarity
compare (const Case *row, const float *map, const EnsShape *shape, const float *features)
{
  const guint n = COLUMNS * ROWS;
  g_autofree float *average = g_new (float, row->n_features);
  Similarity mean = {0};

  for (guint s = 0; s < n; s++) {
    average_block (row, map, shape, s, average);
    for (guint t = 0; t < n; t++) {
      double cosine = get_cosine (average, &features[t * row->n_features], row->n_features);

      if (s == t)
        mean.same += cosine / n;
      else
        mean.different += cosine / (n * (n - 1));
    }
  }
  return mean;
}

static void
test_photograph (const Case *row, const char *network, const char *photograph, EnsDevice *device)
{
  const EnsFramePart part = {0, 0, row->size + (COLUMNS - 1) * STEP * row->stride,
                             row->size + (ROWS - 1) * STEP * row->stride};
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPicture) picture =
      ens_frame_opener_read (gst_ensemble_decoder_get_opener (decoder), photograph, &error);
  g_autofree float *map = NULL, *features = NULL;
  Similarity similarity;
  EnsShape shape;
  EnsFrame frame;

  ck_assert_no_error (error);
  ck_assert (picture->frame.width >= part.width && picture->frame.height >= part.height);
  frame = ens_frame_cut (&picture->frame, &part);
  map = run_densely (row, network, &frame, device, &shape);
  features = run_singly (row, network, &frame, device);
  ck_assert_int_eq (shape.dims[2], row->side + (COLUMNS - 1) * STEP);
  ck_assert_int_eq (shape.dims[1], row->side + (ROWS - 1) * STEP);
  similarity = compare (row, map, &shape, features);
  test_message ("%s, %s: cosine similarity of features %.3f, of different sub-images %.3f",
                row->file, photograph, similarity.same, similarity.different);
  ck_assert_double_gt (similarity.same, 0.8);
  ck_assert_double_gt (similarity.same, similarity.different);
}

START_TEST (test_agreement)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  const char *data = g_getenv ("ENSEMBLE_TEST_DATA");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint j = 0; j < G_N_ELEMENTS (photographs); j++) {
      g_autofree char *network = g_build_filename (data, "networks", cases[i].file, NULL);
      g_autofree char *photograph = g_build_filename (data, "boxes", "coco", photographs[j], NULL);

      test_photograph (&cases[i], network, photograph, device);
    }
}
END_TEST

int
main (int argc, char **argv)
{
  if (g_getenv ("ENSEMBLE_TEST_DATA") == NULL) {
    g_print ("1..0 # SKIP ENSEMBLE_TEST_DATA is not set\n");
    return 0;
  }
  test_init (&argc, &argv);
  test_suite ("gst/dense-photographs");
  test_add ("agreement", test_agreement);
  return test_run ();
}
