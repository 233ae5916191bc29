/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The derivatives themselves are checked by those of the functions (gradient.c). */
#include "harness.h"

#define FUNCTION(id) "function=\"" #id "\" alpha=0.75 beta=1.5"
#define ROW(id)                                            \
  {                                                        \
#id, FUNCTION(id), "2x3x5x37; 2x3x5x37 in -4..4", NULL \
  }
#define POSITIVE(id)                                        \
  {                                                         \
#id, FUNCTION(id), "2x3x5x37; 2x3x5x37 in 0.1..4", NULL \
  }

static const TestRow rows[] = {
    {"by-hand", "function=\"Relu\"", "5 = 1 -2 3 4 5; 5 = 0 0.5 2 -1 0", "5 = 0 -2 3 0 0"},
    {"by-hand-clip", "function=\"Clip\" alpha=0.0 beta=6.0", "5 = 1 2 3 4 5; 5 = 0 6 2 5 0.5",
     "5 = 0 0 3 4 5"},
    {"by-hand-sigmoid", "function=\"Sigmoid\"", "2 = 1 -2; 2 = 0.5 0.25", "2 = 0.25 -0.375"},
    {"nothing", NULL, "2x3; 2x3", "2x3"},
    {"scalar", "function=\"Tanh\"", "scalar; scalar", NULL},
    {"empty", "function=\"Relu\"", "0x3; 0x3", NULL},
    {"float64", "function=\"Relu\"", "float64 2x3; float64 2x3", "float64 2x3"},
    ROW (Relu),
    ROW (Clip),
    ROW (LeakyRelu),
    ROW (Sigmoid),
    ROW (HardSigmoid),
    ROW (HardSwish),
    ROW (Swish),
    ROW (Tanh),
    ROW (Erf),
    ROW (Gelu),
    ROW (GeluTanh),
    ROW (Mish),
    {"FakeQuantize", "function=\"FakeQuantize\" alpha=0.5 beta=-2.0",
     "5 = 1 2 3 4 5; 5 = -1 -0.5 0 126 126.5", "5 = 0 2 3 4 0"},
    ROW (elu),
    ROW (celu),
    ROW (selu),
    ROW (thresholded_relu),
    ROW (softplus),
    ROW (softsign),
    ROW (abs),
    ROW (neg),
    ROW (exp),
    POSITIVE (log),
    POSITIVE (sqrt),
    POSITIVE (reciprocal),
    ROW (sin),
    ROW (cos),
    ROW (tan),
    ROW (atan),
    ROW (sinh),
    ROW (cosh),
    ROW (asinh),
    {"large", "function=\"Relu\"", "1x7x11x64; 1x7x11x64", NULL,
     .benchmark = "32x56x56x64; 32x56x56x64"},
    {"other-shape", NULL, "2x3; 3", .error = "input 1 is 3, expected 2x3"},
    {"other-type", NULL, "2x3; float64 2x3", .error = "input 1 is float64, expected float32"},
    {0}};

const TestOperator test_activation_grad[] = {{"ActivationGrad", rows}, {0}};
