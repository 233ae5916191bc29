/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a file's nodes becomes part of the graph: functions and branches. */
#include <stdlib.h>
#include <string.h>

#include "check-main.h"
#include "graph/infer.h"
#include "models.h"
#include "onnx/onnx.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define BOOL ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
#define INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64
#define GRAPH ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH

#define APPEND(array, n, element) \
  ((array) = realloc ((array), ((n) + 1) * sizeof *(array)), (array)[(n)++] = (element))

/* ---- Functions ---- */

/* Takes the last `n_nodes` nodes of the model's graph. Names are separated by spaces. */
static Onnx__FunctionProto *
add_function (Onnx__ModelProto *model, const char *name, const char *inputs, const char *outputs,
              guint n_nodes)
{
  Onnx__FunctionProto *function = malloc (sizeof *function);
  Onnx__OperatorSetIdProto *set = malloc (sizeof *set);
  Onnx__GraphProto *graph = model->graph;
  g_auto (GStrv) input = g_strsplit (inputs, " ", -1), output = g_strsplit (outputs, " ", -1);

  onnx__function_proto__init (function);
  set_text (&function->domain, "own");
  set_text (&function->name, name);
  for (guint i = 0; input[i] != NULL; i++)
    APPEND (function->input, function->n_input, strdup (input[i]));
  for (guint i = 0; output[i] != NULL; i++)
    APPEND (function->output, function->n_output, strdup (output[i]));
  for (gsize i = graph->n_node - n_nodes; i < graph->n_node; i++)
    APPEND (function->node, function->n_node, graph->node[i]);
  graph->n_node -= n_nodes;
  onnx__operator_set_id_proto__init (set);
  set->has_version = TRUE;
  set->version = 13;
  APPEND (function->opset_import, function->n_opset_import, set);
  APPEND (model->functions, model->n_functions, function);
  return function;
}

static Onnx__NodeProto *
call (Onnx__ModelProto *model, const char *name, const char *inputs, const char *outputs)
{
  Onnx__NodeProto *node = model_add_node (model, name, inputs, outputs);

  set_text (&node->domain, "own");
  return node;
}

static void
refer (Onnx__NodeProto *node, const char *name, const char *to)
{
  Onnx__AttributeProto *attribute =
      node_add_attribute (node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

  set_text (&attribute->ref_attr_name, to);
}

/* Inner (a) = LeakyRelu (a) with the caller's slope; Outer (x, y) = Inner (x) + Inner (y). */
static void
build_functions (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 4));
  refer (model_add_node (model, "LeakyRelu", "a", "b"), "alpha", "slope");
  add_function (model, "Inner", "a", "b", 1);
  refer (call (model, "Inner", "x", "t"), "slope", "steep");
  refer (call (model, "Inner", "y", "u"), "slope", "steep");
  model_add_node (model, "Add", "t u", "z");
  add_function (model, "Outer", "x y", "z", 3);
  node_add_float (call (model, "Outer", "x x", "m"), "steep", 0.25f);
  call (model, "Outer", "m x", "n");
  model_add_output (model, "n", FLOAT, &ENS_SHAPE (-1, 4));
}

/* Without an attribute the operator's own default holds. */
static const char functions_text[] = "input x: float32 ?x4\n"
                                     "Outer0/t: float32 1x4 = LeakyRelu (x) alpha=0.25\n"
                                     "Outer0/u: float32 1x4 = LeakyRelu (x) alpha=0.25\n"
                                     "m: float32 1x4 = Add (Outer0/t, Outer0/u)\n"
                                     "Outer1/t: float32 1x4 = LeakyRelu (m)\n"
                                     "Outer1/u: float32 1x4 = LeakyRelu (x)\n"
                                     "n: float32 1x4 = Add (Outer1/t, Outer1/u)\n"
                                     "output n: float32 1x4\n";

START_TEST (test_functions)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autofree char *text = NULL;

  build_functions (model);
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  ck_assert_pstr_eq (text, functions_text);
}
END_TEST

