/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fully connected layers as convolutions: on an input larger than the nominal one, each position
 * of the output map is what the network says of that position's part of the input alone. */
#include "build.h"

#include <string.h>

#include "check-main.h"
#include "cpu/interpret.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

#define SIZE 9   /* nominal height and width */
#define STRIDE 2 /* of the map, in pixels */
#define CLASSES 3

static EnsValue *
build_features (Builder *b)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};
  EnsValue *x = build_conv (b, build_input (b, &ENS_SHAPE (1, SIZE, SIZE, 2)),
                            (ConvRow) {.filters = 4, .kernel = 2});

  pool.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    pool.sliding.kernel[i] = pool.sliding.strides[i] = 2;
  return build (b, "MaxPool", &pool, build (b, "Relu", NULL, x, NULL), NULL); /* 4 × 4 × 4 */
}

/* As VGG and AlexNet end. */
static EnsValue *
build_layers (Builder *b, EnsValue *x)
{
  x = build_gemm (b, build (b, "Dropout", NULL, build_flatten (b, x), NULL), 5);
  x = build (b, "Relu", NULL, x, NULL);
  x = build_gemm (b, build (b, "Dropout", NULL, x, NULL), CLASSES);
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = 1, .flatten = TRUE}, x, NULL);
}

/* The same from files that are channels-last themselves, product and bias apart. */
static EnsValue *
build_matmul (Builder *b, EnsValue *x)
{
  x = build_reshape (b, x, &ENS_SHAPE (1, 64));
  x = build (b, "Sigmoid", NULL, x, NULL);
  x = build (b, "MatMul", NULL, x, build_constant (b, &ENS_SHAPE (64, CLASSES)), NULL);
  x = build (b, "Add", NULL, x, build_constant (b, &ENS_SHAPE (CLASSES)), NULL);
  return build (b, "LogSoftmax", &(EnsSoftmaxParams) {.axis = -1}, x, NULL);
}

/* As ResNet and GoogLeNet. */
static EnsValue *
build_average (Builder *b, EnsValue *x)
{
  return build_gemm (b, build_flatten (b, build (b, "GlobalAveragePool", NULL, x, NULL)), CLASSES);
}

/* As networks that learn from image labels alone where things are (Oquab et al., CVPR 2015). */
static EnsValue *
build_maximum (Builder *b, EnsValue *x)
{
  return build_gemm (b, build_flatten (b, build (b, "GlobalMaxPool", NULL, x, NULL)), CLASSES);
}

/* As SqueezeNet, and with a gate that also averages, over the whole map at any size. */
static EnsValue *
build_mean (Builder *b, EnsValue *x)
{
  EnsReduceParams mean = {.axes = {2, TRUE, {1, 2}}};

  x = build (b, "Relu", NULL, build_conv (b, x, (ConvRow) {.filters = CLASSES}), NULL);
  x = build (b, "ReduceMean", &mean, x, NULL);
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = -1}, x, NULL);
}

/* As SqueezeNet's file has it: a dropout before the last convolution. */
static EnsValue *
build_dropout (Builder *b, EnsValue *x)
{
  x = build_conv (b, build (b, "Dropout", NULL, x, NULL), (ConvRow) {.filters = CLASSES});
  return build_flatten (b, build (b, "GlobalAveragePool", NULL, x, NULL));
}

/* As MobileNet v3: a convolution behind the average. */
static EnsValue *
build_convolution (Builder *b, EnsValue *x)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};

  pool.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    pool.sliding.kernel[i] = pool.sliding.strides[i] = 4;
  x = build (b, "AveragePool", &pool, x, NULL);
  x = build (b, "Relu", NULL, build_conv (b, x, (ConvRow) {.filters = 6}), NULL);
  x = build_conv (b, x, (ConvRow) {.filters = CLASSES});
  x = build (b, "Softmax", &(EnsSoftmaxParams) {.axis = 1, .flatten = TRUE}, x, NULL);
  return build_flatten (b, x);
}

/* The part of an image at a position of the map. */
static EnsTensor *
cut (const EnsTensor *image, gint64 y, gint64 x)
{
  gint64 width = image->shape.dims[2], channels = image->shape.dims[3];
  EnsTensor *part = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, SIZE, SIZE, channels));
  gsize row = (gsize)(SIZE * channels);

  for (gint64 i = 0; i < SIZE; i++)
    memcpy ((float *)part->data + (gsize)i * row,
            (const float *)image->data + ((y * STRIDE + i) * width + x * STRIDE) * channels,
            row * sizeof (float));
  return part;
}

static const struct {
  const char *name;
  EnsValue *(*build_head) (Builder *builder, EnsValue *features);
} rows[] = {
    {"layers", build_layers},   {"matmul", build_matmul}, {"average", build_average},
    {"maximum", build_maximum}, {"mean", build_mean},     {"convolution", build_convolution},
    {"dropout", build_dropout},
};

