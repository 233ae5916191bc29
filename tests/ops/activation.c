/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define X "7 = -3 -1 -0.5 0 0.5 1 3"
/* Dense, pitched and in place; tails of every vector length. */
#define SIZES                                                       \
  {"one", NULL, "scalar", NULL}, {"prime", NULL, "2x3x5x37", NULL}, \
      {"wide", NULL, "3x1031", NULL}, {"empty", NULL, "0x4", NULL}, \
  {                                                                 \
    "many", NULL, "1x7x11x64", NULL, .benchmark = "1x56x56x64"      \
  }

#define ROWS(id, ...) static const TestRow id##_rows[] = {__VA_ARGS__, SIZES, {0}}

ROWS (relu, {"by-hand", NULL, X, "7 = 0 0 0 0 0.5 1 3"},
      {"integers", NULL, "int64 3 = -2 0 5", "int64 3 = 0 0 5"});
ROWS (leaky_relu, {"by-hand", NULL, X, "7 = -0.03 -0.01 -0.005 0 0.5 1 3"},
      {"alpha", "alpha=0.5", X, "7 = -1.5 -0.5 -0.25 0 0.5 1 3"});
ROWS (sigmoid,
      {"by-hand", NULL, X,
       "7 = 0.04742587 0.26894142 0.37754067 0.5 0.62245933 0.73105858 0.95257413"},
      {"far", NULL, "4 = -200 -90 90 200", "4 = 0 0 1 1"});
ROWS (hard_sigmoid, {"by-hand", NULL, X, "7 = 0 0.3 0.4 0.5 0.6 0.7 1"},
      {"alpha-beta", "alpha=0.5 beta=0.6", X, "7 = 0 0.1 0.35 0.6 0.85 1 1"});
ROWS (hard_swish, {"by-hand", NULL, X, "7 = 0 -0.3333333 -0.2083333 0 0.2916667 0.6666667 3"});
ROWS (tanh,
      {"by-hand", NULL, X,
       "7 = -0.99505475 -0.76159416 -0.46211716 0 0.46211716 0.76159416 0.99505475"},
      {"far", NULL, "4 = -200 -20 20 200", "4 = -1 -1 1 1"});
ROWS (elu, {"by-hand", NULL, X, "7 = -0.95021293 -0.63212056 -0.39346934 0 0.5 1 3"},
      {"alpha", "alpha=2.0", X, "7 = -1.9004259 -1.2642411 -0.78693868 0 0.5 1 3"},
      {"far", NULL, "2 = -200 200", "2 = -1 200"});
ROWS (celu, {"by-hand", "alpha=2.0", X, "7 = -1.5537397 -0.78693868 -0.44239843 0 0.5 1 3"});
ROWS (selu,
      {"by-hand", NULL, X,
       "7 = -1.6705687 -1.1113307 -0.69175819 0 0.52535051 1.0507010 3.1521030"},
      {"alpha-gamma", "alpha=2.0 gamma=3.0", "2 = -1 1", "2 = -3.7927234 3"});
ROWS (thresholded_relu, {"by-hand", NULL, X, "7 = 0 0 0 0 0 0 3"},
      {"alpha", "alpha=-0.75", X, "7 = 0 0 -0.5 0 0.5 1 3"});
ROWS (softplus,
      {"by-hand", NULL, X,
       "7 = 0.04858735 0.31326169 0.47407698 0.69314718 0.97407698 1.3132617 3.0485874"},
      {"far", NULL, "2 = -200 200", "2 = 0 200"});
ROWS (softsign, {"by-hand", NULL, X, "7 = -0.75 -0.5 -0.3333333 0 0.3333333 0.5 0.75"});
ROWS (abs, {"by-hand", NULL, X, "7 = 3 1 0.5 0 0.5 1 3"},
      {"integers", NULL, "int32 3 = -2 0 5", "int32 3 = 2 0 5"});
ROWS (neg, {"by-hand", NULL, X, "7 = 3 1 0.5 0 -0.5 -1 -3"},
      {"integers", NULL, "int64 3 = -2 0 5", "int64 3 = 2 0 -5"});
ROWS (exp,
      {"by-hand", NULL, X, "7 = 0.04978707 0.36787944 0.60653066 1 1.6487213 2.7182818 20.085537"},
      {"far", NULL, "4 = -1000 -104 89 1000", "4 = 0 0 inf inf"},
      {"all-magnitudes", NULL, "9001 in -87..88", NULL, .tolerance = 2.5e-7, .each = TRUE});
ROWS (log, {"by-hand", NULL, "3 = 1 2.7182818 10", "3 = 0 1 2.3025851"},
      {"positive", NULL, "1000 in 0.001..100", NULL});
