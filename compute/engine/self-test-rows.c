#include "engine/self-test-rows.h"

#include "ops/params.h"

#define NONE(name)        \
  {                       \
    name, "2x5x4x7", NULL \
  }
#define POSITIVE(name)          \
  {                             \
    name, "2x5x4x7", NULL, TRUE \
  }
#define UNARY(name, a, b)                    \
  {                                          \
    name, "2x5x4x7", &(const EnsUnaryParams) \
    {                                        \
      a, b                                   \
    }                                        \
  }
#define BINARY(name)                    \
  {                                     \
    name, "2x5x4x7 2x1x4x7", NULL, TRUE \
  }

#define KERNEL(size, stride, pad)                                                              \
  {                                                                                            \
    .rank = 2, .kernel = {size, size}, .strides = {stride, stride, 1}, .dilations = {1, 1, 1}, \
    .pads_begin = {pad, pad}, .pads_end = {                                                    \
      pad,                                                                                     \
      pad                                                                                      \
    }                                                                                          \
  }
#define POOL(name)                          \
  {                                         \
    name, "2x9x8x6", &(const EnsPoolParams) \
    {                                       \
      .sliding = KERNEL (3, 2, 1)           \
    }                                       \
  }

#define LIST(count, ...)                                   \
  {                                                        \
    .present = TRUE, .n = count, .values = { __VA_ARGS__ } \
  }
#define REDUCE(name)                                                                           \
  {                                                                                            \
    name, "2x5x4x7", &(const EnsReduceParams) {.axes = LIST (2, 1, 2), .keepdims = TRUE}, TRUE \
  }
#define AXIS(value)      \
  &(const EnsAxisParams) \
  {                      \
    value                \
  }
#define ARG(name)                        \
  {                                      \
    name, "3x5x7", &(const EnsArgParams) \
    {                                    \
      .axis = -1, .keepdims = TRUE       \
    }                                    \
  }

#define COMPARE(op)       \
  {                       \
    op, "3x5x7 5x1", NULL \
  }
#define LOGIC(op)             \
  {                           \
    op, "?2x5x7 ?2x1x7", NULL \
  }

