/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that are wrong or mean harm: a clear error each. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check-main.h"
#include "models.h"
#include "onnx/onnx.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64
#define INT8 ONNX__TENSOR_PROTO__DATA_TYPE__INT8
#define STRING ONNX__TENSOR_PROTO__DATA_TYPE__STRING

typedef void (*Damage) (Onnx__ModelProto *model);

/* Shortens what the rows say. */
#define NODE(i) (model->graph->node[i])
#define WEIGHTS (model->graph->initializer[0])
#define INPUT (model->graph->input[0])
/* What nothing needs is not looked at. */
#define NEED(name) model_add_output (model, name, FLOAT, &ENS_SHAPE (1))
#define DAMAGE(name, ...)                    \
  static void name (Onnx__ModelProto *model) \
  {                                          \
    __VA_ARGS__                              \
  }

/* A node without inputs. */
static void
add_foreign (Onnx__ModelProto *model, const char *op)
{
  Onnx__NodeProto *node = model_add_node (model, op, "", "z");

  model_add_domain (model, "com.microsoft", 1);
  set_text (&node->domain, "com.microsoft");
  NEED ("z");
}

/* clang-format off */
DAMAGE (opset_0, model->opset_import[0]->version = 0;)
DAMAGE (opset_99, model->opset_import[0]->version = 99;)
DAMAGE (opset_huge, model->opset_import[0]->version = G_MAXINT64;)
DAMAGE (foreign_opset, set_text (&model->opset_import[0]->domain, "com.example");)

DAMAGE (negative_input, INPUT->type->tensor_type->shape->dim[2]->dim_value = -5;)
DAMAGE (huge_input, INPUT->type->tensor_type->shape->dim[3]->dim_value = G_GINT64_CONSTANT (1) << 40;)
DAMAGE (overflowing_input,
  for (guint i = 0; i < 4; i++)
    INPUT->type->tensor_type->shape->dim[i]->dim_value = G_MAXINT32;)
DAMAGE (deep_input,
  model_add_input (model, "z", FLOAT, &ENS_SHAPE (1, 1, 1, 1, 1, 1, 1, 1));
  model->graph->input[1]->type->tensor_type->shape->n_dim = 9;
  model->graph->input[1]->type->tensor_type->shape->dim
      = g_realloc_n (model->graph->input[1]->type->tensor_type->shape->dim, 9, sizeof (gpointer));
  model->graph->input[1]->type->tensor_type->shape->dim[8] = g_malloc (sizeof (Onnx__TensorShapeProto__Dimension));
  onnx__tensor_shape_proto__dimension__init (model->graph->input[1]->type->tensor_type->shape->dim[8]);)
DAMAGE (shapeless_input,
  onnx__tensor_shape_proto__free_unpacked (INPUT->type->tensor_type->shape, NULL);
  INPUT->type->tensor_type->shape = NULL;)
DAMAGE (typeless_input,
  onnx__type_proto__free_unpacked (INPUT->type, NULL);
  INPUT->type = NULL;)
DAMAGE (string_input, INPUT->type->tensor_type->elem_type = STRING;)
DAMAGE (unknown_input, INPUT->type->tensor_type->elem_type = 99;)
DAMAGE (flat_input,
  for (guint i = 2; i < 4; i++)
    protobuf_c_message_free_unpacked (&INPUT->type->tensor_type->shape->dim[i]->base, NULL);
  INPUT->type->tensor_type->shape->n_dim = 2;)
DAMAGE (wrong_channels, INPUT->type->tensor_type->shape->dim[1]->dim_value = 5;)
DAMAGE (integer_input, INPUT->type->tensor_type->elem_type = INT64;)
DAMAGE (nameless_input, set_text (&INPUT->name, "");)
DAMAGE (same_inputs, model_add_input (model, "x", FLOAT, &ENS_SHAPE (1));)

