/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What layers begin with. */
#include "networks/layers.h"

#include "check-main.h"
#include "graph/infer.h"
#include "ops/registry.h"

#define CHANNELS 16

static const EnsConvLayer usual = {.filters = 64, .kernel = 3};

static const float *
get_constant (const EnsGraph *graph, const char *name)
{
  return ens_graph_find (graph, name)->constant->data;
}

/* Two convolutions of the same kind, "a" and "b". */
static EnsGraph *
build (guint64 seed, const EnsConvLayer *conv, const EnsShape *input)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("layers");
  EnsLayers layers = {graph, seed};
  EnsMap x = {ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, input), CHANNELS}, y;
  g_autoptr (GError) error = NULL;

  y = ens_layers_conv (&layers, "a", x, conv);
  y = ens_layers_batch_norm (&layers, "norm", y);
  y = ens_layers_activate (&layers, "relu", &ens_op_relu, 0, y);
  y = ens_layers_conv (&layers, "b", y, conv);
  ens_graph_add_output (graph, y.value);
  ck_assert_uint_eq (y.channels, conv->filters);
  ens_infer_graph (graph, input, &error);
  ck_assert_no_error (error);
  return g_steal_pointer (&graph);
}

START_TEST (test_variance)
{
  g_autoptr (EnsGraph) graph = build (1, &usual, &ENS_SHAPE (1, 8, 8, CHANNELS));
  gsize n = usual.filters * 9 * CHANNELS;
  const float *weights = get_constant (graph, "a.weight");
  double sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++) {
    sum += weights[i];
    squares += weights[i] * weights[i];
  }
  ck_assert_double_eq_tol (sum / (double)n, 0, 0.005);
  ck_assert_double_eq_tol (squares / (double)n * 9 * CHANNELS, 2, 0.1);
}
END_TEST

START_TEST (test_seed)
{
  const EnsConvLayer conv = {.filters = CHANNELS, .kernel = 3};
  const EnsShape input = ENS_SHAPE (1, 8, 8, CHANNELS);
  gsize size = CHANNELS * 9 * CHANNELS * sizeof (float);
  g_autoptr (EnsGraph) one = build (1, &conv, &input), again = build (1, &conv, &input);
  g_autoptr (EnsGraph) two = build (2, &conv, &input);
  const float *weights = get_constant (one, "a.weight");

  ck_assert (memcmp (weights, get_constant (again, "a.weight"), size) == 0);
  ck_assert (memcmp (weights, get_constant (two, "a.weight"), size) != 0);
  ck_assert (memcmp (weights, get_constant (one, "b.weight"), size) != 0);
}
END_TEST

START_TEST (test_zero)
{
  const EnsConvLayer conv = {.filters = 2, .kernel = 1, .bias = TRUE, .zero = TRUE};
  g_autoptr (EnsGraph) graph = build (1, &conv, &ENS_SHAPE (1, 8, 8, CHANNELS));

  for (guint i = 0; i < 2 * CHANNELS; i++)
    ck_assert_double_eq (get_constant (graph, "a.weight")[i], 0);
  ck_assert_double_eq (get_constant (graph, "a.bias")[0], 0);
}
END_TEST

typedef struct {
  const char *name;
  EnsConvLayer conv;
  gint64 size, result; /* after both */
} SizeRow;

static const SizeRow size_rows[] = {
    {"same", {.filters = 16, .kernel = 3}, 9, 9},
    {"even", {.filters = 16, .kernel = 3, .stride = 2}, 8, 2},
    {"odd", {.filters = 16, .kernel = 3, .stride = 2}, 9, 3},
    {"unpadded", {.filters = 16, .kernel = 3, .unpadded = TRUE}, 9, 5},
};

START_TEST (test_size)
{
  const SizeRow *row = &size_rows[_i];
  const EnsShape input = ENS_SHAPE (1, row->size, 8, CHANNELS);
  g_autoptr (EnsGraph) graph = build (1, &row->conv, &input);

  ck_assert_int_eq (((EnsValue *)graph->outputs->pdata[0])->shape.dims[1], row->result);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("networks/layers");
  test_add ("variance", test_variance);
  test_add ("seed", test_seed);
  test_add ("zero", test_zero);
  TEST_ADD_ROWS ("size", test_size, size_rows);
  return test_run ();
}
