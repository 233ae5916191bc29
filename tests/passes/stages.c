/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cutting graphs into stages, and which nodes may be run on parts of a batch. */
#include "build.h"

#include <string.h>

#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "passes/per-image.h"
#include "passes/rewrite.h"
#include "passes/stages.h"

#define BATCH 6

/* An operator on (BATCH, 6, 6, 6), dimensions that a careless check takes for the batch; or on as
 * much of a single image. */
typedef struct {
  const char *name;
  EnsValue *(*build) (Builder *builder, EnsValue *x);
  gboolean per_image;
} Row;

static EnsValue *
build_relu (Builder *b, EnsValue *x)
{
  return build (b, "Relu", NULL, x, NULL);
}

static EnsValue *
build_softmax_batch (Builder *b, EnsValue *x)
{
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = 0}, x, NULL);
}

static EnsValue *
build_softmax_channels (Builder *b, EnsValue *x)
{
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = -1}, x, NULL);
}

static EnsValue *
build_bias (Builder *b, EnsValue *x)
{
  return build (b, "Add", NULL, x, build_constant (b, &ENS_SHAPE (6, 6, 6)), NULL);
}

static EnsValue *
build_image_bias (Builder *b, EnsValue *x)
{
  return build (b, "Add", NULL, x, build_constant (b, &ENS_SHAPE (BATCH, 1, 1, 1)), NULL);
}

static EnsValue *
build_gate (Builder *b, EnsValue *x)
{
  return build (b, "Mul", NULL, x, build (b, "GlobalAveragePool", NULL, x, NULL), NULL);
}

/* Broadcast from the right, so that its images meet another axis. */
static EnsValue *
build_misplaced (Builder *b, EnsValue *x)
{
  EnsReduceParams mean = {.axes = {3, TRUE, {1, 2, 3}}};

  return build (b, "Mul", NULL, x, build (b, "ReduceMean", &mean, x, NULL), NULL);
}

static EnsValue *
build_mean_batch (Builder *b, EnsValue *x)
{
  EnsReduceParams mean = {.axes = {1, TRUE, {-4}}};

  return build (b, "ReduceMean", &mean, x, NULL);
}

static EnsValue *
build_integers (Builder *b, const gint64 *numbers, gint64 n)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (n), numbers);

  return ens_graph_add_constant (b->graph, NULL, tensor);
}

static EnsValue *
build_concat_batch (Builder *b, EnsValue *x)
{
  return build_concat (b, 0, &x, 1);
}

static EnsValue *
build_concat_channels (Builder *b, EnsValue *x)
{
  return build_concat (b, 3, (EnsValue *[]) {x, x}, 2);
}

/* The same vector for each image. */
static EnsValue *
build_concat_token (Builder *b, EnsValue *x)
{
  EnsValue *token = build_constant (b, &ENS_SHAPE (1, 6, 1, 6));
  EnsValue *repeats = build_integers (b, (const gint64[]) {x->shape.dims[0], 1, 1, 1}, 4);

  return build_concat (b, 2, (EnsValue *[]) {build (b, "Tile", NULL, token, repeats, NULL), x}, 2);
}

/* The same once shapes are known: folded. */
static EnsValue *
build_concat_folded_token (Builder *b, EnsValue *x)
{
  g_autoptr (EnsTensor) token =
      ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (x->shape.dims[0], 6, 1, 6));
  EnsValue *constant;

  memset (token->data, 0, ens_tensor_size (token));
  constant = ens_graph_add_constant (b->graph, NULL, token);
  return build_concat (b, 2, (EnsValue *[]) {x, constant}, 2);
}

static EnsValue *
build_concat_constant (Builder *b, EnsValue *x)
{
  return build_concat (b, 2, (EnsValue *[]) {x, build_constant (b, &x->shape)}, 2);
}

static EnsValue *
build_turn (Builder *b, EnsValue *x)
{
  return build_transpose (b, x, (const gint64[]) {1, 0, 2, 3});
}

static EnsValue *
build_first (Builder *b, EnsValue *x)
{
  return build_transpose (b, x, (const gint64[]) {0, 3, 1, 2});
}

static EnsValue *
build_vectors (Builder *b, EnsValue *x)
{
  return build_gemm (b, build_reshape (b, x, &ENS_SHAPE (x->shape.dims[0], 216)), 5);
}

