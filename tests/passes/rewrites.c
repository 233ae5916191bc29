/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each pass on small graphs: what is left, and that it computes the same. */
#include "build.h"

#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

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

/* Slice and Pad of the size that they get. */
START_TEST (test_remove_copies)
{
  const EnsSliceParams all = {{1, TRUE, {0}}, {1, TRUE, {99}}, {1, TRUE, {2}}, {0}};
  const EnsSliceParams turned = {
      {1, TRUE, {-1}}, {1, TRUE, {-99}}, {1, TRUE, {2}}, {1, TRUE, {-1}}};
  const EnsPadParams moved = {.has_pads = TRUE, .rank = 3, .begin = {0, 1}, .end = {0, -1}};
  gint64 nothing[6] = {0};
  g_autoptr (EnsTensor) pads = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (6), nothing);
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 2);
  x = build (&b, "Slice", &all, build_input (&b, &ENS_SHAPE (2, 3, 4)), NULL);
  x = build (&b, "Pad", NULL, x, ens_graph_add_constant (b.graph, NULL, pads), NULL);
  x = build (&b, "Slice", &turned, x, NULL);
  check_pass (&b, build (&b, "Pad", &moved, x, NULL), ens_pass_remove_copies, "Slice Pad");
}
END_TEST

/* Of a graph that was built and whose types have not been inferred: a comparison may be anything
 * yet. */
START_TEST (test_keep_cast)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("built");
  EnsValue *x = ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, &ENS_SHAPE (2, 3));
  EnsValue *y = ens_graph_apply (graph, ens_op_find ("Greater"), NULL, x, x, NULL);

  y = ens_graph_apply (graph, ens_op_find ("Cast"), &(EnsCastParams) {ENS_TYPE_FLOAT32}, y, NULL);
  ens_graph_add_output (graph, y);
  ens_pass_remove_identities (graph);
  ck_assert_uint_eq (graph->nodes->len, 2);
  ck_assert (ens_infer_graph (graph, &ENS_SHAPE (2, 3), NULL));
  ck_assert_int_eq (((EnsValue *)graph->outputs->pdata[0])->type, ENS_TYPE_FLOAT32);
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

/* Chains that fold one into the next are done in one round, however long. */
#define CHAIN 3000

static void
check_chain (Builder *b, EnsValue *output, Pass pass, guint n_left)
{
  ens_graph_add_output (b->graph, output);
  ck_assert (pass (b->graph));
  ens_graph_remove_unused (b->graph);
  ck_assert_uint_eq (b->graph->nodes->len, n_left);
}

START_TEST (test_chains_before)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 6);
  x = build_input (&b, &ENS_SHAPE (1, 2, 2, 3));
  for (guint i = 0; i < CHAIN; i++)
    x = build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (3)), NULL);
  check_chain (&b, build_conv (&b, x, (ConvRow) {.filters = 2}), ens_pass_fold_batch_norm, 1);
}
END_TEST

START_TEST (test_chains_depthwise)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 6);
  x = build_input (&b, &ENS_SHAPE (1, 2, 2, 3));
  for (guint i = 0; i < CHAIN; i++)
    x = build (&b, "Relu", NULL, build_batch_norm (&b, x), NULL);
  check_chain (&b, x, ens_pass_fold_batch_norm, 2 * CHAIN);
  for (guint i = 0; i < b.graph->nodes->len; i += 2)
    ck_assert_pstr_eq (ens_graph_node (b.graph, i)->op->name, "Conv");
}
END_TEST

START_TEST (test_chains_pads)
{
  const EnsPadParams pad = {.has_pads = TRUE, .rank = 4};
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 6);
  x = build_input (&b, &ENS_SHAPE (1, 2, 2, 3));
  for (guint i = 0; i < CHAIN; i++)
    x = build (&b, "Pad", &pad, x, NULL);
  check_chain (&b, build_conv (&b, x, (ConvRow) {.filters = 2}), ens_pass_fold_pads, 1);
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
              "GlobalAveragePool Reshape Flatten Transpose");
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
              ens_pass_fuse_bias, "Gemm MatMul Add MatMul");
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

/* Products by constant matrices add a tensor too, with a bias or without. */
START_TEST (test_fuse_product_residual)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 8);
  x = build_input (&b, &ENS_SHAPE (2, 4, 3));
  y = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (3, 3)),
             build_constant (&b, &ENS_SHAPE (3)), NULL);
  x = build (&b, "Add", NULL, x, y, NULL);
  y = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (3, 3)), NULL);
  x = build (&b, "Add", NULL, y, x, NULL);
  /* By a matrix that is computed. */
  y = build (&b, "MatMul", NULL, x, build_input (&b, &ENS_SHAPE (3, 3)), NULL);
  check_pass (&b, build (&b, "Add", NULL, x, y, NULL), ens_pass_fuse_residual,
              "MatMul MatMul MatMul Add");
}
END_TEST

/* Factors of columns; not those of rows, and not of a product that is read twice. */
START_TEST (test_fold_scale)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 8);
  x = build_input (&b, &ENS_SHAPE (2, 4, 3));
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (3, 5)), NULL);
  x = build (&b, "Add", NULL, x, build_constant (&b, &ENS_SHAPE (5)), NULL);
  x = build (&b, "Mul", NULL, x, build_constant (&b, &ENS_SHAPE (1, 1, 5)), NULL);
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (5, 4)), NULL);
  x = build (&b, "Mul", NULL, build_constant (&b, &ENS_SHAPE (4)), x, NULL);
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (4, 4)), NULL);
  x = build (&b, "Mul", NULL, x, build_constant (&b, &ENS_SHAPE (4, 1)), NULL);
  x = build (&b, "MatMul", NULL, x, build_constant (&b, &ENS_SHAPE (4, 4)), NULL);
  x = build (&b, "Sub", NULL, x,
             build (&b, "Mul", NULL, x, build_constant (&b, &ENS_SHAPE (4)), NULL), NULL);
  check_pass (&b, x, ens_pass_fold_scale, "MatMul Add MatMul MatMul Mul MatMul Mul Sub");
}
END_TEST

