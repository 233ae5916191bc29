/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/network.h"

#include "check-main.h"
#include "onnx/onnx.h"
#include "ops/registry.h"

EnsGraph *
test_network_read (const char *path)
{
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_onnx_import (path, NULL, &error);

  ck_assert_no_error (error);
  return graph;
}

char *
test_network_write_no_input (const char *folder)
{
  char *path = g_build_filename (folder, "no-input.onnx", NULL);
  g_autoptr (EnsGraph) graph = ens_graph_new ("no-input");
  g_autoptr (EnsTensor) one =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1), (const float[]) {1});
  g_autoptr (GError) error = NULL;

  ens_graph_add_output (graph, ens_graph_apply (graph, &ens_op_relu, NULL,
                                                ens_graph_add_constant (graph, "one", one), NULL));
  ens_onnx_export (graph, path, &error);
  ck_assert_no_error (error);
  return path;
}
