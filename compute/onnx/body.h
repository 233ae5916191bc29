/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes of a file's graph that its outputs need: calls of the file's own functions replaced by
 * the functions' nodes, and without what can't be computed here and isn't needed for other outputs.
 */
#pragma once

#include "onnx/onnx-private.h"

typedef struct {
  Onnx__NodeProto *proto;
  gint64 opset; /* of its domain; 0: the model's */
} EnsOnnxBodyNode;

typedef struct {
  GArray *nodes;      /* EnsOnnxBodyNode */
  GPtrArray *copies;  /* Onnx__NodeProto, of functions; owned */
  GPtrArray *outputs; /* names, of the model */
  GPtrArray *notes;   /* char *: what has been left out */
} EnsOnnxBody;

/* budget: bytes that copies of functions may take. (transfer full) */
EnsOnnxBody *ens_onnx_body_new (const Onnx__ModelProto *model, const Onnx__GraphProto *graph,
                                gsize budget, GError **error);
void ens_onnx_body_free (EnsOnnxBody *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsOnnxBody, ens_onnx_body_free)

/* Puts the graph's nodes in, with functions inlined. */
gboolean ens_onnx_body_inline (EnsOnnxBody *body, const Onnx__ModelProto *model,
                               const Onnx__GraphProto *graph, gsize budget, GError **error);
static inline void
ens_onnx_body_add (EnsOnnxBody *body, Onnx__NodeProto *proto, gint64 opset)
{
  const EnsOnnxBodyNode node = {proto, opset};

  g_array_append_val (body->nodes, node);
}

/* The opset of a node's domain. */
gint64 ens_onnx_body_get_opset (const EnsOnnxBodyNode *node, const Onnx__ModelProto *model);

/* Called with each name that a node reads, also within the graphs of its attributes. */
typedef void (*EnsOnnxNameFunc) (char *name, gpointer data);
void ens_onnx_node_foreach_read (const Onnx__NodeProto *node, EnsOnnxNameFunc func, gpointer data);