/* A map and its products with numbers of channels; what is read twice stays, and so does a single
 * product. */
START_TEST (test_gather_factors)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 8);
  x = build_input (&b, &ENS_SHAPE (2, 4, 4, 3));
  y = build (&b, "GlobalAveragePool", NULL, x, NULL);
  y = build (&b, "Mul", NULL, x, y, NULL);
  y = build (&b, "Mul", NULL, build_constant (&b, &ENS_SHAPE (3)), y, NULL);
  y = build (&b, "Add", NULL, build_constant (&b, &ENS_SHAPE (1, 1, 1, 3)), y, NULL);
  x = build (&b, "Add", NULL, x, y, NULL);
  y = build (&b, "Mul", NULL, x, build_number (&b, 3), NULL);
  x = build (&b, "Add", NULL, x, y, NULL);
  y = build (&b, "Mul", NULL, x, build_number (&b, 3), NULL);
  ens_graph_add_output (b.graph, y);
  y = build (&b, "Add", NULL, y, build_number (&b, 2), NULL);
  check_pass (&b, build (&b, "Add", NULL, y, x, NULL), ens_pass_gather_factors,
              "GlobalAveragePool Mul Add Mul Add Mul Add Mul Add Add");
}
END_TEST

static const struct {
  const char *equation, *inputs, *ops; /* ops: what is left */
} equations[] = {
    {"ij,jk->ik", "2x3 3x4", "MatMul"},
    {"bhid,bhjd->bhij", "2x3x4x5 2x3x6x5", "Reshape Transpose Reshape MatMul Reshape"},
    {"bihd,bjhd->bhij", "2x4x3x5 2x6x3x5", "Transpose Reshape Transpose Reshape MatMul Reshape"},
    {"bhij,bjhd->bihd", "2x3x4x6 2x6x3x5", "Reshape Transpose Reshape MatMul Reshape Transpose"},
    {"bhwc,hkc->bhwk", "2x3x4x5 3x6x5", "Transpose Reshape Transpose MatMul Reshape Transpose"},
    {"...ij,...jk->...ik", "2x1x3x5 4x5x7", NULL},
    {"ab,bc,cd->ad", "2x3 3x4 4x5", "MatMul MatMul"},
    {"bnc,bn->bnc", "2x5x3 2x5", NULL},
    {"ij,k->i", "2x3 4", NULL},
    {"ij->ji", "2x3", "Transpose"},
    {"ij->", "2x3", "ReduceSum"},
    {"i,j->ij", "2 3", "Reshape Reshape Mul"},
    {"ij,ij->", "2x3 2x3", NULL},
    {"ii->i", "3x3", "Einsum"},
};

START_TEST (test_decompose_einsum)
{
  g_auto (GStrv) shapes = g_strsplit (equations[_i].inputs, " ", -1);
  guint n = g_strv_length (shapes);
  EnsEinsumParams params = {0};
  g_autofree EnsValue **inputs = g_new (EnsValue *, n);
  g_auto (Builder) b;
  EnsNode *node;

  builder_init (&b, 16);
  g_strlcpy (params.equation, equations[_i].equation, sizeof params.equation);
  for (guint i = 0; i < n; i++) {
    EnsShape shape = {0};

    for (const char *at = shapes[i]; *at != '\0'; at += at[1] == '\0' ? 1 : 2)
      shape.dims[shape.rank++] = *at - '0';
    inputs[i] = build_input (&b, &shape);
  }
  node = ens_graph_add_node (b.graph, ens_op_find ("Einsum"), NULL, &params, inputs, n, 1);
  ck_assert (ens_infer_node (node, FALSE, NULL));
  check_pass (&b, node->outputs[0], ens_pass_decompose_einsum, equations[_i].ops);
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
  test_add ("remove-copies", test_remove_copies);
  test_add ("keep-cast", test_keep_cast);
  test_add ("fold-pads", test_fold_pads);
  test_add ("fold-batch-norm/behind", test_fold_batch_norm_behind);
  test_add ("fold-batch-norm/before", test_fold_batch_norm_before);
  test_add ("fold-batch-norm/product", test_fold_into_product);
  test_add ("chains/before", test_chains_before);
  test_add ("chains/depthwise", test_chains_depthwise);
  test_add ("chains/pads", test_chains_pads);
  test_add ("pool-early", test_pool_early);
  test_add ("remove-transposes", test_remove_transposes);
  test_add ("fuse-bias", test_fuse_bias);
  test_add ("fuse-residual", test_fuse_residual);
  test_add ("fuse-residual/products", test_fuse_product_residual);
  test_add ("fold-scale", test_fold_scale);
  test_add ("gather-factors", test_gather_factors);
  for (guint i = 0; i < G_N_ELEMENTS (equations); i++)
    test_add_row ("decompose-einsum", equations[i].equation, test_decompose_einsum, i);
  test_add ("fuse-activation", test_fuse_activation);
  return test_run ();
}