DAMAGE (same_initializers, set_text (&model->graph->initializer[1]->name, "w");)
DAMAGE (short_weights, WEIGHTS->raw_data.len -= 4;)
DAMAGE (odd_weights, WEIGHTS->raw_data.len -= 1;)
DAMAGE (no_weights, WEIGHTS->has_raw_data = FALSE;)
DAMAGE (negative_weights, WEIGHTS->dims[1] = -3;)
DAMAGE (huge_weights, WEIGHTS->dims[0] = G_MAXINT64 / 2;)
DAMAGE (overflowing_weights, WEIGHTS->dims[0] = WEIGHTS->dims[1] = G_GINT64_CONSTANT (1) << 62;)
DAMAGE (flat_weights, WEIGHTS->n_dims = 1; WEIGHTS->dims[0] = 108;)
DAMAGE (deep_weights, WEIGHTS->n_dims = 0;
  WEIGHTS->dims = g_realloc_n (WEIGHTS->dims, 9, sizeof (gint64));
  for (WEIGHTS->n_dims = 0; WEIGHTS->n_dims < 9; WEIGHTS->n_dims++)
    WEIGHTS->dims[WEIGHTS->n_dims] = 1;)
DAMAGE (string_weights, WEIGHTS->data_type = STRING;)
DAMAGE (unknown_weights, WEIGHTS->data_type = 1234;)
DAMAGE (double_weights, WEIGHTS->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;)
DAMAGE (half_as_many_weights, WEIGHTS->data_type = INT64; WEIGHTS->dims[0] = 2;)
DAMAGE (segmented_weights,
  WEIGHTS->segment = g_malloc (sizeof *WEIGHTS->segment);
  onnx__tensor_proto__segment__init (WEIGHTS->segment);)
DAMAGE (sparse_weights,
  model->graph->sparse_initializer = g_malloc (sizeof (gpointer));
  model->graph->sparse_initializer[0] = g_malloc (sizeof (Onnx__SparseTensorProto));
  onnx__sparse_tensor_proto__init (model->graph->sparse_initializer[0]);
  model->graph->n_sparse_initializer = 1;)

DAMAGE (unknown_operator, set_text (&NODE (1)->op_type, "Frobnicate");)
DAMAGE (unknown_operators, set_text (&NODE (1)->op_type, "Frobnicate"); model_add_node (model, "Twist", "y", "z"); model_add_node (model, "Relu", "z", "u"); model_add_node (model, "Twist", "u", "v"); model_add_node (model, "Loop", "v", "w"); NEED ("w");)
DAMAGE (no_operator, set_text (&NODE (1)->op_type, "");)
DAMAGE (foreign_operator, set_text (&NODE (1)->domain, "com.example");)
DAMAGE (blocked_operator, set_text (&NODE (1)->domain, "com.microsoft.nchwc");)
DAMAGE (missing_input, set_text (&NODE (1)->input[0], "nowhere");)
DAMAGE (cyclic, set_text (&NODE (0)->input[0], "y");)
DAMAGE (own_input, set_text (&NODE (1)->input[0], "y");)
DAMAGE (absent_input, set_text (&NODE (0)->input[1], "");)
DAMAGE (too_few_inputs, free (NODE (1)->input[0]); NODE (1)->n_input = 0;)
DAMAGE (too_many_inputs, set_text (&NODE (1)->op_type, "Conv"); model_add_node (model, "Relu", "y y", "z");)
DAMAGE (beyond_listed_inputs,
  model_add_initializer (model, "k", INT64, &ENS_SHAPE (1));
  model_add_node (model, "Pad", "y k k k k k k k k k k k k k k k k", "p"); NEED ("p");)
DAMAGE (same_outputs, set_text (&NODE (1)->output[0], "c"); NEED ("c");)
DAMAGE (shadowed_input, set_text (&NODE (1)->output[0], "x"); NEED ("x");)
DAMAGE (no_node_outputs, free (NODE (1)->output[0]); NODE (1)->n_output = 0;)
DAMAGE (unused_name, set_text (&model->graph->output[0]->name, "z");)
DAMAGE (no_outputs,
  onnx__value_info_proto__free_unpacked (model->graph->output[0], NULL);
  model->graph->n_output = 0;)
