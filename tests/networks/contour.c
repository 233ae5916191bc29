/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contour network: sizes, parameters, gradients, and what is left in a file. */
#include "networks/contour.h"

#include "build.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/registry.h"
#include "train/losses.h"
#include "train/step.h"

/* Few enough channels for operators' references. */
#define SMALL(module, ...)                                                               \
  {                                                                                      \
    .n_levels = 3, .channels = {4, 8, 8}, module, .unify = {__VA_ARGS__}, .n_unified = 2 \
  }

typedef struct {
  const char *name;
  EnsContourParams params;
} NetworkRow;

static const NetworkRow networks[] = {
    {"resnet", SMALL (ENS_CONTOUR_RESNET, 0)},
    {"densenet", SMALL (ENS_CONTOUR_DENSENET, 0)},
    {"senet", SMALL (ENS_CONTOUR_SENET, 0)},
    {"nearest",
     SMALL (ENS_CONTOUR_RESNET, ENS_CONTOUR_NEAREST, ENS_CONTOUR_NEAREST, ENS_CONTOUR_NEAREST)},
    {"transposed", SMALL (ENS_CONTOUR_RESNET, ENS_CONTOUR_TRANSPOSED, ENS_CONTOUR_TRANSPOSED,
                          ENS_CONTOUR_TRANSPOSED)},
    {"mixed",
     SMALL (ENS_CONTOUR_RESNET, ENS_CONTOUR_LINEAR, ENS_CONTOUR_NEAREST, ENS_CONTOUR_TRANSPOSED)},
};

static EnsGraph *
build_network (const EnsContourParams *params)
{
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_contour_new (params, &error);

  ck_assert_no_error (error);
  return graph;
}

static void
assert_shape (const EnsGraph *graph, const char *name, const EnsShape *expected)
{
  const EnsValue *value = ens_graph_find (graph, name);
  g_autofree char *text = ens_shape_to_string (expected), *found = NULL;

  ck_assert_msg (value != NULL, "there is no value “%s”", name);
  found = ens_shape_to_string (&value->shape);
  ck_assert_str_eq (found, text);
}

static const gint64 sizes[][2] = {{32, 48}, {33, 47}, {9, 5}, {1, 2}};

/* Networks × sizes. */
START_TEST (test_shapes)
{
  const EnsContourParams *params = &networks[_i / (int)G_N_ELEMENTS (sizes)].params;
  const gint64 *size = sizes[_i % (int)G_N_ELEMENTS (sizes)];
  g_autoptr (EnsGraph) graph = build_network (params);
  g_autoptr (GError) error = NULL;

  ens_infer_graph (graph, &ENS_SHAPE (2, size[0], size[1], 3), &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < params->n_levels; i++) {
    g_autofree char *level = g_strdup_printf ("level%u", i + 1);
    g_autofree char *unified = g_strdup_printf ("unified%u", i + 1);
    gint64 stride = 1 << i;

    assert_shape (graph, level,
                  &ENS_SHAPE (2, (size[0] + stride - 1) / stride, (size[1] + stride - 1) / stride,
                              params->channels[i]));
    assert_shape (graph, unified, &ENS_SHAPE (2, size[0], size[1], 2));
  }
  assert_shape (graph, "feature", &ENS_SHAPE (2, size[0], size[1], 6));
  assert_shape (graph, "probability", &ENS_SHAPE (2, size[0], size[1], 1));
}
END_TEST

typedef struct {
  const char *name;
  gint64 rows, columns; /* of the map whose size is taken */
  guint stride;
} LikeRow;

static const LikeRow like_rows[] = {
    {"as-level-1", 32, 48, 1},
    {"as-level-2", 16, 24, 2},
    {"unpadded", 7, 11, 4},
    {"smaller-than-all", 3, 5, 8},
};