static EnsValue *
build_turned_product (Builder *b, EnsValue *x)
{
  EnsGemmParams params = {.trans_a = TRUE, .alpha = 1};
  EnsReduceParams mean = {.axes = {2, TRUE, {1, 2}}};

  return build (b, "Gemm", &params, build (b, "ReduceMean", &mean, x, NULL),
                build_constant (b, &ENS_SHAPE (6, 4)), NULL);
}

static EnsValue *
build_own_weights (Builder *b, EnsValue *x)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};

  return build (b, "Conv", &params, x, x, NULL);
}

static EnsValue *
build_layer_norm (Builder *b, EnsValue *x)
{
  EnsLayerNormalizationParams params = {-2, 1e-3f};

  return build (b, "LayerNormalization", &params, x, build_constant (b, &ENS_SHAPE (6, 6)),
                build_constant (b, &ENS_SHAPE (6, 6)), NULL);
}

static EnsValue *
build_layer_norm_batch (Builder *b, EnsValue *x)
{
  EnsLayerNormalizationParams params = {0, 1e-3f};

  return build (b, "LayerNormalization", &params, x, build_constant (b, &x->shape), NULL);
}

static EnsValue *
build_lp_norm (Builder *b, EnsValue *x)
{
  return build (b, "LpNormalization", &(EnsLpNormalizationParams) {3, 2}, x, NULL);
}

static EnsValue *
build_lp_norm_batch (Builder *b, EnsValue *x)
{
  return build (b, "LpNormalization", &(EnsLpNormalizationParams) {-4, 2}, x, NULL);
}

static EnsValue *
build_sum_square (Builder *b, EnsValue *x)
{
  EnsReduceParams params = {.axes = {1, TRUE, {2}}, .keepdims = TRUE};

  return build (b, "ReduceSumSquare", &params, x, NULL);
}

static EnsValue *
build_reduce_all (Builder *b, EnsValue *x)
{
  return build (b, "ReduceMax", &(EnsReduceParams) {.keepdims = TRUE}, x, NULL);
}

static EnsValue *
build_arg_max (Builder *b, EnsValue *x)
{
  return build (b, "ArgMax", &(EnsArgParams) {.axis = -1}, x, NULL);
}

static EnsValue *
build_arg_max_batch (Builder *b, EnsValue *x)
{
  return build (b, "ArgMax", &(EnsArgParams) {.axis = 0}, x, NULL);
}

static EnsValue *
build_where (Builder *b, EnsValue *x)
{
  return build (b, "Where", NULL, build (b, "Greater", NULL, x, build_relu (b, x), NULL), x,
                build_constant (b, &ENS_SHAPE (6)), NULL);
}

static EnsValue *
build_gather (Builder *b, EnsValue *x)
{
  return build (b, "Gather", &(EnsAxisParams) {2}, x,
                build_integers (b, (const gint64[]) {5, 0, 2}, 3), NULL);
}

/* Takes images out of the batch, as many as there are. */
static EnsValue *
build_gather_batch (Builder *b, EnsValue *x)
{
  return build (b, "Gather", &(EnsAxisParams) {0}, x,
                build_integers (b, (const gint64[BATCH]) {0}, x->shape.dims[0]), NULL);
}

static EnsValue *
build_tile (Builder *b, EnsValue *x)
{
  return build (b, "Tile", NULL, x, build_integers (b, (const gint64[]) {1, 1, 2, 1}, 4), NULL);
}

/* The batch becomes another axis, and a new one stands first. */
static EnsValue *
build_expand_first (Builder *b, EnsValue *x)
{
  return build (b, "Expand", NULL, x,
                build_integers (b, (const gint64[]) {BATCH, BATCH, 6, 6, 6}, 5), NULL);
}

static EnsValue *
build_slice (Builder *b, EnsValue *x)
{
  EnsSliceParams params = {{1, TRUE, {1}}, {1, TRUE, {5}}, {1, TRUE, {-2}}, {1, TRUE, {2}}};

  return build (b, "Slice", &params, x, NULL);
}

static EnsValue *
build_slice_batch (Builder *b, EnsValue *x)
{
  EnsSliceParams params = {{1, TRUE, {-1}}, {1, TRUE, {-99}}, {1, TRUE, {0}}, {1, TRUE, {-1}}};

  return build (b, "Slice", &params, x, NULL);
}

/* Arithmetic of shapes, whose results are known before running. */
static EnsValue *
know (EnsValue *value)
{
  ck_assert (ens_infer_node (value->producer, TRUE, NULL));
  return value;
}

