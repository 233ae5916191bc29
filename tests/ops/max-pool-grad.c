/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"by-hand", "kernel_shape=[2, 2] strides=[2, 2]",
     "1x2x4x1 = 1 2 5 4 3 0 6 5; 1x1x2x1 = 3 6; 1x1x2x1 = 10 20", "1x2x4x1 = 0 0 0 0 10 0 20 0"},
    {"first-of-equal", "kernel_shape=[2, 2]", "1x2x2x1 = 7 7 7 7; 1x1x1x1 = 7; 1x1x1x1 = 3",
     "1x2x2x1 = 3 0 0 0"},
    {"overlapping", "kernel_shape=[1, 3]", "1x1x4x1 = 1 9 2 3; 1x1x2x1 = 9 9; 1x1x2x1 = 5 7",
     "1x1x4x1 = 0 12 0 0"},
    {"padded", "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1]",
     "1x2x2x1 = -1 -2 -3 -4; 1x1x1x1 = -1; 1x1x1x1 = 8", "1x2x2x1 = 8 0 0 0"},
    {"ceil", "kernel_shape=[1, 2] strides=[1, 2] ceil_mode=1",
     "1x1x3x2 = 1 2 3 4 5 6; 1x1x2x2 = 3 4 5 6; 1x1x2x2 = 1 2 3 4", "1x1x3x2 = 0 0 1 2 3 4"},
    {"3x3", "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1]",
     "2x5x4x70 in 2..2; 2x3x2x70 in 2..2; 2x3x2x70", "2x5x4x70",
     .benchmark = "32x64x64x64; 32x32x32x64; 32x32x32x64"},
    {"dilated", "kernel_shape=[2, 3] dilations=[2, 1]",
     "1x5x6x33 in 2..2; 1x3x4x33 in 2..2; 1x3x4x33", NULL},
    {"no-maximum", "kernel_shape=[2, 2]", "1x3x3x5; 1x2x2x5 in 2..3; 1x2x2x5", NULL},
    {"one-dimension", "kernel_shape=[3]", "2x9x5 in 1..1; 2x7x5 in 1..1; 2x7x5", "2x9x5"},
    {"three-dimensions", "kernel_shape=[2, 2, 2] strides=[2, 2, 2]",
     "1x4x4x4x3 in 1..1; 1x2x2x2x3 in 1..1; 1x2x2x2x3", "1x4x4x4x3"},
    {"float64", "kernel_shape=[2, 2]",
     "float64 1x2x2x1 = 1 2 3 4; float64 1x1x1x1 = 4; float64 1x1x1x1 = 5",
     "float64 1x2x2x1 = 0 0 0 5"},
    {"empty-batch", "kernel_shape=[2, 2]", "0x5x5x2; 0x4x4x2; 0x4x4x2", "0x5x5x2"},
    {"output-differs", "kernel_shape=[3, 3]", "1x5x5x2; 1x4x4x2; 1x3x3x2",
     .error = "input 1 is 1x4x4x2, expected 1x3x3x2"},
    {"gradient-differs", "kernel_shape=[3, 3]", "1x5x5x2; 1x3x3x2; 1x3x3x3",
     .error = "input 2 is 1x3x3x3, expected 1x3x3x2"},
    {"no-kernel", NULL, "1x4x4x1; 1x4x4x1; 1x4x4x1", .error = "“kernel_shape” is missing"},
    {0}};

const TestOperator test_max_pool_grad[] = {{"MaxPoolGrad", rows}, {0}};
