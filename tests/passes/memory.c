/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory planner: what shares memory, and that nothing live is overwritten. */
#include "build.h"

#include "check-main.h"
#include "passes/memory.h"
#include "passes/rewrite.h"

static EnsMemoryPlan *
lay_out (const EnsGraph *graph)
{
  EnsMemoryPlan *plan = ens_memory_plan_new (graph);
  g_autofree gsize *scratch = g_new0 (gsize, graph->nodes->len);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < graph->nodes->len; i++)
    scratch[i] = i % 3 * 100;
  ens_memory_plan_lay_out (plan, scratch);
  ens_memory_plan_check (plan, graph, scratch, &error);
  ck_assert_no_error (error);
  return plan;
}

static const EnsPlace *
get_place (const EnsMemoryPlan *plan, const EnsValue *value)
{
  return &plan->places[value->index];
}

static gboolean
is_skipped (const EnsMemoryPlan *plan, const EnsGraph *graph, const EnsValue *value)
{
  guint position;

  ck_assert (g_ptr_array_find (graph->nodes, value->producer, &position));
  return plan->skip[position];
}

/* Two values take turns. */
START_TEST (test_chain)
{
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *x;
  gsize size = 5 * 5 * 16 * sizeof (float); /* a multiple of 64 */

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (1, 5, 5, 16));
  for (guint i = 0; i < 10; i++)
    x = build_conv (&b, x, (ConvRow) {.filters = 16});
  ens_graph_add_output (b.graph, x);
  plan = ens_memory_plan_new (b.graph);
  ens_memory_plan_lay_out (plan, (const gsize[10]) {0});
  ck_assert_uint_eq (plan->arena_size, 2 * size);
  ck_assert_int_eq (get_place (plan, x)->kind, ENS_PLACE_OUTPUT);
}
END_TEST

/* A concatenation of concatenations, with a part that can't be written in place (an input), one
 * that appears twice, and a reader of a part. */
START_TEST (test_concat)
{
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *input, *parts[4], *inner, *all, *more;

  builder_init (&b, 2);
  input = build_input (&b, &ENS_SHAPE (1, 4, 4, 8));
  parts[0] = build_conv (&b, input, (ConvRow) {.filters = 3});
  parts[1] = build (&b, "Relu", NULL, build_conv (&b, input, (ConvRow) {.filters = 5}), NULL);
  inner = build_concat (&b, 3, parts, 2);
  parts[2] = build_conv (&b, parts[0], (ConvRow) {.filters = 7});
  all = build_concat (&b, -1, (EnsValue *[]) {parts[2], inner}, 2);
  more = build_concat (&b, 3, (EnsValue *[]) {input, all, all}, 3);
  ens_graph_add_output (b.graph, build_conv (&b, more, (ConvRow) {.filters = 2}));
  plan = lay_out (b.graph);

  ck_assert (is_skipped (plan, b.graph, inner));
  ck_assert (is_skipped (plan, b.graph, all));
  ck_assert (!is_skipped (plan, b.graph, more));
  ck_assert_int_eq (get_place (plan, inner)->pitch, 8 + 2 * 15);
  ck_assert_int_eq (get_place (plan, parts[1])->pitch, 8 + 2 * 15);
  ck_assert_uint_eq (get_place (plan, parts[1])->offset,
                     get_place (plan, inner)->offset + 3 * sizeof (float));
  /* Relu in place within the slice. */
  ck_assert_uint_eq (get_place (plan, parts[1]->producer->inputs[0])->offset,
                     get_place (plan, parts[1])->offset);
}
END_TEST

/* Along the outermost axis pieces are contiguous and need no pitch; Softmax takes none. */
START_TEST (test_outer_concat)
{
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *x, *parts[2], *rows, *columns;

  builder_init (&b, 3);
  x = build_input (&b, &ENS_SHAPE (2, 6));
  for (guint i = 0; i < 2; i++)
    parts[i] = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = 1}, x, NULL);
  rows = build_concat (&b, 0, parts, 2);
  ens_graph_add_output (b.graph, build (&b, "Relu", NULL, rows, NULL));
  for (guint i = 0; i < 2; i++)
    parts[i] = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = 1}, x, NULL);
  columns = build_concat (&b, 1, parts, 2);
  ens_graph_add_output (b.graph, build (&b, "Relu", NULL, columns, NULL));
  plan = lay_out (b.graph);
  ck_assert (is_skipped (plan, b.graph, rows));
  ck_assert (!is_skipped (plan, b.graph, columns));
}
END_TEST

START_TEST (test_split)
{
  EnsSplitParams params = {.axis = 3};
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *x, *inputs[1];
  EnsNode *split;

  builder_init (&b, 4);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (1, 4, 4, 8)), (ConvRow) {.filters = 6});
  inputs[0] = x;
  split = ens_graph_add_node (b.graph, ens_op_find ("Split"), NULL, &params, inputs, 1, 2);
  for (guint i = 0; i < 2; i++)
    split->outputs[i]->shape = ENS_SHAPE (1, 4, 4, 3);
  x = build (&b, "Relu", NULL, split->outputs[1], NULL);
  ens_graph_add_output (b.graph,
                        build (&b, "Add", NULL, build_conv (&b, x, (ConvRow) {.filters = 3}),
                               split->outputs[0], NULL));
  plan = lay_out (b.graph);
  ck_assert (is_skipped (plan, b.graph, split->outputs[0]));
  ck_assert_int_eq (get_place (plan, split->outputs[1])->pitch, 6);
  ck_assert_uint_eq (get_place (plan, split->outputs[1])->offset,
                     get_place (plan, inputs[0])->offset + 3 * sizeof (float));
  /* Not in place: the other half would be dragged along. */
  ck_assert_int_eq (get_place (plan, x)->pitch, 3);
}
END_TEST