START_TEST (test_recursion)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 4));
  call (model, "Again", "a", "b");
  add_function (model, "Again", "a", "b", 1);
  call (model, "Again", "x", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 4));
  bytes = model_pack (model);
  assert_import_refuses (bytes, NULL, ENS_ERROR_FORMAT, "the function “Again” calls itself");
}
END_TEST

/* Each calls the one before it four times. */
START_TEST (test_explosion)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 4));
  model_add_node (model, "Relu", "a", "b");
  add_function (model, "F0", "a", "b", 1);
  for (guint i = 1; i < 30; i++) {
    g_autofree char *inner = g_strdup_printf ("F%u", i - 1), *outer = g_strdup_printf ("F%u", i);

    call (model, inner, "a", "p");
    call (model, inner, "p", "q");
    call (model, inner, "q", "r");
    call (model, inner, "r", "b");
    add_function (model, outer, "a", "b", 4);
  }
  call (model, "F29", "x", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 4));
  bytes = model_pack (model);
  assert_import_refuses (bytes, NULL, ENS_ERROR_RESOURCE, "functions of the file call each other");
}
END_TEST

/* A function of nodes that each take the call's list "big", of which y is the first. */
static void
add_lists (Onnx__ModelProto *model, guint n_nodes)
{
  for (guint i = 0; i < n_nodes; i++) {
    g_autofree char *output = g_strdup_printf ("k%u", i);

    refer (model_add_node (model, "Constant", "", output), "value_floats", "big");
  }
  add_function (model, "Lists", "a", "k0", n_nodes);
}

static void
give_list (Onnx__NodeProto *node)
{
  g_autofree float *list = g_new0 (float, 100000);

  node_add_floats (node, "big", list, 100000);
}

/* 0.4 MB times 300. */
static void
build_large_attribute (Onnx__ModelProto *model)
{
  add_lists (model, 300);
  give_list (call (model, "Lists", "x", "y"));
}

/* 100 kB times 1000. */
static void
build_long_names (Onnx__ModelProto *model)
{
  g_autofree char *name = g_strnfill (100000, 'n');

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *nodes = g_strdup_printf ("Relu a>p%u", i);

    model_add_nodes (model, nodes);
  }
  add_function (model, "Names", "a", "p0", 1000);
  set_text (&call (model, "Names", "x", "y")->name, name);
}

static void add_true (Onnx__ModelProto *model);
static Onnx__GraphProto *add_branch (Onnx__ModelProto *model, Onnx__NodeProto *node,
                                     const char *name, const char *nodes, const char *outputs);

/* 0.4 MB times 100 in each of two branches. */
static void
build_branches (Onnx__ModelProto *model)
{
  add_lists (model, 100);
  add_true (model);
  for (guint i = 0; i < 2; i++) {
    Onnx__NodeProto *node = model_add_node (model, "If", "true", i == 0 ? "y" : "z");
    Onnx__GraphProto *graph = add_branch (model, node, "then_branch",
                                          i == 0 ? "Lists x>p" : "Lists x>q", i == 0 ? "p" : "q");

    set_text (&graph->node[0]->domain, "own");
    give_list (graph->node[0]);
  }
  model_add_output (model, "z", FLOAT, &ENS_SHAPE (-1));
}

/* A function that calls itself in a branch. */
static void
build_branched_recursion (Onnx__ModelProto *model)
{
  Onnx__NodeProto *node;

  add_true (model);
  node = model_add_node (model, "If", "a", "b");
  set_text (&add_branch (model, node, "then_branch", "Again a>s", "s")->node[0]->domain, "own");
  add_function (model, "Again", "a", "b", 1);
  call (model, "Again", "true", "y");
}

