/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network of tokens, as transformers are: of one size and a batch of one, in streams of any. */
#include "classify-fixture.h"
#include "ensemble/bundle-private.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"

#define SIDE 32
#define PATCH 8
#define TOKENS 16
#define WIDTH 6 /* of a token: each colour, and what it lacks */
#define RED 0xff0000
#define BLUE 0x0000ff

static EnsValue *
apply (EnsGraph *graph, const char *op, gconstpointer params, EnsValue *a, EnsValue *b)
{
  return ens_graph_apply (graph, ens_op_find (op), params, a, b, NULL);
}

/* One vector for each patch: its mean colour, and 1 minus that. */
static EnsValue *
add_patches (EnsGraph *graph, EnsValue *pixels)
{
  float weights[WIDTH * PATCH * PATCH * 3] = {0};
  const float bias[WIDTH] = {0, 0, 0, 1, 1, 1};
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  g_autoptr (EnsTensor) kernel = NULL;
  g_autoptr (EnsTensor) shift = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (WIDTH), bias);

  for (guint f = 0; f < WIDTH; f++)
    for (guint p = 0; p < PATCH * PATCH; p++)
      weights[(f * PATCH * PATCH + p) * 3 + f % 3] = (f < 3 ? 1.F : -1.F) / (PATCH * PATCH);
  kernel = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (WIDTH, PATCH, PATCH, 3), weights);
  params.sliding.rank = 2;
  params.sliding.strides[0] = params.sliding.strides[1] = PATCH;
  return ens_graph_apply (graph, ens_op_find ("Conv"), &params, pixels,
                          ens_graph_add_constant (graph, NULL, kernel),
                          ens_graph_add_constant (graph, NULL, shift), NULL);
}

/* Each token has a place of its own: there are so many, and no others. */
static EnsValue *
add_tokens (EnsGraph *graph, EnsValue *patches, gint64 batch)
{
  const gint64 shape[] = {batch, TOKENS, WIDTH};
  float places[TOKENS * WIDTH];
  g_autoptr (EnsTensor) sizes = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (3), shape);
  g_autoptr (EnsTensor) table = NULL;
  EnsValue *tokens = apply (graph, "Reshape", &(EnsReshapeParams) {0}, patches,
                            ens_graph_add_constant (graph, NULL, sizes));

  for (guint i = 0; i < TOKENS * WIDTH; i++)
    places[i] = 1e-3F * (float)(i % 7);
  table = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, TOKENS, WIDTH), places);
  return apply (graph, "Add", &(EnsBinaryParams) {0}, tokens,
                ens_graph_add_constant (graph, NULL, table));
}

static EnsValue *
add_attention (EnsGraph *graph, EnsValue *x)
{
  const EnsTransposeParams turn = {{3, TRUE, {0, 2, 1}}};
  EnsValue *keys = apply (graph, "Transpose", &turn, x, NULL);
  EnsValue *scores = apply (graph, "MatMul", &(EnsMatMulParams) {0}, x, keys);
  EnsValue *shares = apply (graph, "Softmax", &(EnsSoftmaxParams) {.axis = 2}, scores, NULL);

  return apply (graph, "Add", &(EnsBinaryParams) {0}, x,
                apply (graph, "MatMul", &(EnsMatMulParams) {0}, shares, x));
}

/* Twice the mean of the tokens. */
static GBytes *
make_network (gint64 batch)
{
  const EnsReduceParams mean = {.axes = {1, TRUE, {1}}};
  g_autoptr (EnsGraph) graph = ens_graph_new ("tokens");
  EnsValue *x =
      ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (batch, SIDE, SIDE, 3));
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  x = add_attention (graph, add_tokens (graph, add_patches (graph, x), batch));
  x = apply (graph, "ReduceMean", &mean, x, NULL);
  ens_graph_rename (graph, x, "embedding");
  ens_graph_add_output (graph, x);
  bytes = ens_onnx_export_bytes (graph, &error);
  ck_assert_no_error (error);
  return bytes;
}