/* Dimension `axis` of x as a number: (1). */
static EnsValue *
build_count (Builder *b, EnsValue *x, gint64 axis)
{
  EnsValue *shape = know (build (b, "Shape", &(EnsShapeParams) {0, G_MAXINT64}, x, NULL));

  return know (
      build (b, "Gather", &(EnsAxisParams) {0}, shape, build_integers (b, &axis, 1), NULL));
}

static EnsValue *
build_times (Builder *b, EnsValue *x, gint64 axis)
{
  EnsCastParams to_float = {ENS_TYPE_FLOAT32};

  return build (b, "Mul", NULL, x,
                know (build (b, "Cast", &to_float, build_count (b, x, axis), NULL)), NULL);
}

static EnsValue *
build_times_batch (Builder *b, EnsValue *x)
{
  return build_times (b, x, 0);
}

static EnsValue *
build_times_height (Builder *b, EnsValue *x)
{
  return build_times (b, x, 1);
}

/* (images, -1) */
static EnsValue *
build_counted_rows (Builder *b, EnsValue *x)
{
  EnsValue *sizes[] = {build_count (b, x, 0), build_integers (b, (const gint64[]) {-1}, 1)};

  return build (b, "Reshape", NULL, x, know (build_concat (b, 0, sizes, 2)), NULL);
}

/* (images, images, -1) */
static EnsValue *
build_counted_columns (Builder *b, EnsValue *x)
{
  EnsValue *sizes[] = {build_count (b, x, 0), build_count (b, x, 0),
                       build_integers (b, (const gint64[]) {-1}, 1)};

  return build (b, "Reshape", NULL, x, know (build_concat (b, 0, sizes, 3)), NULL);
}

static EnsValue *
build_counted_token (Builder *b, EnsValue *x)
{
  EnsValue *sizes[] = {build_count (b, x, 0), build_integers (b, (const gint64[]) {6, 1, 6}, 3)};
  EnsValue *token = build (b, "Expand", NULL, build_constant (b, &ENS_SHAPE (1, 6, 1, 6)),
                           know (build_concat (b, 0, sizes, 2)), NULL);

  return build_concat (b, 2, (EnsValue *[]) {token, x}, 2);
}

/* Four windows of 3×3 pixels of each image, as images of their own, and back. */
static EnsValue *
build_windows (Builder *b, EnsValue *x)
{
  static const gint64 swap[] = {0, 1, 3, 2, 4, 5};

  x = build_reshape (b, x, &ENS_SHAPE (-1, 2, 3, 2, 3, 6));
  x = build_reshape (b, build_transpose (b, x, swap), &ENS_SHAPE (-1, 9, 6));
  x = build (b, "Softmax", &(EnsSoftmaxParams) {.axis = 1}, x, NULL);
  x = build_reshape (b, x, &ENS_SHAPE (-1, 2, 2, 3, 3, 6));
  return build_reshape (b, build_transpose (b, x, swap), &ENS_SHAPE (-1, 6, 6, 6));
}

/* Rows of all images side by side. */
static EnsValue *
build_mixed_rows (Builder *b, EnsValue *x)
{
  x = build_reshape (b, build_turn (b, x), &ENS_SHAPE (-1, 6, 6));
  x = build (b, "Softmax", &(EnsSoftmaxParams) {.axis = 1}, x, NULL);
  return build_reshape (b, x, &ENS_SHAPE (-1, 6, 6, 6));
}

/* Two parts, of which a Transpose makes the first axis. */
static EnsValue *
build_turned_parts (Builder *b, EnsValue *x, gboolean mixes)
{
  const EnsSplitParams params = {.axis = mixes ? 1 : 0};
  EnsNode *split;

  x = build_reshape (b, x, &ENS_SHAPE (-1, 36, 2, 3));
  x = build_transpose (b, x, (const gint64[]) {2, 0, 1, 3});
  split = ens_graph_add_node (b->graph, ens_op_find ("Split"), NULL, &params, &x, 1, 2);
  ck_assert (ens_infer_node (split, FALSE, NULL));
  x = build (b, "Add", NULL, build_reshape (b, split->outputs[0], &ENS_SHAPE (-1, 36, 3)),
             build_reshape (b, split->outputs[1], &ENS_SHAPE (-1, 36, 3)), NULL);
  return build_reshape (b, x, &ENS_SHAPE (-1, 6, 6, 3));
}