static const struct {
  void (*build) (Onnx__ModelProto *model);
  EnsErrorCode code;
  const char *message;
} greedy_rows[] = {
    {build_large_attribute, ENS_ERROR_RESOURCE, "functions of the file call each other so often"},
    {build_long_names, ENS_ERROR_RESOURCE, "functions of the file call each other so often"},
    {build_branches, ENS_ERROR_RESOURCE, "functions of the file call each other so often"},
    {build_branched_recursion, ENS_ERROR_FORMAT, "(If): a function calls itself in a branch"},
};

START_TEST (test_greedy)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 1, 4));
  greedy_rows[_i].build (model);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1));
  bytes = model_pack (model);
  assert_import_refuses (bytes, NULL, greedy_rows[_i].code, greedy_rows[_i].message);
}
END_TEST

/* Calls of one name, and so of the same names within. */
START_TEST (test_same_calls)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 4));
  model_add_nodes (model, "Relu a>t;Neg t>b");
  add_function (model, "Twice", "a", "b", 2);
  for (guint i = 0; i < 3000; i++) {
    g_autofree char *output = g_strdup_printf ("y%u", i);

    set_text (&call (model, "Twice", "x", output)->name, "same");
    model_add_output (model, output, FLOAT, &ENS_SHAPE (1, 4));
  }
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_str_eq (ens_graph_find (graph, "y2999")->producer->inputs[0]->name, "same/t_3000");
}
END_TEST

/* ---- Branches ---- */

/* A graph of nodes, as model_add_nodes () has them, as an attribute of a node. */
static Onnx__GraphProto *
add_branch (Onnx__ModelProto *model, Onnx__NodeProto *node, const char *name, const char *nodes,
            const char *outputs)
{
  Onnx__AttributeProto *attribute = node_add_attribute (node, name, GRAPH);
  Onnx__GraphProto *graph = malloc (sizeof *graph);
  g_auto (GStrv) names = g_strsplit (outputs, " ", -1);
  gsize first = model->graph->n_node;

  onnx__graph_proto__init (graph);
  graph->name = strdup (name);
  model_add_nodes (model, nodes);
  for (gsize i = first; i < model->graph->n_node; i++)
    APPEND (graph->node, graph->n_node, model->graph->node[i]);
  model->graph->n_node = first;
  for (guint i = 0; names[i] != NULL; i++) {
    Onnx__ValueInfoProto *output = malloc (sizeof *output);

    onnx__value_info_proto__init (output);
    set_text (&output->name, names[i]);
    APPEND (graph->output, graph->n_output, output);
  }
  attribute->g = graph;
  return graph;
}

/* y = condition ? Relu (x) : Neg (x). */
static void
add_if (Onnx__ModelProto *model, const char *condition)
{
  Onnx__NodeProto *branch = model_add_node (model, "If", condition, "y");

  add_branch (model, branch, "then_branch", "Relu x>p", "p");
  add_branch (model, branch, "else_branch", "Neg x>q", "q");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
}

/* condition = (dimension of x) < limit. */
static void
add_condition (Onnx__ModelProto *model, gint64 dimension, gint64 limit)
{
  model_add_node (model, "Shape", "x", "shape");
  model_add_int64s (model, "dimension", &dimension, 1);
  model_add_int64s (model, "limit", &limit, 1);
  model_add_node (model, "Gather", "shape dimension", "d");
  model_add_node (model, "Less", "d limit", "condition");
}

static const struct {
  gint64 dimension, limit; /* as add_condition () */
  const char *op;          /* of the branch that is taken at the nominal size, 224 */
  gboolean any_size;
} branch_rows[] = {
    {1, 4, "Relu", TRUE},    {1, 3, "Neg", TRUE},     {2, 100, "Neg", TRUE},
    {2, 225, "Relu", FALSE}, {3, 1000, "Relu", TRUE},
};

