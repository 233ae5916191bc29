/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a residual network for residual.py.
 *
 * usage: build-residual FILE SIZE CLASSES BLOCKS [plain|stride-everywhere]
 *
 * BLOCKS are those of the stages, "1,2,1". What batch normalisation has is moved away from 1 and 0,
 * so that no two parameters are alike. Standard output: a line for each constant, "NAME
 * DIMENSIONS", an empty line, the constants, float32. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "networks/residual.h"
#include "onnx/onnx.h"

static EnsGraph *
build (char **argv, GError **error)
{
  g_auto (GStrv) blocks = g_strsplit (argv[4], ",", ENS_RESIDUAL_MAX_STAGES);
  EnsResidualParams params;

  if (!ens_residual_find ("small", &params, error))
    return NULL;
  params.height = params.width = (guint)atoi (argv[2]);
  params.n_classes = (guint)atoi (argv[3]);
  params.n_stages = MIN (params.n_stages, g_strv_length (blocks));
  for (guint i = 0; i < params.n_stages; i++)
    params.stages[i].n_blocks = (guint)atoi (blocks[i]);
  params.plain = g_strcmp0 (argv[5], "plain") == 0;
  params.stride_everywhere = g_strcmp0 (argv[5], "stride-everywhere") == 0;
  return ens_residual_build (&params, error);
}

static void
move_vectors (const EnsGraph *graph)
{
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsTensor *tensor = ((EnsValue *)graph->values->pdata[i])->constant;

    if (tensor != NULL && tensor->shape.rank == 1)
      for (gint64 k = 0; k < tensor->shape.dims[0]; k++)
        ((float *)tensor->data)[k] += 0.2f * sinf ((float)(k + i));
  }
}

static void
print (const EnsGraph *graph)
{
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsValue *value = graph->values->pdata[i];
    g_autofree char *shape = ens_shape_to_string (&value->shape);

    if (value->constant != NULL)
      printf ("%s %s\n", value->name, shape);
  }
  puts ("");
  for (guint i = 0; i < graph->values->len; i++) {
    const EnsTensor *tensor = ((EnsValue *)graph->values->pdata[i])->constant;

    if (tensor != NULL)
      fwrite (tensor->data, 1, ens_tensor_size (tensor), stdout);
  }
}

int
main (int argc, char **argv)
{
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) error = NULL;

  if (argc < 5)
    return 2;
  graph = build (argv, &error);
  if (graph != NULL) {
    move_vectors (graph);
    if (ens_onnx_export (graph, argv[1], &error)) {
      print (graph);
      return 0;
    }
  }
  fprintf (stderr, "%s\n", error->message);
  return 1;
}