static EnsValue *
build_parts (Builder *b, EnsValue *x)
{
  return build_turned_parts (b, x, FALSE);
}

static EnsValue *
build_mixed_parts (Builder *b, EnsValue *x)
{
  return build_turned_parts (b, x, TRUE);
}

static const Row rows[] = {
    {"relu", build_relu, TRUE},
    {"softmax/batch", build_softmax_batch, FALSE},
    {"softmax/channels", build_softmax_channels, TRUE},
    {"add/constant", build_bias, TRUE},
    {"add/constant-of-images", build_image_bias, FALSE},
    {"mul/gate", build_gate, TRUE},
    {"mul/misplaced", build_misplaced, FALSE},
    {"mean/batch", build_mean_batch, FALSE},
    {"concat/batch", build_concat_batch, FALSE},
    {"concat/channels", build_concat_channels, TRUE},
    {"concat/class-token", build_concat_token, TRUE},
    {"concat/folded-class-token", build_concat_folded_token, TRUE},
    {"concat/own-constant", build_concat_constant, FALSE},
    {"transpose/batch", build_turn, FALSE},
    {"transpose/channels", build_first, TRUE},
    {"gemm", build_vectors, TRUE},
    {"gemm/transposed", build_turned_product, FALSE},
    {"conv/own-weights", build_own_weights, FALSE},
    {"layer-normalization/inner", build_layer_norm, TRUE},
    {"layer-normalization/batch", build_layer_norm_batch, FALSE},
    {"lp-normalization/channels", build_lp_norm, TRUE},
    {"lp-normalization/batch", build_lp_norm_batch, FALSE},
    {"sum-square/inner", build_sum_square, TRUE},
    {"max/all", build_reduce_all, FALSE},
    {"arg-max/channels", build_arg_max, TRUE},
    {"arg-max/batch", build_arg_max_batch, FALSE},
    {"where", build_where, TRUE},
    {"gather/inner", build_gather, TRUE},
    {"gather/batch", build_gather_batch, FALSE},
    {"tile", build_tile, TRUE},
    {"expand/batch", build_expand_first, FALSE},
    {"slice/inner", build_slice, TRUE},
    {"slice/reversed-batch", build_slice_batch, FALSE},
    {"shape/times-batch", build_times_batch, FALSE},
    {"shape/times-height", build_times_height, TRUE},
    {"shape/rows", build_counted_rows, TRUE},
    {"shape/columns", build_counted_columns, FALSE},
    {"shape/class-token", build_counted_token, TRUE},
    {"windows", build_windows, TRUE},
    {"windows/mixed", build_mixed_rows, FALSE},
    {"parts", build_parts, TRUE},
    {"parts/mixed", build_mixed_parts, FALSE},
};

static EnsGraph *
build_row (const Row *row, gint64 batch)
{
  g_auto (Builder) b;

  builder_init (&b, 1);
  ens_graph_add_output (b.graph, row->build (&b, build_input (&b, &ENS_SHAPE (batch, 6, 6, 6))));
  return g_steal_pointer (&b.graph);
}

/* Each image by itself gives what it gives in the batch. */
static void
check_images (const Row *row, const EnsGraph *whole)
{
  g_autoptr (EnsGraph) graph = build_row (row, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  g_autoptr (EnsTensor) images = random_tensor (rand, &ENS_SHAPE (BATCH, 6, 6, 6));
  g_autoptr (EnsTensor) expected = run_graph (whole, images);
  gsize size = ens_tensor_size (expected) / BATCH;

  for (guint i = 0; i < BATCH; i++) {
    const float *data = (const float *)images->data + i * 216;
    g_autoptr (EnsTensor) image =
        ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 6, 6, 6), data);
    g_autoptr (EnsTensor) found = run_graph (graph, image);

    ck_assert_bytes_eq (found->data, ens_tensor_size (found), (char *)expected->data + i * size,
                        size);
  }
}

START_TEST (test_per_image)
{
  const Row *row = &rows[_i];
  g_autoptr (EnsGraph) graph = build_row (row, BATCH);

  ck_assert_int_eq (ens_graph_is_per_image (graph, BATCH), row->per_image);
  if (row->per_image)
    check_images (row, graph);
}
END_TEST

