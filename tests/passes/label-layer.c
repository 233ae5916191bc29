/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/label-layer.h"

#include "build.h"
#include "check-main.h"
#include "passes/rewrite.h"

enum { SIZE = 6, OLD = 5, NEW = 3 };

static EnsValue *
build_softmax (Builder *b, EnsValue *x)
{
  return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = -1}, x, NULL);
}

static EnsValue *
build_vgg (Builder *b, EnsValue *x)
{
  x = build (b, "Relu", NULL, build_gemm (b, build_flatten (b, x), 4), NULL);
  return build_softmax (b, build_gemm (b, build (b, "Dropout", NULL, x, NULL), OLD));
}

static EnsValue *
build_logits (Builder *b, EnsValue *x)
{
  return build_gemm (b, build_flatten (b, build (b, "GlobalAveragePool", NULL, x, NULL)), OLD);
}

/* The ReLU behind the layer, too. */
static EnsValue *
build_squeezenet (Builder *b, EnsValue *x)
{
  x = build (b, "Relu", NULL, build_conv (b, x, (ConvRow) {.filters = OLD}), NULL);
  x = build (b, "GlobalAveragePool", NULL, x, NULL);
  return build_softmax (b, build_flatten (b, x));
}

/* Product and bias apart, the bias first; a temperature. */
static EnsValue *
build_matmul (Builder *b, EnsValue *x)
{
  x = build_flatten (b, build (b, "GlobalAveragePool", NULL, x, NULL));
  x = build (b, "MatMul", NULL, x, build_constant (b, &ENS_SHAPE (4, OLD)), NULL);
  x = build (b, "Add", NULL, build_constant (b, &ENS_SHAPE (OLD)), x, NULL);
  return build (b, "Mul", NULL, x, build_constant (b, &ENS_SHAPE (1)), NULL);
}

/* A shape that counts the classes. */
static EnsValue *
build_reshaped (Builder *b, EnsValue *x)
{
  x = build (b, "GlobalAveragePool", NULL, build_conv (b, x, (ConvRow) {.filters = OLD}), NULL);
  return build (b, "Sigmoid", NULL, build_reshape (b, x, &ENS_SHAPE (1, OLD)), NULL);
}

static EnsValue *
build_no_bias (Builder *b, EnsValue *x)
{
  return build_conv (b, x, (ConvRow) {.filters = OLD, .no_bias = TRUE});
}

static const struct {
  const char *name;
  EnsValue *(*build) (Builder *builder, EnsValue *x);
  const char *op; /* of the layer, afterwards */
} rows[] = {
    {"vgg", build_vgg, "Gemm"},           {"logits", build_logits, "Gemm"},
    {"conv", build_squeezenet, "Conv"},   {"matmul", build_matmul, "Gemm"},
    {"reshaped", build_reshaped, "Conv"}, {"no-bias", build_no_bias, "Conv"},
};

static void
assert_names (const EnsGraph *before, const EnsGraph *after)
{
  for (guint i = 0; i < before->values->len; i++) {
    const EnsValue *value = ens_graph_value (before, i);

    ck_assert_msg (value->constant != NULL || ens_graph_find (after, value->name) != NULL,
                   "value “%s” is gone", value->name);
  }
}

/* With cleared weights, which are small, the logits are the biases to within their size. */
START_TEST (test_replace)
{
  static const float bias[NEW] = {-2, 0.5F, 30};
  const EnsLabelLayerParams params = {NEW, 7, bias};
  const EnsShape nominal = ENS_SHAPE (1, SIZE, SIZE, 2);
  g_auto (Builder) b = {0};
  g_autoptr (EnsGraph) before = NULL;
  g_autoptr (GPtrArray) inputs = NULL;
  g_autoptr (EnsTensor) logits = NULL;
  g_autoptr (GError) error = NULL;
  EnsValue *x;
  EnsNode *layer;

  builder_init (&b, 1);
  x = build_conv (&b, build_input (&b, &nominal), (ConvRow) {.filters = 4, .kernel = 2});
  ens_graph_add_output (b.graph, rows[_i].build (&b, x));
  before = ens_graph_copy (b.graph);
  layer = ens_label_layer_replace (b.graph, &params, &nominal, &error);
  ck_assert_no_error (error);
  ck_assert_pstr_eq (layer->op->name, rows[_i].op);
  ck_assert (ens_graph_validate (b.graph, NULL));
  assert_names (before, b.graph);

  inputs = random_inputs (b.graph, 2);
  logits = run_graph (b.graph, inputs->pdata[0]);
  ck_assert_int_eq (logits->shape.dims[logits->shape.rank - 1], NEW);
  for (guint c = 0; c < NEW; c++) {
    float value = ((const float *)logits->data)[c];

    ck_assert_double_eq_tol (value, bias[c], 0.5);
    ck_assert_double_ne (value, bias[c]);
  }
}
END_TEST

static EnsValue *
build_concat_behind (Builder *b, EnsValue *x)
{
  EnsValue *parts[] = {build_logits (b, x), build_logits (b, x)};

  return build_concat (b, 1, parts, 2);
}

static EnsValue *
build_sqrt_behind (Builder *b, EnsValue *x)
{
  return build (b, "Sqrt", NULL, build_logits (b, x), NULL);
}

static EnsValue *
build_no_layer (Builder *b, EnsValue *x)
{
  return build_softmax (b, x);
}

static EnsValue *
build_groups (Builder *b, EnsValue *x)
{
  return build_conv (b, x, (ConvRow) {.filters = 4, .group = 2});
}

static const struct {
  const char *name;
  EnsValue *(*build) (Builder *builder, EnsValue *x);
  const char *message;
} refused[] = {
    {"concat", build_concat_behind, "(Concat) stands between the label layer and the output"},
    {"sqrt", build_sqrt_behind, "(Sqrt) stands between the label layer and the output"},
    {"no-layer", build_no_layer, "has no layer with constant weights"},
    {"groups", build_groups, "without groups"},
};

START_TEST (test_refused)
{
  static const float bias[NEW] = {0};
  const EnsShape nominal = ENS_SHAPE (1, SIZE, SIZE, 4);
  g_auto (Builder) b = {0};
  g_autoptr (GError) error = NULL;

  builder_init (&b, 1);
  ens_graph_add_output (b.graph, refused[_i].build (&b, build_input (&b, &nominal)));
  ck_assert_ptr_null (
      ens_label_layer_replace (b.graph, &(EnsLabelLayerParams) {NEW, 1, bias}, &nominal, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
  ck_assert_contains (error->message, refused[_i].message);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("passes/label-layer");
  TEST_ADD_ROWS ("replace", test_replace, rows);
  TEST_ADD_ROWS ("refused", test_refused, refused);
  return test_run ();
}
