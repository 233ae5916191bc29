/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define PADDED "pads=[1, 1, 1, 1]"

static const TestRow rows[] = {
    {"by-hand", NULL, "1x2x2x1 = 1 2 3 4; const 1x1x1x1 = 2; 1x2x2x2 = 0 0 0 0.5 0.5 0 9 9",
     "1x2x2x1 = 2 2 3 0"},
    {"half-outside", NULL, "1x1x1x1 = 4; const 1x1x1x1 = 1; 1x1x1x2 = -0.5 0.25", "1x1x1x1 = 1.5"},
    {"mask", NULL,
     "1x2x2x1 = 1 2 3 4; const 1x1x1x1 = 2; 1x2x2x2 = 0 0 0 0 0 0 0 0; const 1 = 1; "
     "1x2x2x1 = 1 0.5 0 2",
     "1x2x2x1 = 3 3 1 17"},
    {"many", PADDED, "2x6x5x4; const 3x3x3x4; 2x6x5x18 in -2..2; const 3", "2x6x5x3",
     .tolerance = 1e-5, .benchmark = "1x28x28x64; const 64x3x3x64; 1x28x28x18 in -2..2; const 64"},
    {"groups", PADDED " group=2 offset_group=4",
     "2x6x5x8; const 6x3x3x4; 2x6x5x72 in -2..2; -; 2x6x5x36", "2x6x5x6", .tolerance = 1e-5},
    {"strides", "strides=[2, 1] dilations=[2, 2] pads=[2, 0, 0, 1]",
     "1x8x9x2; const 2x3x2x2; 1x3x8x12; const 2", "1x3x8x2", .tolerance = 1e-5},
    {"empty", NULL, "0x2x2x1; const 1x1x1x1; 0x2x2x2", "0x2x2x1"},
    {"wrong-offsets", NULL, "1x2x2x1; const 1x1x1x1; 1x2x2x4",
     .error = "input 2 is 1x2x2x4, expected 1x2x2x2"},
    {"wrong-mask", NULL, "1x2x2x1; const 1x1x1x1; 1x2x2x2; -; 1x2x2x2",
     .error = "input 4 is 1x2x2x2, expected 1x2x2x1"},
    {"wrong-groups", "group=2", "1x2x2x3; const 2x1x1x1; 1x2x2x2", .error = "don't match 2 groups"},
    {0}};

const TestOperator test_deform_conv[] = {{"DeformConv", rows}, {0}};