START_TEST (test_branches)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  const EnsNode *last;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
  add_condition (model, branch_rows[_i].dimension, branch_rows[_i].limit);
  add_if (model, "condition");
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  last = ((const EnsValue *)graph->outputs->pdata[0])->producer;
  if (strcmp (last->op->name, "Identity") == 0)
    last = last->inputs[0]->producer;
  ck_assert_str_eq (last->op->name, branch_rows[_i].op);
  ck_assert_str_eq (((const EnsValue *)graph->outputs->pdata[0])->name, "y");
  ck_assert_int_eq (graph->notes->len, branch_rows[_i].any_size ? 0 : 1);
  ck_assert (ens_infer_graph (graph, &ENS_SHAPE (2, 224, 224, 3), NULL));
  ck_assert_int_eq (ens_infer_graph (graph, &ENS_SHAPE (2, 300, 300, 3), NULL),
                    branch_rows[_i].any_size);
}
END_TEST

/* Every operator that is missing is named once, also those of branches. */
static const struct {
  const char *before, *then, *other; /* nodes before an If, and of its branches */
  const char *message;
} hidden_rows[] = {
    {"Twist x>a", "Bend x>p", "Twist x>p",
     "not supported: Twist of opset 13 (2 nodes, the first is “Twist0”), Bend of opset 13 (node "
     "“Bend3”)"},
    {"Relu x>a", "Bend x>t;Bend t>p", "Twist x>p",
     "not supported: Bend of opset 13 (2 nodes, the first is “Bend3”), Twist of opset 13 (node "
     "“Twist3”)"},
    {"Relu x>a", "Bend x>p", "Relu x>p", "not supported: Bend of opset 13 (node “Bend3”)"},
};

static void
add_true (Onnx__ModelProto *model)
{
  model_add_initializer (model, "zero", INT64, &ENS_SHAPE (1));
  model_add_initializer (model, "one", INT64, &ENS_SHAPE (1));
  model_add_node (model, "Equal", "zero one", "true");
}

static const struct {
  const char *nodes, *outputs; /* of the branch */
  const char *text;            /* of the graph … */
  const char *message;         /* … or why there is none */
} pair_rows[] = {
    {"Relu x>p;Neg x>q", "q p",
     "input x: float32 1x1x4\np: float32 1x1x4 = Relu (x)\nq: float32 1x1x4 = Neg (x)\n"
     "y: float32 1x1x4 = Identity (q)\nz: float32 1x1x4 = Identity (p)\n"
     "output y: float32 1x1x4\noutput z: float32 1x1x4\n"},
    {"Relu x>p", "p p",
     "input x: float32 1x1x4\np: float32 1x1x4 = Relu (x)\n"
     "y: float32 1x1x4 = Identity (p)\nz: float32 1x1x4 = Identity (p)\n"
     "output y: float32 1x1x4\noutput z: float32 1x1x4\n"},
    {"Twist x>t;Relu x>p;Neg x>q", "t p q", NULL, "not supported: Twist of opset 13"},
    {"Softmax x>p;ZipMap p>m;Neg x>q", "m q", NULL, "not supported: ZipMap of opset 13"},
};

START_TEST (test_hidden)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  Onnx__NodeProto *node;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 1, 4));
  model_add_nodes (model, hidden_rows[_i].before);
  add_true (model);
  node = model_add_node (model, "If", "true", "b");
  add_branch (model, node, "then_branch", hidden_rows[_i].then, "p");
  add_branch (model, node, "else_branch", hidden_rows[_i].other, "p");
  model_add_node (model, "Add", "a b", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 1, 4));
  bytes = model_pack (model);
  ck_assert_ptr_null (ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error));
  ck_assert (g_error_matches (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED));
  ck_assert_msg (strstr (error->message, hidden_rows[_i].message) != NULL, "%s", error->message);
}
END_TEST

