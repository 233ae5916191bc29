/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "graph/infer.h"

#include "check-main.h"

/* Two operators that do as little as a graph asks for: Scale multiplies by params, Count gives the
 * number of its input's elements. */
typedef struct {
  float factor;
} ScaleParams;

static gboolean
scale_shape (EnsOperands *operands, GError **error)
{
  const EnsView *input = ens_operands_input (operands, 0);

  if (input->type != ENS_TYPE_FLOAT32)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED, "can't scale %s",
                         ens_type_name (input->type));
  operands->outputs[0]->type = input->type;
  operands->outputs[0]->shape = input->shape;
  return TRUE;
}

static void
scale_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0];
  const ScaleParams *params = operands->params;

  for (gint64 i = 0; i < ens_shape_elements (&input->shape); i++)
    ((float *)operands->outputs[0]->data)[i] = ((const float *)input->data)[i] * params->factor;
}

static const EnsAttribute scale_attributes[] = {
    {"factor", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (ScaleParams, factor)}, ENS_ATTRIBUTE_END};

static const EnsOp scale = {
    .name = "Scale",
    .min_inputs = 1,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 2,
    .params_size = sizeof (ScaleParams),
    .attributes = scale_attributes,
    .shape = scale_shape,
    .reference = scale_reference,
};

static gboolean
count_shape (EnsOperands *operands, GError **error)
{
  operands->outputs[0]->type = ENS_TYPE_INT64;
  operands->outputs[0]->shape = ENS_SHAPE_SCALAR;
  return TRUE;
}

static void
count_reference (const EnsOperands *operands)
{
  *(gint64 *)operands->outputs[0]->data = ens_shape_elements (&operands->inputs[0]->shape);
}

static gboolean
huge_shape (EnsOperands *operands, GError **error)
{
  operands->outputs[0]->type = ENS_TYPE_FLOAT32;
  operands->outputs[0]->shape = ENS_SHAPE (G_MAXINT64 / 2);
  return TRUE;
}

static const EnsOp count = {
    .name = "Count",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = ENS_OP_SHAPE_ONLY,
    .shape = count_shape,
    .reference = count_reference,
};

static const EnsOp huge = {
    .name = "Huge",
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .shape = huge_shape,
    .reference = count_reference,
};

static EnsTensor *
make_tensor (void)
{
  return ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (3), (const float[]) {1, 2, 3});
}

/* data → a → b (output); weights → w, unused; count of b (output). */
static EnsGraph *
make_graph (void)
{
  EnsGraph *graph = ens_graph_new ("small");
  g_autoptr (EnsTensor) tensor = make_tensor ();
  EnsValue *data = ens_graph_add_input (graph, "data", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, 4));
  EnsValue *weights = ens_graph_add_constant (graph, "weights", tensor);
  EnsNode *a = ens_graph_add_node (graph, &scale, "a", &(ScaleParams) {2}, &data, 1, 1);
  EnsNode *b = ens_graph_add_node (graph, &scale, "b", &(ScaleParams) {0.5}, a->outputs, 1, 1);

  ens_graph_add_node (graph, &scale, "w", &(ScaleParams) {3}, &weights, 1, 1);
  ens_graph_add_output (graph, b->outputs[0]);
  ens_graph_add_output (graph, ens_graph_apply (graph, &count, NULL, b->outputs[0], NULL));
  return graph;
}

static void
assert_valid (const EnsGraph *graph)
{
  g_autoptr (GError) error = NULL;

  ens_graph_validate (graph, &error);
  ck_assert_no_error (error);
}

static void
assert_text (const EnsGraph *graph, const char *expected)
{
  g_autofree char *text = ens_graph_to_string (graph);

  ck_assert_pstr_eq (text, expected);
}

START_TEST (test_build)
{
  g_autoptr (EnsGraph) graph = make_graph ();

  assert_valid (graph);
  assert_text (graph, "input data: float32 ?x4\n"
                      "a: float32 scalar = Scale (data) factor=2\n"
                      "b: float32 scalar = Scale (a) factor=0.5\n"
                      "w: float32 scalar = Scale (weights<3>) factor=3\n"
                      "Count_3: float32 scalar = Count (b)\n"
                      "output b: float32 scalar\n"
                      "output Count_3: float32 scalar\n");
  ck_assert_ptr_null (ens_graph_find (graph, "c"));
}
END_TEST

