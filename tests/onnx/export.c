/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written can be read again, by import and by ONNX's own checker. */
#include <glib/gstdio.h>
#include <string.h>

#include "check-main.h"
#include "graph/op.h"
#include "models.h"
#include "onnx/onnx.h"

#define PYTHON "/usr/bin/python3"

static EnsGraph *
import (const ModelRow *row)
{
  g_autoptr (Onnx__ModelProto) model = model_new_from_row (row);
  g_autoptr (GBytes) bytes = model_pack (model);
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_onnx_import_bytes (bytes, "test.onnx", NULL, NULL, &error);

  ck_assert_no_error (error);
  return graph;
}

static void
assert_same_constants (const EnsGraph *a, const EnsGraph *b)
{
  for (guint i = 0; i < a->nodes->len; i++) {
    const EnsNode *node = g_ptr_array_index (a->nodes, i), *twin = g_ptr_array_index (b->nodes, i);

    ck_assert_pstr_eq (node->name, twin->name);
    for (guint j = 0; j < node->n_inputs; j++) {
      const EnsTensor *x = node->inputs[j] ? node->inputs[j]->constant : NULL;
      const EnsTensor *y = twin->inputs[j] ? twin->inputs[j]->constant : NULL;

      ck_assert ((x == NULL) == (y == NULL));
      if (x != NULL)
        ck_assert_bytes_eq (x->data, ens_tensor_size (x), y->data, ens_tensor_size (y));
    }
  }
}

static void
assert_round_trip (const EnsGraph *graph)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, &error);
  g_autoptr (EnsGraph) again = NULL;
  g_autofree char *text = ens_graph_to_string (graph), *text_again = NULL;

  ck_assert_no_error (error);
  again = ens_onnx_import_bytes (bytes, "again.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  text_again = ens_graph_to_string (again);
  ck_assert_pstr_eq (text_again, text);
  assert_same_constants (graph, again);
}

START_TEST (test_round_trip)
{
  g_autoptr (EnsGraph) graph = import (&model_rows[_i]);

  assert_round_trip (graph);
}
END_TEST

static const char *const names[] = {"squeezenet1.1", "mobilenet_v1_0.5_160", "resnet20-cifar10"};

START_TEST (test_networks)
{
  const char *data = g_getenv ("ENSEMBLE_TEST_DATA");

  if (data == NULL) {
    test_skip ("ENSEMBLE_TEST_DATA is not set");
    return;
  }
  g_autofree char *file = g_strconcat (names[_i], ".onnx", NULL);
  g_autofree char *path = g_build_filename (data, "networks", file, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, NULL, &error);

  ck_assert_no_error (error);
  assert_round_trip (graph);
}
END_TEST

/* A graph that never was a file, and whose shapes nobody has inferred. */
static EnsGraph *
make_graph (void)
{
  EnsGraph *graph = ens_graph_new ("made");
  const EnsOp *relu = ens_op_find ("Relu"), *pool = ens_op_find ("GlobalAveragePool");
  EnsValue *x = ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, 8, 3));
  g_autofree gpointer none = g_malloc0 (MAX (relu->params_size, pool->params_size) + 1);
  EnsValue *y = ens_graph_apply (graph, relu, none, x, NULL);

  ens_graph_add_output (graph, y);
  ens_graph_add_output (graph, ens_graph_apply (graph, pool, none, y, NULL));
  return graph;
}

START_TEST (test_made)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, &error);
  g_autoptr (EnsGraph) again = NULL;
  g_autofree char *text = NULL;

  ck_assert_no_error (error);
  again = ens_onnx_import_bytes (bytes, "made.onnx", NULL, NULL, &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (again);
  ck_assert_str_eq (text, "input x: float32 ?x?x8x3\n"
                          "Relu_0: float32 1x224x8x3 = Relu (x)\n"
                          "GlobalAveragePool_1: float32 1x1x1x3 = GlobalAveragePool (Relu_0)\n"
                          "output Relu_0: float32 1x224x8x3\n"
                          "output GlobalAveragePool_1: float32 1x1x1x3\n");
}
END_TEST

