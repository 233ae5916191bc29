/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes of a file's graph that its outputs need: calls of the file's own functions replaced by
 * the functions' nodes, and without what can't be computed here and isn't needed for other outputs.
 */
#pragma once

#include "onnx/onnx-private.h"

/* What the bodies of one file share: its functions, and what they may take. */
typedef struct {
  const Onnx__ModelProto *model;
  GHashTable *table; /* "DOMAIN NAME OVERLOAD" → Onnx__FunctionProto */
  GHashTable *taken; /* names of the file's tensors, and those made for functions', each with the
                        last number that was put behind it */
  gsize *budget;     /* bytes that copies of functions may still take */
} EnsOnnxFunctions;

/* The budget has to live as long. */
void ens_onnx_functions_init (EnsOnnxFunctions *functions, const Onnx__ModelProto *model,
                              gsize *budget);
void ens_onnx_functions_clear (EnsOnnxFunctions *functions);

typedef struct {
  Onnx__NodeProto *proto;
  const Onnx__FunctionProto *function; /* whose node it is; NULL: the model's */
} EnsOnnxBodyNode;

typedef struct {
  GArray *nodes;      /* EnsOnnxBodyNode */
  GPtrArray *copies;  /* Onnx__NodeProto, of functions; owned */
  GPtrArray *outputs; /* names, of the model */
  GPtrArray *notes;   /* char *: what has been left out */
} EnsOnnxBody;

/* Of the model's graph, or of a branch of an If. function: whose node that is; NULL: the model's.
 * (transfer full) */
EnsOnnxBody *ens_onnx_body_new (EnsOnnxFunctions *functions, const Onnx__GraphProto *graph,
                                const Onnx__FunctionProto *function, GError **error);
void ens_onnx_body_free (EnsOnnxBody *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsOnnxBody, ens_onnx_body_free)

/* Puts the graph's nodes in, with functions inlined. */
gboolean ens_onnx_body_inline (EnsOnnxBody *body, EnsOnnxFunctions *functions,
                               const Onnx__GraphProto *graph, const Onnx__FunctionProto *function,
                               GError **error);
/* Puts nodes behind those that compute what they read, unless that is so or they read each other.
 */
void ens_onnx_body_sort (EnsOnnxBody *body);
static inline void
ens_onnx_body_add (EnsOnnxBody *body, Onnx__NodeProto *proto, const Onnx__FunctionProto *function)
{
  const EnsOnnxBodyNode node = {proto, function};

  g_array_append_val (body->nodes, node);
}

/* The opset of a node's domain: its function's, or the model's. */
gint64 ens_onnx_body_get_opset (const EnsOnnxBodyNode *node, const Onnx__ModelProto *model);

/* Called with each name that a node reads, also within the graphs of its attributes. */
typedef void (*EnsOnnxNameFunc) (char *name, gpointer data);
void ens_onnx_node_foreach_read (const Onnx__NodeProto *node, EnsOnnxNameFunc func, gpointer data);
