/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random graphs, planned and run, against their operators' references run value by value. */
#include "random-graph.h"

#include <string.h>

#include "base/block.h"
#include "check-main.h"
#include "cpu/arenas.h"
#include "cpu/executor.h"
#include "cpu/interpret.h"
#include "cpu/weights.h"
#include "graph/infer.h"
#include "passes/passes.h"

#define N_GRAPHS 700 /* the rarest mistake so far showed in the 678th */

static gpointer
get_data (gpointer tensor)
{
  return ((EnsTensor *)tensor)->data;
}

/* Runs a graph with concrete shapes, which it takes over, in memory full of NaN. */
static GPtrArray *
execute (EnsGraph *graph, const GPtrArray *inputs, EnsThreadPool *pool)
{
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  g_autoptr (EnsExecutor) executor = ens_executor_new (graph, pool, weights, NULL, NULL);
  g_autofree gconstpointer *input_data = g_new (gconstpointer, inputs->len);
  g_autofree gpointer *output_data = g_new (gpointer, graph->outputs->len);
  GPtrArray *outputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  gpointer arena = ens_block_new (ens_executor_get_arena_size (executor));

  for (guint i = 0; i < inputs->len; i++)
    input_data[i] = get_data (g_ptr_array_index (inputs, i));
  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);

    g_ptr_array_add (outputs, ens_tensor_new (output->type, &output->shape));
    output_data[i] = get_data (g_ptr_array_index (outputs, i));
  }
  for (guint run = 0; run < 2; run++) {
    memset (arena, 0xff, ens_executor_get_arena_size (executor));
    ens_executor_run (executor, input_data, output_data, arena, NULL, NULL);
  }
  ens_block_free (arena);
  return outputs;
}

static void
check_graph (const EnsGraph *graph, guint32 seed, EnsThreadPool *pool)
{
  g_autoptr (GPtrArray) inputs = random_inputs (graph, seed);
  g_autofree EnsShape *shapes = g_new (EnsShape, inputs->len);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) expected = ens_interpret (graph, (EnsTensor **)inputs->pdata, &error);
  g_autoptr (GPtrArray) plain = NULL, fused = NULL;
  EnsGraph *copy;

  ck_assert_no_error (error);
  plain = execute (ens_graph_copy (graph), inputs, pool);
  assert_outputs (graph, plain, expected);

  for (guint i = 0; i < inputs->len; i++)
    shapes[i] = ((EnsTensor *)g_ptr_array_index (inputs, i))->shape;
  copy = ens_graph_copy (graph);
  ens_passes_plan (copy, shapes, &error);
  ck_assert_no_error (error);
  fused = execute (copy, inputs, pool);
  assert_outputs (graph, fused, expected);
}

START_TEST (test_random_graphs)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  for (guint32 seed = 0; seed < N_GRAPHS; seed++) {
    g_auto (Builder) b;

    builder_init (&b, seed);
    build_random_graph (&b);
    check_graph (b.graph, seed, pool);
  }
}
END_TEST

/* Outputs that are inputs, constants, and the same twice. */
START_TEST (test_outputs)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (1, 2, 3, 4));
  y = build (&b, "Relu", NULL, x, NULL);
  ens_graph_add_output (b.graph, x);
  ens_graph_add_output (b.graph, y);
  ens_graph_add_output (b.graph, build_constant (&b, &ENS_SHAPE (5)));
  ens_graph_add_output (b.graph, y);
  ens_graph_add_output (b.graph, build_reshape (&b, y, &ENS_SHAPE (24)));
  check_graph (b.graph, 1, pool);
}
END_TEST

/* A value whose shape is another one than its node gives is not run: its place would be too small.
 */
START_TEST (test_wrong_shape)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  g_autoptr (GError) error = NULL;
  g_auto (Builder) b;
  EnsValue *y;

  builder_init (&b, 1);
  y = build (&b, "Relu", NULL, build_input (&b, &ENS_SHAPE (2, 3)), NULL);
  ens_graph_add_output (b.graph, y);
  y->shape = ENS_SHAPE_SCALAR;
  ck_assert_ptr_null (ens_executor_new (g_steal_pointer (&b.graph), pool, weights, NULL, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_SHAPE);
  ck_assert_ptr_nonnull (strstr (error->message, "is float32 2x3, but was planned as float32 "));
}
END_TEST

/* Fast kernels are for float32 alone. */
START_TEST (test_types)
{
  const EnsCastParams to_float64 = {ENS_TYPE_FLOAT64}, to_float32 = {ENS_TYPE_FLOAT32};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 2);
  x = build_input (&b, &ENS_SHAPE (1, 4, 4, 3));
  x = build (&b, "Cast", &to_float64, x, NULL);
  x = build (&b, "Sigmoid", NULL, build (&b, "Neg", NULL, x, NULL), NULL);
  x = build (&b, "GlobalAveragePool", NULL, x, NULL);
  ens_graph_add_output (b.graph, build (&b, "Cast", &to_float32, x, NULL));
  check_graph (b.graph, 2, pool);
}
END_TEST

