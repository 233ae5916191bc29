/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/network.h"

#include "check-main.h"
#include "onnx/onnx.h"

EnsGraph *
test_network_read (const char *path)
{
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_onnx_import (path, NULL, &error);

  ck_assert_no_error (error);
  return graph;
}