START_TEST (test_like)
{
  const LikeRow *row = &like_rows[_i];
  const EnsShape shapes[] = {ENS_SHAPE (1, 32, 48, 3), ENS_SHAPE (1, row->rows, row->columns, 5)};
  g_autoptr (EnsGraph) graph = ens_graph_new ("fused");
  EnsLayers layers = {graph};
  EnsValue *pictures = ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &shapes[0]);
  EnsValue *like = ens_graph_add_input (graph, "map", ENS_TYPE_FLOAT32, &shapes[1]);
  const EnsContourSize size = {like, row->stride};
  g_autoptr (GError) error = NULL;

  /* Level 3 is enlarged by a transposed convolution, where it is. */
  ens_contour_append (&layers, pictures, &networks[5].params, &size);
  ens_infer_graph (graph, shapes, &error);
  ck_assert_no_error (error);
  assert_shape (graph, "feature", &ENS_SHAPE (1, row->rows, row->columns, 6));
}
END_TEST

/* Another map of the pictures' size changes nothing, least of all the weights. */
START_TEST (test_like_pictures)
{
  const EnsContourParams *params = &networks[_i].params;
  const EnsShape shape = ENS_SHAPE (1, 12, 8, 3);
  g_autoptr (EnsGraph) trained = build_network (params);
  g_autoptr (EnsGraph) own = ens_contour_drop_head (trained), graph = ens_graph_new ("fused");
  EnsLayers layers = {graph, params->seed};
  EnsValue *pictures = ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &shape);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (EnsTensor) input = random_tensor (rand, &shape), expected = NULL, found = NULL;

  ens_graph_add_output (
      graph, ens_contour_append (&layers, pictures, params, &(EnsContourSize) {pictures, 1}).value);
  expected = run_graph (own, input);
  found = run_graph (graph, input);
  ck_assert_bytes_eq (found->data, ens_tensor_size (found), expected->data,
                      ens_tensor_size (expected));
}
END_TEST

/* A network for a smaller map takes the weights of one that was trained at the pictures' size, and
 * finds by itself what that was built with. */
START_TEST (test_weights)
{
  EnsContourParams params = networks[_i].params, found;
  g_autoptr (EnsGraph) graph = ens_graph_new ("fused"), trained = NULL, file = NULL;
  EnsLayers layers = {graph};
  EnsValue *pictures =
      ens_graph_add_input (graph, "pictures", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
  EnsValue *like = ens_graph_add_input (graph, "map", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 5));
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  params.seed = 9;
  trained = build_network (&params);
  bytes = ens_onnx_export_bytes (trained, &error);
  ck_assert_no_error (error);
  file = ens_onnx_import_bytes (bytes, "trained.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert (ens_contour_find_params (file, &found, &error));
  params.seed = 0;
  params.unify[0] = ENS_CONTOUR_LINEAR;
  ck_assert_bytes_eq (&found, sizeof found, &params, sizeof params);
  ens_graph_add_output (
      graph, ens_contour_append (&layers, pictures, &found, &(EnsContourSize) {like, 2}).value);
  ck_assert (!ens_contour_compare_weights (graph, "", file, &error));
  ck_assert_contains (error->message, "level1/conv: has other weights");
  g_clear_error (&error);
  ck_assert (ens_contour_take_weights (graph, file, &error));
  ck_assert (ens_contour_compare_weights (graph, "", file, &error));
  ens_infer_graph (graph, (EnsShape[]) {ENS_SHAPE (1, 18, 14, 3), ENS_SHAPE (1, 9, 7, 5)}, &error);
  ck_assert_no_error (error);
}
END_TEST

/* Another graph is told from a contour network. */
START_TEST (test_no_contour)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("other.onnx");
  g_autoptr (GError) error = NULL;
  EnsContourParams params;

  ck_assert (!ens_contour_find_params (graph, &params, &error));
  ck_assert_contains (error->message, "other.onnx: expected a contour network");
}
END_TEST

/* Transposed convolutions begin as linear interpolation, borders apart. */
START_TEST (test_transposed)
{
  g_autoptr (EnsGraph) linear = build_network (&networks[0].params);
  g_autoptr (EnsGraph) transposed = build_network (&networks[4].params);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (EnsTensor) input = random_tensor (rand, &ENS_SHAPE (1, 16, 16, 3));
  g_autoptr (EnsGraph) linear_maps = ens_contour_drop_head (linear);
  g_autoptr (EnsGraph) transposed_maps = ens_contour_drop_head (transposed);
  g_autoptr (EnsTensor) a = run_graph (linear_maps, input), b = run_graph (transposed_maps, input);

  for (gint64 y = 2; y < 14; y++)
    for (gint64 x = 2; x < 14; x++)
      for (gint64 c = 0; c < 6; c++) {
        gint64 at = (y * 16 + x) * 6 + c;

        ck_assert_double_eq_tol (((float *)a->data)[at], ((float *)b->data)[at], 1e-4);
      }
}
END_TEST