const EnsSelfTestRow ens_self_test_rows[] = {
    NONE ("Abs"),
    BINARY ("Add"),
    LOGIC ("And"),
    ARG ("ArgMax"),
    ARG ("ArgMin"),
    POOL ("AveragePool"),
    {"BatchNormalization", "2x5x4x7 =7 =7 =7 =7",
     &(const EnsNormalizationParams) {.epsilon = 1e-3f}, TRUE},
    {"Cast", "2x5x4x7", &(const EnsCastParams) {ENS_TYPE_FLOAT16}},
    NONE ("Ceil"),
    UNARY ("Celu", 0.8f, 0),
    {"Clip", "2x5x4x7", &(const EnsClipParams) {-0.5f, 0.25f}},
    {"Concat", "2x5x4x7 2x5x4x3", AXIS (3)},
    {"Conv", "2x9x8x6 =10x3x3x6 =10",
     &(const EnsConvParams) {.sliding = KERNEL (3, 1, 1), .group = 1}},
    {"Conv", "2x9x8x6 =10x1x1x6 =10",
     &(const EnsConvParams) {.sliding = KERNEL (1, 1, 0), .group = 1}},
    {"Conv", "2x9x8x6 =6x3x3x1 =6",
     &(const EnsConvParams) {.sliding = KERNEL (3, 2, 1), .group = 6}},
    /* By the larger tiles of ops/conv-tiles.c, if a GPU has up to about 200 processors: of 128 ×
     * 128 and 128 × 64, as windows and as dense rows. */
    {"Conv", "1x160x160x4 =128x3x3x4 =128",
     &(const EnsConvParams) {.sliding = KERNEL (3, 1, 1), .group = 1}},
    {"Conv", "1x160x160x8 =64x3x3x8 =64",
     &(const EnsConvParams) {.sliding = KERNEL (3, 1, 1), .group = 1}},
    {"Conv", "1x160x160x36 =128x1x1x36 =128",
     &(const EnsConvParams) {.sliding = KERNEL (1, 1, 0), .group = 1}},
    {"Conv", "1x160x160x8 =64x1x1x8 =64",
     &(const EnsConvParams) {.sliding = KERNEL (1, 1, 0), .group = 1}},
    {"ConvTranspose", "2x5x4x6 =6x3x3x4 =4",
     &(const EnsConvTransposeParams) {.sliding = KERNEL (3, 2, 1), .group = 1}},
    {"DepthToSpace", "1x3x4x12", &(const EnsBlockParams) {.block_size = 2}},
    BINARY ("Div"),
    UNARY ("Elu", 1.2f, 0),
    LOGIC ("Equal"),
    NONE ("Erf"),
    NONE ("Exp"),
    {"Expand", "1x4x1 =[2,4,3]", NULL},
    NONE ("Floor"),
    {"Gather", "5x4x3 =[2,0,4]", AXIS (0)},
    {"Gemm", "5x12 =9x12 =9", &(const EnsGemmParams) {.trans_b = TRUE, .alpha = 1, .beta = 1}},
    NONE ("GlobalAveragePool"),
    NONE ("GlobalMaxPool"),
    COMPARE ("Greater"),
    COMPARE ("GreaterOrEqual"),
    UNARY ("HardSigmoid", 0.2f, 0.5f),
    NONE ("HardSwish"),
    {"InstanceNormalization", "2x5x4x7 =7 =7", &(const EnsNormalizationParams) {.epsilon = 1e-3f}},
    {"LRN", "2x5x4x7", &(const EnsLrnParams) {5, 1e-2f, 0.75f, 1}},
    {"LayerNormalization", "2x5x7 =7 =7", &(const EnsLayerNormalizationParams) {-1, 1e-3f}},
    UNARY ("LeakyRelu", 0.1f, 0),
    COMPARE ("Less"),
    COMPARE ("LessOrEqual"),
    POSITIVE ("Log"),
    {"LogSoftmax", "2x5x7", &(const EnsSoftmaxParams) {.axis = -1}},
    {"LpNormalization", "2x5x7", &(const EnsLpNormalizationParams) {-1, 2}},
    {"MatMul", "3x5x12 =12x9", NULL},
    BINARY ("Max"),
    POOL ("MaxPool"),
    BINARY ("Mean"),
    BINARY ("Min"),
    BINARY ("Mul"),
    NONE ("Neg"),
    {"Not", "?2x5x7", NULL},
    LOGIC ("Or"),
    {"PRelu", "2x5x4x7 =7", NULL},
    {"Pad", "2x5x4x7",
     &(const EnsPadParams) {
         .has_pads = TRUE, .rank = 4, .begin = {0, 1, 2, 0}, .end = {0, 1, 0, 1}}},
    BINARY ("Pow"),
    POSITIVE ("Reciprocal"),
    REDUCE ("ReduceL1"),
    REDUCE ("ReduceL2"),
    REDUCE ("ReduceLogSum"),
    REDUCE ("ReduceLogSumExp"),
    REDUCE ("ReduceMax"),
    REDUCE ("ReduceMean"),
    REDUCE ("ReduceMin"),
    REDUCE ("ReduceProd"),
    REDUCE ("ReduceSum"),
    REDUCE ("ReduceSumSquare"),
    NONE ("Relu"),
    {"Resize", "1x3x4x5",
     &(const EnsResizeParams) {.mode = ENS_RESIZE_LINEAR, .scales = {4, {1, 1, 2, 2}}}},
    NONE ("Round"),
    UNARY ("Selu", 1.67f, 1.05f),
    NONE ("Sigmoid"),
    NONE ("Sign"),
    {"Slice", "3x6x7",
     &(const EnsSliceParams) {LIST (2, 1, 5), LIST (2, 4, 0), LIST (2, 1, 2), LIST (2, 1, -2)}},
    {"Softmax", "2x5x7", &(const EnsSoftmaxParams) {.axis = -1}},
    NONE ("Softplus"),
    NONE ("Softsign"),
    {"SpaceToDepth", "1x4x6x3", &(const EnsBlockParams) {.block_size = 2}},
    {"Split", "2x5x7", &(const EnsSplitParams) {.axis = 1, .n_sizes = 2, .sizes = {2, 3}}},
    POSITIVE ("Sqrt"),
    BINARY ("Sub"),
    BINARY ("Sum"),
    NONE ("Tanh"),
    UNARY ("ThresholdedRelu", 0.5f, 0),
    {"Tile", "2x3x4 =[1,2,3]", NULL},
    {"Transpose", "2x5x4x7", &(const EnsTransposeParams) {LIST (4, 0, 3, 1, 2)}},
    {"Where", "?2x5x7 2x5x7 2x1x7", NULL},
    LOGIC ("Xor"),
    /* No operators: networks of all that stands above, for batches of pictures. */
    {"a whole network", "1x32x32x3"},
    {"… on a batch", "3x20x28x3"},
    {NULL},
};
