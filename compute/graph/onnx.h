/* ONNX files in and out.
 *
 * Import translates operators of opset 7 to 17 to ours, and NCHW to channels-last: rank-4 inputs
 * and outputs of the graph are NHWC, all others keep ONNX's order. Weights may lie in external
 * files inside the model's folder. Nothing in a file can make import crash or allocate more than
 * the file's own contents justify; what is wrong is said with file, node, operator, what was
 * expected and found.
 *
 * Source: onnx.proto of the ONNX project, https://github.com/onnx/onnx/blob/main/docs/IR.md */
#pragma once

#include "graph/graph.h"

/* The opset that export writes and EnsOp.write () speaks. */
#define ENS_ONNX_OPSET 13

typedef struct {
  /* Sizes taken for input dimensions that the file leaves open, where importing needs a concrete
   * shape (0: 1 for the batch, 224 for height and width). The graph stays open in them. */
  guint nominal_size;
} EnsOnnxOptions;

/* options may be NULL. (transfer full) */
EnsGraph *ens_onnx_import (const char *path, const EnsOnnxOptions *options, GError **error);
/* The same from memory; external weights are looked for in `folder` (NULL: not allowed) and
 * messages call the model `name`. (transfer full) */
EnsGraph *ens_onnx_import_bytes (GBytes *bytes, const char *name, const char *folder,
                                 const EnsOnnxOptions *options, GError **error);

/* Serialises a graph of operators that can write themselves; any ONNX tool can read the result.
 * Rank 4 inputs and outputs become NCHW again. (transfer full) */
GBytes *ens_onnx_export_bytes (const EnsGraph *graph, GError **error);
/* Writes atomically: a temporary file beside it, fsync, rename. */
gboolean ens_onnx_export (const EnsGraph *graph, const char *path, GError **error);