/* Outputs are declared as far as they are the same for all inputs. */
START_TEST (test_open_dimensions)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, &error);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (Onnx__ModelProto) model = onnx__model_proto__unpack (NULL, size, data);
  static const gint64 expected[3][4] = {{-1, 3, -1, 8}, {-1, 3, -1, 8}, {-1, 3, 1, 1}};

  ck_assert_uint_eq (model->graph->n_output, 2);
  for (guint i = 0; i < 3; i++) {
    const Onnx__ValueInfoProto *info =
        i == 0 ? model->graph->input[0] : model->graph->output[i - 1];
    const Onnx__TensorShapeProto *shape = info->type->tensor_type->shape;

    ck_assert_uint_eq (shape->n_dim, 4);
    for (guint j = 0; j < 4; j++)
      if (shape->dim[j]->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
        ck_assert_int_eq (shape->dim[j]->dim_value, expected[i][j]);
      else
        ck_assert_int_eq (expected[i][j], -1);
  }
}
END_TEST

/* An operator that no file can hold. */
static gboolean
internal_shape (EnsOperands *operands, GError **error)
{
  operands->outputs[0]->type = operands->inputs[0]->type;
  operands->outputs[0]->shape = operands->inputs[0]->shape;
  return TRUE;
}

START_TEST (test_refused)
{
  static const EnsOp internal = {.name = "Internal",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .min_outputs = 1,
                                 .max_outputs = 1,
                                 .flags = ENS_OP_INTERNAL,
                                 .shape = internal_shape};
  g_autoptr (EnsGraph) graph = ens_graph_new ("refused");
  g_autoptr (GError) error = NULL;
  EnsValue *x = ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, &ENS_SHAPE (1));

  ens_graph_add_output (graph, ens_graph_apply (graph, &internal, NULL, x, NULL));
  ck_assert_ptr_null (ens_onnx_export_bytes (graph, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
  ck_assert_str_eq (
      error->message,
      "node “Internal_0” (Internal) can't be written to an ONNX file: ONNX has no such "
      "operator");
  g_clear_error (&error);
  ck_assert (!ens_onnx_export (graph, "/nowhere/x.onnx", NULL));
}
END_TEST

START_TEST (test_file)
{
  g_autoptr (EnsGraph) graph = make_graph ();
  g_autofree char *folder = g_dir_make_tmp ("ens-export-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "made.onnx", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) again = NULL;

  ck_assert (ens_onnx_export (graph, path, &error));
  ck_assert (ens_onnx_export (graph, path, &error));
  again = ens_onnx_import (path, NULL, &error);
  ck_assert_no_error (error);
  g_remove (path);
  ck_assert_int_eq (g_rmdir (folder), 0);
  ck_assert (!ens_onnx_export (graph, path, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert (g_str_has_prefix (error->message, path));
}
END_TEST

/* Runs a Python program; FALSE if it fails. */
static gboolean
run_python (const char *program, const char *argument)
{
  const char *argv[] = {PYTHON, "-c", program, argument, NULL};
  int status = -1;

  return g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status,
                       NULL)
         && g_spawn_check_wait_status (status, NULL);
}

START_TEST (test_checker)
{
  g_autofree char *folder = g_dir_make_tmp ("ens-export-XXXXXX", NULL);
  gboolean good;

  if (!run_python ("import onnx.checker", NULL)) {
    test_skip ("no python3-onnx");
    return;
  }
  for (guint i = 0; i < n_model_rows; i++) {
    g_autofree char *file = g_strconcat (model_rows[i].name, ".onnx", NULL);
    g_autofree char *path = g_build_filename (folder, file, NULL);
    g_autoptr (EnsGraph) graph = import (&model_rows[i]);
    g_autoptr (GError) error = NULL;

    ens_onnx_export (graph, path, &error);
    ck_assert_no_error (error);
  }
  good = run_python ("import glob, os, sys, onnx, onnx.defs\n"
                     "for path in glob.glob (os.path.join (sys.argv[1], '*.onnx')):\n"
                     "    model = onnx.load (path)\n"
                     "    if model.opset_import[0].version <= onnx.defs.onnx_opset_version ():\n"
                     "        onnx.checker.check_model (model, full_check=True)\n"
                     "    os.unlink (path)\n"
                     "os.rmdir (sys.argv[1])\n",
                     folder);
  ck_assert (good);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/onnx-export");
  test_add_rows ("round-trip", test_round_trip, model_rows, sizeof *model_rows, n_model_rows);
  TEST_ADD_LOOP ("networks", test_networks, names);
  test_add ("made", test_made);
  test_add ("open-dimensions", test_open_dimensions);
  test_add ("refused", test_refused);
  test_add ("file", test_file);
  test_add ("checker", test_checker);
  return test_run ();
}