START_TEST (test_positions)
{
  g_auto (Builder) b;
  g_autoptr (EnsGraph) before = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsTensor) image = NULL, map = NULL;
  EnsValue *output;
  gboolean progress;

  builder_init (&b, 11);
  output = rows[_i].build_head (&b, build_features (&b));
  ens_graph_rename (b.graph, output, "probabilities");
  ens_graph_add_output (b.graph, output);
  before = ens_graph_copy (b.graph);
  progress = ens_pass_convolutionalise (b.graph, &ENS_SHAPE (1, SIZE, SIZE, 2), &error);
  ck_assert_no_error (error);
  ck_assert (progress);
  ens_graph_validate (b.graph, &error);
  ck_assert_no_error (error);
  output = g_ptr_array_index (b.graph->outputs, 0);
  ck_assert_str_eq (output->name, "probabilities");
  ck_assert (ens_shape_equal (&output->shape, &ENS_SHAPE (1, 1, 1, CLASSES)));

  image = random_tensor (b.rand, &ENS_SHAPE (1, SIZE + STRIDE, SIZE + 2 * STRIDE, 2));
  map = run_graph (b.graph, image);
  ck_assert (ens_shape_equal (&map->shape, &ENS_SHAPE (1, 2, 3, CLASSES)));
  for (gint64 i = 0; i < 6; i++) {
    g_autoptr (EnsTensor) part = cut (image, i / 3, i % 3);
    g_autoptr (EnsTensor) expected = run_graph (before, part);

    ck_assert_double_lt (
        relative_error ((const float *)map->data + i * CLASSES, expected->data, CLASSES), 1e-5);
  }
}
END_TEST

/* Nothing is fully connected: the graph stays as it is. */
START_TEST (test_nothing)
{
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  EnsValue *x, *gate;
  guint n_nodes;

  builder_init (&b, 12);
  x = build_features (&b);
  gate = build (&b, "GlobalAveragePool", NULL, x, NULL);
  gate = build (&b, "Sigmoid", NULL, build_conv (&b, gate, (ConvRow) {.filters = 4}), NULL);
  ens_graph_add_output (b.graph, build (&b, "Mul", NULL, x, gate, NULL));
  n_nodes = b.graph->nodes->len;
  ck_assert (!ens_pass_convolutionalise (b.graph, &ENS_SHAPE (1, SIZE, SIZE, 2), &error));
  ck_assert_no_error (error);
  ck_assert_uint_eq (b.graph->nodes->len, n_nodes);
}
END_TEST

/* What looks at all positions together, and so would be something else on a larger map. */
START_TEST (test_positions_together)
{
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  EnsValue *x;

  builder_init (&b, 14);
  x = build_flatten (&b, build_features (&b));
  x = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = 1, .flatten = TRUE}, x, NULL);
  ens_graph_add_output (b.graph, x);
  ck_assert (!ens_pass_convolutionalise (b.graph, &ENS_SHAPE (1, SIZE, SIZE, 2), &error));
  ck_assert_no_error (error);
}
END_TEST

/* Pooling that pads stays as it is; what is behind it is turned. */
START_TEST (test_padded_pool)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  EnsValue *x;

  builder_init (&b, 15);
  pool.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    pool.sliding.kernel[i] = pool.sliding.strides[i] = 4;
    pool.sliding.pads_begin[i] = 1;
  }
  x = build (&b, "AveragePool", &pool, build_features (&b), NULL);
  ens_graph_add_output (b.graph, build_gemm (&b, build_flatten (&b, x), CLASSES));
  ck_assert (ens_pass_convolutionalise (b.graph, &ENS_SHAPE (1, SIZE, SIZE, 2), &error));
  ck_assert_no_error (error);
  x = g_ptr_array_index (b.graph->outputs, 0);
  ck_assert (ens_shape_equal (&x->shape, &ENS_SHAPE (1, 1, 1, CLASSES)));
}
END_TEST

/* A gate over the whole map, within the features, stays one. */
START_TEST (test_gate)
{
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  EnsValue *x, *gate;
  guint n_global = 0;

  builder_init (&b, 13);
  x = build_features (&b);
  gate = build_gemm (&b, build_flatten (&b, build (&b, "GlobalAveragePool", NULL, x, NULL)), 4);
  gate = build_reshape (&b, gate, &ENS_SHAPE (1, 1, 1, 4));
  x = build (&b, "Mul", NULL, x, gate, NULL);
  ens_graph_add_output (b.graph, build_average (&b, x));
  ck_assert (ens_pass_convolutionalise (b.graph, &ENS_SHAPE (1, SIZE, SIZE, 2), &error));
  ck_assert_no_error (error);
  for (guint i = 0; i < b.graph->nodes->len; i++)
    n_global += ens_node_is (ens_graph_node (b.graph, i), "GlobalAveragePool");
  ck_assert_uint_eq (n_global, 1);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/convolutionalise");
  TEST_ADD_ROWS (NULL, test_positions, rows);
  test_add ("nothing", test_nothing);
  test_add ("positions-together", test_positions_together);
  test_add ("padded-pool", test_padded_pool);
  test_add ("gate", test_gate);
  return test_run ();
}