/* Large maps on single images, the fully connected layers on the batch, what mixes images last. */
START_TEST (test_cut)
{
  guint batch = (guint)_i;
  const struct {
    guint chunk, n_nodes;
    EnsStageArray from, to;
  } expected[] = {
      {1, 6, ENS_STAGE_INPUT, ENS_STAGE_KEPT},
      {batch, 2, ENS_STAGE_KEPT, ENS_STAGE_OUTPUT},
  };
  EnsReduceParams max = {.axes = {1, TRUE, {0}}, .keepdims = TRUE};
  g_auto (Builder) b;
  g_autoptr (GPtrArray) stages = NULL;
  g_autoptr (GError) error = NULL;
  EnsValue *x, *y;

  builder_init (&b, 2);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (batch, 64, 64, 4)), (ConvRow) {.filters = 32});
  y = build (&b, "Relu", NULL, build_conv (&b, x, (ConvRow) {.filters = 32}), NULL);
  x = build (&b, "Add", NULL, x, y, NULL);
  x = build (&b, "GlobalAveragePool", NULL, x, NULL);
  x = build_gemm (&b, build_reshape (&b, x, &ENS_SHAPE (batch, 32)), 10000);
  ens_graph_add_output (b.graph, build (&b, "ReduceMax", &max, x, NULL));
  stages = ens_graph_cut (b.graph, b.graph);
  ck_assert_uint_eq (stages->len, G_N_ELEMENTS (expected));
  for (guint i = 0; i < stages->len; i++) {
    const EnsStage *stage = g_ptr_array_index (stages, i);

    ens_graph_validate (stage->graph, &error);
    ck_assert_no_error (error);
    ck_assert_uint_eq (stage->batch, batch);
    ck_assert_uint_eq (stage->chunk, expected[i].chunk);
    ck_assert_uint_eq (stage->graph->nodes->len, expected[i].n_nodes);
    ck_assert_uint_eq (stage->inputs->len, 1);
    ck_assert_int_eq (g_array_index (stage->inputs, EnsStagePort, 0).array, expected[i].from);
    ck_assert_uint_eq (stage->outputs->len, 1);
    ck_assert_int_eq (g_array_index (stage->outputs, EnsStagePort, 0).array, expected[i].to);
  }
}
END_TEST

/* Two large maps are read on both sides of the layer that would want a stage of its own. */
START_TEST (test_maps_kept)
{
  g_auto (Builder) b;
  g_autoptr (GPtrArray) stages = NULL;
  EnsValue *x, *y, *pooled;

  builder_init (&b, 4);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (16, 64, 64, 4)), (ConvRow) {.filters = 32});
  y = build_conv (&b, x, (ConvRow) {.filters = 32});
  pooled = build_reshape (&b, build (&b, "GlobalAveragePool", NULL, y, NULL), &ENS_SHAPE (16, 32));
  ens_graph_add_output (b.graph, build_gemm (&b, pooled, 10000));
  ens_graph_add_output (b.graph, build (&b, "Add", NULL, x, y, NULL));
  stages = ens_graph_cut (b.graph, b.graph);
  ck_assert_uint_eq (stages->len, 1);
}
END_TEST

/* One image, inputs that disagree, and outputs that are inputs: not cut. */
START_TEST (test_whole)
{
  for (guint i = 0; i < 3; i++) {
    g_auto (Builder) b;
    g_autoptr (GPtrArray) stages = NULL;
    EnsValue *x, *y;

    builder_init (&b, 3);
    x = build_input (&b, &ENS_SHAPE (i == 0 ? 1 : 4, 64, 64, 4));
    y = build_input (&b, &ENS_SHAPE (1, 64, 64, 4));
    x = build (&b, "Add", NULL, x, y, NULL);
    if (i == 1)
      ens_graph_add_output (b.graph, y);
    ens_graph_add_output (b.graph, build_conv (&b, x, (ConvRow) {.filters = 32}));
    stages = ens_graph_cut (b.graph, b.graph);
    ck_assert_uint_eq (stages->len, 1);
    ck_assert_uint_eq (((EnsStage *)g_ptr_array_index (stages, 0))->batch, 1);
    ck_assert_uint_eq (((EnsStage *)g_ptr_array_index (stages, 0))->chunk, 1);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes");
  TEST_ADD_ROWS ("per-image", test_per_image, rows);
  test_add_row ("stages/cut", "16", test_cut, 16);
  test_add_row ("stages/cut", "7", test_cut, 7);
  test_add ("stages/maps-kept", test_maps_kept);
  test_add ("stages/whole", test_whole);
  return test_run ();
}
