/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each pass on small graphs: what is left, and that it computes the same. */
#include "build.h"

#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

typedef gboolean (*Pass) (EnsGraph *graph);

/* Outputs before and after by the references; a pass may round differently. */
static void
assert_same_outputs (const EnsGraph *before, const EnsGraph *after)
{
  g_autoptr (GPtrArray) inputs = random_inputs (before, 7);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) expected = ens_interpret (before, (EnsTensor **)inputs->pdata, &error);
  g_autoptr (GPtrArray) found = NULL;

  ck_assert_no_error (error);
  found = ens_interpret (after, (EnsTensor **)inputs->pdata, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (found->len, expected->len);
  for (guint i = 0; i < found->len; i++) {
    const EnsTensor *a = g_ptr_array_index (found, i), *b = g_ptr_array_index (expected, i);

    ck_assert (ens_shape_equal (&a->shape, &b->shape));
    ck_assert_double_lt (relative_error (a->data, b->data, (gsize)ens_shape_elements (&a->shape)),
                         1e-5);
  }
}

/* `ops`: the operators that are left, in order. */
static void
check_pass (Builder *builder, EnsValue *output, Pass pass, const char *ops)
{
  g_autoptr (EnsGraph) before = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) left = g_string_new (NULL);
  EnsGraph *graph = builder->graph;

  if (output != NULL)
    ens_graph_add_output (graph, output);
  before = ens_graph_copy (graph);
  while (pass (graph))
    ens_graph_remove_unused (graph);
  ens_graph_remove_unused (graph);
  ens_graph_validate (graph, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < graph->nodes->len; i++)
    g_string_append_printf (left, "%s%s", i > 0 ? " " : "", ens_graph_node (graph, i)->op->name);
  ck_assert_pstr_eq (left->str, ops);
  assert_same_outputs (before, graph);
}

/* One graph each. */

START_TEST (test_fold_constants)
{
  g_auto (Builder) b;
  EnsValue *sum;

  builder_init (&b, 1);
  sum = build (&b, "Add", NULL, build_constant (&b, &ENS_SHAPE (3)),
               build_constant (&b, &ENS_SHAPE (2, 3)), NULL);
  sum = build (&b, "Relu", NULL, sum, NULL);
  check_pass (&b, build (&b, "Mul", NULL, build_input (&b, &ENS_SHAPE (2, 3)), sum, NULL),
              ens_pass_fold_constants, "Mul");
}
END_TEST

/* Dropout, and the mask that it tells besides. */
static EnsValue *
build_masked (Builder *b, EnsValue *x)
{
  const EnsCastParams to_float = {ENS_TYPE_FLOAT32};
  const EnsDropoutParams half = {0.5F};
  EnsNode *dropout = ens_graph_add_node (b->graph, ens_op_find ("Dropout"), NULL, &half, &x, 1, 2);

  ck_assert (ens_infer_node (dropout, FALSE, NULL));
  return build (b, "Mul", NULL, dropout->outputs[0],
                build (b, "Cast", &to_float, dropout->outputs[1], NULL), NULL);
}

START_TEST (test_remove_identities)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};
  EnsPadParams pad = {.has_pads = TRUE, .rank = 4};
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 2);
  x = build (&b, "Identity", NULL, build_input (&b, &ENS_SHAPE (1, 3, 4, 5)), NULL);
  x = build (&b, "Cast", &(EnsCastParams) {ENS_TYPE_FLOAT32}, x, NULL);
  x = build (&b, "Dropout", NULL, x, NULL);
  x = build_masked (&b, x);
  pool.sliding.rank = 2;
  pool.sliding.kernel[0] = pool.sliding.kernel[1] = 1;
  x = build (&b, "AveragePool", &pool, x, NULL);
  x = build (&b, "Pad", &pad, x, NULL);
  x = build_transpose (&b, x, (const gint64[]) {0, 1, 2, 3});
  x = build (&b, "Sum", NULL, x, NULL);
  x = build_concat (&b, 3, &x, 1);
  x = build (&b, "Relu", NULL, x, NULL);
  ens_graph_add_output (b.graph, build (&b, "Identity", NULL, x, NULL));
  pad.begin[1] = 1;
  x = build (&b, "Pad", &pad, x, NULL);
  pool.sliding.strides[0] = 2;
  check_pass (&b, build (&b, "MaxPool", &pool, x, NULL), ens_pass_remove_identities,
              "Dropout Cast Mul Relu Pad MaxPool");
}
END_TEST

