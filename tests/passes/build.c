/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build.h"

#include <math.h>

#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "passes/rewrite.h"

void
builder_init (Builder *builder, guint32 seed)
{
  builder->graph = ens_graph_new ("test");
  builder->rand = g_rand_new_with_seed (seed);
}

void
builder_clear (Builder *builder)
{
  g_clear_pointer (&builder->graph, ens_graph_free);
  g_clear_pointer (&builder->rand, g_rand_free);
}

EnsTensor *
random_tensor (GRand *rand, const EnsShape *shape)
{
  EnsTensor *tensor = ens_tensor_new (ENS_TYPE_FLOAT32, shape);

  for (gint64 i = 0; i < ens_shape_elements (shape); i++)
    ((float *)tensor->data)[i] = (float)g_rand_double_range (rand, -1, 1);
  return tensor;
}

EnsValue *
build_input (Builder *builder, const EnsShape *shape)
{
  return ens_graph_add_input (builder->graph, "input", ENS_TYPE_FLOAT32, shape);
}

EnsValue *
build_constant (Builder *builder, const EnsShape *shape)
{
  g_autoptr (EnsTensor) tensor = random_tensor (builder->rand, shape);

  return ens_graph_add_constant (builder->graph, "weights", tensor);
}

static EnsValue *
add (Builder *builder, const char *op, gconstpointer params, EnsValue *const *inputs,
     guint n_inputs)
{
  g_autofree gpointer zeroes = NULL;
  g_autoptr (GError) error = NULL;
  const EnsOp *found = ens_op_find (op);
  EnsNode *node;

  ck_assert_ptr_nonnull (found);
  if (params == NULL)
    params = zeroes = g_malloc0 (found->params_size);
  node = ens_graph_add_node (builder->graph, found, NULL, params, inputs, n_inputs, 1);
  ens_infer_node (node, FALSE, &error);
  ck_assert_no_error (error);
  return node->outputs[0];
}

EnsValue *
build_number (Builder *b, float number)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &number);

  return ens_graph_add_constant (b->graph, "number", tensor);
}

EnsValue *
build (Builder *builder, const char *op, gconstpointer params, ...)
{
  EnsValue *inputs[8];
  guint n = 0;
  va_list list;

  va_start (list, params);
  while ((inputs[n] = va_arg (list, EnsValue *)) != NULL)
    n++;
  va_end (list);
  return add (builder, op, params, inputs, n);
}

EnsValue *
build_conv (Builder *builder, EnsValue *input, ConvRow row)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = MAX (row.group, 1)};
  gint64 kernel = MAX (row.kernel, 1);
  EnsValue *inputs[3] = {input};

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = kernel;
    params.sliding.strides[i] = MAX (row.stride, 1);
    params.sliding.pads_begin[i] = params.sliding.pads_end[i] = row.pad;
  }
  inputs[1] = build_constant (
      builder, &ENS_SHAPE (row.filters, kernel, kernel, input->shape.dims[3] / params.group));
  if (!row.no_bias)
    inputs[2] = build_constant (builder, &ENS_SHAPE (row.filters));
  return add (builder, "Conv", &params, inputs, row.no_bias ? 2 : 3);
}

EnsValue *
build_batch_norm (Builder *builder, EnsValue *input)
{
  EnsNormalizationParams params = {.epsilon = 1e-3f};
  gint64 channels = input->shape.dims[input->shape.rank - 1];
  EnsValue *inputs[5] = {input};
  float *variance;

  for (guint i = 1; i < 5; i++)
    inputs[i] = build_constant (builder, &ENS_SHAPE (channels));
  variance = inputs[4]->constant->data;
  for (gint64 i = 0; i < channels; i++)
    variance[i] = fabsf (variance[i]) + 0.1f;
  return add (builder, "BatchNormalization", &params, inputs, 5);
}

EnsValue *
build_gemm (Builder *builder, EnsValue *input, gint64 columns)
{
  EnsGemmParams params = {.trans_b = TRUE, .alpha = 1, .beta = 1};

  return build (builder, "Gemm", &params, input,
                build_constant (builder, &ENS_SHAPE (columns, input->shape.dims[1])),
                build_constant (builder, &ENS_SHAPE (columns)), NULL);
}

EnsValue *
build_concat (Builder *builder, gint64 axis, EnsValue *const *inputs, guint n_inputs)
{
  return add (builder, "Concat", &(EnsAxisParams) {axis}, inputs, n_inputs);
}

EnsValue *
build_reshape (Builder *builder, EnsValue *input, const EnsShape *shape)
{
  g_autoptr (EnsTensor) dims =
      ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (shape->rank), shape->dims);

  return build (builder, "Reshape", NULL, input,
                ens_graph_add_constant (builder->graph, "shape", dims), NULL);
}

EnsValue *
build_transpose (Builder *builder, EnsValue *input, const gint64 *perm)
{
  EnsTransposeParams params = {.perm = {.present = TRUE, .n = input->shape.rank}};

  for (guint i = 0; i < params.perm.n; i++)
    params.perm.values[i] = perm[i];
  return build (builder, "Transpose", &params, input, NULL);
}

EnsValue *
build_flatten (Builder *builder, EnsValue *input)
{
  EnsValue *first = build_transpose (builder, input, (const gint64[]) {0, 3, 1, 2});

  return build (builder, "Flatten", &(EnsAxisParams) {1}, first, NULL);
}

static void
unref_tensor (gpointer tensor)
{
  ens_tensor_unref (tensor);
}

GPtrArray *
random_inputs (const EnsGraph *graph, guint32 seed)
{
  GPtrArray *inputs = g_ptr_array_new_with_free_func (unref_tensor);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    g_ptr_array_add (inputs, random_tensor (rand, &input->shape));
  }
  return inputs;
}

EnsTensor *
run_graph (const EnsGraph *graph, EnsTensor *input)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) outputs = ens_interpret (graph, &input, &error);

  ck_assert_no_error (error);
  return ens_tensor_ref (g_ptr_array_index (outputs, 0));
}

double
relative_error (const float *a, const float *b, gsize n)
{
  double largest = 1e-30, difference = 0;

  for (gsize i = 0; i < n; i++) {
    if (!isfinite (a[i]) || !isfinite (b[i]))
      return INFINITY;
    largest = MAX (largest, fabs (b[i]));
    difference = MAX (difference, fabs ((double)a[i] - b[i]));
  }
  return difference / largest;
}

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

void
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
  if (ops != NULL)
    ck_assert_pstr_eq (left->str, ops);
  ck_assert (!pass (graph));
  assert_same_outputs (before, graph);
}