/* -- training -- */

/* A step on the network with the mean of (probability − target)² as its loss. */
static EnsStep *
make_step (EnsGraph *graph, EnsDevice *device, const char *frozen)
{
  const EnsShape shapes[] = {ENS_SHAPE (2, 12, 11, 3), ENS_SHAPE (2, 12, 11, 1)};
  const char *const names[] = {frozen, NULL};
  EnsValue *target = ens_graph_add_input (graph, "target", ENS_TYPE_FLOAT32, &shapes[1]);
  EnsValue *loss = ens_loss_squared_error (graph, graph->outputs->pdata[0], target, NULL);
  g_autoptr (GError) error = NULL;
  EnsStep *step;

  ens_graph_rename (graph, loss, "loss");
  step = ens_step_new (&(EnsStepParams) {.graph = graph,
                                         .loss = "loss",
                                         .input_shapes = shapes,
                                         .frozen = names,
                                         .batch_statistics = TRUE,
                                         .momentum = 0.1},
                       device, &error);
  ck_assert_no_error (error);
  return step;
}

/* The sum of |gradient| of a layer's weights, or −1 where they are not trained. */
static double
sum_gradient (const EnsStep *step, const float *gradients, const char *name)
{
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);
  double sum = 0;

  for (guint i = 0; i < n; i++) {
    if (strcmp (parameters[i].name, name) != 0)
      continue;
    for (gsize k = 0; k < parameters[i].size; k++)
      sum += ABS (gradients[parameters[i].offset + k]);
    return sum;
  }
  return -1;
}

/* Networks, each whole, then with all up to the feature frozen. */
START_TEST (test_training)
{
  gboolean is_frozen = _i >= (int)G_N_ELEMENTS (networks);
  g_autoptr (EnsGraph) graph = build_network (&networks[_i % (int)G_N_ELEMENTS (networks)].params);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsStep) step = make_step (graph, device, is_frozen ? "feature" : NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (EnsTensor) pictures = random_tensor (rand, &ENS_SHAPE (2, 12, 11, 3));
  g_autoptr (EnsTensor) target = random_tensor (rand, &ENS_SHAPE (2, 12, 11, 1));
  g_autofree float *gradients = NULL;
  float loss, later = 0, *values;
  EnsStepArrays arrays = {.inputs = (const gconstpointer[]) {pictures->data, target->data}};
  gsize n;

  values = ens_step_get_values (step, &n);
  arrays.gradients = gradients = g_new0 (float, n);
  ck_assert (ens_step_run (step, &arrays, &loss, NULL));
  ck_assert_double_gt (sum_gradient (step, gradients, "logits.weight"), 1e-6);
  if (is_frozen) {
    ck_assert_double_eq (sum_gradient (step, gradients, "level1/conv.weight"), -1);
    ck_assert_uint_eq (n, 6 + 1);
    return;
  }
  ck_assert_double_gt (sum_gradient (step, gradients, "level1/conv.weight"), 1e-6);
  for (guint i = 0; i < 20; i++) {
    for (gsize k = 0; k < n; k++)
      values[k] -= 0.05f * gradients[k];
    ck_assert (ens_step_run (step, &arrays, &later, NULL));
  }
  ck_assert_double_lt (later, 0.95 * loss);
}
END_TEST

START_TEST (test_parameters)
{
  g_autoptr (EnsGraph) graph = build_network (&ENS_CONTOUR_DEFAULT);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsStep) step = make_step (graph, device, NULL);
  guint64 filters = 0, inputs = 3, channels = 0;
  gsize n;

  for (guint i = 0; i < ENS_CONTOUR_DEFAULT.n_levels; i++) {
    guint c = ENS_CONTOUR_DEFAULT.channels[i];

    filters += 9 * c * (inputs + c + c);
    inputs = c;
    channels += c;
  }
  ens_step_get_values (step, &n);
  /* Three scales and biases a channel; unifying layers; the head. */
  ck_assert_uint_eq (n, filters + 6 * channels + 16 * channels + 80 + 81);
  ck_assert_uint_eq (n, 754481);
}
END_TEST

