/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that are composed of others, each in a network of its own: those of com.microsoft, and
 * of ONNX, whose names begin with OWN. What is expected is what ONNX Runtime gives, in ONNX's
 * order; of quantised results the real numbers that they stand for. */
#include <math.h>
#include <string.h>

#include "../ops/text.h"
#include "builder.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "onnx/onnx.h"
#include "ops/operands.h"

#define TOLERANCE 2e-6
#define OWN "ai.onnx."

typedef struct {
  const char *op, *variant;
  const char *attributes, *inputs, *expected; /* as rows of tests/ops */
  const char *message;                        /* … or the error that there is instead */
} Row;

/* clang-format off */
static const Row rows[] = {
    {OWN "Hardmax", "first-of-equals", "", "2x3 = 1 5 5 7 2 3", "2x3 = 0 1 0 1 0 0"},
    {OWN "Hardmax", "axis", "axis=0", "2x3 = 1 5 5 7 2 5", "2x3 = 0 1 1 1 0 0"},
    {OWN "AffineGrid", "middles", "", "1x2x3 = 1 0 0.5 0 2 0; const int64 4 = 1 1 1 2", "1x1x2x2 = 0 0 1 0"},
    {OWN "AffineGrid", "corners", "align_corners=1", "1x2x3 = 1 0 0 1 1 0; const int64 4 = 1 1 2 2", "1x2x2x2 = -1 -2 1 0 -1 0 1 2"},
    {OWN "AffineGrid", "volume", "", "1x3x4 = 1 0 0 0 0 1 0 5 0 0 1 7; const int64 5 = 1 1 1 1 2", "1x1x1x2x3 = -0.5 5 7 0.5 5 7"},
    {OWN "AffineGrid", "no-map", "", "1x2x3; const int64 2 = 1 1", NULL, "input 1 has 2 sizes, expected 4 to 5"},
    {OWN "BatchNormalization", "of-weights", "training_mode=1 epsilon=0.0", "const 1x2x2 = 1 3 4 8; const 2 = 1 2; const 2 = 0 10; const 2; const 2", "1x2x2 = -1 1 8 12"},
    {OWN "BatchNormalization", "of-images", "training_mode=1", "1x2x2; const 2; const 2; const 2; const 2", NULL, "attribute “training_mode” is 1, expected 0; export"},
    {OWN "CenterCropPad", "both", "", "2x3 = 1 2 3 4 5 6; const int64 2 = 4 2", "4x2 = 0 0 1 2 4 5 0 0"},
    {OWN "CenterCropPad", "axes", "axes=[-1]", "1x4 = 1 2 3 4; const int64 1 = 1", "1x1 = 2"},
    {OWN "CenterCropPad", "no-size", "axes=[1]", "1x4; const int64 1 = 0", NULL, "input 1 has the size 0, expected 1 to 65535"},
    {OWN "CenterCropPad", "no-axis", "axes=[4]", "1x4; const int64 1 = 2", NULL, "an axis is 4, expected 0 to 1"},
    {"FusedConv", "relu", "activation=\"Relu\"", "1x1x2x2 = 1 -2 3 -4; const 1x1x1x1 = 2; const 1 = 1", "1x1x2x2 = 3 0 7 0"},
    {"FusedConv", "residual", "activation=\"Relu\"", "1x1x1x3 = 1 -2 3; const 1x1x1x1 = 2; const 1 = 1; 1x1x1x3 = 1 1 -9", "1x1x1x3 = 4 0 0"},
    {"FusedConv", "clip", "activation=\"Clip\" activation_params=[-1.0, 2.5]", "1x1x1x3 = 1 -2 3; const 1x1x1x1 = 1", "1x1x1x3 = 1 -1 2.5"},
    {"FusedConv", "hard-sigmoid", "activation=\"HardSigmoid\" activation_params=[0.25, 0.5]", "1x1x1x3 = 1 -4 3; const 1x1x1x1 = 1", "1x1x1x3 = 0.75 0 1"},
    {"FusedConv", "unknown-activation", "activation=\"Frob\"", "1x1x1x3; const 1x1x1x1", NULL, "attribute “activation” is “Frob”, expected the name of an elementwise operator"},
    {"FusedConv", "internal-activation", "activation=\"FakeQuantize\"", "1x1x1x3; const 1x1x1x1", NULL, "attribute “activation” is “FakeQuantize”"},
    {"FusedConv", "unknown-attribute", "flavour=1", "1x1x1x3; const 1x1x1x1", NULL, "node “FusedConv0” (FusedConv): unknown attribute “flavour”"},
    {"NhwcConv", "relu", "", "1x1x3x2 = 1 2 3 4 5 6; const 1x2x1x1 = 1 10", "1x1x3x1 = 21 43 65"},
    {"NhwcMaxPool", "rows", "kernel_shape=[1, 2]", "1x1x3x2 = 1 2 3 4 5 6", "1x1x2x2 = 3 4 5 6"},
    {"FusedMatMul", "alpha", "alpha=0.5", "2x2 = 1 2 3 4; const 2x1 = 2 4", "2x1 = 5 11"},
    {"FusedMatMul", "transposed", "transA=1 transB=1", "2x2 = 1 2 3 4; const 1x2 = 2 4", "2x1 = 14 20"},
    {"FusedMatMul", "batch", "transBatchA=1", "2x3x2 = 1 2 3 4 5 6 7 8 9 10 11 12; const 3x2x1 = 1 10 1 10 1 10", "3x2x1 = 21 87 43 109 65 131"},
    {"FusedMatMul", "vector", "transB=1", "2x2 = 1 2 3 4; const 2 = 1 10", "2 = 21 43"},
    {"TransposeMatMul", "alpha", "transB=1 alpha=2.0", "1x2 = 1 2; const 1x2 = 2 4", "1x1 = 20"},
    {"FusedMatMulActivation", "relu", "activation=\"Relu\"", "2x1 = 1 -1; const 1x1 = 2", "2x1 = 2 0"},
    {"FusedGemm", "leaky", "transB=1 alpha=2.0 activation=\"LeakyRelu\" activation_alpha=0.5", "2x2 = 1 2 -3 -4; const 1x2 = 1 1; const 1 = 1", "2x1 = 7 -6.5"},
    {"Gelu", "exact", "", "3 = -1 0 2", "3 = -0.15865525 0 1.9544997"},
    {"FastGelu", "bias", "", "1x3 = -1 0 2; const 3 = 1 1 -1", "1x3 = 0 0.841192 0.841192"},
    {"BiasGelu", "bias", "", "1x3 = -1 0 2; const 3 = 1 1 -1", "1x3 = 0 0.84134475 0.84134475"},
    {"QuickGelu", "usual", "", "3 = -1 0 2", "3 = -0.15420423 0 1.9356586"},
    {"QuickGelu", "alpha", "alpha=1.0", "2 = -1 2", "2 = -0.26894142 1.7615942"},
    {"GemmFastGelu", "bias", "", "1x2 = 1 1; const 2x1 = 1 -1; const 1 = 1", "1x1 = 0.841192"},
    {"BiasSplitGelu", "halves", "", "1x1x4 = 3 1 0 -1; const 4 = 0 1 1 0", "1x1x2 = 2.5240343 -0.31731051"},
    {"BiasAdd", "sum", "", "1x1x2 = 1 2; const 2 = 10 20; 1x1x2 = 3 4", "1x1x2 = 14 26"},
    {"SkipLayerNormalization", "outputs", "epsilon=0.0", "1x1x2 = 1 2; 1x1x2 = 1 4; const 2 = 1 2; const 2 = 0 1; const 2 = 0 2", "1x1x2 = -1 3; -; -; 1x1x2 = 2 8"},
    {"SkipSimplifiedLayerNormalization", "outputs", "epsilon=0.0", "1x1x2 = 1 2; 1x1x2 = 2 2; const 2 = 5 10", "1x1x2 = 4.2426407 11.313708; -; -; 1x1x2 = 3 4"},
    {"GroupNorm", "channels-last", "groups=2 activation=0 epsilon=0.0", "1x1x2x2 = 1 10 3 14; const 2 = 1 1; const 2 = 0 1", "1x1x2x2 = -1 0 1 2"},
    {"GroupNorm", "swish", "groups=1 activation=1 channels_last=0 epsilon=0.0", "1x1x1x2 = 1 3; const 1 = 1; const 1 = 0", "1x1x1x2 = -0.26894142 0.73105858"},
    {"Attention", "plain", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; const 3 = 0 0 10", "1x2x1 = 11.5 11.5"},
    {"Attention", "mask", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; const int32 1x2 = 1 0", "1x2x1 = 1 1"},
    {"Attention", "mask-of-queries", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; const int32 1x2x2 = 1 0 0 1", "1x2x1 = 1 2"},
    {"Attention", "lengths", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; int32 1 = 1", "1x2x1 = 1 1"},
    {"Attention", "ends-and-starts", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; int32 2 = 2 1", "1x2x1 = 2 2"},
    {"Attention", "causal", "num_heads=1 unidirectional=1", "1x2x1 = 1 2; const 1x3 = 1 0 1", "1x2x1 = 1 1.5"},
    {"Attention", "widths", "num_heads=1 qkv_hidden_sizes=[1, 1, 2]", "1x2x1 = 1 2; const 1x4 = 1 0 1 10", "1x2x2 = 1.5 15 1.5 15"},
    {"Attention", "score-bias", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; -; -; const 1x1x2x2 = -1000 0 0 -1000", "1x2x1 = 2 1"},
    {"Attention", "odd-mask", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; const int32 5", NULL, "a mask of 5 numbers for 1 sequences, expected one or two for each"},
    {"Attention", "no-heads", "", "1x2x1 = 1 2; const 1x3 = 1 0 1", NULL, "“num_heads” is 0"},
    {"Attention", "cache", "num_heads=1", "1x2x1 = 1 2; const 1x3 = 1 0 1; -; -; 2x1x1x1x1", NULL, "input 4, “x4”, is of a cache of keys and values; export the network without one"},
    {"MultiHeadAttention", "bias", "num_heads=1", "1x1x1 = 1; const 1x2x1 = 0 0; const 1x2x1 = 1 2; const 3 = 0 0 10", "1x1x1 = 11.5"},
    {"MultiHeadAttention", "padding", "num_heads=1", "1x1x1 = 1; const 1x2x1 = 0 0; const 1x2x1 = 1 2; -; const int32 1x2 = 0 1", "1x1x1 = 2"},
    {"MultiHeadAttention", "two-heads", "num_heads=2", "1x1x2 = 1 1; const 1x2x2 = 0 0 0 1000; const 1x2x2 = 1 2 3 4", "1x1x2 = 2 4"},
    {"MultiHeadAttention", "packed", "num_heads=1", "1x2x1x3x1 = 1 0 1 2 0 2", "1x2x1 = 1.5 1.5"},
    {"MultiHeadAttention", "packed-keys", "num_heads=1", "1x1x1 = 1; 1x2x1x2x1 = 0 1 0 2", "1x1x1 = 1.5"},
    {"MultiHeadAttention", "no-values", "num_heads=1", "1x1x1 = 1; 1x2x1 = 0 1", NULL, "input 2 is absent, but input 1 is not packed"},
    {"RotaryEmbedding", "positions", "", "1x2x2 = 1 2 1 2; int64 1x2 = 2 0; const 3x1 = 1 0.5 0; const 3x1 = 0 0.5 1", "1x2x2 = -2 1 1 2"},
    {"RotaryEmbedding", "first-position", "", "1x2x2 = 1 2 1 2; int64 1 = 1; const 3x1 = 1 0.5 0; const 3x1 = 0 0.5 1", "1x2x2 = -0.5 1.5 -2 1"},
    {"RotaryEmbedding", "heads", "", "1x1x4 = 1 2 3 4; int64 1x1 = 2; const 3x1 = 1 0.5 0; const 3x1 = 0 0.5 1", "1x1x4 = -2 1 -4 3"},
    {"RotaryEmbedding", "scale", "scale=2.0", "1x1x4 = 1 2 3 4; int64 1x1 = 2; const 3x1 = 1 0.5 0; const 3x1 = 0 0.5 1", NULL, "“scale” is not supported"},
    {"QAttention", "plain", "num_heads=1", "uint8 1x2x1 = 11 12; const int8 1x3 = 3 1 3; const 3 = 0 0 10; const scalar = 1; const scalar = 0.5; -; const uint8 scalar = 10; const int8 scalar = 1", "1x2x1 = 11.5 11.5"},
    {"EmbedLayerNormalization", "outputs", "epsilon=0.0", "int32 1x2 = 1 0; int32 1x2 = 0 0; const 2x2 = 0 2 1 5; const 2x2 = 0 0 10 20; const 1x2 = 1 1; const 2 = 1 1; const 2 = 0 5; const int32 1x2 = 1 0", "1x2x2 = -1 6 -1 6; int32 1 = 1; 1x2x2 = 2 6 11 23"},
    {"QLinearAdd", "scales", "", "uint8 3 = 130 120 255; const scalar = 0.5; const uint8 scalar = 128; uint8 3 = 1 3 255; const scalar = 0.25; const uint8 scalar = 1; const scalar = 0.5; const uint8 scalar = 100", "3 = 1 -3.5 77.5"},
    {"QLinearMul", "scales", "", "int8 3 = 10 -3 100; const scalar = 0.5; const int8 scalar = 0; int8 3 = 1 3 100; const scalar = 0.25; const int8 scalar = 1; const scalar = 0.5; const int8 scalar = -128", "3 = 0 0 127.5"},
    {"QLinearConcat", "scales", "axis=0", "const scalar = 1; const uint8 scalar = 2; uint8 2 = 4 9; const scalar = 0.5; const uint8 scalar = 2; uint8 1 = 200; const scalar = 2; const uint8 scalar = 0", "3 = 1 4 253"},
    {"QLinearGlobalAveragePool", "mean", "", "uint8 1x1x1x4 = 1 2 3 6; const scalar = 0.5; const uint8 scalar = 1; const scalar = 0.5; const uint8 scalar = 0", "1x1x1x1 = 1"},
    {"QLinearGlobalAveragePool", "channels-last", "channels_last=1", "uint8 1x1x2x2 = 1 2 3 6; const scalar = 0.5; const uint8 scalar = 0; const scalar = 0.5; const uint8 scalar = 0", "1x1x1x2 = 1 2"},
    {"QLinearAveragePool", "window", "kernel_shape=[1, 2]", "int8 1x1x1x3 = 1 4 10; const scalar = 1; const int8 scalar = 0; const scalar = 1; const int8 scalar = 0", "1x1x1x2 = 2 7"},
    {"QLinearSigmoid", "saturates", "", "int8 3 = 0 -100 100; const scalar = 1; const int8 scalar = 0; const scalar = 0.00390625; const int8 scalar = -128", "3 = 0.5 0 0.99609375"},
    {"QLinearLeakyRelu", "alpha", "alpha=0.5", "int8 3 = 0 -10 100; const scalar = 1; const int8 scalar = 0; const scalar = 1; const int8 scalar = 0", "3 = 0 -5 100"},
    {"QLinearSoftmax", "last", "axis=-1 opset=13", "int8 1x2 = 5 5; const scalar = 1; const int8 scalar = 0; const scalar = 0.00390625; const int8 scalar = -128", "1x2 = 0.5 0.5"},
    {"QLinearSoftmax", "flattened", "axis=1 opset=12", "int8 1x2x2 = 5 5 5 5; const scalar = 1; const int8 scalar = 0; const scalar = 0.00390625; const int8 scalar = -128", "1x2x2 = 0.25 0.25 0.25 0.25"},
    {"QLinearReduceMean", "axis", "axes=[1] keepdims=0", "int8 1x2 = 4 8; const scalar = 1; const int8 scalar = 0; const scalar = 1; const int8 scalar = 0", "1 = 6"},
    {"QLinearWhere", "scales", "", "bool 2 = 1 0; uint8 2 = 3 3; const scalar = 0.5; const uint8 scalar = 1; uint8 2 = 4 4; const scalar = 2; const uint8 scalar = 0; const scalar = 1; const uint8 scalar = 0", "2 = 1 8"},
    {"QLinearConv", "channels-last", "channels_last=1", "uint8 1x1x1x2 = 130 140; const scalar = 0.5; const uint8 scalar = 128; const int8 1x2x1x1 = 4 2; const scalar = 0.25; const int8 scalar = 0; const scalar = 0.5; const uint8 scalar = 0; const int32 1 = 8", "1x1x1x1 = 5"},
    {"QGemm", "quantised", "transB=1 alpha=2.0", "uint8 1x2 = 12 14; const scalar = 0.5; const uint8 scalar = 10; const int8 2x2 = 1 2 3 4; const 2 = 0.5 1; const int8 2 = 0 0; const int32 2 = 4 -4; const scalar = 0.5; const uint8 scalar = 128", "1x2 = 7 18"},
    {"QGemm", "real", "", "uint8 1x2 = 12 14; const scalar = 0.5; const uint8 scalar = 10; const int8 2x1 = 1 2; const scalar = 0.5; const int8 scalar = 0", "1x1 = 2.5"},
    {"MatMulIntegerToFloat", "columns", "", "uint8 1x2 = 12 14; const int8 2x2 = 1 2 3 4; const scalar = 0.5; const 2 = 0.5 1; const uint8 scalar = 10; const int8 2 = 0 1; const 2 = 100 200", "1x2 = 103.5 207"},
    {"DynamicQuantizeMatMul", "bias", "", "1x2 = 0 255; const int8 2x2 = 1 2 3 4; const 2 = 0.5 1; const int8 2 = 0 1; const 2 = 100 200", "1x2 = 482.5 965"},
    {"MatMulNBits", "four-bits", "K=16 N=1 bits=4 block_size=16", "1x16 = 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 100; const uint8 1x1x8 = 33 0 0 0 0 0 0 159; const 1 = 0.5", "1x1 = 43.5"},
    {"MatMulNBits", "zero-points", "K=32 N=1 bits=4 block_size=16", "1x32 = 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0; const uint8 1x2x8 = 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0; const 2 = 1 10; const uint8 1 = 33; -; const 1 = 1000", "1x1 = 1034"},
    {"MatMulNBits", "eight-bits", "K=16 N=2 bits=8 block_size=16", "1x16 = 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0; const uint8 2x1x16 = 130 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 100 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0; const 2 = 1 10", "1x2 = 2 -280"},
    {"MatMulNBits", "bad-size", "K=64 N=1 bits=4 block_size=16", "1x64; const uint8 1x1x8; const 1", NULL, "input 1 has 8 elements of type uint8, expected 32 of uint8"},
    {"MatMulNBits", "odd-bits", "K=16 N=1 bits=3 block_size=16", "1x16; const uint8 1x1x8; const 1", NULL, "weights of 3 bits, supported are 2, 4 and 8"},
    {"MatMulNBits", "computed", "K=16 N=1 bits=4 block_size=16", "1x16; uint8 1x1x8; const 1", NULL, "input 1, “x1”, must be known before running"},
    {"GatherBlockQuantized", "rows", "bits=4 block_size=16", "const uint8 2x8 = 16 50 0 0 0 0 0 0 255 0 0 0 0 0 0 0; int64 1 = 1; const 2x1 = 1 2", "1x16 = 14 14 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16 -16"},
    {"Frobnicate", "missing", "", "1", NULL, "operators that are not supported: com.microsoft.Frobnicate of opset 1 (node “Frobnicate0”)"},
};
/* clang-format on */

static const int onnx_types[ENS_N_TYPES] = {
    [ENS_TYPE_FLOAT32] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
    [ENS_TYPE_INT64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
    [ENS_TYPE_INT32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
    [ENS_TYPE_INT8] = ONNX__TENSOR_PROTO__DATA_TYPE__INT8,
    [ENS_TYPE_UINT8] = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8,
    [ENS_TYPE_BOOL] = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
};

static void
add_attribute (const char *name, const EnsAttributeValue *value, gpointer node)
{
  switch (value->kind) {
  case ENS_ATTRIBUTE_VALUE_INT:
    node_add_int (node, name, value->integer);
    break;
  case ENS_ATTRIBUTE_VALUE_FLOAT:
    node_add_float (node, name, value->real);
    break;
  case ENS_ATTRIBUTE_VALUE_STRING:
  case ENS_ATTRIBUTE_VALUE_STRINGS:
    node_add_string (node, name, value->string);
    break;
  case ENS_ATTRIBUTE_VALUE_INTS:
    node_add_ints (node, name, value->integers, value->n_values);
    break;
  case ENS_ATTRIBUTE_VALUE_FLOATS:
    node_add_floats (node, name, value->reals, value->n_values);
    break;
  case ENS_ATTRIBUTE_VALUE_TENSOR:
    g_assert_not_reached ();
  }
}

static void
add_constant (Onnx__ModelProto *model, const char *name, const EnsTensor *tensor)
{
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);
  gsize n = (gsize)ens_shape_elements (&tensor->shape);
  g_autofree double *numbers = g_new (double, n + 1);

  if (tensor->type == ENS_TYPE_INT64) {
    model_add_int64s (model, name, tensor->data, n);
    return;
  }
  for (gsize i = 0; i < n; i++)
    numbers[i] = ens_view_real (&view, i);
  model_add_numbers (model, name, onnx_types[tensor->type], &tensor->shape, numbers);
}

/* Names of the inputs, and the model's inputs and initializers. */
static char *
add_inputs (Onnx__ModelProto *model, const GArray *tensors)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < tensors->len; i++) {
    const TestTensor *input = &g_array_index (tensors, TestTensor, i);
    g_autofree char *name = g_strdup_printf ("x%u", i);

    g_string_append_printf (names, "%s%s", i > 0 ? " " : "", input->absent ? "-" : name);
    if (input->absent)
      continue;
    if (input->constant)
      add_constant (model, name, input->tensor);
    else
      model_add_input (model, name, onnx_types[input->tensor->type], &input->tensor->shape);
  }
  return g_string_free (names, FALSE);
}

static GBytes *
build (const Row *row, const GArray *inputs, const GArray *expected)
{
  gboolean own = g_str_has_prefix (row->op, OWN);
  g_autoptr (Onnx__ModelProto) model = model_new (own ? 20 : 17);
  g_autoptr (EnsAttributes) attributes = test_read_attributes (row->attributes);
  g_autofree char *names = add_inputs (model, inputs);
  GString *outputs = g_string_new (NULL);
  Onnx__NodeProto *node;

  model_add_domain (model, "com.microsoft", 1);
  for (guint i = 0; i < expected->len; i++) {
    g_autofree char *name = g_strdup_printf ("y%u", i);

    g_string_append_printf (outputs, "%s%s", i > 0 ? " " : "", name);
    if (!g_array_index (expected, TestTensor, i).absent)
      model_add_output (model, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &ENS_SHAPE (-1));
  }
  node = model_add_node (model, own ? row->op + strlen (OWN) : row->op, names, outputs->str);
  if (!own)
    set_text (&node->domain, "com.microsoft");
  ens_attributes_foreach (attributes, add_attribute, node);
  g_string_free (outputs, TRUE);
  return model_pack (model);
}

/* In the graph's order: channels last. (transfer full) */
static EnsTensor *
reorder (EnsTensor *tensor)
{
  const gint64 *dims = tensor->shape.dims;
  gint64 channels = dims[1], pixels = dims[2] * dims[3];
  gsize size = ens_type_size (tensor->type);
  EnsTensor *last;

  if (tensor->shape.rank != 4)
    return ens_tensor_ref (tensor);
  last = ens_tensor_new (tensor->type, &ENS_SHAPE (dims[0], dims[2], dims[3], channels));
  for (gint64 i = 0; i < dims[0] * channels * pixels; i++) {
    gint64 at = (i / (channels * pixels) * pixels + i % pixels) * channels + i / pixels % channels;

    memcpy ((char *)last->data + (gsize)at * size, (const char *)tensor->data + (gsize)i * size,
            size);
  }
  return last;
}

static GPtrArray *
list_inputs (const GArray *tensors)
{
  GPtrArray *inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);

  for (guint i = 0; i < tensors->len; i++) {
    const TestTensor *input = &g_array_index (tensors, TestTensor, i);

    if (!input->absent && !input->constant)
      g_ptr_array_add (inputs, reorder (input->tensor));
  }
  return inputs;
}

static double
get (const EnsTensor *tensor, gint64 i)
{
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);

  return ens_view_real (&view, (gsize)i);
}

static void
assert_equal (const EnsTensor *found, EnsTensor *given)
{
  g_autoptr (EnsTensor) expected = reorder (given);
  g_autofree char *shape = ens_shape_to_string (&found->shape);

  if (!ens_shape_equal (&found->shape, &expected->shape))
    ck_abort_msg ("the result is %s", shape);
  for (gint64 i = 0; i < ens_shape_elements (&found->shape); i++) {
    double want = get (expected, i);

    ck_assert_double_eq_tol (get (found, i), want, TOLERANCE * (1 + fabs (want)));
  }
}

START_TEST (test_row)
{
  const Row *row = &rows[_i];
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (GArray) tensors = test_read_tensors (row->inputs, random);
  g_autoptr (GArray) expected =
      test_read_tensors (row->expected != NULL ? row->expected : "1", random);
  g_autoptr (GBytes) bytes = build (row, tensors, expected);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import_bytes (bytes, "row.onnx", NULL, NULL, &error);
  g_autoptr (GPtrArray) inputs = list_inputs (tensors);
  g_autoptr (GPtrArray) outputs = NULL;

  if (row->message != NULL) {
    ck_assert_ptr_null (graph);
    ck_assert_contains (error->message, row->message);
    return;
  }
  ck_assert_no_error (error);
  outputs = ens_interpret (graph, (EnsTensor *const *)inputs->pdata, &error);
  ck_assert_no_error (error);
  for (guint i = 0, k = 0; i < expected->len; i++)
    if (!g_array_index (expected, TestTensor, i).absent)
      assert_equal (outputs->pdata[k++], g_array_index (expected, TestTensor, i).tensor);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("onnx/contributed");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    test_add_row (rows[i].op, rows[i].variant, test_row, i);
  return test_run ();
}
