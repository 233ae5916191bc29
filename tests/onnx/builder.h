/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX models put together in memory, sound or not, for tests. */
#pragma once

#include "base/tensor.h"
#include "onnx/onnx.pb-c.h"

/* Everything belongs to the model, which is freed by onnx__model_proto__free_unpacked (). Names are
 * copied. */
Onnx__ModelProto *model_new (gint64 opset);
/* The opset of another domain. */
void model_add_domain (Onnx__ModelProto *model, const char *domain, gint64 opset);
void model_free (Onnx__ModelProto *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Onnx__ModelProto, model_free)
/* (transfer full) */
GBytes *model_pack (const Onnx__ModelProto *model);

/* Dimensions of -1 get a name instead of a number. Type of Onnx__TensorProto__DataType. */
Onnx__ValueInfoProto *model_add_input (Onnx__ModelProto *model, const char *name, int type,
                                       const EnsShape *shape);
Onnx__ValueInfoProto *model_add_output (Onnx__ModelProto *model, const char *name, int type,
                                        const EnsShape *shape);
/* Contents 1, 2, 3 … in raw_data, for float32 and int64. */
Onnx__TensorProto *model_add_initializer (Onnx__ModelProto *model, const char *name, int type,
                                          const EnsShape *shape);
/* Contents given as numbers, for float32, int32, int8 and uint8. */
Onnx__TensorProto *model_add_numbers (Onnx__ModelProto *model, const char *name, int type,
                                      const EnsShape *shape, const double *values);
Onnx__TensorProto *model_add_int64s (Onnx__ModelProto *model, const char *name,
                                     const gint64 *values, gsize n);
/* Names are separated by spaces, "-" stands for an absent one. The node is called like its operator
 * and its number. */
Onnx__NodeProto *model_add_node (Onnx__ModelProto *model, const char *op, const char *inputs,
                                 const char *outputs);
/* "OP INPUTS>OUTPUTS", separated by semicolons. */
void model_add_nodes (Onnx__ModelProto *model, const char *text);

Onnx__AttributeProto *node_add_attribute (Onnx__NodeProto *node, const char *name, int type);
void node_add_int (Onnx__NodeProto *node, const char *name, gint64 value);
void node_add_float (Onnx__NodeProto *node, const char *name, float value);
void node_add_ints (Onnx__NodeProto *node, const char *name, const gint64 *values, gsize n);
void node_add_floats (Onnx__NodeProto *node, const char *name, const float *values, gsize n);
void node_add_string (Onnx__NodeProto *node, const char *name, const char *value);
Onnx__TensorProto *node_add_tensor (Onnx__NodeProto *node, const char *name, int type,
                                    const EnsShape *shape);
/* Replaces a text field. */
void set_text (char **field, const char *text);

/* Makes a tensor's contents external. offset and length may be NULL. */
void tensor_set_external (Onnx__TensorProto *tensor, const char *location, const char *offset,
                          const char *length);
