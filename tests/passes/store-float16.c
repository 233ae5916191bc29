/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes compute on float16, and where Casts are inserted. */
#include "build.h"

#include "base/float16.h"
#include "check-main.h"
#include "passes/rewrite.h"
#include "passes/store-float16.h"

/* One constant does not fit. */
#define TOO_LARGE "large"
#define SINGLE "node "

static EnsTensor *
to_float16 (gpointer data, EnsTensor *constant)
{
  return constant == data ? NULL : ens_tensor_new (ENS_TYPE_FLOAT16, &constant->shape);
}

/* x → Relu (a) → Neg (b) → Add c (d) → Abs (e), with another output that rounds x's shape. */
static EnsGraph *
build_chain (EnsTensor **large)
{
  g_auto (Builder) b;
  EnsValue *x, *constant;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (2, 3));
  ens_graph_rename (b.graph, x, "x");
  ens_graph_add_output (b.graph, build (&b, "Shape", NULL, x, NULL));
  x = build (&b, "Relu", NULL, x, NULL);
  ens_graph_rename (b.graph, x, "a");
  x = build (&b, "Neg", NULL, x, NULL);
  ens_graph_rename (b.graph, x, "b");
  constant = build_constant (&b, &ENS_SHAPE (3));
  *large = constant->constant;
  x = build (&b, "Add", NULL, x, constant, NULL);
  ens_graph_rename (b.graph, x, "d");
  x = build (&b, "Abs", NULL, x, NULL);
  ens_graph_rename (b.graph, x, "e");
  ens_graph_add_output (b.graph, x);
  return g_steal_pointer (&b.graph);
}

/* Nodes in order, with the bits of what they read and write. */
static char *
describe (const EnsGraph *graph)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    if (ens_node_is (node, "Shape"))
      continue;
    if (text->len > 0)
      g_string_append_c (text, ' ');
    g_string_append (text, node->op->name);
    if (ens_node_is (node, "Cast"))
      g_string_append_printf (text, "%u", 8 * (guint)ens_type_size (node->outputs[0]->type));
    else
      for (guint k = 0; k < node->n_inputs; k++)
        ck_assert_int_eq (node->inputs[k]->type, node->outputs[0]->type);
  }
  return g_string_free (text, FALSE);
}

typedef struct {
  const char *name;
  const char *float32_values; /* names of values, or TOO_LARGE; behind SINGLE, of a node */
  const char *expected;       /* casts say to how many bits */
} Row;

static const Row rows[] = {
    {"all", "", "Relu Neg Add Abs Cast32"},
    {"first value", "a", "Cast32 Relu Neg Cast16 Add Abs Cast32"},
    {"value in between", "b", "Relu Cast32 Neg Add Cast16 Abs Cast32"},
    {"neighbours", "b d", "Relu Cast32 Neg Add Abs"},
    {"last value", "e", "Relu Neg Add Cast32 Abs"},
    {"input", "x", "Relu Cast16 Neg Add Abs Cast32"},
    {"constant", TOO_LARGE, "Relu Neg Cast32 Add Cast16 Abs Cast32"},
    {"node", SINGLE "Neg_2", "Relu Cast32 Neg Cast16 Add Abs Cast32"},
    {"no such value", "z", "Relu Neg Add Abs Cast32"},
};

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  g_auto (GStrv) names = g_strsplit (row->float32_values, " ", -1);
  g_autoptr (GHashTable) exceptions = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  EnsTensor *large;
  g_autoptr (EnsGraph) graph = build_chain (&large);
  gboolean single = g_str_has_prefix (row->float32_values, SINGLE);
  EnsFloat16Policy float16 = {.to_float16 = to_float16,
                              .data = g_str_equal (row->float32_values, TOO_LARGE) ? large : NULL,
                              .float32_values = single ? NULL : exceptions,
                              .float32_nodes = single ? exceptions : NULL};
  g_autofree char *found = NULL;

  for (char **name = names; *name != NULL; name++)
    g_hash_table_add (exceptions, *name);
  ens_graph_store_float16 (graph, &float16);
  ens_graph_validate (graph, &error);
  ck_assert_no_error (error);
  found = describe (graph);
  ck_assert_pstr_eq (found, row->expected);
  ck_assert_int_eq (((EnsValue *)g_ptr_array_index (graph->outputs, 1))->type, ENS_TYPE_FLOAT32);
}
END_TEST

static EnsTensor *
round_to_float16 (gpointer data, EnsTensor *constant)
{
  EnsTensor *half = ens_tensor_new (ENS_TYPE_FLOAT16, &constant->shape);

  ens_float16_from_floats (constant->data, half->data,
                           (gsize)ens_shape_elements (&constant->shape));
  return half;
}

/* 2049 is no float16. */
START_TEST (test_rounded_size)
{
  const EnsFloat16Policy float16 = {.to_float16 = round_to_float16};
  g_auto (Builder) b;
  g_autofree char *found = NULL;

  builder_init (&b, 2);
  ens_graph_add_output (b.graph, build (&b, "Range", NULL, build_number (&b, 0),
                                        build_number (&b, 2049), build_number (&b, 1), NULL));
  ens_graph_store_float16 (b.graph, &float16);
  found = describe (b.graph);
  ck_assert_pstr_eq (found, "Range");
  ck_assert_int_eq (((EnsValue *)b.graph->outputs->pdata[0])->shape.dims[0], 2049);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/store-float16");
  TEST_ADD_ROWS (NULL, check_row, rows);
  test_add ("rounded-size", test_rounded_size);
  return test_run ();
}