ROWS (sqrt, {"by-hand", NULL, "3 = 0 4 2", "3 = 0 2 1.4142136"});
ROWS (reciprocal, {"by-hand", NULL, "3 = 1 -4 0.5", "3 = 1 -0.25 2"});
ROWS (floor, {"by-hand", NULL, "5 = -1.5 -1 0.5 1 1.9", "5 = -2 -1 0 1 1"});
ROWS (ceil, {"by-hand", NULL, "5 = -1.5 -1 0.5 1 1.1", "5 = -1 -1 1 1 2"});
ROWS (round, {"by-hand", NULL, "7 = -1.5 -0.6 0.5 1.5 2.5 2.4 2.6", "7 = -2 -1 0 2 2 2 3"});
ROWS (sign, {"by-hand", NULL, X, "7 = -1 -1 -1 0 1 1 1"},
      {"integers", NULL, "int64 3 = -2 0 5", "int64 3 = -1 0 1"});
ROWS (erf, {"by-hand", NULL, X,
            "7 = -0.99997791 -0.84270079 -0.52049988 0 0.52049988 0.84270079 0.99997791"});

ROWS (gelu,
      {"by-hand", NULL, X,
       "7 = -0.00404969 -0.15865525 -0.15426877 0 0.34573123 0.84134475 2.9959503"},
      {"tanh", "approximate=\"tanh\"", X,
       "7 = -0.00363739 -0.15880801 -0.15428599 0 0.34571401 0.84119199 2.9963626"},
      {"tanh-sizes", "approximate=\"tanh\"", "2x3x5x37 in -9..9", NULL},
      {"far", NULL, "4 = -200 -20 20 200", "4 = 0 0 20 200"},
      {"tanh-far", "approximate=\"tanh\"", "4 = -200 -20 20 200", "4 = 0 0 20 200"},
      {"unknown", "approximate=\"sigmoid\"", X, .opset = 20,
       .error = "attribute “approximate” is “sigmoid”, expected none, tanh"});

ROWS (swish, {"by-hand", NULL, "3 = -1 0 1", "3 = -0.26894142 0 0.73105858"},
      {"quick-gelu", "alpha=1.702", "3 = -1 0 1", "3 = -0.15420423 0 0.84579577"},
      {"far", "alpha=2.0", "4 = -200 -50 50 200", "4 = 0 0 50 200"});
/* Scales are powers of two: references and kernels divide to the same numbers. Those of float16 are
 * others, of which some come a step apart. */
#define STEP 0.0079
static const TestRow fake_quantize_rows[] = {
    {"by-hand", "scale=0.5 low=-2.0", "7 = -3 -1 -0.25 0.25 0.75 1.2 300",
     "7 = -1 -1 0 0 1 1 126.5"},
    {"signed", "scale=0.0078125 low=-128.0", "2x3x5x37", NULL, .tolerance = STEP},
    {"unsigned", "scale=0.0078125", "3x1031", NULL, .tolerance = STEP},
    {"empty", NULL, "0x4", NULL},
    {"many", "scale=0.0078125 low=-100.0", "1x7x11x64", NULL, .tolerance = STEP,
     .benchmark = "1x56x56x64"},
    {"zero-scale", "scale=0.0", "4", NULL, "a scale of 0 from 0 on"},
    {0}};
ROWS (mish, {"by-hand", NULL, "3 = -1 0 1", "3 = -0.30340146 0 0.86509839"},
      {"far", NULL, "4 = -200 -30 30 200", "4 = 0 0 30 200"});
#define TRIGONOMETRY(id, first, second, third)                                         \
  ROWS (id, {"by-hand", NULL, "3 = -0.5 0.25 0.9", "3 = " first " " second " " third}, \
        {"steps", NULL, "1001 in -0.98..0.98", NULL})
TRIGONOMETRY (asin, "-0.52359878", "0.25268026", "1.1197695");
TRIGONOMETRY (acos, "2.0943951", "1.3181161", "0.45102681");
TRIGONOMETRY (sinh, "-0.52109531", "0.25261232", "1.0265167");
TRIGONOMETRY (cosh, "1.1276260", "1.0314131", "1.4330864");
TRIGONOMETRY (tan, "-0.54630249", "0.25534192", "1.2601582");
ROWS (atanh, {"by-hand", NULL, "3 = -0.5 0.25 0.9", "3 = -0.54930614 0.25541281 1.4722195"},
      {"steps", NULL, "1001 in -0.98..0.98", NULL},
      {"near", NULL, "5 = -1e-4 1e-4 0.01 1e-30 0",
       "5 = -9.99999978e-05 9.99999978e-05 0.0100003331 1e-30 0", .tolerance = 1e-6, .each = TRUE},
      {"infinite", NULL, "3 = -1 1 2", "3 = -inf inf nan"});
