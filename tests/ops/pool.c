/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define COUNTING "1x4x4x1 = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"

static const TestRow max_rows[] = {
    {"by-hand", "kernel_shape=[2, 2] strides=[2, 2]", COUNTING, "1x2x2x1 = 6 8 14 16"},
    {"by-hand-negative", "kernel_shape=[2, 2] pads=[1, 1, 0, 0] strides=[2, 2]",
     "1x2x2x1 = -1 -2 -3 -4", "1x1x1x1 = -1"},
    {"ceil", "kernel_shape=[3, 3] strides=[2, 2] ceil_mode=1", COUNTING, "1x2x2x1 = 11 12 15 16"},
    {"ceil-longer", "kernel_shape=[7, 9] strides=[7, 9] ceil_mode=1", COUNTING, "1x1x1x1 = 16"},
    {"ceil-longer-dilated", "kernel_shape=[3, 3] dilations=[2, 2] strides=[5, 5] ceil_mode=1",
     COUNTING, "1x1x1x1 = 11"},
    {"ceil-not-behind", "kernel_shape=[1, 1] strides=[3, 3] ceil_mode=1", "1x5x3x2", "1x2x1x2"},
    {"same", "kernel_shape=[3, 3] strides=[2, 2] auto_pad=\"SAME_UPPER\"", COUNTING,
     "1x2x2x1 = 11 12 15 16"},
    {"dilated", "kernel_shape=[2, 2] dilations=[2, 2]", COUNTING, "1x2x2x1 = 11 12 15 16"},
    {"3x3", "kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1]", "2x13x11x19", NULL,
     .benchmark = "1x112x112x64"},
    {"odd", "kernel_shape=[5, 2] strides=[1, 3] pads=[2, 0, 1, 1]", "1x7x8x33", NULL},
    {"one-pixel", "kernel_shape=[1, 1]", "1x1x1x1", NULL},
    {"storage-order", "kernel_shape=[2, 2] storage_order=0", "1x3x3x4", "1x2x2x4"},
    {"one-dimension", "kernel_shape=[3]", "2x9x5", "2x7x5"},
    {"three-dimensions", "kernel_shape=[2, 2, 2] strides=[2, 2, 2]", "1x4x4x4x3", "1x2x2x2x3"},
    {"int8", "kernel_shape=[2, 2]", "int8 1x3x3x2", "int8 1x2x2x2"},
    {"no-kernel", "strides=[2, 2]", "1x4x4x1", .error = "“kernel_shape” is missing"},
    {"only-padding", "kernel_shape=[2, 2] pads=[2, 0, 0, 0]", "1x4x4x1",
     .error = "window 0 along spatial axis 0 lies in the padding"},
    {"over-a-pixel", "kernel_shape=[2, 2] dilations=[3, 1] pads=[2, 0, 2, 0]", "1x1x4x1",
     .error = "lies in the padding"},
    {"too-large", "kernel_shape=[5, 5]", "1x4x4x1", .error = "does not fit"},
    {"ceil-too-large", "kernel_shape=[6, 6] strides=[2, 2] ceil_mode=1", "1x4x4x1",
     .error = "does not fit"},
    {"bad-auto-pad", "kernel_shape=[2, 2] auto_pad=\"SAME\"", "1x4x4x1", .error = "auto_pad"},
    {"rank-2", "kernel_shape=[2]", "4x4", .error = "expected rank 3 to 5"},
    {"long-window", "kernel_shape=[70000]", "1x70003x2", "1x4x2"},
    {0}};

static const TestRow average_rows[] = {
    {"by-hand", "kernel_shape=[2, 2] strides=[2, 2]", COUNTING, "1x2x2x1 = 3.5 5.5 11.5 13.5"},
    {"pads-not-counted", "kernel_shape=[2, 2] pads=[1, 1, 0, 0] strides=[2, 2]", COUNTING,
     "1x2x2x1 = 1 2.5 7 8.5"},
    {"pads-counted", "kernel_shape=[2, 2] pads=[1, 1, 0, 0] strides=[2, 2] count_include_pad=1",
     COUNTING, "1x2x2x1 = 0.25 1.25 3.5 8.5"},
    {"ceil", "kernel_shape=[3, 3] strides=[2, 2] ceil_mode=1", COUNTING, "1x2x2x1 = 6 7.5 12 13.5"},
    {"ceil-longer", "kernel_shape=[1280, 1280] strides=[1280, 1280] ceil_mode=1", COUNTING,
     "1x1x1x1 = 8.5"},
    {"ceil-longer-pads-counted",
     "kernel_shape=[9, 9] strides=[9, 9] ceil_mode=1 pads=[1, 1, 1, 1] count_include_pad=1",
     "1x4x4x1 = 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "1x1x1x1 = 0.4444444"},
    {"ceil-pads-counted",
     "kernel_shape=[3, 3] strides=[2, 2] ceil_mode=1 pads=[1, 1, 1, 1] count_include_pad=1",
     "1x4x4x1 = 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
     "1x3x3x1 = 0.4444444 0.6666667 0.3333333 0.6666667 1 0.5 0.3333333 0.5 0.25"},
    {"3x3", "kernel_shape=[3, 3] pads=[1, 1, 1, 1]", "2x9x7x19", NULL, .benchmark = "1x28x28x192"},
    {"same-lower", "kernel_shape=[3, 2] strides=[2, 2] auto_pad=\"SAME_LOWER\"", "1x6x5x3",
     "1x3x3x3"},
    {"one-dimension", "kernel_shape=[4] strides=[2]", "1x10x7", "1x4x7"},
    {"three-dimensions", "kernel_shape=[2, 2, 2]", "1x3x3x3x2", "1x2x2x2x2"},
    {"long-window", "kernel_shape=[70000]", "1x70003x2", "1x4x2", .tolerance = 1e-4},
    {0}};

static const TestRow global_average_rows[] = {
    {"long", NULL, "1x300000x2", "1x1x2", .tolerance = 1e-4},
    {"by-hand", NULL, "1x2x2x2 = 1 10 2 20 3 30 4 40", "1x1x1x2 = 2.5 25"},
    {"many", NULL, "3x7x5x37", "3x1x1x37", .benchmark = "1x14x14x1000"},
    {"one-pixel", NULL, "2x1x1x3", "2x1x1x3"},
    {"one-dimension", NULL, "2x6x3", "2x1x3"},
    {"three-dimensions", NULL, "1x3x2x2x3", "1x1x1x1x3"},
    {"rank-2", NULL, "2x3", .error = "expected rank 3 to 5"},
    {0}};

static const TestRow global_max_rows[] = {
    {"by-hand", NULL, "1x2x2x2 = 1 -10 2 -20 3 -30 4 -40", "1x1x1x2 = 4 -10"},
    {"many", NULL, "3x7x5x37", "3x1x1x37"},
    {"one-dimension", NULL, "2x6x3", "2x1x3"},
    {"three-dimensions", NULL, "1x3x2x2x3", "1x1x1x1x3"},
    {0}};

const TestOperator test_pool[] = {{"MaxPool", max_rows},
                                  {"AveragePool", average_rows},
                                  {"GlobalAveragePool", global_average_rows},
                                  {"GlobalMaxPool", global_max_rows},
                                  {0}};
