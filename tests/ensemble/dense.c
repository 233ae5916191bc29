/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sub-images beside dense evaluation (M1.4): one run of the network, applied convolutionally, over
 * the whole frame. Where a network pads nowhere, each position of its map depends on the pixels of
 * one sub-image alone, so both give the same. */
#include <math.h>

#include "base/files.h"
#include "check-main.h"
#include "classify/linear-classifier.h"
#include "engine/network-private.h"
#include "ensemble/bundle-private.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "toy.h"

#define SIZE 32
#define STRIDE 8
#define SCORES 6
#define CLASSES 3

/* 7 × 5 sub-images every two strides: half of each is its neighbour's. */
#define WIDTH 128
#define HEIGHT 96
#define COLUMNS 7
#define ROWS 5

typedef struct {
  char *folder, *bundle;
  EnsLinearClassifier *linear;
  EnsDevice *device;
  EnsPicture *picture;
} Fixture;

static Fixture *fixture;

static const EnsCalibration calibration[CLASSES] = {{1, 0}, {0.5F, -0.5F}, {2, 0.25F}};
static const EnsNormalise normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}};

/* Without padding. */
static EnsValue *
add_conv (EnsGraph *graph, EnsValue *input, EnsValue *weights, gint64 kernel, gint64 stride)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  EnsValue *value;

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = kernel;
    params.sliding.strides[i] = stride;
  }
  value = ens_graph_apply (graph, ens_op_find ("Conv"), &params, input, weights, NULL);
  return ens_graph_apply (graph, ens_op_find ("Relu"), NULL, value, NULL);
}

/* Two convolutions and a fully connected layer: SIZE × SIZE pixels to scores. */
static EnsGraph *
make_network (void)
{
  const gint64 side = SIZE / STRIDE - 1;
  EnsGraph *graph = ens_graph_new ("unpadded");
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  EnsGemmParams gemm = {.alpha = 1, .beta = 1};
  EnsValue *value =
      ens_graph_add_input (graph, "image", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, SIZE, SIZE, 3));

  value =
      add_conv (graph, value,
                toy_add_weights (graph, random, NULL, &ENS_SHAPE (SCORES, STRIDE, STRIDE, 3), 0.2),
                STRIDE, STRIDE);
  value = add_conv (graph, value,
                    toy_add_weights (graph, random, NULL, &ENS_SHAPE (SCORES, 2, 2, SCORES), 0.2),
                    2, 1);
  value =
      ens_graph_apply (graph, ens_op_find ("Flatten"), &(EnsAxisParams) {.axis = 1}, value, NULL);
  value = ens_graph_apply (
      graph, ens_op_find ("Gemm"), &gemm, value,
      toy_add_weights (graph, random, NULL, &ENS_SHAPE (side * side * SCORES, SCORES), 1),
      toy_add_weights (graph, random, NULL, &ENS_SHAPE (SCORES), 1), NULL);
  ens_graph_rename (graph, value, "scores");
  ens_graph_add_output (graph, value);
  return graph;
}

static EnsLinearClassifier *
make_linear (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (8);
  EnsLinearClassifier *linear = ens_linear_classifier_new (SCORES, CLASSES);

  for (guint i = 0; i < SCORES * CLASSES; i++)
    linear->weights[i] = (float)g_rand_double_range (random, -1, 1);
  for (guint c = 0; c < CLASSES; c++)
    linear->biases[c] = (float)g_rand_double_range (random, -1, 1);
  return linear;
}