/* What may not be overwritten is not: inputs, constants, values read later, and residuals that are
 * the input of the convolution as well. */
START_TEST (test_in_place)
{
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *input, *x, *relu, *view, *sum;

  builder_init (&b, 5);
  input = build_input (&b, &ENS_SHAPE (1, 4, 4, 4));
  x = build (&b, "Relu", NULL, input, NULL);
  view = build_reshape (&b, x, &ENS_SHAPE (1, 16, 4));
  relu = build (&b, "Relu", NULL, view, NULL);
  sum = build (&b, "Add", NULL, build_reshape (&b, relu, &x->shape), x, NULL);
  ens_graph_add_output (b.graph, sum);
  ens_graph_add_output (b.graph, build (&b, "Relu", NULL, input, NULL));
  ens_graph_add_output (b.graph, build_reshape (&b, input, &ENS_SHAPE (64)));
  plan = lay_out (b.graph);
  ck_assert_int_eq (get_place (plan, x)->kind, ENS_PLACE_ARENA);
  ck_assert_uint_eq (get_place (plan, view)->offset, get_place (plan, x)->offset);
  ck_assert_int_eq (get_place (plan, relu)->kind, ENS_PLACE_OUTPUT); /* the sum's */
  ck_assert_int_eq (get_place (plan, g_ptr_array_index (b.graph->outputs, 2))->kind,
                    ENS_PLACE_INPUT);
}
END_TEST

START_TEST (test_residual)
{
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *x, *y, *last;

  builder_init (&b, 6);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (1, 4, 4, 4)), (ConvRow) {.filters = 4});
  y = build_conv (&b, x, (ConvRow) {.filters = 4, .kernel = 3, .pad = 1});
  y = build_conv (&b, y, (ConvRow) {.filters = 4, .kernel = 3, .pad = 1});
  ens_node_set_input (b.graph, y->producer, 3, x);
  last = build_conv (&b, y, (ConvRow) {.filters = 4, .kernel = 3, .pad = 1});
  ens_node_set_input (b.graph, last->producer, 3, y);
  ens_graph_add_output (b.graph, build_conv (&b, last, (ConvRow) {.filters = 4}));
  plan = lay_out (b.graph);
  ck_assert_uint_eq (get_place (plan, y)->offset, get_place (plan, x)->offset);
  ck_assert_uint_ne (get_place (plan, last)->offset, get_place (plan, y)->offset);
}
END_TEST

/* The last reader of a piece does not get the whole's memory. */
START_TEST (test_piece_in_place)
{
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *input, *parts[2], *x;

  builder_init (&b, 7);
  input = build_input (&b, &ENS_SHAPE (1, 4, 4, 4));
  for (guint i = 0; i < 2; i++)
    parts[i] = build_conv (&b, input, (ConvRow) {.filters = 4});
  x = build_conv (&b, build_concat (&b, 3, parts, 2), (ConvRow) {.filters = 4});
  x = build (&b, "Add", NULL, build (&b, "Relu", NULL, parts[1], NULL), x, NULL);
  ens_graph_add_output (b.graph, x);
  plan = lay_out (b.graph);
  ck_assert_int_eq (get_place (plan, parts[0])->kind, ENS_PLACE_ARENA);
  ck_assert_int_eq (get_place (plan, parts[1])->pitch, 8);
  ck_assert_int_eq (get_place (plan, x->producer->inputs[0])->pitch, 4);
}
END_TEST

/* Of nodes that run side by side none may overwrite what they read. */
START_TEST (test_by_level)
{
  static const guint levels[] = {1, 2, 2, 3};
  g_auto (Builder) b;
  g_autoptr (EnsMemoryPlan) plan = NULL;
  EnsValue *x, *y, *z;

  builder_init (&b, 8);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (1, 4, 4, 4)), (ConvRow) {.filters = 4});
  y = build (&b, "Relu", NULL, x, NULL);
  z = build (&b, "Neg", NULL, x, NULL);
  ens_graph_add_output (b.graph, build_concat (&b, 1, (EnsValue *[]) {y, z}, 2));
  plan = ens_memory_plan_new_by_level (b.graph, levels);
  ens_memory_plan_lay_out (plan, (const gsize[4]) {0});
  ck_assert_int_eq (get_place (plan, x)->kind, ENS_PLACE_ARENA);
  ck_assert_int_eq (get_place (plan, y)->kind, ENS_PLACE_OUTPUT);
  ck_assert_int_eq (get_place (plan, z)->kind, ENS_PLACE_OUTPUT);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/memory");
  test_add ("chain", test_chain);
  test_add ("concat", test_concat);
  test_add ("outer-concat", test_outer_concat);
  test_add ("split", test_split);
  test_add ("in-place", test_in_place);
  test_add ("residual", test_residual);
  test_add ("piece-in-place", test_piece_in_place);
  test_add ("by-level", test_by_level);
  return test_run ();
}