/* -- files -- */

static EnsTensor *
run_at_odd_size (const EnsGraph *graph)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autoptr (EnsTensor) input = random_tensor (rand, &ENS_SHAPE (1, 13, 10, 3));

  return run_graph (graph, input);
}

START_TEST (test_file)
{
  static const char *const kept[] = {"unified1", "unified2", "unified3", "feature"};
  g_autoptr (EnsGraph) trained = build_network (&networks[_i].params);
  g_autoptr (EnsGraph) graph = ens_contour_drop_head (trained), again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, &error);
  g_autoptr (EnsTensor) expected = run_at_odd_size (graph), found = NULL;

  ck_assert_no_error (error);
  again = ens_onnx_import_bytes (bytes, "contour.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  found = run_at_odd_size (again);
  ck_assert_bytes_eq (found->data, ens_tensor_size (found), expected->data,
                      ens_tensor_size (expected));
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    ck_assert_ptr_nonnull (ens_graph_find (again, kept[i]));
  ck_assert_ptr_null (ens_graph_find (again, "logits.weight"));
}
END_TEST

static const char text[] =
    "input pictures: float32 1x8x7x3\n"
    "level1/conv: float32 1x8x7x4 = Conv (pictures, level1/conv.weight<4x3x3x3>) kernel_shape=[3, "
    "3] pads=[1, 1, 1, 1]\n"
    "level1/conv/norm: float32 1x8x7x4 = BatchNormalization (level1/conv, "
    "level1/conv/norm.scale<4>, level1/conv/norm.bias<4>, level1/conv/norm.mean<4>, "
    "level1/conv/norm.variance<4>)\n"
    "level1/conv/norm/relu: float32 1x8x7x4 = Relu (level1/conv/norm)\n"
    "level1/conv1: float32 1x8x7x4 = Conv (level1/conv/norm/relu, level1/conv1.weight<4x3x3x4>) "
    "kernel_shape=[3, 3] pads=[1, 1, 1, 1]\n"
    "level1/conv1/norm: float32 1x8x7x4 = BatchNormalization (level1/conv1, "
    "level1/conv1/norm.scale<4>, level1/conv1/norm.bias<4>, level1/conv1/norm.mean<4>, "
    "level1/conv1/norm.variance<4>)\n"
    "level1/conv1/norm/relu: float32 1x8x7x4 = Relu (level1/conv1/norm)\n"
    "level1/conv2: float32 1x8x7x4 = Conv (level1/conv1/norm/relu, level1/conv2.weight<4x3x3x4>) "
    "kernel_shape=[3, 3] pads=[1, 1, 1, 1]\n"
    "level1/conv2/norm: float32 1x8x7x4 = BatchNormalization (level1/conv2, "
    "level1/conv2/norm.scale<4>, level1/conv2/norm.bias<4>, level1/conv2/norm.mean<4>, "
    "level1/conv2/norm.variance<4>)\n"
    "Add_8: float32 1x8x7x4 = Add (level1/conv2/norm, level1/conv/norm/relu)\n"
    "level1: float32 1x8x7x4 = Relu (Add_8)\n"
    "level2/conv: float32 1x4x4x8 = Conv (level1, level2/conv.weight<8x3x3x4>) kernel_shape=[3, 3] "
    "pads=[1, 1, 1, 1] strides=[2, 2]\n"
    "level2/conv/norm: float32 1x4x4x8 = BatchNormalization (level2/conv, "
    "level2/conv/norm.scale<8>, level2/conv/norm.bias<8>, level2/conv/norm.mean<8>, "
    "level2/conv/norm.variance<8>)\n"
    "level2/conv/norm/relu: float32 1x4x4x8 = Relu (level2/conv/norm)\n"
    "level2/conv1: float32 1x4x4x8 = Conv (level2/conv/norm/relu, level2/conv1.weight<8x3x3x8>) "
    "kernel_shape=[3, 3] pads=[1, 1, 1, 1]\n"
    "level2/conv1/norm: float32 1x4x4x8 = BatchNormalization (level2/conv1, "
    "level2/conv1/norm.scale<8>, level2/conv1/norm.bias<8>, level2/conv1/norm.mean<8>, "
    "level2/conv1/norm.variance<8>)\n"
    "level2/conv1/norm/relu: float32 1x4x4x8 = Relu (level2/conv1/norm)\n"
    "level2/conv2: float32 1x4x4x8 = Conv (level2/conv1/norm/relu, level2/conv2.weight<8x3x3x8>) "
    "kernel_shape=[3, 3] pads=[1, 1, 1, 1]\n"
    "level2/conv2/norm: float32 1x4x4x8 = BatchNormalization (level2/conv2, "
    "level2/conv2/norm.scale<8>, level2/conv2/norm.bias<8>, level2/conv2/norm.mean<8>, "
    "level2/conv2/norm.variance<8>)\n"
    "Add_18: float32 1x4x4x8 = Add (level2/conv2/norm, level2/conv/norm/relu)\n"
    "level2: float32 1x4x4x8 = Relu (Add_18)\n"
    "Transpose_20: float32 1x4x8x7 = Transpose (level1) perm=[0, 3, 1, 2]\n"
    "Shape_21: int64 2 = Shape (Transpose_20) end=4 start=2\n"
    "unified1: float32 1x8x7x2 = Conv (level1, level1/unify.weight<2x1x1x4>, level1/unify.bias<2>) "
    "kernel_shape=[1, 1]\n"
    "level2/unify: float32 1x4x4x2 = Conv (level2, level2/unify.weight<2x1x1x8>, "
    "level2/unify.bias<2>) kernel_shape=[1, 1]\n"
    "unified2: float32 1x8x7x2 = Resize (level2/unify, -, -, Shape_21) axes=[2, 3] "
    "mode=\"linear\"\n"
    "feature: float32 1x8x7x4 = Concat (unified1, unified2) axis=3\n"
    "logits: float32 1x8x7x1 = Conv (feature, logits.weight<1x1x1x4>, logits.bias<1>) "
    "kernel_shape=[1, 1]\n"
    "probability: float32 1x8x7x1 = Sigmoid (logits)\n"
    "output probability: float32 1x8x7x1\n";