/* Nothing runs behind the node at which it is found out. */
START_TEST (test_cancelled)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (EnsExecutor) executor = NULL;
  EnsNodeTime times[3] = {0};
  float numbers[24] = {0};
  g_auto (Builder) b;
  gpointer arena;
  EnsValue *x;

  builder_init (&b, 3);
  x = build_input (&b, &ENS_SHAPE (1, 2, 3, 4));
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    x = build (&b, i % 2 == 0 ? "Sin" : "Neg", NULL, x, NULL);
  ens_graph_add_output (b.graph, x);
  executor = ens_executor_new (ens_graph_copy (b.graph), pool, weights, cancellable, NULL);
  ck_assert_uint_eq (ens_executor_get_n_steps (executor), G_N_ELEMENTS (times));
  arena = ens_block_new (ens_executor_get_arena_size (executor));
  g_cancellable_cancel (cancellable);
  ck_assert (!ens_executor_run (executor, &(gconstpointer) {numbers}, &(gpointer) {numbers}, arena,
                                times, cancellable));
  ck_assert_ptr_null (times[1].node);
  ck_assert (ens_executor_run (executor, &(gconstpointer) {numbers}, &(gpointer) {numbers}, arena,
                               times, NULL));
  ck_assert_ptr_nonnull (times[2].node);
  ck_assert_ptr_null (
      ens_executor_new (ens_graph_copy (b.graph), pool, weights, cancellable, NULL));
  ens_block_free (arena);
}
END_TEST

static void
pack_nothing (gpointer state, const EnsTensor *constant, gpointer packed, EnsThreadPool *pool)
{
  ++*(guint *)state;
  *(float *)packed = 1;
}

START_TEST (test_packed_weights)
{
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  g_autoptr (EnsTensor) a = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1));
  g_autoptr (EnsTensor) b = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1));
  guint n = 0;
  EnsCpuPlan plan = {.weights = weights};
  gconstpointer first = ens_packed_weights_get (&plan, a, "x", 100, pack_nothing, &n);

  ck_assert (ens_packed_weights_get (&plan, a, "x", 100, pack_nothing, &n) == first);
  ck_assert (ens_packed_weights_get (&plan, a, "y", 50, pack_nothing, &n) != first);
  ck_assert (ens_packed_weights_get (&plan, b, "x", 25, pack_nothing, &n) != first);
  ck_assert_uint_eq (n, 3);
  ck_assert_uint_eq (ens_packed_weights_get_size (weights), 175);
  ck_assert (!plan.failed);
}
END_TEST

/* What is packed when it is cancelled is not kept. */
START_TEST (test_cancelled_packing)
{
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  g_autoptr (EnsTensor) constant = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1));
  g_autoptr (EnsThreadPool) lender = ens_thread_pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new_cancellable (lender, cancellable);
  EnsCpuPlan cancelled = {.weights = weights, .pool = pool}, plan = {.weights = weights};
  guint n = 0;

  g_cancellable_cancel (cancellable);
  ck_assert_ptr_null (ens_packed_weights_get (&cancelled, constant, "x", 100, pack_nothing, &n));
  ck_assert (cancelled.failed);
  ck_assert_uint_eq (ens_packed_weights_get_size (weights), 0);
  ck_assert_ptr_nonnull (ens_packed_weights_get (&plan, constant, "x", 100, pack_nothing, &n));
  ck_assert_uint_eq (n, 2);
}
END_TEST

START_TEST (test_arenas)
{
  g_autoptr (EnsArenas) arenas = ens_arenas_new ();
  gpointer first, second;

  ck_assert (ens_arenas_reserve (arenas, 1000, NULL));
  ck_assert (ens_arenas_reserve (arenas, 5000, NULL));
  first = ens_arenas_borrow (arenas, NULL);
  memset (first, 1, 5000);
  ck_assert (ens_arenas_reserve (arenas, 9000, NULL));
  second = ens_arenas_borrow (arenas, NULL);
  memset (second, 2, 9000);
  ens_arenas_return (arenas, first); /* too small now */
  ens_arenas_return (arenas, second);
  ck_assert (ens_arenas_borrow (arenas, NULL) == second);
  ens_arenas_return (arenas, second);
  ens_arenas_release (arenas, 9000);
  first = ens_arenas_borrow (arenas, NULL);
  memset (first, 3, 5000);
  ens_arenas_return (arenas, first);
  ens_arenas_release (arenas, 5000);
  ens_arenas_release (arenas, 1000);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("cpu");
  test_add ("executor/random-graphs", test_random_graphs);
  test_add ("executor/outputs", test_outputs);
  test_add ("executor/wrong-shape", test_wrong_shape);
  test_add ("executor/types", test_types);
  test_add ("executor/cancelled", test_cancelled);
  test_add ("weights", test_packed_weights);
  test_add ("cancelled-packing", test_cancelled_packing);
  test_add ("memory/arenas", test_arenas);
  return test_run ();
}