ROWS (asinh,
      {"near", NULL, "5 = -1e-4 1e-4 0.01 1e-30 0",
       "5 = -9.99999973e-05 9.99999973e-05 0.00999983312 1e-30 0", .tolerance = 1e-6, .each = TRUE},
      {"beyond", NULL, "3 = -1e20 1e20 1e38", "3 = -46.7448491 46.7448491 88.1913807"},
      {"infinite", NULL, "2 = -inf inf", "2 = -inf inf"},
      {"by-hand", NULL, "3 = -0.5 0.25 2", "3 = -0.48121183 0.24746646 1.4436355"},
      {"far", NULL, "1001 in -1000..1000", NULL});
ROWS (acosh,
      {"near", NULL, "4 = 1 1.0001 1.01 1.1", "4 = 0 0.0141431911 0.141303702 0.443568306",
       .tolerance = 1e-6, .each = TRUE},
      {"beyond", NULL, "2 = 1e20 1e38", "2 = 46.7448491 88.1913807"},
      {"infinite", NULL, "2 = 0.5 inf", "2 = nan inf"},
      {"by-hand", NULL, "3 = 1 1.5 3", "3 = 0 0.96242365 1.7627472"},
      {"far", NULL, "1001 in 1.1..1000", NULL});
ROWS (atan, {"by-hand", NULL, "3 = -0.5 1 inf", "3 = -0.46364761 0.78539816 1.5707963"},
      {"far", NULL, "1001 in -100..100", NULL});
ROWS (sin, {"by-hand", NULL, "3 = -1 0 2", "3 = -0.84147098 0 0.90929743"},
      {"far", NULL, "1001 in -1000..1000", NULL});
ROWS (cos, {"by-hand", NULL, "3 = -1 0 2", "3 = 0.54030231 1 -0.41614684"},
      {"far", NULL, "1001 in -1000..1000", NULL});

ROWS (clip, {"nothing", NULL, X, "7 = -3 -1 -0.5 0 0.5 1 3"},
      {"attributes", "min=-1.0 max=0.75", X, "7 = -1 -1 -0.5 0 0.5 0.75 0.75"},
      {"minimum", "min=0.0", X, "7 = 0 0 0 0 0.5 1 3"},
      {"inputs", NULL, X "; const scalar = -1; scalar = 0.75", "7 = -1 -1 -0.5 0 0.5 0.75 0.75"},
      {"maximum-input", NULL, X "; -; const 1 = 0.25", "7 = -3 -1 -0.5 0 0.25 0.25 0.25"},
      {"integers", NULL, "int8 4 = -7 -1 3 9; const int8 scalar = -2; const int8 scalar = 4",
       "int8 4 = -2 -1 3 4"},
      {"relu6", "min=0.0 max=6.0", "2x5x3x37 in -8..8", NULL},
      {"bound-not-scalar", NULL, X "; const 2", .error = "input 1 is not a scalar"},
      {"bound-of-other-type", NULL, X "; const int64 scalar",
       .error = "expected float32 as input 0"});

const TestOperator test_activation[] = {{"Relu", relu_rows},
                                        {"LeakyRelu", leaky_relu_rows},
                                        {"Sigmoid", sigmoid_rows},
                                        {"HardSigmoid", hard_sigmoid_rows},
                                        {"HardSwish", hard_swish_rows},
                                        {"Tanh", tanh_rows},
                                        {"Elu", elu_rows},
                                        {"Celu", celu_rows},
                                        {"Selu", selu_rows},
                                        {"ThresholdedRelu", thresholded_relu_rows},
                                        {"Softplus", softplus_rows},
                                        {"Softsign", softsign_rows},
                                        {"Abs", abs_rows},
                                        {"Neg", neg_rows},
                                        {"Exp", exp_rows},
                                        {"Log", log_rows},
                                        {"Sqrt", sqrt_rows},
                                        {"Reciprocal", reciprocal_rows},
                                        {"Floor", floor_rows},
                                        {"Ceil", ceil_rows},
                                        {"Round", round_rows},
                                        {"Sign", sign_rows},
                                        {"Erf", erf_rows},
                                        {"Gelu", gelu_rows},
                                        {"Swish", swish_rows},
                                        {"Mish", mish_rows},
                                        {"FakeQuantize", fake_quantize_rows},
                                        {"Sin", sin_rows},
                                        {"Cos", cos_rows},
                                        {"Tan", tan_rows},
                                        {"Asin", asin_rows},
                                        {"Acos", acos_rows},
                                        {"Atan", atan_rows},
                                        {"Sinh", sinh_rows},
                                        {"Cosh", cosh_rows},
                                        {"Asinh", asinh_rows},
                                        {"Acosh", acosh_rows},
                                        {"Atanh", atanh_rows},
                                        {"Clip", clip_rows},
                                        {0}};