START_TEST (test_fold_pads)
{
  EnsPadParams pad = {
      .has_pads = TRUE, .rank = 4, .begin = {[1] = 1, [2] = 0}, .end = {[1] = 2, [2] = 1}};
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 3);
  x = build (&b, "Pad", &pad, build_input (&b, &ENS_SHAPE (1, 6, 7, 3)), NULL);
  x = build_conv (&b, x, (ConvRow) {.filters = 4, .kernel = 3, .pad = 1});
  x = build (&b, "Pad", &pad, x, NULL);
  pool.sliding.rank = 2;
  pool.sliding.kernel[0] = pool.sliding.kernel[1] = 3;
  x = build (&b, "AveragePool", &pool, x, NULL);
  /* Not zero. */
  pad.value = 1;
  x = build (&b, "Pad", &pad, x, NULL);
  x = build_conv (&b, x, (ConvRow) {.filters = 2, .kernel = 3});
  /* Not of space alone. */
  pad.value = 0;
  pad.begin[3] = 1;
  x = build (&b, "Pad", &pad, x, NULL);
  x = build_conv (&b, x, (ConvRow) {.filters = 2});
  /* A crop. */
  pad.begin[3] = 0;
  pad.end[1] = -1;
  x = build (&b, "Pad", &pad, x, NULL);
  x = build_conv (&b, x, (ConvRow) {.filters = 2});
  /* The last windows may reach beyond the padding. */
  pad.end[1] = 1;
  pool.ceil_mode = TRUE;
  x = build (&b, "Pad", &pad, x, NULL);
  check_pass (&b, build (&b, "AveragePool", &pool, x, NULL), ens_pass_fold_pads,
              "Conv AveragePool Pad Conv Pad Conv Pad Conv Pad AveragePool");
}
END_TEST

START_TEST (test_fold_batch_norm_behind)
{
  const EnsBinaryParams relu = {.activation = {.kind = ENS_ACTIVATION_RELU}};
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 4);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (2, 5, 5, 4)),
                  (ConvRow) {.filters = 6, .kernel = 3, .pad = 1, .group = 2, .no_bias = TRUE});
  x = build_batch_norm (&b, x);
  x = build (&b, "Mul", NULL, x, build_constant (&b, &ENS_SHAPE (6)), NULL);
  x = build (&b, "Sub", NULL, build_constant (&b, &ENS_SHAPE (1, 1, 1, 6)), x, NULL);
  x = build (&b, "GlobalAveragePool", NULL, x, NULL);
  x = build_gemm (&b, build_reshape (&b, x, &ENS_SHAPE (2, 6)), 5);
  x = build (&b, "Div", NULL, x, build_constant (&b, &ENS_SHAPE (1, 5)), NULL);
  x = build_batch_norm (&b, x);
  ens_graph_add_output (b.graph, x);
  /* Neither a quotient of the constant, nor what has an activation of its own. */
  y = build (&b, "Div", NULL, build_constant (&b, &ENS_SHAPE (3)), build_gemm (&b, x, 3), NULL);
  ens_graph_add_output (b.graph, y);
  y = build_gemm (&b, x, 3);
  check_pass (&b, build (&b, "Mul", &relu, y, build_constant (&b, &ENS_SHAPE (3)), NULL),
              ens_pass_fold_batch_norm, "Conv GlobalAveragePool Reshape Gemm Gemm Div Gemm Mul");
}
END_TEST

START_TEST (test_fold_batch_norm_before)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 5);
  x = build_batch_norm (&b, build_input (&b, &ENS_SHAPE (1, 5, 6, 4)));
  x = build_conv (&b, x, (ConvRow) {.filters = 6, .kernel = 2, .group = 2});
  x = build (&b, "Relu", NULL, x, NULL);
  /* A padded convolution takes none before it. */
  x = build_batch_norm (&b, x);
  x = build_conv (&b, x, (ConvRow) {.filters = 3, .kernel = 3, .pad = 1});
  /* One that something else reads, too. */
  y = build_batch_norm (&b, build (&b, "Relu", NULL, x, NULL));
  ens_graph_add_output (b.graph, y);
  ens_graph_add_output (b.graph, build_conv (&b, y, (ConvRow) {.filters = 2}));
  /* One that makes columns of a single one. */
  x = build (&b, "Add", NULL, build_input (&b, &ENS_SHAPE (2, 1)),
             build_constant (&b, &ENS_SHAPE (4)), NULL);
  check_pass (&b, build_gemm (&b, x, 3), ens_pass_fold_batch_norm,
              "Conv Relu Conv Conv Relu Conv Conv Add Gemm");
}
END_TEST

