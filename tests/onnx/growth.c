/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that ask for far more memory or time than their size allows. */
#include "check-main.h"
#include "models.h"
#include "onnx/onnx.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
/* What nothing needs is not looked at. */
#define NEED(name) model_add_output (model, name, FLOAT, &ENS_SHAPE (1))

/* A file that asks for a terabyte of constants. */
START_TEST (test_growth)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GBytes) bytes = NULL;

  model_add_initializer (model, "k0", FLOAT, &ENS_SHAPE (1000, 1000));
  for (guint i = 0; i < 100; i++) {
    g_autofree char *input = g_strdup_printf ("k%u", i);
    g_autofree char *output = g_strdup_printf ("k%u", i + 1);

    model_add_node (model, "Relu", input, output);
  }
  NEED ("k100");
  bytes = model_pack (model);
  assert_import_refuses (bytes, NULL, ENS_ERROR_RESOURCE, "compute far more than the file holds");
}
END_TEST

/* Hours of arithmetic on constants: a product that is too long to be computed beforehand stays a
 * node, and short ones may not be many. */
START_TEST (test_long_product)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  model_add_initializer (model, "k", FLOAT, &ENS_SHAPE (1024, 1024));
  model_add_node (model, "MatMul", "k k", "product");
  NEED ("product");
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "good.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_ptr_nonnull (ens_graph_find (graph, "product")->producer);
}
END_TEST

START_TEST (test_many_products)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GBytes) bytes = NULL;

  model_add_initializer (model, "row", FLOAT, &ENS_SHAPE (1, 1 << 16));
  model_add_initializer (model, "column", FLOAT, &ENS_SHAPE (1 << 16, 1));
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *output = g_strdup_printf ("p%u", i);

    model_add_node (model, "MatMul", "row column", output);
    NEED (output);
  }
  bytes = model_pack (model);
  assert_import_refuses (bytes, NULL, ENS_ERROR_RESOURCE, "compute far more than the file holds");
}
END_TEST

/* What would take quadratic time: names that are all the same, many inputs and outputs. */
START_TEST (test_many_names)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  for (guint i = 0; i < 5000; i++) {
    g_autofree char *input = g_strdup_printf ("x%u", i);
    g_autofree char *output = g_strdup_printf ("y%u", i);

    model_add_input (model, input, FLOAT, &ENS_SHAPE (1, 1, 1, 1));
    model_add_output (model, output, FLOAT, &ENS_SHAPE (1, 1, 1, 1));
    set_text (&model_add_node (model, "Relu", input, output)->name, "same");
  }
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "good.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_str_eq (ens_graph_find (graph, "y4999")->producer->name, "same_5000");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("onnx/growth");
  test_add ("growth", test_growth);
  test_add ("long-product", test_long_product);
  test_add ("many-products", test_many_products);
  test_add ("many-names", test_many_names);
  return test_run ();
}
