/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "models.h"

#include <string.h>

#include "check-main.h"
#include "onnx/onnx.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define INT8 ONNX__TENSOR_PROTO__DATA_TYPE__INT8
#define INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64
#define INTS(...) \
  (const gint64[]) {__VA_ARGS__}, sizeof ((gint64[]) {__VA_ARGS__}) / sizeof (gint64)

static void
conv_chain (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (4, 3, 5, 7));
  model_add_initializer (model, "b", FLOAT, &ENS_SHAPE (4));
  model_add_node (model, "Conv", "x w b", "c");
  model_add_node (model, "Relu", "c", "r");
  model_add_node (model, "Concat", "c r", "y");
  node_add_int (model->graph->node[2], "axis", -3);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 8, -1, -1));
}

/* The Transpose stays in the graph; x keeps the name, the copy for Flatten does not. */
static void
fully_connected (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, 4, 4));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (48, 2));
  model_add_node (model, "Relu", "x", "r");
  model_add_node (model, "Flatten", "r", "f");
  model_add_node (model, "Gemm", "f w", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 2));
}

/* As PyTorch writes x.view (x.size (0), -1). */
static void
computed_shape (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
  model_add_node (model, "Shape", "x", "s");
  node_add_tensor (model_add_node (model, "Constant", "", "zero"), "value", INT64,
                   &ENS_SHAPE_SCALAR);
  memset (model->graph->node[1]->attribute[0]->t->raw_data.data, 0, 8);
  model_add_node (model, "Gather", "s zero", "n");
  node_add_ints (model_add_node (model, "Unsqueeze", "n", "n1"), "axes", INTS (0));
  model_add_int64s (model, "rest", INTS (-1));
  node_add_int (model_add_node (model, "Concat", "n1 rest", "shape"), "axis", 0);
  model_add_node (model, "Reshape", "x shape", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, -1));
}

/* A constant per channel is aligned to rank 4; scalars and operands of the same rank too. */
static void
broadcasts (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 8, 9));
  model_add_initializer (model, "channels", FLOAT, &ENS_SHAPE (3, 1, 1));
  model_add_initializer (model, "columns", FLOAT, &ENS_SHAPE (9));
  model_add_initializer (model, "scalar", FLOAT, &ENS_SHAPE_SCALAR);
  model_add_initializer (model, "whole", FLOAT, &ENS_SHAPE (1, 3, 8, 1));
  model_add_node (model, "Mul", "x channels", "a");
  model_add_node (model, "Add", "a columns", "b");
  model_add_node (model, "Sub", "scalar b", "c");
  model_add_node (model, "PRelu", "c channels", "d");
  model_add_node (model, "Div", "d whole", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 3, 8, 9));
}

/* An operand that is computed and of lower rank: the node works in ONNX's order. */
static void
computed_operand (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 8, 8));
  model_add_input (model, "scale", FLOAT, &ENS_SHAPE (3, 1, 1));
  model_add_node (model, "Relu", "x", "r");
  model_add_node (model, "Mul", "r scale", "m");
  model_add_node (model, "GlobalAveragePool", "m", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 3, 1, 1));
}

/* As converters from TensorFlow write networks: NHWC outside, Transposes around convolutions. */
static void
channels_last_file (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 8, 9, 3));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (4, 3, 1, 1));
  model_add_initializer (model, "b", FLOAT, &ENS_SHAPE (4));
  node_add_ints (model_add_node (model, "Transpose", "x", "t1"), "perm", INTS (0, 3, 1, 2));
  model_add_node (model, "Conv", "t1 w", "c");
  node_add_ints (model_add_node (model, "Transpose", "c", "t2"), "perm", INTS (0, 2, 3, 1));
  model_add_node (model, "Add", "t2 b", "a");
  node_add_ints (model_add_node (model, "Transpose", "a", "t3"), "perm", INTS (0, 3, 1, 2));
  model_add_node (model, "MaxPool", "t3", "p");
  node_add_ints (model->graph->node[5], "kernel_shape", INTS (2, 2));
  node_add_ints (model_add_node (model, "Transpose", "p", "y"), "perm", INTS (0, 2, 3, 1));
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 7, 8, 4));
}