START_TEST (test_fold_into_product)
{
  g_auto (Builder) b;
  EnsValue *x, *constant;

  builder_init (&b, 12);
  x = build (&b, "MatMul", NULL, build_input (&b, &ENS_SHAPE (2, 3)),
             build_constant (&b, &ENS_SHAPE (3, 4)), NULL);
  x = build (&b, "Mul", NULL, x, build_constant (&b, &ENS_SHAPE (4)), NULL);
  x = build (&b, "Sum", NULL, x, build_constant (&b, &ENS_SHAPE (1, 4)), NULL);
  x = build (&b, "Relu", NULL, x, NULL);
  /* A sum of more than two. */
  constant = build_constant (&b, &ENS_SHAPE (4));
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (4, 4)), NULL);
  x = build (&b, "Sum", NULL, x, constant, constant, NULL);
  /* More axes than a Gemm has. */
  x = build_reshape (&b, x, &ENS_SHAPE (1, 2, 4));
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (4, 5)), NULL);
  check_pass (&b, build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (5)), NULL),
              ens_pass_fold_batch_norm, "Gemm Relu MatMul Sum Reshape MatMul Add");
}
END_TEST

START_TEST (test_remove_transposes)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 6);
  x = build_transpose (&b, build_input (&b, &ENS_SHAPE (2, 3, 4, 5)),
                       (const gint64[]) {0, 3, 1, 2});
  x = build_transpose (&b, x, (const gint64[]) {0, 2, 3, 1});
  x = build (&b, "GlobalAveragePool", NULL, x, NULL);
  x = build_flatten (&b, x);
  check_pass (&b, build_transpose (&b, x, (const gint64[]) {1, 0}), ens_pass_remove_transposes,
              "Reshape GlobalAveragePool Reshape Flatten Transpose");
}
END_TEST

START_TEST (test_fuse_bias)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 7);
  x = build (&b, "MatMul", NULL, build_input (&b, &ENS_SHAPE (2, 3)),
             build_constant (&b, &ENS_SHAPE (3, 4)), NULL);
  x = build (&b, "Add", NULL, build_constant (&b, &ENS_SHAPE (4)), x, NULL);
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (4, 4)), NULL);
  x = build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (2, 4)), NULL);
  ens_graph_add_output (b.graph, x);
  /* A vector and two matrices. */
  x = build (&b, "MatMul", NULL, build_input (&b, &ENS_SHAPE (3)),
             build_constant (&b, &ENS_SHAPE (2, 3, 4)), NULL);
  check_pass (&b, build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (4)), NULL),
              ens_pass_fuse_bias, "Gemm MatMul Add MatMul Add");
}
END_TEST

START_TEST (test_fuse_residual)
{
  g_auto (Builder) b;
  EnsValue *x, *main_path, *shortcut, *other;

  builder_init (&b, 8);
  x = build_input (&b, &ENS_SHAPE (1, 4, 4, 3));
  main_path = build_conv (&b, x, (ConvRow) {.filters = 3, .kernel = 3, .pad = 1});
  x = build (&b, "Add", NULL, main_path, x, NULL);
  /* The convolution comes before what is added to it. */
  main_path = build_conv (&b, x, (ConvRow) {.filters = 5});
  shortcut = build (&b, "Relu", NULL, build_conv (&b, x, (ConvRow) {.filters = 5}), NULL);
  x = build (&b, "Add", NULL, shortcut, main_path, NULL);
  /* Broadcasting, and a convolution that is read twice. */
  other = build_conv (&b, x, (ConvRow) {.filters = 5});
  x = build (&b, "Add", NULL, other, build (&b, "GlobalAveragePool", NULL, other, NULL), NULL);
  /* What is added to itself is read twice. */
  x = build_conv (&b, x, (ConvRow) {.filters = 5});
  x = build (&b, "Add", NULL, x, x, NULL);
  /* Other names of an addition, and one of more than two. */
  x = build (&b, "Sum", NULL, build_conv (&b, x, (ConvRow) {.filters = 5}), x, NULL);
  x = build (&b, "Sum", NULL, build_conv (&b, x, (ConvRow) {.filters = 5}), x, x, NULL);
  check_pass (&b, x, ens_pass_fuse_residual,
              "Conv Conv Relu Conv Conv GlobalAveragePool Add Conv Add Conv Conv Sum");
}
END_TEST