DAMAGE (mean_read,
  model_add_node (model, "BatchNormalization", "y b b b b", "n mean var");
  set_text (&model->graph->output[0]->name, "mean");)
DAMAGE (sorted_out_of_itself,
  model_add_node (model, "Twist", "x", "m");
  model_add_node (model, "Add", "a m", "a");
  set_text (&model->graph->output[0]->name, "a");)
DAMAGE (wrapping_blocks,
  model_add_initializer (model, "k", FLOAT, &ENS_SHAPE (1, 1, 1));
  model_add_int64s (model, "sides", (const gint64[]) {32768, 32768, 32768, 32768, 32768}, 5);
  model_add_node (model, "Col2Im", "k sides sides", "z"); NEED ("z");)
DAMAGE (huge_kernels,
  model_add_input (model, "k", FLOAT, &ENS_SHAPE (1, 1 << 30, 1));
  model_add_int64s (model, "sides", (const gint64[]) {256, 128}, 2);
  model_add_node (model, "Col2Im", "k sides sides", "z"); NEED ("z");)
DAMAGE (repeated_reals,
  g_autofree double *zeroes = g_new0 (double, 1000000);
  model_add_numbers (model, "k", INT8, &ENS_SHAPE (1000000), zeroes);
  model_add_initializer (model, "scale", FLOAT, &ENS_SHAPE (1));
  for (guint i = 0; i < 100; i++) {
    g_autofree char *output = g_strdup_printf ("r%u", i);
    model_add_node (model, "DequantizeLinear", "k scale", output);
    NEED (output);
  })
DAMAGE (huge_columns,
  model_add_input (model, "a", INT8, &ENS_SHAPE (1, 1));
  model_add_input (model, "k", INT8, &ENS_SHAPE (1, G_MAXINT32));
  model_add_initializer (model, "scale", FLOAT, &ENS_SHAPE (1));
  model_add_numbers (model, "zero", INT8, &ENS_SHAPE (1), (const double[]) {0});
  model_add_initializer (model, "bias", INT64, &ENS_SHAPE (1));
  set_text (&model_add_node (model, "QGemm", "a scale zero k scale zero bias", "z")->domain, "com.microsoft");
  model_add_domain (model, "com.microsoft", 1); NEED ("z");)
DAMAGE (huge_blocks,
  model_add_input (model, "k", INT8, &ENS_SHAPE (G_MAXINT32, 16));
  model_add_initializer (model, "scale", FLOAT, &ENS_SHAPE (1));
  node_add_int (model_add_node (model, "DequantizeLinear", "k scale", "z"), "block_size", 1); NEED ("z");)
DAMAGE (no_blocks, add_foreign (model, "MatMulNBits");)
DAMAGE (no_table, add_foreign (model, "GatherBlockQuantized");)
DAMAGE (no_nodes,
  for (guint i = 0; i < 2; i++)
    onnx__node_proto__free_unpacked (NODE (i), NULL);
  model->graph->n_node = 0;)

DAMAGE (unknown_attribute, node_add_int (NODE (0), "flavour", 3);)
DAMAGE (attribute_of_another_type, node_add_float (NODE (0), "strides", 2);)
DAMAGE (long_attribute, node_add_ints (NODE (0), "strides", (const gint64[20]) {1}, 20);)
DAMAGE (same_attributes, node_add_ints (NODE (0), "pads", (const gint64[]) {0}, 1);)
DAMAGE (nameless_attribute, set_text (&NODE (0)->attribute[0]->name, "");)
DAMAGE (typeless_attribute, node_add_attribute (NODE (0), "group", 0);)
DAMAGE (subgraph, node_add_attribute (NODE (1), "body", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH);)
DAMAGE (empty_string,
  node_add_attribute (NODE (0), "auto_pad", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);)