START_TEST (test_names)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  EnsValue *data = ens_graph_find (graph, "data");
  EnsNode *node = ens_graph_add_node (graph, &scale, "a", &(ScaleParams) {1}, &data, 1, 2);

  ck_assert_str_eq (node->name, "a_2");
  ck_assert_str_eq (node->outputs[0]->name, "a_2");
  ck_assert_str_eq (node->outputs[1]->name, "a_2:1");
  ens_graph_rename (graph, node->outputs[1], "b");
  ck_assert_str_eq (node->outputs[1]->name, "b_2");
  ens_graph_rename (graph, node->outputs[1], "b_2");
  ens_graph_rename_node (graph, node, "b");
  ck_assert_str_eq (node->name, "b_2");
  ck_assert (ens_graph_find (graph, "b_2") == node->outputs[1]);
  ck_assert_ptr_null (ens_graph_find (graph, "a_2:1"));
  assert_valid (graph);
}
END_TEST

START_TEST (test_copy)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);
  g_autofree char *text = ens_graph_to_string (graph);
  EnsValue *weights = ens_graph_find (copy, "weights");

  assert_valid (copy);
  assert_text (copy, text);
  ck_assert (weights->constant == ens_graph_find (graph, "weights")->constant);
  ck_assert (weights != ens_graph_find (graph, "weights"));
  ((ScaleParams *)ens_graph_find (copy, "a")->producer->params)->factor = 9;
  assert_text (graph, text);
}
END_TEST

START_TEST (test_embed)
{
  g_autoptr (EnsGraph) part = make_graph ();
  g_autoptr (EnsGraph) graph = ens_graph_new ("whole");
  EnsValue *data = ens_graph_add_input (graph, "image", ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 4));

  for (guint i = 0; i < 2; i++) {
    g_autofree char *prefix = g_strdup_printf ("net%u", i);
    g_autoptr (GPtrArray) values = ens_graph_embed (graph, part, prefix, &data);
    EnsValue *b = g_ptr_array_index (values, ens_graph_find (part, "b")->index);
    EnsValue *weights = g_ptr_array_index (values, ens_graph_find (part, "weights")->index);
    g_autofree char *name = g_strdup_printf ("net%u/b", i);

    ck_assert_pstr_eq (b->name, name);
    ck_assert_str_eq (weights->name, "net0/weights");
    ens_graph_add_output (graph, b);
  }
  assert_valid (graph);
  ens_graph_remove_unused (graph);
  assert_valid (graph);
  assert_text (graph, "input image: float32 1x4\n"
                      "net0/a: float32 scalar = Scale (image) factor=2\n"
                      "net0/b: float32 scalar = Scale (net0/a) factor=0.5\n"
                      "net1/a: float32 scalar = Scale (image) factor=2\n"
                      "net1/b: float32 scalar = Scale (net1/a) factor=0.5\n"
                      "output net0/b: float32 scalar\n"
                      "output net1/b: float32 scalar\n");
}
END_TEST

START_TEST (test_rewrite)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  EnsValue *a = ens_graph_find (graph, "a");
  EnsNode *b = ens_graph_find (graph, "b")->producer;
  EnsValue *inserted =
      ens_graph_insert (graph, b, &scale, &(ScaleParams) {7}, (EnsValue *[]) {a}, 1);
  g_autofree guint *uses = NULL;

  ens_node_resize_inputs (b, 2);
  ck_assert_ptr_null (b->inputs[1]);
  b->inputs[0] = inserted;
  ens_graph_replace_uses (graph, ens_graph_find (graph, "b"), inserted);
  assert_valid (graph);
  uses = ens_graph_count_uses (graph);
  ck_assert_uint_eq (uses[a->index], 1);
  ck_assert_uint_eq (uses[inserted->index], 3);
  ens_graph_remove_unused (graph);
  assert_valid (graph);
  assert_text (graph, "input data: float32 ?x4\n"
                      "a: float32 scalar = Scale (data) factor=2\n"
                      "Scale_4: float32 scalar = Scale (a) factor=7\n"
                      "Count_3: float32 scalar = Count (Scale_4)\n"
                      "output Scale_4: float32 scalar\n"
                      "output Count_3: float32 scalar\n");
}
END_TEST

/* Each node before each node, which may be itself; while editing, too. */
START_TEST (test_move)
{
  for (guint i = 0; i < 32; i++) {
    g_autoptr (EnsGraph) graph = make_graph ();
    guint n = graph->nodes->len;
    EnsNode *node = g_ptr_array_index (graph->nodes, i / 2 % n);
    const EnsNode *before = g_ptr_array_index (graph->nodes, i / 2 / n % n);
    guint from, to;

    if (i % 2 != 0)
      ens_graph_begin_edit (graph);
    ens_graph_move_node (graph, node, before);
    if (i % 2 != 0)
      ens_graph_end_edit (graph);
    ck_assert_uint_eq (graph->nodes->len, n);
    ck_assert (g_ptr_array_find (graph->nodes, node, &from));
    ck_assert (g_ptr_array_find (graph->nodes, before, &to));
    ck_assert_uint_eq (from, node == before ? i / 2 % n : to - 1);
  }
}
END_TEST

