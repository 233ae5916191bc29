/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The params of every operator: plain data, compared and copied as bytes.
 *
 * Passes that fuse, fold or build nodes set them; all others come from operators' tables of
 * attributes. Axes are as the file has them, from −rank to rank − 1, until permute () makes them
 * non-negative. Unused elements of arrays are zero.
 *
 * Since opset 10 to 13 some operators take as inputs what older ones took as attributes (Clip's
 * bounds, Slice's starts, Pad's pads, Split's sizes, axes). Both forms are read in every opset. As
 * attributes, values end up in params, whose axes can be renumbered; an input that is present has
 * precedence. EnsAttribute.input says which input stands for which attribute. */
#pragma once

#include "base/tensor.h"
#include "graph/graph.h"
#include "kernels/epilogue.h"

/* What a node does to its result before it stores it. All zeroes: nothing, as in every file; fusion
 * sets it. alpha and beta as EnsActivation says. */
typedef struct {
  EnsActivation kind;
  float alpha, beta;
} EnsFusedActivation;

/* TRUE if the node does nothing but an activation that may be fused into the node before it (Relu,
 * Clip with known bounds, Sigmoid, …). */
gboolean ens_node_as_activation (const EnsNode *node, EnsFusedActivation *activation);

typedef enum {
  ENS_AUTO_PAD_NOTSET, /* pads as given */
  ENS_AUTO_PAD_SAME_UPPER,
  ENS_AUTO_PAD_SAME_LOWER,
  ENS_AUTO_PAD_VALID,
} EnsAutoPad;

#define ENS_MAX_SPATIAL 3

/* How a convolution or pooling slides: one element per spatial axis, outermost first. */
typedef struct {
  guint rank;                      /* elements that count; 0: no list was given, all defaults */
  gint64 kernel[ENS_MAX_SPATIAL];  /* all 0 (convolution only): as large as the weights */
  gint64 strides[ENS_MAX_SPATIAL]; /* 1 beyond rank, as dilations */
  gint64 dilations[ENS_MAX_SPATIAL];
  gint64 pads_begin[ENS_MAX_SPATIAL];
  gint64 pads_end[ENS_MAX_SPATIAL];
  EnsAutoPad auto_pad;
} EnsSliding;

/* rank 0, no pads, strides and dilations 1. */
#define ENS_SLIDING_DEFAULT ((EnsSliding) {.strides = {1, 1, 1}, .dilations = {1, 1, 1}})

/* Conv. Inputs: X (N, spatial …, C); W (M, kernel …, C / group); optional B (M); optional residual
 * of the output's shape. Y = activation (X * W + B + residual). */
typedef struct {
  EnsSliding sliding;
  gint64 group;
  EnsFusedActivation activation;
} EnsConvParams;

/* ConvGradWeight. Inputs: X (N, spatial …, C); dY, the gradient of a convolution's output
 * (N, spatial …, M). Outputs: the gradients of its weights (M, kernel …, C / group) and, if wanted,
 * of its bias (M). */
typedef struct {
  EnsSliding sliding; /* the convolution's, with the kernel's size */
  gint64 group;
} EnsConvGradWeightParams;

/* ConvTranspose. Inputs: X (N, spatial …, C); W (C, kernel …, M / group); optional B (M). */
typedef struct {
  EnsSliding sliding;
  gint64 group;
  gint64 output_padding[ENS_MAX_SPATIAL];
  gboolean has_output_shape;
  gint64 output_shape[ENS_MAX_SPATIAL];
} EnsConvTransposeParams;

/* MaxPool, AveragePool. */
typedef struct {
  EnsSliding sliding;
  gboolean ceil_mode;
  gboolean count_include_pad; /* AveragePool */
} EnsPoolParams;

/* Gemm. Y = activation (alpha · A' · B' + beta · C). */
typedef struct {
  gboolean trans_a, trans_b;
  float alpha, beta;
  EnsFusedActivation activation;
} EnsGemmParams;

/* MatMul. Y = activation (A · B + bias). */
typedef struct {
  EnsFusedActivation activation;
} EnsMatMulParams;

/* Elementwise operators of two or more inputs with broadcasting: Add, Sub, Mul, Div, Pow, Min, Max,
 * Sum, Mean. Y = activation (op (A, B, …)). */
typedef struct {
  EnsFusedActivation activation;
} EnsBinaryParams;

/* Elementwise functions of one input; which of the two are used depends on the function. */
typedef struct {
  float alpha, beta;
} EnsUnaryParams;

/* Gelu */
typedef struct {
  gboolean tanh; /* approximated by a hyperbolic tangent; else exact */
} EnsGeluParams;

/* ActivationGrad: whose derivative, a number of shaders/push/functions.h. */
typedef struct {
  guint function;
  float alpha, beta;
} EnsActivationGradParams;

/* Dropout, which does nothing by itself; training multiplies with a mask instead. */
typedef struct {
  float ratio; /* of what is dropped */
} EnsDropoutParams;

/* Clip. Bounds that are absent are ∓infinity. */
typedef struct {
  float min, max;
} EnsClipParams;

/* Attention. heads and key_heads: of inputs of rank 3. */
typedef struct {
  gboolean causal;       /* query i sees keys up to i */
  gint64 before, behind; /* … from i − before to i + behind; −1: all */
  gint64 heads, key_heads;
  float scale;   /* 0: 1 / √depth */
  float softcap; /* scores become softcap · tanh (score / softcap); 0: they stay */
} EnsAttentionParams;

/* Einsum */
typedef struct {
  char equation[128];
} EnsEinsumParams;

/* LayerNormalization: over the axes from `axis` on. */
typedef struct {
  gint64 axis;
  float epsilon;
} EnsLayerNormalizationParams;

/* BatchNormalizationTraining: running = (1 − momentum) · running + momentum · the batch's. */
typedef struct {
  float epsilon, momentum;
  EnsFusedActivation activation;
} EnsBatchTrainingParams;

/* BatchNormalizationGrad. */
typedef struct {
  float epsilon;
  gboolean batch_statistics; /* mean and variance are those of X */
} EnsBatchGradParams;

/* InstanceNormalization, GroupNormalization. */
typedef struct {
  float epsilon;
  gint64 groups; /* 0: one for each channel */
} EnsGroupNormalizationParams;

/* BatchNormalization */
typedef struct {
  float epsilon;
} EnsNormalizationParams;

/* LRN */
typedef struct {
  gint64 size;
  float alpha, beta, bias;
} EnsLrnParams;

/* LpNormalization */
typedef struct {
  gint64 axis;
  gint64 p; /* 1 or 2 */
} EnsLpNormalizationParams;

/* Concat, Flatten, Gather. */
typedef struct {
  gint64 axis;
} EnsAxisParams;

/* How updates are combined with what stands in their place. */
typedef enum {
  ENS_SCATTER_NONE, /* they replace it */
  ENS_SCATTER_ADD,
  ENS_SCATTER_MUL,
  ENS_SCATTER_MAX,
  ENS_SCATTER_MIN,
} EnsScatterReduction;

/* ScatterElements, ScatterND. */
typedef struct {
  gint64 axis; /* of ScatterElements */
  EnsScatterReduction reduction;
} EnsScatterParams;

/* A list of axes, sizes or positions, which may be absent. */
typedef struct {
  guint n;
  gboolean present;
  gint64 values[ENS_MAX_RANK];
} EnsList;

#define ENS_MAX_SPLIT 64

/* Split */
typedef struct {
  gint64 axis;
  guint n_sizes;   /* 0: equal parts */
  gboolean uneven; /* … of which the last may be smaller */
  gint64 sizes[ENS_MAX_SPLIT];
} EnsSplitParams;

/* Squeeze, Unsqueeze. */
typedef struct {
  EnsList axes;
} EnsAxesParams;

/* ReduceMean, ReduceSum, … */
typedef struct {
  EnsList axes; /* absent: all */
  gboolean keepdims;
  gboolean noop_with_empty_axes;
} EnsReduceParams;

/* ArgMax, ArgMin. */
typedef struct {
  gint64 axis;
  gboolean keepdims;
  gboolean select_last_index;
} EnsArgParams;

/* Softmax, LogSoftmax. */
typedef struct {
  gint64 axis;
  gboolean flatten; /* up to opset 12: over all axes from `axis` on together */
} EnsSoftmaxParams;

/* Reshape */
typedef struct {
  gboolean allow_zero;
} EnsReshapeParams;

/* Transpose: output axis i is input axis perm[i]; absent: reversed. */
typedef struct {
  EnsList perm;
} EnsTransposeParams;

/* DepthToSpace, SpaceToDepth. */
typedef struct {
  gint64 block_size;
  gboolean crd; /* DepthToSpace's mode: column, row, depth */
} EnsBlockParams;

/* Slice. axes absent: the first ones; steps absent: 1. */
typedef struct {
  EnsList starts, ends, axes, steps;
} EnsSliceParams;

typedef enum {
  ENS_PAD_CONSTANT,
  ENS_PAD_REFLECT,
  ENS_PAD_EDGE,
  ENS_PAD_WRAP, /* as if the input repeated */
} EnsPadMode;

/* Pad. Negative pads crop. */
typedef struct {
  EnsPadMode mode;
  gboolean has_pads;
  guint rank;
  gint64 begin[ENS_MAX_RANK], end[ENS_MAX_RANK];
  float value;
  EnsList axes; /* that rank, begin and end count; absent: all */
} EnsPadParams;

typedef enum {
  ENS_RESIZE_NEAREST,
  ENS_RESIZE_LINEAR,
  ENS_RESIZE_CUBIC,
} EnsResizeMode;

/* ONNX's coordinate_transformation_mode. */
typedef enum {
  ENS_RESIZE_HALF_PIXEL,
  ENS_RESIZE_PYTORCH_HALF_PIXEL,
  ENS_RESIZE_ALIGN_CORNERS,
  ENS_RESIZE_ASYMMETRIC,
  ENS_RESIZE_TF_HALF_PIXEL,
  ENS_RESIZE_CROP,
  ENS_RESIZE_HALF_PIXEL_SYMMETRIC,
} EnsResizeCoordinates;

/* ONNX's nearest_mode. */
typedef enum {
  ENS_RESIZE_PREFER_FLOOR,
  ENS_RESIZE_PREFER_CEIL,
  ENS_RESIZE_FLOOR,
  ENS_RESIZE_CEIL,
} EnsResizeRounding;

/* Which of the sizes count. */
typedef enum {
  ENS_RESIZE_STRETCH,
  ENS_RESIZE_NOT_LARGER, /* than any; the proportions stay */
  ENS_RESIZE_NOT_SMALLER,
} EnsResizePolicy;

typedef struct {
  guint n;
  float values[2 * ENS_MAX_RANK];
} EnsFloats;

/* Resize. Lists count axes in ONNX's order, N, C, spatial …, although tensors have channels last;
 * of scales and sizes one is empty, unless it is an input. */
typedef struct {
  EnsResizeMode mode;
  EnsResizeCoordinates coordinates;
  EnsResizeRounding rounding;
  float cubic_a;
  gboolean exclude_outside;
  gboolean antialias; /* wider filters where the result is smaller */
  EnsResizePolicy policy;
  float extrapolation;
  EnsFloats roi, scales;
  EnsList sizes;
  EnsList axes; /* that the lists count; absent: all */
} EnsResizeParams;

/* ResizeGrad: of a Resize with these params, whose lists are of all axes, and of this input. */
typedef struct {
  EnsResizeParams resize;
  EnsList input_shape; /* in the tensor's order */
} EnsResizeGradParams;

/* Shape: of the dimensions [start, end) alone. */
typedef struct {
  gint64 start, end;
} EnsShapeParams;

/* Cast */
typedef struct {
  EnsType to;
} EnsCastParams;

/* A value of one element, as ConstantOfShape repeats it. */
typedef struct {
  EnsType type;
  double real;    /* the value of floating-point types */
  gint64 integer; /* of all others */
} EnsFillParams;