DAMAGE (tensorless_attribute,
  node_add_attribute (NODE (1), "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);)
DAMAGE (huge_tensor_attribute,
  node_add_tensor (NODE (1), "value", FLOAT, &ENS_SHAPE (2))->dims[0] = G_MAXINT64;)
DAMAGE (empty_constant, model_add_node (model, "Constant", "", "k"); NEED ("k");)
DAMAGE (odd_constant, node_add_int (model_add_node (model, "Constant", "", "k"), "number", 1); NEED ("k");)
DAMAGE (zero_stride, node_add_ints (NODE (0), "strides", (const gint64[]) {0, 0}, 2);)
DAMAGE (huge_pads, for (guint i = 0; i < 4; i++) NODE (0)->attribute[0]->ints[i] = G_MAXINT64;)
DAMAGE (zero_group, node_add_int (NODE (0), "group", 0);)
DAMAGE (bad_transpose,
  node_add_ints (model_add_node (model, "Transpose", "y", "t"), "perm", (const gint64[]) {0, 0, 1, 2}, 4); NEED ("t");)
DAMAGE (short_transpose,
  node_add_ints (model_add_node (model, "Transpose", "y", "t"), "perm", (const gint64[]) {1, 0}, 2); NEED ("t");)

DAMAGE (absolute_file, tensor_set_external (WEIGHTS, "/etc/passwd", NULL, NULL);)
DAMAGE (parent_file, tensor_set_external (WEIGHTS, "../outside.bin", NULL, NULL);)
DAMAGE (hidden_parent_file, tensor_set_external (WEIGHTS, "inside/../../outside.bin", NULL, NULL);)
DAMAGE (linked_file, tensor_set_external (WEIGHTS, "link.bin", NULL, NULL);)
DAMAGE (linked_folder, tensor_set_external (WEIGHTS, "up/outside.bin", NULL, NULL);)
DAMAGE (missing_file, tensor_set_external (WEIGHTS, "missing.bin", NULL, NULL);)
DAMAGE (missing_files,
  tensor_set_external (WEIGHTS, "missing.bin", NULL, NULL);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *name = g_strdup_printf ("k%u", i);
    tensor_set_external (model_add_initializer (model, name, FLOAT, &ENS_SHAPE (1)), "gone.bin", NULL, NULL);
  }
  tensor_set_external (model_add_initializer (model, "k", FLOAT, &ENS_SHAPE (108)), "weights.bin", NULL, NULL);)
DAMAGE (pipe_file, tensor_set_external (WEIGHTS, "pipe", NULL, NULL);)
DAMAGE (folder_file, tensor_set_external (WEIGHTS, "inside", NULL, NULL);)
DAMAGE (nameless_file, tensor_set_external (WEIGHTS, "", NULL, NULL);)
DAMAGE (no_file, tensor_set_external (WEIGHTS, NULL, NULL, NULL);)
DAMAGE (short_file, tensor_set_external (WEIGHTS, "weights.bin", "100", NULL);)
DAMAGE (far_offset, tensor_set_external (WEIGHTS, "weights.bin", "9223372036854775807", NULL);)
DAMAGE (negative_offset, tensor_set_external (WEIGHTS, "weights.bin", "-4", NULL);)
DAMAGE (odd_offset, tensor_set_external (WEIGHTS, "weights.bin", "four", NULL);)
DAMAGE (other_length, tensor_set_external (WEIGHTS, "weights.bin", NULL, "400");)
DAMAGE (huge_external, tensor_set_external (WEIGHTS, "weights.bin", NULL, NULL); WEIGHTS->dims[0] = G_MAXINT64;)
DAMAGE (large_external, tensor_set_external (WEIGHTS, "weights.bin", NULL, NULL); WEIGHTS->dims[0] = 1 << 30;)
/* clang-format on */

static const struct {
  const char *name;
  Damage damage;
  EnsErrorCode code;
  const char *message; /* a part of it */
} rows[] = {
    {"opset-0", opset_0, ENS_ERROR_UNSUPPORTED,
     "not supported: Conv, whose opset the file does not say (node “Conv0”), Relu, whose opset"},
    {"opset-99", opset_99, ENS_ERROR_UNSUPPORTED,
     "Relu of opset 99, known are opsets 1 to 28 (node “Relu1”); export the network again with"},
    {"opset-huge", opset_huge, ENS_ERROR_UNSUPPORTED, "Conv of opset 9223372036854775807, known"},
    {"foreign-opset", foreign_opset, ENS_ERROR_UNSUPPORTED,
     "Conv, whose opset the file does not say"},

    {"negative-input", negative_input, ENS_ERROR_FORMAT, "input “x” has a dimension of -5"},
    {"huge-input", huge_input, ENS_ERROR_FORMAT, "input “x” has a dimension of 1099511627776"},
    {"overflowing-input", overflowing_input, ENS_ERROR_FORMAT,
     "input “x” can't be as large as 2147483647x2147483647"},
    {"deep-input", deep_input, ENS_ERROR_UNSUPPORTED,
     "input “z” has 9 dimensions, supported are 8"},
    {"shapeless-input", shapeless_input, ENS_ERROR_UNSUPPORTED, "input “x” has no declared shape"},
    {"typeless-input", typeless_input, ENS_ERROR_UNSUPPORTED, "input “x” is not a tensor"},
    {"string-input", string_input, ENS_ERROR_UNSUPPORTED, "input “x” is of type strings"},
    {"unknown-input", unknown_input, ENS_ERROR_FORMAT, "input “x” is of type 99"},
    {"flat-input", flat_input, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"wrong-channels", wrong_channels, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"integer-input", integer_input, ENS_ERROR_UNSUPPORTED, "node “Conv0” (Conv): "},
    {"nameless-input", nameless_input, ENS_ERROR_FORMAT, "a tensor has no name"},
    {"same-inputs", same_inputs, ENS_ERROR_FORMAT, "the name “x” is given twice"},

    {"same-initializers", same_initializers, ENS_ERROR_FORMAT, "the name “w” is given twice"},
    {"short-weights", short_weights, ENS_ERROR_FORMAT,
     "tensor “w” is float32 4x3x3x3, but has 428 bytes of contents"},
    {"odd-weights", odd_weights, ENS_ERROR_FORMAT, "but has 431 bytes of contents"},
    {"no-weights", no_weights, ENS_ERROR_FORMAT, "but has 0 numbers as contents"},
    {"negative-weights", negative_weights, ENS_ERROR_FORMAT, "tensor “w” has a dimension of -3"},
    {"huge-weights", huge_weights, ENS_ERROR_FORMAT, "tensor “w” is float32 4611686018427387903x3"},
    {"overflowing-weights", overflowing_weights, ENS_ERROR_FORMAT, "but has 432 bytes"},
    {"flat-weights", flat_weights, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"deep-weights", deep_weights, ENS_ERROR_UNSUPPORTED, "tensor “w” has 9 dimensions"},
    {"string-weights", string_weights, ENS_ERROR_UNSUPPORTED, "tensor “w” is of type strings"},
    {"unknown-weights", unknown_weights, ENS_ERROR_FORMAT, "tensor “w” is of type 1234"},
    {"double-weights", double_weights, ENS_ERROR_FORMAT, "tensor “w” is float64 4x3x3x3, but has"},
    {"half-as-many", half_as_many_weights, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"segmented-weights", segmented_weights, ENS_ERROR_UNSUPPORTED, "“w” is stored in segments"},
    {"sparse-weights", sparse_weights, ENS_ERROR_UNSUPPORTED, "sparse initializers"},

    {"unknown-operator", unknown_operator, ENS_ERROR_UNSUPPORTED,
     "operators that are not supported: Frobnicate of opset 13 (node “Relu1”); gst-ensemble-1.0 "
     "inspect --operators lists what is"},
    {"unknown-operators", unknown_operators, ENS_ERROR_UNSUPPORTED,
     "not supported: Frobnicate of opset 13 (node “Relu1”), Twist of opset 13 (2 nodes, the first "
     "is "
     "“Twist2”), Loop of opset 13 (node “Loop5”); gst-ensemble-1.0 inspect --operators lists what "
     "is; "
     "export the network for inputs of one size"},
    {"no-operator", no_operator, ENS_ERROR_UNSUPPORTED, " of opset 13 (node “Relu1”)"},
    {"foreign-operator", foreign_operator, ENS_ERROR_UNSUPPORTED,
     "operators that are not supported: com.example.Relu, whose opset the file does not say (node "
     "“Relu1”)"},
    {"blocked-operator", blocked_operator, ENS_ERROR_UNSUPPORTED,
     "one kind of processor: save it at the optimisation level ORT_ENABLE_EXTENDED"},
    {"missing-input", missing_input, ENS_ERROR_FORMAT,
     "node “Relu1” (Relu): input “nowhere” is neither an input nor an initializer"},
    {"cyclic", cyclic, ENS_ERROR_FORMAT,
     "node “Conv0” (Conv): input “y” is computed later, so the graph is cyclic"},
    {"own-input", own_input, ENS_ERROR_FORMAT, "node “Relu1” (Relu): input “y” is computed later"},
    {"absent-input", absent_input, ENS_ERROR_FORMAT, "node “Conv0” (Conv): input 1 is absent"},
    {"too-few-inputs", too_few_inputs, ENS_ERROR_FORMAT, "node “Relu1” (Relu): 0 inputs"},
    {"too-many-inputs", too_many_inputs, ENS_ERROR_FORMAT, "inputs, expected "},
    {"beyond-listed-inputs", beyond_listed_inputs, ENS_ERROR_FORMAT,
     "node “Pad2” (Pad): 17 inputs"},
    {"same-outputs", same_outputs, ENS_ERROR_FORMAT, "the name “c” is given twice"},
    {"shadowed-input", shadowed_input, ENS_ERROR_FORMAT, "the name “x” is given twice"},
    {"no-node-outputs", no_node_outputs, ENS_ERROR_FORMAT, "(Relu): 0 outputs, expected at least"},
    {"unused-name", unused_name, ENS_ERROR_FORMAT, "output “z” is neither computed"},
    {"no-outputs", no_outputs, ENS_ERROR_FORMAT, "the graph has no outputs"},
    {"mean-read", mean_read, ENS_ERROR_UNSUPPORTED,
     "node “BatchNormalization2” (BatchNormalization): output 1, “mean”, is not supported"},
    {"sorted-out-of-itself", sorted_out_of_itself, ENS_ERROR_UNSUPPORTED,
     "not supported: Twist of opset 13 (node “Twist2”)"},
    {"wrapping-blocks", wrapping_blocks, ENS_ERROR_SHAPE, "are not those of such an image"},
    {"huge-kernels", huge_kernels, ENS_ERROR_RESOURCE,
     "node “Col2Im2” (Col2Im): what it is composed of would take far more memory"},
    {"repeated-reals", repeated_reals, ENS_ERROR_RESOURCE,
     "(DequantizeLinear): what it is composed of would take far more memory than the file"},
    {"huge-columns", huge_columns, ENS_ERROR_SHAPE, "the bias is no vector of 2147483647"},
    {"huge-blocks", huge_blocks, ENS_ERROR_UNSUPPORTED, "scales of blocks (block_size)"},
    {"no-blocks", no_blocks, ENS_ERROR_FORMAT, "(MatMulNBits): 0 inputs, expected 3 to 6"},
    {"no-table", no_table, ENS_ERROR_FORMAT, "(GatherBlockQuantized): 0 inputs, expected 3 to 4"},
    {"no-nodes", no_nodes, ENS_ERROR_FORMAT, "output “y” is neither computed"},

    {"unknown-attribute", unknown_attribute, ENS_ERROR_UNSUPPORTED,
     "node “Conv0” (Conv): unknown attribute “flavour”, known are auto_pad, dilations, group, "
     "kernel_shape, pads, strides (opset 13)"},
    {"attribute-of-another-type", attribute_of_another_type, ENS_ERROR_FORMAT,
     "node “Conv0” (Conv): attribute “strides” is a float, expected a list of ints"},
    {"long-attribute", long_attribute, ENS_ERROR_FORMAT, "attribute “strides” has 20 values"},
    {"same-attributes", same_attributes, ENS_ERROR_FORMAT, "attribute “pads” appears twice"},
    {"nameless-attribute", nameless_attribute, ENS_ERROR_FORMAT, "attribute “” has no name"},
    {"typeless-attribute", typeless_attribute, ENS_ERROR_FORMAT, "attribute “group” has no type"},
    {"subgraph", subgraph, ENS_ERROR_UNSUPPORTED,
     "node “Relu1” (Relu): attribute “body” is a graph, which is not supported"},
    {"empty-string", empty_string, ENS_ERROR_UNSUPPORTED, "node “Conv0”"},
    {"tensorless-attribute", tensorless_attribute, ENS_ERROR_FORMAT, "“value” should be a tensor"},
    {"huge-tensor-attribute", huge_tensor_attribute, ENS_ERROR_FORMAT,
     "attribute “value” is float32 9223372036854775807"},
    {"empty-constant", empty_constant, ENS_ERROR_FORMAT,
     "node “Constant2” (Constant): expected one"},
    {"odd-constant", odd_constant, ENS_ERROR_UNSUPPORTED, "unknown attribute “number”"},
    {"zero-stride", zero_stride, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"huge-pads", huge_pads, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"zero-group", zero_group, ENS_ERROR_SHAPE, "node “Conv0” (Conv): "},
    {"bad-transpose", bad_transpose, ENS_ERROR_SHAPE, "node “Transpose2” (Transpose): "},
    {"short-transpose", short_transpose, ENS_ERROR_SHAPE, "node “Transpose2” (Transpose): "},

    {"absolute-file", absolute_file, ENS_ERROR_FORMAT,
     "tensor “w” lies in the file “/etc/passwd”, which is outside the model's folder"},
    {"parent-file", parent_file, ENS_ERROR_FORMAT, "which is outside the model's folder"},
    {"hidden-parent-file", hidden_parent_file, ENS_ERROR_FORMAT, "which is outside the model's"},
    {"linked-file", linked_file, ENS_ERROR_FORMAT, "which is outside the model's folder"},
    {"linked-folder", linked_folder, ENS_ERROR_FORMAT, "which is outside the model's folder"},
    {"missing-file", missing_file, ENS_ERROR_FILE, "missing.bin”: No such file or directory"},
    {"missing-file-advice", missing_file, ENS_ERROR_FILE,
     "; put the missing file beside the model, it belongs to it: “missing.bin” (1 tensor)"},
    {"missing-files", missing_files, ENS_ERROR_FILE, "tensor “w” lies in the file “"},
    {"missing-files-all", missing_files, ENS_ERROR_FILE,
     "; put the 2 missing files beside the model, they belong to it: “missing.bin” (1 tensor), "
     "“gone.bin” (2 tensors)"},
    {"pipe-file", pipe_file, ENS_ERROR_FILE,
     "tensor “w” lies in the file “pipe”: a pipe, expected a file"},
    {"folder-file", folder_file, ENS_ERROR_FILE,
     "tensor “w” lies in the file “inside”: a folder, expected a file"},
    {"nameless-file", nameless_file, ENS_ERROR_FORMAT, "external data without a location"},
    {"no-file", no_file, ENS_ERROR_FORMAT, "tensor “w”: external data without a location"},
    {"short-file", short_file, ENS_ERROR_FORMAT,
     "tensor “w” needs 432 bytes from byte 100 on of the file “weights.bin”, which has 432"},
    {"far-offset", far_offset, ENS_ERROR_FORMAT, "from byte 9223372036854775807 on of the file"},
    {"negative-offset", negative_offset, ENS_ERROR_FORMAT, "offset is “-4”, not a number"},
    {"odd-offset", odd_offset, ENS_ERROR_FORMAT, "offset is “four”, not a number"},
    {"other-length", other_length, ENS_ERROR_FORMAT, "says its external data has 400"},
    {"huge-external", huge_external, ENS_ERROR_FORMAT, "can't be as large as"},
    {"large-external", large_external, ENS_ERROR_FORMAT, "which has 432"},
};

static void
write_file (const char *path, const char *contents, gssize size)
{
  ck_assert (g_file_set_contents_full (path, contents, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* A folder with a sound weights.bin, and things that external data must not reach. */
static char *
make_folder (void)
{
  g_autofree char *root = g_dir_make_tmp ("ens-hostile-XXXXXX", NULL);
  g_autofree char *outside = g_build_filename (root, "outside.bin", NULL);
  char *folder = g_build_filename (root, "model", NULL);
  g_autofree char *inside = g_build_filename (folder, "inside", NULL);
  g_autofree char *weights = g_build_filename (folder, "weights.bin", NULL);
  g_autofree char *link = g_build_filename (folder, "link.bin", NULL);
  g_autofree char *up = g_build_filename (folder, "up", NULL);
  g_autofree char *pipe = g_build_filename (folder, "pipe", NULL);
  char contents[432] = {0};

  ck_assert_int_eq (g_mkdir_with_parents (inside, 0700), 0);
  write_file (outside, contents, sizeof contents);
  write_file (weights, contents, sizeof contents);
  ck_assert_int_eq (symlink (outside, link), 0);
  ck_assert_int_eq (symlink (root, up), 0);
  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
  return folder;
}

static void
remove_folder (const char *folder)
{
  static const char *const names[] = {"../outside.bin", "weights.bin", "link.bin", "up",
                                      "pipe",           "inside",      "",         ".."};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path =
        i == 7 ? g_path_get_dirname (folder) : g_build_filename (folder, names[i], NULL);

    ck_assert_int_eq (g_remove (path), 0);
  }
}

START_TEST (test_damage)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *folder = make_folder ();

  rows[_i].damage (model);
  bytes = model_pack (model);
  assert_import_refuses (bytes, folder, rows[_i].code, rows[_i].message);
  remove_folder (folder);
}
END_TEST

START_TEST (test_sound)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = make_folder ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  tensor_set_external (WEIGHTS, "inside/../weights.bin", "0", "432");
  set_text (&WEIGHTS->external_data[0]->value, "weights.bin");
  bytes = model_pack (model);
  graph = ens_onnx_import_bytes (bytes, "good.onnx", folder, NULL, &error);
  ck_assert_no_error (error);
  assert_import_refuses (bytes, NULL, ENS_ERROR_FILE, "but the model has no folder");
  remove_folder (folder);
}
END_TEST

/* A thousand tensors that share one file. */
START_TEST (test_shared_contents)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autofree char *folder = make_folder ();
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *name = g_strdup_printf ("k%u", i);
    g_autofree char *output = g_strdup_printf ("r%u", i);

    tensor_set_external (model_add_initializer (model, name, FLOAT, &ENS_SHAPE (108)),
                         "weights.bin", NULL, NULL);
    model_add_node (model, "Relu", name, output);
    NEED (output);
  }
  bytes = model_pack (model);
  assert_import_refuses (bytes, folder, ENS_ERROR_RESOURCE, "take more than 4 times the 432 bytes");
  remove_folder (folder);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/onnx-hostile");
  test_add ("sound", test_sound);
  TEST_ADD_ROWS ("damage", test_damage, rows);
  test_add ("shared-contents", test_shared_contents);
  return test_run ();
}