START_TEST (test_fuse_gate)
{
  EnsUnaryParams hard = {1 / 6.0f, 0.5f}, other = {0.2f, 0.5f};
  g_auto (Builder) b;
  EnsValue *x, *gate;

  builder_init (&b, 11);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (1, 3, 3, 2)), (ConvRow) {.filters = 4});
  x = build (&b, "Mul", NULL, build (&b, "Sigmoid", NULL, x, NULL), x, NULL);
  x = build_conv (&b, x, (ConvRow) {.filters = 4});
  x = build (&b, "Mul", NULL, x, build (&b, "HardSigmoid", &hard, x, NULL), NULL);
  /* Another slope, and a gate of something else. */
  x = build_conv (&b, x, (ConvRow) {.filters = 4});
  x = build (&b, "Mul", NULL, x, build (&b, "HardSigmoid", &other, x, NULL), NULL);
  gate = build (&b, "Sigmoid", NULL, build_conv (&b, x, (ConvRow) {.filters = 4}), NULL);
  x = build (&b, "Mul", NULL, x, gate, NULL);
  /* Read besides. */
  x = build_conv (&b, x, (ConvRow) {.filters = 4});
  gate = build (&b, "Mul", NULL, x, build (&b, "Sigmoid", NULL, x, NULL), NULL);
  check_pass (&b, build (&b, "Add", NULL, gate, x, NULL), ens_pass_fuse_gate,
              "Conv Conv Conv HardSigmoid Mul Conv Sigmoid Mul Conv Sigmoid Mul Add");
}
END_TEST

START_TEST (test_fuse_activation)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 9);
  x = build (&b, "Relu", NULL,
             build_conv (&b, build_input (&b, &ENS_SHAPE (1, 3, 3, 2)), (ConvRow) {.filters = 4}),
             NULL);
  y = build (&b, "Clip", &(EnsClipParams) {0, 0.5f}, build_conv (&b, x, (ConvRow) {.filters = 4}),
             NULL);
  x = build (&b, "Sigmoid", NULL, build (&b, "Add", NULL, x, y, NULL), NULL);
  /* Twice, and of a value that is read besides. */
  x = build (&b, "Tanh", NULL, x, NULL);
  y = build_conv (&b, x, (ConvRow) {.filters = 4});
  check_pass (&b, build (&b, "Mul", NULL, build (&b, "Relu", NULL, y, NULL), y, NULL),
              ens_pass_fuse_activation, "Conv Conv Add Tanh Conv Relu Mul");
}
END_TEST

START_TEST (test_pool_early)
{
  g_auto (Builder) b;
  EnsValue *maps[3], *x, *vectors[4];

  builder_init (&b, 10);
  x = build_input (&b, &ENS_SHAPE (1, 5, 5, 3));
  for (guint i = 0; i < 3; i++)
    x = maps[i] = build_conv (&b, x, (ConvRow) {.filters = 3});
  for (guint i = 0; i < 3; i++)
    vectors[i] = build (&b, "GlobalAveragePool", NULL, maps[i], NULL);
  vectors[3] = build (&b, "GlobalMaxPool", NULL, maps[0], NULL);
  check_pass (&b, build_concat (&b, 3, vectors, 4), ens_pass_pool_early,
              "Conv GlobalAveragePool GlobalMaxPool Conv GlobalAveragePool Conv "
              "GlobalAveragePool Concat");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes");
  test_add ("fold-constants", test_fold_constants);
  test_add ("remove-identities", test_remove_identities);
  test_add ("fold-pads", test_fold_pads);
  test_add ("fold-batch-norm/behind", test_fold_batch_norm_behind);
  test_add ("fold-batch-norm/before", test_fold_batch_norm_before);
  test_add ("fold-batch-norm/product", test_fold_into_product);
  test_add ("pool-early", test_pool_early);
  test_add ("remove-transposes", test_remove_transposes);
  test_add ("fuse-bias", test_fuse_bias);
  test_add ("fuse-residual", test_fuse_residual);
  test_add ("fuse-gate", test_fuse_gate);
  test_add ("fuse-activation", test_fuse_activation);
  return test_run ();
}
