/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of an export, shared by the files that it is made of. */
#pragma once

#include "onnx/onnx-private.h"
#include "ops/params.h"

/* What a value is called in the file in its two forms, NULL until there is such a tensor: as it
 * lies in our graph, and with channels first. They are the same below rank 3. */
typedef struct {
  const char *plain, *first;
  const char *name;   /* for the form that needs no suffix */
  const char *last;   /* of a value that is this one brought from channels first to last, or NULL */
  const char *node;   /* the Transpose that made it, if it became such a form; NULL otherwise */
  gboolean is_last;   /* has channels last, as far as operators that follow any order go */
  gboolean is_output; /* of the graph */
  gboolean is_named;  /* a constant's name is given away */
  gboolean is_bound;  /* nothing but a FakeQuantizeRange reads it, as a bound */
} EnsOnnxForms;

/* What the file's messages point to lives in `memory` until it is packed. */
typedef struct {
  EnsGraph *graph;     /* inferred, so that all ranks are known */
  EnsOnnxForms *forms; /* by value index */
  GHashTable *names;   /* taken ones */
  GPtrArray *memory;
  GPtrArray *tensors; /* whose contents initializers point to */
  gint64 opset;       /* the least that has all operators as they are used */
  GPtrArray *nodes, *initializers, *inputs, *outputs;
} EnsOnnxExport;

/* Memory that lasts as long as the export, a copy of `contents`. */
gpointer ens_onnx_export_keep (EnsOnnxExport *export, gconstpointer contents, gsize size);
char *ens_onnx_export_text (EnsOnnxExport *export, const char *text);
/* The array's pointers. */
gpointer ens_onnx_export_list (EnsOnnxExport *export, const GPtrArray *array);
#define ens_onnx_export_message(export, Type, INIT) \
  ((Type *)ens_onnx_export_keep ((export), &(Type)INIT, sizeof (Type)))

/* A tensor whose contents stay where they are. */
Onnx__TensorProto *ens_onnx_export_tensor (EnsOnnxExport *export, const char *name,
                                           EnsTensor *tensor);
/* The name, with a number if it is taken. */
const char *ens_onnx_export_take_name (EnsOnnxExport *export, const char *name);
/* Adds an initializer under this name or one like it, which is returned. */
const char *ens_onnx_export_initializer (EnsOnnxExport *export, const char *name,
                                         EnsTensor *tensor);
/* Adds a constant in one of its forms, under its name if that is still free. */
const char *ens_onnx_export_constant (EnsOnnxExport *export, const EnsValue *value,
                                      EnsTensor *tensor);
/* Adds a node without attributes. The names are in `inputs` and `outputs`. */
Onnx__NodeProto *ens_onnx_export_add (EnsOnnxExport *export, const char *op, const char *name,
                                      const GPtrArray *inputs, const GPtrArray *outputs);

gboolean ens_onnx_export_is_constant (const EnsValue *value);
/* What one of a value's forms is to be called. */
const char *ens_onnx_export_name (EnsOnnxExport *export, const EnsValue *value, gboolean first);
/* The name of one of a value's forms; adds a Transpose where there is only the other. */
const char *ens_onnx_export_form (EnsOnnxExport *export, const EnsValue *value, gboolean first);

/* FakeQuantize and FakeQuantizeRange, which are two nodes in a file. */
gboolean ens_onnx_export_is_quantised (const EnsNode *node);
void ens_onnx_export_quantised (EnsOnnxExport *export, const EnsNode *node, const char *input,
                                const char *output);
/* In a file they find their bounds themselves. */
void ens_onnx_export_find_bounds (EnsOnnxExport *export);
gboolean ens_onnx_export_computes_bounds (const EnsOnnxExport *export, const EnsNode *node);

/* Takes an opset that has the node's operator, with its attributes. */
void ens_onnx_export_raise_opset (EnsOnnxExport *export, const EnsNode *node);
/* Adds a node of the graph. */
gboolean ens_onnx_export_node (EnsOnnxExport *export, const EnsNode *node, GError **error);