static void
reductions (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (2, 3, 8, 9));
  node_add_ints (model_add_node (model, "ReduceMean", "x", "m"), "axes", INTS (-1, -2));
  node_add_int (model->graph->node[0], "keepdims", 0);
  node_add_ints (model_add_node (model, "ReduceMean", "x", "k"), "axes", INTS (2, 3));
  node_add_ints (model_add_node (model, "ReduceMax", "x", "c"), "axes", INTS (1));
  node_add_int (model->graph->node[2], "keepdims", 0);
  node_add_ints (model_add_node (model, "ReduceMax", "x", "n"), "axes", INTS (0));
  node_add_int (model->graph->node[3], "keepdims", 0);
  model_add_output (model, "m", FLOAT, &ENS_SHAPE (2, 3));
  model_add_output (model, "k", FLOAT, &ENS_SHAPE (2, 3, 1, 1));
  model_add_output (model, "c", FLOAT, &ENS_SHAPE (2, 8, 9));
  model_add_output (model, "n", FLOAT, &ENS_SHAPE (3, 8, 9));
}

/* What stands in files without need: weights among the inputs, Identity of weights, Dropout's mask,
 * nodes that nothing reads; and Clip's bounds as constants. */
static void
quirks (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 1, 2, 2));
  model_add_input (model, "w", FLOAT, &ENS_SHAPE (1, 1, 1, 1));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (1, 1, 1, 1));
  model_add_node (model, "Identity", "w", "same");
  model_add_node (model, "Conv", "x same", "c");
  node_add_tensor (model_add_node (model, "Constant", "", "one"), "value", FLOAT,
                   &ENS_SHAPE_SCALAR);
  model_add_node (model, "Clip", "c - one", "l");
  model_add_node (model, "Dropout", "l", "d mask");
  model_add_node (model, "Sigmoid", "l", "unread");
  set_text (&model->graph->node[4]->name, "");
  model_add_node (model, "Relu", "d", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 1, 2, 2));
}

/* A batch of 1 written into the shape is the input's. */
static void
fixed_batch (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 2, 2));
  model_add_int64s (model, "flat", INTS (1, 12));
  model_add_int64s (model, "other", INTS (4, 3));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (3, 4));
  node_add_int (model_add_node (model, "Reshape", "x flat", "y"), "allowzero", 0);
  model_add_node (model, "Reshape", "w other", "z");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 12));
  model_add_output (model, "z", FLOAT, &ENS_SHAPE (4, 3));
}

/* Rank 3 goes through the file in ONNX's order, rank 4 in ours; an input may be an output. */
static void
outputs (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 9));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (4, 3, 1));
  model_add_int64s (model, "shape", INTS (1, 4, 3, 3));
  model_add_node (model, "Conv", "x w", "c");
  model_add_node (model, "Reshape", "c shape", "y");
  model_add_output (model, "c", FLOAT, &ENS_SHAPE (1, 4, 9));
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 4, 3, 3));
  model_add_output (model, "x", FLOAT, &ENS_SHAPE (1, 3, 9));
}

/* Axes given as inputs follow the order of dimensions as attributes do. */
static void
axes_as_inputs (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 6, 8, 9));
  model_add_int64s (model, "starts", INTS (2));
  model_add_int64s (model, "ends", INTS (4));
  model_add_int64s (model, "axes", INTS (1));
  model_add_int64s (model, "pads", INTS (0, 0, 1, 2, 0, 0, 3, 4));
  model_add_node (model, "Slice", "x starts ends axes", "s");
  model_add_node (model, "Pad", "s pads", "p");
  model_add_node (model, "ReduceSum", "p axes", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 1, 12, 15));
}

#define NUMBERS(...) \
  (const double[])   \
  {                  \
    __VA_ARGS__      \
  }

/* Sizes that are computed, as exporters write a resize to another map's size. */
static void
enlarging (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (3, 4, 2, 2));
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (4), NUMBERS (1, 1, 0.5, 3));
  node_add_ints (model_add_node (model, "ConvTranspose", "x w", "c"), "strides", INTS (2, 2));
  model_add_node (model, "HardSwish", "c", "h");
  model_add_node (model, "Resize", "h - scales", "r");
  model_add_node (model, "Shape", "c", "sizes");
  model_add_node (model, "Resize", "r - - sizes", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 4, -1, -1));
}

