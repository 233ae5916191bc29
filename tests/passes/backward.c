/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of graphs; those of operators are tested with them (tests/ops/gradient.c). */
#include "passes/backward.h"

#include "build.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "passes/memory.h"
#include "passes/passes.h"
#include "passes/recompute.h"

static EnsValue *
build_sum (Builder *b, EnsValue *value)
{
  return build (b, "ReduceSum", &(EnsReduceParams) {.axes = {.present = FALSE}}, value, NULL);
}

static float
get (const GPtrArray *outputs, guint output, guint element)
{
  return ((const float *)((EnsTensor *)outputs->pdata[output])->data)[element];
}

/* x is read three times, twice by one node: d (Σ x² + x · w) = 2 x + w. */
START_TEST (test_contributions)
{
  g_auto (Builder) b;
  EnsValue *x, *w, *square, *product, *loss, *gradients[2] = {NULL};
  g_autoptr (GPtrArray) inputs = NULL, outputs = NULL;
  g_autoptr (GError) error = NULL;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (3));
  w = build_input (&b, &ENS_SHAPE (3));
  square = build (&b, "Mul", &(EnsBinaryParams) {.activation = {0}}, x, x, NULL);
  product = build (&b, "Mul", &(EnsBinaryParams) {.activation = {0}}, x, w, NULL);
  loss = build_sum (
      &b, build (&b, "Add", &(EnsBinaryParams) {.activation = {0}}, square, product, NULL));
  ck_assert (ens_graph_backward (b.graph, loss, (EnsValue *[]) {x, w}, 2, gradients, &error));
  ens_graph_add_output (b.graph, gradients[0]);
  ens_graph_add_output (b.graph, gradients[1]);
  inputs = random_inputs (b.graph, 1);
  outputs = ens_interpret (b.graph, (EnsTensor **)inputs->pdata, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < 3; i++) {
    ck_assert_double_eq_tol (get (outputs, 0, i), 2 * get (inputs, 0, i) + get (inputs, 1, i),
                             1e-6);
    ck_assert_double_eq_tol (get (outputs, 1, i), get (inputs, 0, i), 1e-6);
  }
}
END_TEST

/* Of a value on the way, and of one that the loss does not depend on. */
START_TEST (test_values)
{
  g_auto (Builder) b;
  EnsValue *x, *y, *other, *loss, *gradients[4] = {NULL};
  g_autoptr (GError) error = NULL;
  guint n;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (3));
  other = build_input (&b, &ENS_SHAPE (3));
  y = build (&b, "Exp", NULL, x, NULL);
  loss = build_sum (&b, y);
  n = b.graph->nodes->len;
  ck_assert (ens_graph_backward (b.graph, loss, &y, 1, gradients, &error));
  ck_assert (ens_shape_equal (&gradients[0]->shape, &y->shape));
  /* No more than Expand of 1: nothing for x. */
  ck_assert_uint_le (b.graph->nodes->len, n + 2);
  ck_assert (
      ens_graph_backward (b.graph, loss, (EnsValue *[]) {x, other, y, loss}, 4, gradients, &error));
  ck_assert_ptr_nonnull (gradients[0]);
  ck_assert_ptr_null (gradients[1]);
  ck_assert_ptr_nonnull (gradients[2]);
  ck_assert_ptr_nonnull (gradients[3]);
}
END_TEST

START_TEST (test_errors)
{
  g_auto (Builder) b;
  EnsValue *x, *y, *loss, *gradient = NULL;
  g_autoptr (GError) no_gradient = NULL, fused = NULL, shape = NULL;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (3));
  y = build (&b, "BatchNormalizationGrad", &(EnsBatchGradParams) {1e-5f},
             build_input (&b, &ENS_SHAPE (2, 3)), build_input (&b, &ENS_SHAPE (2, 3)), x, x, x,
             NULL);
  loss = build_sum (&b, y);
  ck_assert (!ens_graph_backward (b.graph, loss, &x, 1, &gradient, &no_gradient));
  ck_assert_contains (no_gradient->message, "(BatchNormalizationGrad) has no gradient; freeze “");
  y = build (&b, "Add", &(EnsBinaryParams) {.activation = {ENS_ACTIVATION_RELU}}, x, x, NULL);
  ck_assert (!ens_graph_backward (b.graph, build_sum (&b, y), &x, 1, &gradient, &fused));
  ck_assert_contains (fused->message, "(Add) has an activation fused into it");
  ck_assert (!ens_graph_backward (b.graph, y, &x, 1, &gradient, &shape));
  ck_assert_contains (shape->message, "is float32 3, expected one real number");
}
END_TEST