START_TEST (test_text)
{
  const EnsContourParams params = {.n_levels = 2, .channels = {4, 8}, .n_unified = 2};
  g_autoptr (EnsGraph) graph = build_network (&params);
  g_autofree char *found = NULL;

  ck_assert (ens_infer_graph (graph, &ENS_SHAPE (1, 8, 7, 3), NULL));
  found = ens_graph_to_string (graph);
  ck_assert_pstr_eq (found, text);
}
END_TEST

typedef struct {
  const char *name;
  EnsContourParams params;
  const char *message;
} RefusalRow;

static const RefusalRow refusals[] = {
    {"levels", {.n_levels = 7, .n_unified = 2}, "expected 1 to 6 levels, found 7"},
    {"no-levels", {.n_levels = 0, .n_unified = 2}, "expected 1 to 6 levels, found 0"},
    {"channels",
     {.n_levels = 2, .channels = {4, 3}, .n_unified = 2},
     "level 2: expected at least 4 channels, found 3"},
    {"unified", {.n_levels = 1, .channels = {4}}, "channel of each level in the feature, found 0"},
};

START_TEST (test_refusal)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_contour_new (&refusals[_i].params, &error);

  ck_assert_ptr_null (graph);
  ck_assert_contains (error->message, refusals[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("networks/contour");
  test_add_loop ("shapes", test_shapes, G_N_ELEMENTS (networks) * G_N_ELEMENTS (sizes));
  TEST_ADD_ROWS ("like", test_like, like_rows);
  TEST_ADD_ROWS ("like-pictures", test_like_pictures, networks);
  TEST_ADD_ROWS ("weights", test_weights, networks);
  test_add ("no-contour", test_no_contour);
  test_add ("transposed", test_transposed);
  test_add_loop ("training", test_training, 2 * G_N_ELEMENTS (networks));
  test_add ("parameters", test_parameters);
  TEST_ADD_ROWS ("file", test_file, networks);
  test_add ("text", test_text);
  TEST_ADD_ROWS ("refusal", test_refusal, refusals);
  return test_run ();
}
