/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rewrite-network INPUT.onnx OUTPUT.onnx: reads a network and writes it again, for scripts that
 * look at what was written. */
#include <locale.h>
#include <stdlib.h>

#include "onnx/onnx.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  setlocale (LC_ALL, "");
  if (argc != 3) {
    g_printerr ("usage: %s INPUT.onnx OUTPUT.onnx\n", argv[0]);
    return EXIT_FAILURE;
  }
  graph = ens_onnx_import (argv[1], NULL, &error);
  if (graph != NULL && ens_onnx_export (graph, argv[2], &error))
    return EXIT_SUCCESS;
  g_printerr ("%s\n", error->message);
  return EXIT_FAILURE;
}