static void
upsample (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 4, 4));
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (4), NUMBERS (1, 1, 2, 2));
  model_add_node (model, "Upsample", "x scales", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 3, 8, 8));
}

/* As PyTorch normalises channels. */
static void
layer_normalization (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 4, 4));
  model_add_initializer (model, "scale", FLOAT, &ENS_SHAPE (3));
  node_add_ints (model_add_node (model, "Transpose", "x", "l"), "perm", INTS (0, 2, 3, 1));
  model_add_node (model, "LayerNormalization", "l scale", "n");
  node_add_ints (model_add_node (model, "Transpose", "n", "y"), "perm", INTS (0, 3, 1, 2));
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 3, 4, 4));
}

/* The file's own Transpose of a map that was made in ONNX's order. */
static void
transposed_map (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 48));
  model_add_int64s (model, "shape", INTS (0, 3, 4, 4));
  model_add_initializer (model, "scale", FLOAT, &ENS_SHAPE (3));
  model_add_node (model, "Reshape", "x shape", "m");
  model_add_node (model, "Relu", "m", "r");
  node_add_ints (model_add_node (model, "Transpose", "r", "t"), "perm", INTS (0, 2, 3, 1));
  model_add_node (model, "LayerNormalization", "t scale", "n");
  model_add_node (model, "Flatten", "n", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 48));
}

/* What opset 18 and later ones write in another way. */
static void
new_rules (Onnx__ModelProto *model)
{
  Onnx__NodeProto *node;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 6, 8, 9));
  model_add_int64s (model, "pads", INTS (1, 2));
  model_add_int64s (model, "axis", INTS (-1));
  model_add_int64s (model, "sizes", INTS (4, 6));
  model_add_int64s (model, "axes", INTS (2, 3));
  model_add_node (model, "Pad", "x pads - axis", "p");
  node = model_add_node (model, "Split", "p", "s t");
  node_add_int (node, "axis", 1);
  node_add_int (node, "num_outputs", 2);
  node_add_ints (model_add_node (model, "Resize", "s - - sizes", "r"), "axes", INTS (2, 3));
  node_add_int (model_add_node (model, "ReduceMean", "r axes", "y"), "keepdims", 0);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 3));
}

/* Operands stretched from an axis on, and what else opset 7 wrote in another way. */
static void
old_rules (Onnx__ModelProto *model)
{
  Onnx__NodeProto *add;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 4, 4));
  model_add_input (model, "b", FLOAT, &ENS_SHAPE (3));
  model_add_initializer (model, "c", FLOAT, &ENS_SHAPE (3));
  add = model_add_node (model, "Add", "x c", "a");
  node_add_int (add, "broadcast", 1);
  node_add_int (add, "axis", 1);
  node_add_ints (add, "consumed_inputs", INTS (0, 0));
  add = model_add_node (model, "Mul", "a b", "m");
  node_add_int (add, "broadcast", 1);
  node_add_int (add, "axis", -3);
  model_add_node (model, "PRelu", "m c", "p");
  node_add_int (model_add_node (model, "Dropout", "p", "d"), "is_test", 1);
  node_add_ints (model_add_node (model, "Reshape", "d", "y"), "shape", INTS (0, -1));
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 48));
}

/* Numbers of all floating-point types are float32 here. */
static void
casts (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3));
  node_add_int (model_add_node (model, "Cast", "x", "half"), "to",
                ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16);
  model_add_node (model, "Relu", "half", "r");
  node_add_int (model_add_node (model, "Cast", "r", "whole"), "to", INT64);
  node_add_int (model_add_node (model, "Cast", "whole", "y"), "to", FLOAT);
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 3));
}