static void
write_bundle (const Fixture *fixture)
{
  char *classes[] = {(char *)"disc", (char *)"square", (char *)"triangle", NULL};
  char *taps[] = {(char *)"scores", NULL};
  float thresholds[CLASSES] = {0.5F, 0.5F, 0.5F};
  guint scale = SIZE;
  EnsBundleNetwork network = {.name = (char *)"unpadded",
                              .role = ENS_ROLE_ORIGINAL,
                              .network = (char *)"unpadded.onnx",
                              .classifier = (char *)"classifier.onnx",
                              .taps = taps,
                              .normalise = normalise,
                              .size = SIZE,
                              .scales = &scale,
                              .n_scales = 1,
                              .weight = 1,
                              .calibration = (EnsCalibration *)calibration};
  const EnsBundle bundle = {.name = (char *)"dense",
                            .version = (char *)"1",
                            .classes = classes,
                            .n_classes = CLASSES,
                            .networks = &network,
                            .n_networks = 1,
                            .thresholds = thresholds,
                            .sub_images = {SIZE, 0.5F, 2, COLUMNS * ROWS}};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (fixture->bundle, &error);
  g_autoptr (EnsGraph) graph = make_network ();
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, &error);
  g_autoptr (EnsGraph) head = ens_linear_classifier_to_graph (fixture->linear);
  g_autoptr (GBytes) classifier = ens_onnx_export_bytes (head, &error);

  ck_assert_no_error (error);
  ck_assert (ens_bundle_writer_add (writer, network.network, bytes, NULL));
  ck_assert (ens_bundle_writer_add (writer, network.classifier, classifier, NULL));
  ens_bundle_writer_commit (writer, &bundle, &error);
  ck_assert_no_error (error);
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("ensemble-dense-XXXXXX", NULL);
  fixture->bundle = g_build_filename (fixture->folder, "dense.ensemble", NULL);
  fixture->linear = make_linear ();
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->picture = toy_picture (2, 1, WIDTH, HEIGHT);
  write_bundle (fixture);
}

static void
tear_down (void)
{
  ens_picture_unref (fixture->picture);
  ens_device_unref (fixture->device);
  ens_linear_classifier_free (fixture->linear);
  ens_remove_tree (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

/* The scores of all positions, rows × columns × SCORES. (transfer full) */
static float *
run_densely (const Fixture *fixture, guint *n_columns, guint *n_rows)
{
  g_autofree char *path = g_build_filename (fixture->bundle, "unpadded.onnx", NULL);
  g_autofree float *pixels = g_new (float, WIDTH *HEIGHT * 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  const EnsShape *shape;
  float *scores;

  network = ens_network_load_convolutional (path, SIZE, fixture->device, &error);
  ck_assert_no_error (error);
  plan = ens_network_plan (network, &ENS_SHAPE (1, HEIGHT, WIDTH, 3), &error);
  ck_assert_no_error (error);
  shape = ens_plan_get_output_shape (plan, 0);
  *n_rows = (guint)shape->dims[1];
  *n_columns = (guint)shape->dims[2];
  scores = g_new (float, ens_shape_elements (shape));
  ens_frame_resize (&fixture->picture->frame, &ENS_RECT_WHOLE, 1, WIDTH, HEIGHT, &normalise,
                    ens_device_get_pool (fixture->device), pixels);
  ck_assert (ens_plan_run (plan, (gconstpointer[]) {pixels}, (gpointer[]) {scores}, NULL));
  return scores;
}

static double
get_probability (const EnsLinearClassifier *linear, const float *scores, guint class)
{
  double t = linear->biases[class];

  for (guint i = 0; i < SCORES; i++)
    t += (double)linear->weights[class * SCORES + i] * scores[i];
  return 1 / (1 + exp (-(calibration[class].a * t + calibration[class].b)));
}

START_TEST (test_agreement)
{
  g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, fixture->device, NULL);
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autoptr (EnsResult) result =
      ens_analysis_run (analysis, &fixture->picture->frame, 0, NULL, NULL);
  guint n_columns, n_rows;
  g_autofree float *scores = run_densely (fixture, &n_columns, &n_rows);
  double largest = 0, spread = 0;

  ck_assert_uint_eq (result->map->columns, COLUMNS);
  ck_assert_uint_eq (result->map->rows, ROWS);
  ck_assert_uint_eq (n_columns, 2 * COLUMNS - 1);
  ck_assert_uint_eq (n_rows, 2 * ROWS - 1);
  for (guint s = 0; s < COLUMNS * ROWS; s++)
    for (guint c = 0; c < CLASSES; c++) {
      guint position = 2 * (s / COLUMNS) * n_columns + 2 * (s % COLUMNS);
      double dense = get_probability (fixture->linear, &scores[position * SCORES], c);
      double found = result->map->probabilities[s * CLASSES + c];

      largest = MAX (largest, fabs (found - dense));
      spread = MAX (spread, fabs (found - result->map->probabilities[c]));
    }
  test_message ("largest difference of probability %.2g; the map spans %.2g", largest, spread);
  ck_assert_double_lt (largest, 1e-5);
  ck_assert_double_gt (spread, 0.01);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/dense");
  test_fixture (set_up, tear_down);
  test_add ("agreement", test_agreement);
  return test_run ();
}
