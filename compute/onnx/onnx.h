/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX files in and out.
 *
 * Import translates operators to ours, and NCHW to channels-last: rank-4 inputs
 * and outputs of the graph are NHWC, all others keep ONNX's order. (Networks converted from
 * TensorFlow, whose files take NHWC and begin by transposing it, keep that input as it is.) Numbers
 * of type float16, bfloat16 and double become float32. Values keep the file's names; where a value
 * exists in both orders, the one with channels last has the name, the other one "NAME:nchw".
 *
 * Weights may lie in external files inside the model's folder, or where links there lead to.
 * Functions that the file defines are inlined, and a branch (If) is taken where its condition is
 * known, or follows from the size of images. Outputs that need operators which are not supported
 * are left out if there are others. Nothing in a file can make import crash or allocate more than a
 * small multiple of the files' own contents; what is wrong is said with file, node, operator, what
 * was expected and found.
 *
 * Any opset is read in which all operators of the file are known (EnsOp.versions). Newer versions
 * of an operator are refused, not tried: a network might load and give other numbers.
 *
 * Source: onnx.proto of the ONNX project, https://github.com/onnx/onnx/blob/main/docs/IR.md */
#pragma once

#include "graph/graph.h"

/* The opset that export writes, unless an operator needs a newer one. */
#define ENS_ONNX_OPSET 13

typedef struct {
  /* Height and width taken where the file leaves them open, because importing needs concrete
   * shapes. 0: 224, or if the network does not fit that, another usual size. The batch is taken as
   * 1. The graph stays open in all of them. */
  guint nominal_size;
  /* The file is part of something that others have made, such as a bundle: links beside it don't
   * lead out of its folder. Without, they may: the user has named the file. */
  gboolean confined;
} EnsOnnxOptions;

/* Inputs of the graph have their declared shapes, -1 where the file leaves them open. Computed
 * values have those inferred at the nominal size, for people and for passes that need to know what
 * a network was made for; ens_infer_graph () sets them for any other. options may be NULL.
 * (transfer full) */
EnsGraph *ens_onnx_import (const char *path, const EnsOnnxOptions *options, GError **error);
/* The same from memory; external weights are looked for in `folder` (NULL: not allowed) and
 * messages call the model `name`. (transfer full) */
EnsGraph *ens_onnx_import_bytes (GBytes *bytes, const char *name, const char *folder,
                                 const EnsOnnxOptions *options, GError **error);

/* Names of the operators of ONNX that networks may have, sorted, up to a NULL. (transfer full) */
char **ens_onnx_list_operators (void);

/* Serialises a graph of ONNX's operators, as imported or built: what passes have fused has no form
 * in ONNX. Any ONNX tool can read the result. Rank-4 inputs and outputs become NCHW again; reading
 * the file gives the same graph. (transfer full) */
GBytes *ens_onnx_export_bytes (const EnsGraph *graph, GError **error);
/* Writes atomically: a temporary file beside it, fsync, rename. */
gboolean ens_onnx_export (const EnsGraph *graph, const char *path, GError **error);

/* What a file says of itself: an entry of metadata_props. */
typedef struct {
  const char *key, *value;
} EnsOnnxProperty;

/* As ens_onnx_export (), with properties. */
gboolean ens_onnx_export_described (const EnsGraph *graph, const EnsOnnxProperty *properties,
                                    guint n_properties, const char *path, GError **error);