/* Real numbers that were 8-bit integers once, between others; a file may dequantise them twice. */
static void
quantised (Onnx__ModelProto *model)
{
  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, 4, 4));
  model_add_numbers (model, "scale", FLOAT, &ENS_SHAPE_SCALAR, (const double[]) {0.25});
  model_add_numbers (model, "zero", INT8, &ENS_SHAPE_SCALAR, (const double[]) {-28});
  model_add_node (model, "QuantizeLinear", "x scale zero", "q");
  model_add_node (model, "DequantizeLinear", "q scale zero", "a");
  model_add_node (model, "DequantizeLinear", "q scale zero", "b");
  model_add_node (model, "Add", "a b", "c");
  model_add_node (model, "DynamicQuantizeLinear", "c", "d ds dz");
  model_add_node (model, "DequantizeLinear", "d ds dz", "e");
  model_add_node (model, "QuantizeLinear", "e scale zero", "f");
  model_add_node (model, "DequantizeLinear", "f scale zero", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 3, 4, 4));
}

const ModelRow model_rows[] = {
    {"conv-chain", 9, conv_chain,
     "input x: float32 ?x?x?x3\n"
     "c: float32 1x220x218x4 = Conv (x, w<4x5x7x3>, b<4>)\n"
     "r: float32 1x220x218x4 = Relu (c)\n"
     "y: float32 1x220x218x8 = Concat (c, r) axis=3\n"
     "output y: float32 1x220x218x8\n"},
    {"fully-connected", 13, fully_connected,
     "input x: float32 ?x4x4x3\n"
     "r: float32 1x4x4x3 = Relu (x)\n"
     "r:nchw: float32 1x3x4x4 = Transpose (r) perm=[0, 3, 1, 2]\n"
     "f: float32 1x48 = Flatten (r:nchw)\n"
     "y: float32 1x2 = Gemm (f, w<48x2>)\n"
     "output y: float32 1x2\n"},
    {"computed-shape", 11, computed_shape,
     "input x: float32 ?x?x?x3\n"
     "x:nchw: float32 1x3x224x224 = Transpose (x) perm=[0, 3, 1, 2]\n"
     "s: int64 4 = Shape (x:nchw)\n"
     "n: int64 scalar = Gather (s, zero<scalar>)\n"
     "n1: int64 1 = Unsqueeze (n) axes=[0]\n"
     "shape: int64 2 = Concat (n1, rest<1>) axis=0\n"
     "y: float32 1x150528 = Reshape (x:nchw, shape)\n"
     "output y: float32 1x150528\n"},
    {"broadcasts", 7, broadcasts,
     "input x: float32 1x8x9x3\n"
     "a: float32 1x8x9x3 = Mul (x, channels<3>)\n"
     "b: float32 1x8x9x3 = Add (a, columns<9x1>)\n"
     "c: float32 1x8x9x3 = Sub (scalar<scalar>, b)\n"
     "d: float32 1x8x9x3 = PRelu (c, channels_2<3>)\n"
     "y: float32 1x8x9x3 = Div (d, whole<1x8x1x3>)\n"
     "output y: float32 1x8x9x3\n"},
    {"computed-operand", 13, computed_operand,
     "input x: float32 1x8x8x3\n"
     "input scale: float32 3x1x1\n"
     "r: float32 1x8x8x3 = Relu (x)\n"
     "r:nchw: float32 1x3x8x8 = Transpose (r) perm=[0, 3, 1, 2]\n"
     "m:nchw: float32 1x3x8x8 = Mul (r:nchw, scale)\n"
     "m: float32 1x8x8x3 = Transpose (m:nchw) perm=[0, 2, 3, 1]\n"
     "y: float32 1x1x1x3 = GlobalAveragePool (m)\n"
     "output y: float32 1x1x1x3\n"},
    {"channels-last-file", 11, channels_last_file,
     "input x: float32 ?x8x9x3\n"
     "c: float32 1x8x9x4 = Conv (x, w<4x1x1x3>)\n"
     "a: float32 1x8x9x4 = Add (c, b<4>)\n"
     "p: float32 1x7x8x4 = MaxPool (a) kernel_shape=[2, 2]\n"
     "y: float32 1x7x8x4 = Identity (p)\n"
     "output y: float32 1x7x8x4\n"},
    {"reductions", 11, reductions,
     "input x: float32 2x8x9x3\n"
     "m: float32 2x3 = ReduceMean (x) axes=[2, 1] keepdims=0\n"
     "k: float32 2x1x1x3 = ReduceMean (x) axes=[1, 2]\n"
     "c: float32 2x8x9 = ReduceMax (x) axes=[3] keepdims=0\n"
     "x:nchw: float32 2x3x8x9 = Transpose (x) perm=[0, 3, 1, 2]\n"
     "n: float32 3x8x9 = ReduceMax (x:nchw) axes=[0] keepdims=0\n"
     "output m: float32 2x3\n"
     "output k: float32 2x1x1x3\n"
     "output c: float32 2x8x9\n"
     "output n: float32 3x8x9\n"},
    {"quirks", 12, quirks,
     "input x: float32 1x2x2x1\n"
     "c: float32 1x2x2x1 = Conv (x, same<1x1x1x1>)\n"
     "l: float32 1x2x2x1 = Clip (c) max=1\n"
     "d: float32 1x2x2x1 = Dropout (l)\n"
     "y: float32 1x2x2x1 = Relu (d)\n"
     "output y: float32 1x2x2x1\n"},
    {"fixed-batch", 14, fixed_batch,
     "input x: float32 1x2x2x3\n"
     "x:nchw: float32 1x3x2x2 = Transpose (x) perm=[0, 3, 1, 2]\n"
     "y: float32 1x12 = Reshape (x:nchw, flat<2>)\n"
     "output y: float32 1x12\n"
     "output z: float32 4x3\n"},
    {"outputs", 13, outputs,
     "input x: float32 1x3x9\n"
     "x:channels-last: float32 1x9x3 = Transpose (x) perm=[0, 2, 1]\n"
     "c:channels-last: float32 1x9x4 = Conv (x:channels-last, w<4x1x3>)\n"
     "c: float32 1x4x9 = Transpose (c:channels-last) perm=[0, 2, 1]\n"
     "y:nchw: float32 1x4x3x3 = Reshape (c, shape<4>)\n"
     "y: float32 1x3x3x4 = Transpose (y:nchw) perm=[0, 2, 3, 1]\n"
     "output c: float32 1x4x9\n"
     "output y: float32 1x3x3x4\n"
     "output x: float32 1x3x9\n"},
    {"axes-as-inputs", 13, axes_as_inputs,
     "input x: float32 1x8x9x6\n"
     "s: float32 1x8x9x2 = Slice (x) axes=[3] ends=[4] starts=[2]\n"
     "p: float32 1x12x15x2 = Pad (s) pads=[0, 1, 2, 0, 0, 3, 4, 0]\n"
     "y: float32 1x12x15x1 = ReduceSum (p) axes=[3]\n"
     "output y: float32 1x12x15x1\n"},
    {"enlarging", 14, enlarging,
     "input x: float32 ?x?x?x3\n"
     "c: float32 1x448x448x4 = ConvTranspose (x, w<3x2x2x4>) strides=[2, 2]\n"
     "h: float32 1x448x448x4 = HardSwish (c)\n"
     "r: float32 1x224x1344x4 = Resize (h) scales=[1, 1, 0.5, 3]\n"
     "c:nchw: float32 1x4x448x448 = Transpose (c) perm=[0, 3, 1, 2]\n"
     "sizes: int64 4 = Shape (c:nchw)\n"
     "y: float32 1x448x448x4 = Resize (r, -, -, sizes)\n"
     "output y: float32 1x448x448x4\n"},
    {"upsample", 9, upsample,
     "input x: float32 1x4x4x3\n"
     "y: float32 1x8x8x3 = Resize (x) coordinate_transformation_mode=\"asymmetric\" "
     "nearest_mode=\"floor\" scales=[1, 1, 2, 2]\n"
     "output y: float32 1x8x8x3\n"},
    {"layer-normalization", 17, layer_normalization,
     "input x: float32 1x4x4x3\n"
     "y: float32 1x4x4x3 = LayerNormalization (x, scale<3>)\n"
     "output y: float32 1x4x4x3\n"},
    {"transposed-map", 17, transposed_map,
     "input x: float32 1x48\n"
     "m: float32 1x3x4x4 = Reshape (x, shape<4>)\n"
     "r: float32 1x3x4x4 = Relu (m)\n"
     "t: float32 1x4x4x3 = Transpose (r) perm=[0, 2, 3, 1]\n"
     "n: float32 1x4x4x3 = LayerNormalization (t, scale<3>)\n"
     "y: float32 1x48 = Flatten (n)\n"
     "output y: float32 1x48\n"},
    {"new-rules", 21, new_rules,
     "input x: float32 1x8x9x6\n"
     "p: float32 1x8x12x6 = Pad (x) pads=[0, 0, 1, 0, 0, 0, 2, 0]\n"
     "s: float32 1x8x12x3, t: float32 1x8x12x3 = Split (p) axis=3 num_outputs=2\n"
     "r: float32 1x4x6x3 = Resize (s) axes=[2, 3] sizes=[4, 6]\n"
     "y: float32 1x3 = ReduceMean (r) axes=[1, 2] keepdims=0\n"
     "output y: float32 1x3\n"},
    {"old-rules", 3, old_rules,
     "input x: float32 1x4x4x3\n"
     "input b: float32 3\n"
     "a: float32 1x4x4x3 = Add (x, c<3>)\n"
     "Unsqueeze_1: float32 3x1x1 = Unsqueeze (b) axes=[1, 2]\n"
     "a:nchw: float32 1x3x4x4 = Transpose (a) perm=[0, 3, 1, 2]\n"
     "m: float32 1x3x4x4 = Mul (a:nchw, Unsqueeze_1)\n"
     "p: float32 1x3x4x4 = PRelu (m, c_2<3x1x1>)\n"
     "d: float32 1x3x4x4 = Dropout (p)\n"
     "y: float32 1x48 = Reshape (d, Reshape4<2>)\n"
     "output y: float32 1x48\n"},
    {"casts", 13, casts,
     "input x: float32 ?x3\n"
     "r: float32 1x3 = Relu (x)\n"
     "whole: int64 1x3 = Cast (r) to=7\n"
     "y: float32 1x3 = Cast (whole) to=1\n"
     "output y: float32 1x3\n"},
    {"quantised", 13, quantised,
     "input x: float32 ?x4x4x3\n"
     "a: float32 1x4x4x3 = FakeQuantize (x) low=-100 scale=0.25\n"
     "c: float32 1x4x4x3 = Add (a, a)\n"
     "DynamicQuantizeLinear4/ReduceMin: float32 1x1x1x1 = ReduceMin (c) axes=[3, 1, 2]\n"
     "DynamicQuantizeLinear4/ReduceMax: float32 1x1x1x1 = ReduceMax (c) axes=[3, 1, 2]\n"
     "e: float32 1x4x4x3 = FakeQuantizeRange (c, DynamicQuantizeLinear4/ReduceMin, "
     "DynamicQuantizeLinear4/ReduceMax)\n"
     "y: float32 1x4x4x3 = FakeQuantize (e) low=-100 scale=0.25\n"
     "output y: float32 1x4x4x3\n"},
};

const guint n_model_rows = G_N_ELEMENTS (model_rows);

Onnx__ModelProto *
model_new_from_row (const ModelRow *row)
{
  Onnx__ModelProto *model = model_new (row->opset);

  row->build (model);
  return model;
}

Onnx__ModelProto *
model_new_small (void)
{
  Onnx__ModelProto *model = model_new (13);

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 8, 8));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (4, 3, 3, 3));
  model_add_initializer (model, "b", FLOAT, &ENS_SHAPE (4));
  node_add_ints (model_add_node (model, "Conv", "x w b", "c"), "pads",
                 (const gint64[]) {1, 1, 1, 1}, 4);
  model_add_node (model, "Relu", "c", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 4, 8, 8));
  return model;
}

void
assert_import_refuses (GBytes *bytes, const char *folder, EnsErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import_bytes (bytes, "bad.onnx", folder, NULL, &error);

  ck_assert_ptr_null (graph);
  ck_assert_ptr_nonnull (error);
  ck_assert (g_str_has_prefix (error->message, "bad.onnx: "));
  if (strstr (error->message, message) == NULL)
    ck_abort_msg ("“%s” does not say “%s”", error->message, message);
  ck_assert_error (error, ENS_ERROR, (int)code);
}
