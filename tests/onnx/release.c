/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What import computes of weights alone: long chains take memory for a few results at a time. */
#include <glib/gstdio.h>

#include "check-main.h"
#include "models.h"
#include "onnx/onnx.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define LENGTH 30

/* k0 are weights, k1 … k30 each the Relu of the one before. The weights of the first two have 4 MB,
 * what is computed 120 MB, of which 80 may be held at a time. */
static const struct {
  const char *name, *nodes;
  const char *inputs; /* of the MatMul that gives y; the last is checked */
  gint64 side;        /* of k0 */
  gboolean external;
  float factor;  /* of that to k0 */
  guint n_nodes; /* of the graph */
} rows[] = {
    {"chain", "Relu k30>w", "x w", 1000, FALSE, 1, 1},
    {"external", "Relu k30>w", "x w", 1000, TRUE, 1, 1},
    {"read-late", "Add k30 k1>w", "x w", 10, FALSE, 2, 1},
    {"read-twice", "Add k1 k1>a;Add a k30>b;Add b k1>w", "x w", 10, FALSE, 4, 1},
    {"other-name", "Cast k2>a;Add k30 a>w", "x w", 10, FALSE, 2, 1},
    {"transposed", "Transpose k1>a;Relu a>b;Transpose a>c;Relu k30>d;Add c d>w", "x w", 10, FALSE,
     2, 1},
    {"transposed-away", "Transpose k1>a;Transpose a>w", "x w", 10, FALSE, 1, 1},
    {"read-by-others", "MatMul x k1>a;Add k30 k1>w", "a w", 10, FALSE, 2, 2},
};

static void
write_external (Onnx__TensorProto *tensor, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "weights.bin", NULL);

  ck_assert (g_file_set_contents (path, (const char *)tensor->raw_data.data,
                                  (gssize)tensor->raw_data.len, NULL));
  tensor_set_external (tensor, "weights.bin", NULL, NULL);
}

static GBytes *
build (int row, const char *folder)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  Onnx__TensorProto *weights =
      model_add_initializer (model, "k0", FLOAT, &ENS_SHAPE (rows[row].side, rows[row].side));

  if (rows[row].external)
    write_external (weights, folder);
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, rows[row].side));
  for (guint i = 0; i < LENGTH; i++) {
    g_autofree char *input = g_strdup_printf ("k%u", i);
    g_autofree char *output = g_strdup_printf ("k%u", i + 1);

    model_add_node (model, "Relu", input, output);
  }
  model_add_nodes (model, rows[row].nodes);
  for (guint i = 0; i < model->graph->n_node; i++)
    if (g_str_equal (model->graph->node[i]->op_type, "Cast"))
      node_add_int (model->graph->node[i], "to", FLOAT);
  model_add_node (model, "MatMul", rows[row].inputs, "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, rows[row].side));
  return model_pack (model);
}

START_TEST (test_chain)
{
  g_autofree char *folder = g_dir_make_tmp ("ens-release-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "weights.bin", NULL);
  g_autoptr (GBytes) bytes = build (_i, folder);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import_bytes (bytes, "chain.onnx", folder, NULL, &error);
  const EnsTensor *weights;

  g_unlink (path);
  g_rmdir (folder);
  ck_assert_no_error (error);
  ck_assert_uint_eq (graph->nodes->len, rows[_i].n_nodes);
  weights = ens_graph_find (graph, "y")->producer->inputs[1]->constant;
  ck_assert_ptr_nonnull (weights);
  for (gint64 i = 0; i < rows[_i].side * rows[_i].side; i++)
    ck_assert (((const float *)weights->data)[i] == rows[_i].factor * (float)(i + 1));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/onnx-release");
  TEST_ADD_ROWS ("chain", test_chain, rows);
  return test_run ();
}