/* y, z = If (true), with the row's branch. */
START_TEST (test_pairs)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autofree char *text = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 1, 4));
  add_true (model);
  add_branch (model, model_add_node (model, "If", "true", "y z"), "then_branch",
              pair_rows[_i].nodes, pair_rows[_i].outputs);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 1, 4));
  model_add_output (model, "z", FLOAT, &ENS_SHAPE (1, 1, 4));
  bytes = model_pack (model);
  if (pair_rows[_i].text == NULL) {
    assert_import_refuses (bytes, NULL, ENS_ERROR_UNSUPPORTED, pair_rows[_i].message);
    return;
  }
  graph = ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  ck_assert_pstr_eq (text, pair_rows[_i].text);
}
END_TEST

/* A branch of a function of opset 11, whose Softmax is over all axes from 1 on, in a model of opset
 * 18, where it is over the last. */
START_TEST (test_opset_of_branch)
{
  g_autoptr (Onnx__ModelProto) model = model_new (18);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autofree char *text = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 2, 4));
  add_true (model);
  add_branch (model, model_add_node (model, "If", "c", "b"), "then_branch", "Softmax a>s", "s");
  add_function (model, "Chances", "c a", "b", 1)->opset_import[0]->version = 11;
  call (model, "Chances", "true x", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 2, 4));
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  ck_assert_contains (text, "Softmax (x) axis=1 flatten=1\n");
}
END_TEST

START_TEST (test_unknown_branch)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
  model_add_input (model, "condition", BOOL, &ENS_SHAPE (1));
  add_if (model, "condition");
  bytes = model_pack (model);
  assert_import_refuses (bytes, NULL, ENS_ERROR_UNSUPPORTED,
                         "(If): the condition “condition” is computed from the pictures");
}
END_TEST

/* Nodes in other orders than they are computed in: the same graph. */
static const struct {
  const char *nodes; /* as model_add_nodes () has them */
} order_rows[] = {
    {"Abs x>a;Relu a>b;Add b a>c;Mul c b>y"},         {"Mul c b>y;Add b a>c;Relu a>b;Abs x>a"},
    {"Add b a>c;Relu a>b;Mul c b>y;Abs x>a"},         {"Relu a>b;Add b a>c;Mul c b>y;Abs x>a"},
    {"Neg y>z;Mul c b>y;Abs x>a;Relu a>b;Add b a>c"},
};

static const char order_text[] = "input x: float32 ?x4\n"
                                 "a: float32 1x4 = Abs (x)\n"
                                 "b: float32 1x4 = Relu (a)\n"
                                 "c: float32 1x4 = Add (b, a)\n"
                                 "y: float32 1x4 = Mul (c, b)\n"
                                 "output y: float32 1x4\n";

START_TEST (test_order)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autofree char *text = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 4));
  model_add_nodes (model, order_rows[_i].nodes);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 4));
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "order.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  ck_assert_pstr_eq (text, order_text);
}
END_TEST

/* As many as there may be, each before the one whose result it reads. */
START_TEST (test_reversed)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  model_add_input (model, "x20000", FLOAT, &ENS_SHAPE (-1, 4));
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *input = g_strdup_printf ("x%u", i + 1);
    g_autofree char *output = g_strdup_printf ("x%u", i);

    model_add_node (model, "Relu", input, output);
  }
  model_add_output (model, "x0", FLOAT, &ENS_SHAPE (-1, 4));
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "reversed.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (graph->nodes->len, 20000);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("onnx-bodies");
  test_add ("functions", test_functions);
  test_add ("recursion", test_recursion);
  test_add ("explosion", test_explosion);
  TEST_ADD_LOOP ("greedy", test_greedy, greedy_rows);
  test_add ("same-calls", test_same_calls);
  TEST_ADD_LOOP ("hidden", test_hidden, hidden_rows);
  TEST_ADD_LOOP ("pairs", test_pairs, pair_rows);
  test_add ("opset-of-branch", test_opset_of_branch);
  TEST_ADD_LOOP ("branches", test_branches, branch_rows);
  test_add ("unknown-branch", test_unknown_branch);
  TEST_ADD_LOOP ("order", test_order, order_rows);
  test_add ("reversed", test_reversed);
  return test_run ();
}