START_TEST (test_infer)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autoptr (GError) error = NULL;
  EnsValue *w = ens_graph_find (graph, "w");
  EnsValue *n = ens_graph_find (graph, "Count_3");

  for (gint64 batch = 1; batch < 4; batch++) {
    ens_infer_graph (graph, &ENS_SHAPE (batch, 4), &error);
    ck_assert_no_error (error);
    ck_assert_int_eq (*(gint64 *)n->constant->data, 4 * batch);
    ck_assert_ptr_null (ens_graph_find (graph, "b")->constant);
    ck_assert_double_eq (((float *)w->constant->data)[2], 9);
  }
  assert_valid (graph);
  ens_graph_remove_unused (graph);
  assert_valid (graph);
  ck_assert_ptr_null (n->producer);
  assert_text (graph, "input data: float32 3x4\n"
                      "a: float32 3x4 = Scale (data) factor=2\n"
                      "b: float32 3x4 = Scale (a) factor=0.5\n"
                      "output b: float32 3x4\n"
                      "output Count_3: int64 scalar\n");
}
END_TEST

START_TEST (test_infer_errors)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autoptr (GError) error = NULL;
  EnsValue *a = ens_graph_find (graph, "a");
  EnsNode *node = ens_graph_add_node (graph, &huge, "wide", NULL, &a, 1, 1);

  ck_assert (!ens_infer_node (a->producer, TRUE, &error));
  ck_assert_str_eq (error->message, "node “a” (Scale): the size of input “data” (?x4) is unknown");
  g_clear_error (&error);
  ck_assert (!ens_infer_graph (graph, &ENS_SHAPE (1, 4, 4), &error));
  ck_assert_str_eq (error->message, "small: input “data” is 1x4x4, expected ?x4");
  g_clear_error (&error);
  ck_assert (!ens_infer_node (node, TRUE, &error));
  ck_assert_str_eq (error->message,
                    "node “wide” (Huge): output “wide” can't be as large as 4611686018427387903");
  g_clear_error (&error);
  ck_assert (!ens_infer_graph (graph, &ENS_SHAPE (1, 4), &error));
  ck_assert (g_str_has_prefix (error->message, "small: node “wide” (Huge): "));
  g_clear_error (&error);
  a->type = ENS_TYPE_INT32;
  ck_assert (!ens_infer_node (ens_graph_find (graph, "b")->producer, TRUE, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
}
END_TEST

typedef void (*Damage) (EnsGraph *graph);

static void
swap_nodes (EnsGraph *graph)
{
  gpointer first = g_ptr_array_index (graph->nodes, 0);

  g_ptr_array_index (graph->nodes, 0) = g_ptr_array_index (graph->nodes, 1);
  g_ptr_array_index (graph->nodes, 1) = first;
}

static void
drop_input (EnsGraph *graph)
{
  ens_graph_find (graph, "b")->producer->inputs[0] = NULL;
}

static void
add_inputs (EnsGraph *graph)
{
  ens_node_resize_inputs (ens_graph_find (graph, "b")->producer, 3);
}

static void
reshape_constant (EnsGraph *graph)
{
  ens_graph_find (graph, "weights")->shape = ENS_SHAPE (4);
}

static void
shuffle_index (EnsGraph *graph)
{
  ens_graph_find (graph, "b")->index = 0;
}

static const struct {
  Damage damage;
  const char *message;
} validate_rows[] = {
    {swap_nodes, "small: node “b” (Scale) reads “a” before it is computed"},
    {drop_input, "small: node “b” (Scale) lacks input 0"},
    {add_inputs, "small: node “b” (Scale) has 3 inputs, expected 1 to 2"},
    {reshape_constant, "small: value “weights” has another type or shape than its contents"},
    {shuffle_index, "small: value “b” stands at 3 and says 0"},
};

START_TEST (test_validate)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autoptr (GError) error = NULL;

  validate_rows[_i].damage (graph);
  ck_assert (!ens_graph_validate (graph, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
  ck_assert_pstr_eq (error->message, validate_rows[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph");
  test_add ("build", test_build);
  test_add ("names", test_names);
  test_add ("copy", test_copy);
  test_add ("embed", test_embed);
  test_add ("rewrite", test_rewrite);
  test_add ("move", test_move);
  test_add ("infer", test_infer);
  test_add ("infer-errors", test_infer_errors);
  TEST_ADD_LOOP ("validate", test_validate, validate_rows);
  return test_run ();
}