/* Of vectors of zeroes, which have no direction: 0, not 0 / 0. */
static const struct {
  const char *name, *op;
  union {
    EnsReduceParams reduce;
    EnsLpNormalizationParams lp;
  } params;
} zero_rows[] = {
    {"length", "ReduceL2", .params.reduce = {.axes = {1, TRUE, {1}}}},
    {"unit-length", "LpNormalization", .params.lp = {1, 2}},
    {"unit-sum", "LpNormalization", .params.lp = {1, 1}},
};

START_TEST (test_zeroes)
{
  g_autoptr (EnsTensor) zeroes = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (2, 3));
  g_autoptr (GPtrArray) outputs = NULL;
  g_autoptr (GError) error = NULL;
  EnsValue *x, *y, *gradient = NULL;
  g_auto (Builder) b;

  memset (zeroes->data, 0, ens_tensor_size (zeroes));
  builder_init (&b, 1);
  x = build_input (&b, &zeroes->shape);
  y = build (&b, zero_rows[_i].op, &zero_rows[_i].params, x, NULL);
  ck_assert (ens_graph_backward (b.graph, build_sum (&b, y), &x, 1, &gradient, &error));
  ens_graph_add_output (b.graph, gradient);
  outputs = ens_interpret (b.graph, &zeroes, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < 6; i++)
    ck_assert_double_eq (get (outputs, 0, i), 0);
}
END_TEST

/* Recomputation */

#define LAYERS 12

typedef struct {
  const char *name;
  guint n_segments;
  double memory; /* at most, of what it takes without */
} RecomputeRow;

static const RecomputeRow recompute_rows[] = {
    {"whole", 1, 1},
    {"two", 2, 0.8},
    {"four", 4, 0.7},
    {"more-than-nodes", 100, 1},
};

/* Layers that need their own results back, with connections over two of them. */
static EnsValue *
build_layers (Builder *b, EnsValue *x)
{
  EnsValue *before = x;

  for (guint i = 0; i < LAYERS; i++) {
    EnsValue *y = build (b, i % 3 == 0 ? "Softplus" : "Tanh", NULL, x, NULL);

    y = build (b, "Mul", &(EnsBinaryParams) {.activation = {0}}, y,
               build_constant (b, &ENS_SHAPE (64)), NULL);
    if (i % 4 == 3)
      y = build (b, "Add", &(EnsBinaryParams) {.activation = {0}}, y, before, NULL);
    before = i % 4 == 1 ? y : before;
    x = y;
  }
  return build_sum (b, x);
}

/* Arena of the graph as it would be planned. */
static gsize
count_memory (const EnsGraph *graph)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);
  g_autofree gsize *scratch = NULL;
  g_autoptr (EnsMemoryPlan) plan = NULL;

  ck_assert (ens_passes_plan (copy, &((EnsValue *)graph->inputs->pdata[0])->shape, NULL));
  scratch = g_new0 (gsize, copy->nodes->len);
  plan = ens_memory_plan_new (copy);
  ens_memory_plan_lay_out (plan, scratch);
  return plan->arena_size;
}

START_TEST (test_recompute)
{
  const RecomputeRow *row = &recompute_rows[_i];
  g_auto (Builder) b;
  EnsValue *x, *loss, *gradient = NULL;
  g_autoptr (GPtrArray) inputs = NULL, expected = NULL, found = NULL;
  g_autoptr (GError) error = NULL;
  guint n_forward;
  gsize memory;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (32, 64));
  loss = build_layers (&b, x);
  n_forward = b.graph->nodes->len;
  ck_assert (ens_graph_backward (b.graph, loss, &x, 1, &gradient, &error));
  ens_graph_add_output (b.graph, loss);
  ens_graph_add_output (b.graph, gradient);
  inputs = random_inputs (b.graph, 1);
  expected = ens_interpret (b.graph, (EnsTensor **)inputs->pdata, &error);
  memory = count_memory (b.graph);
  ens_graph_recompute (b.graph, n_forward, row->n_segments);
  ck_assert (ens_graph_validate (b.graph, &error));
  found = ens_interpret (b.graph, (EnsTensor **)inputs->pdata, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    ck_assert_bytes_eq (((EnsTensor *)found->pdata[i])->data, ens_tensor_size (found->pdata[i]),
                        ((EnsTensor *)expected->pdata[i])->data,
                        ens_tensor_size (expected->pdata[i]));
  ck_assert_double_le ((double)count_memory (b.graph), row->memory * (double)memory);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/backward");
  test_add ("contributions", test_contributions);
  test_add ("values", test_values);
  test_add ("errors", test_errors);
  TEST_ADD_ROWS ("zeroes", test_zeroes, zero_rows);
  TEST_ADD_ROWS ("recompute", test_recompute, recompute_rows);
  return test_run ();
}