static GBytes *
make_classifier (void)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("classifier");
  const float weights[2 * WIDTH] = {1, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, -1};
  g_autoptr (EnsTensor) matrix =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (2, WIDTH), weights);
  EnsValue *features =
      ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, WIDTH));
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  ens_graph_add_output (graph, apply (graph, "Gemm",
                                      &(EnsGemmParams) {.trans_b = TRUE, .alpha = 1, .beta = 1},
                                      features, ens_graph_add_constant (graph, NULL, matrix)));
  bytes = ens_onnx_export_bytes (graph, &error);
  ck_assert_no_error (error);
  return bytes;
}

/* (transfer full) */
static char *
make_bundle (gint64 batch)
{
  char *classes[] = {"red", "blue", NULL}, *taps[] = {"embedding", NULL};
  float thresholds[] = {0.5F, 0.5F};
  EnsCalibration calibration[] = {{5, 0}, {5, 0}};
  guint side = SIDE;
  EnsBundleNetwork network = {
      .name = "tokens",
      .role = ENS_ROLE_RETRAINED,
      .network = "tokens.onnx",
      .classifier = "classifier.onnx",
      .taps = taps,
      .normalise = {ENS_ORDER_RGB, {0, 0, 0}, {1 / 255.F, 1 / 255.F, 1 / 255.F}},
      .size = SIDE,
      .scales = &side,
      .n_scales = 1,
      .weight = 1,
      .calibration = calibration,
      .window_classifier = "classifier.onnx",
      .window_sizes = &side,
      .n_window_sizes = 1,
      .window_calibration = calibration,
  };
  const EnsBundle bundle = {
      .name = "tokens",
      .version = "1",
      .classes = classes,
      .n_classes = 2,
      .networks = &network,
      .n_networks = 1,
      .window_weight = 0.5F,
      .whole_weight = 1,
      .thresholds = thresholds,
      .windows = 12,
      .windows_preset = ENS_WINDOWS_FAST,
      .sub_images = {.size = 160, .overlap = 0.25F, .large_from = 2, .count = 12},
  };
  char *path = g_build_filename (classify->folder, "tokens.ensemble", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (path, &error);
  g_autoptr (GBytes) body = make_network (batch);
  g_autoptr (GBytes) classifier = make_classifier ();

  ens_bundle_writer_add (writer, "tokens.onnx", body, &error);
  ens_bundle_writer_add (writer, "classifier.onnx", classifier, &error);
  ens_bundle_writer_commit (writer, &bundle, &error);
  ck_assert_no_error (error);
  return path;
}

static const struct {
  const char *name;
  gint64 batch; /* that the network has */
  const char *size, *sub_images;
  gboolean tiled;
} rows[] = {
    {"small", 1, "width=32,height=24", "auto", FALSE},
    {"large", 1, "width=1280,height=720", "auto", TRUE},
    {"whole", 1, "width=1280,height=720", "off", FALSE},
    {"both", 1, "width=1280,height=720", "both", TRUE},
    {"tall", 1, "width=90,height=400", "on", TRUE},
    {"batch-of-three", 3, "width=1280,height=720", "auto", TRUE},
};

START_TEST (test_stream)
{
  g_autofree char *path = make_bundle (rows[_i].batch);
  g_autofree char *caps =
      g_strdup_printf ("video/x-raw,format=RGB,%s,framerate=25/1", rows[_i].size);

  g_object_set (classify->element, "model", path, "embedding", "tokens", "cpu-budget", (gint64)0,
                NULL);
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  gst_util_set_object_arg (G_OBJECT (classify->element), "sub-images", rows[_i].sub_images);
  classify_play (classify, caps);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out = classify_push (classify, i == 1 ? BLUE : RED, i * FRAME);
    const EnsResult *result = classify_get_result (out);
    guint class = i == 1 ? 1 : 0;

    ck_assert_int_eq (result->map != NULL, rows[_i].tiled);
    ck_assert (result->classes[class].present && !result->classes[1 - class].present);
    ck_assert_uint_eq (result->embedding->n_values, WIDTH);
    ck_assert_double_eq_tol ((double)result->embedding->values[2 * class], 2, 0.02);
    ck_assert_double_eq_tol ((double)result->embedding->values[2 - 2 * class], 0, 0.02);
  }
  ck_assert_uint_eq (classify_get_stat (classify, "failed"), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-tokens");
  test_fixture (classify_set_up, classify_tear_down);
  TEST_ADD_ROWS ("stream", test_stream, rows);
  return test_run ();
}
