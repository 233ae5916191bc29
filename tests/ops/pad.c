/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"constant", "pads=[1, 0, 0, 2] value=9.0", "1x2 = 1 2", "2x4 = 9 9 9 9 1 2 9 9"},
    {"inputs", NULL, "1x2 = 1 2; const int64 4 = 1 0 0 2; const scalar = 9",
     "2x4 = 9 9 9 9 1 2 9 9"},
    {"crop", "pads=[0, -1, 1, 0]", "2x3 = 1 2 3 4 5 6", "3x2 = 2 3 5 6 0 0"},
    {"crop-all", "pads=[-1, 0, -1, 1]", "2x3", "0x4"},
    {"beyond", "pads=[-2, 1]", "2 = 1 2", "1 = 0"},
    {"reflect", "mode=\"reflect\" pads=[2, 2]", "3 = 1 2 3", "7 = 3 2 1 2 3 2 1"},
    {"edge", "mode=\"edge\" pads=[2, 1]", "3 = 1 2 3", "6 = 1 1 1 2 3 3"},
    {"wrap", "mode=\"wrap\" pads=[2, 4]", "3 = 1 2 3", "9 = 2 3 1 2 3 1 2 3 1", .opset = 19},
    {"wrap-2d", "mode=\"wrap\" pads=[0, 1, 2, 0, 0, 3, 1, 0]", "2x5x3x7", "2x9x6x7", .opset = 19},
    {"wrap-nothing", "mode=\"wrap\" pads=[1, 0]", "0", .opset = 19,
     .error = "don't fit an axis of 0"},
    {"edge-2d", "mode=\"edge\" pads=[1, 0, 0, 1]", "2x2 = 1 2 3 4", "3x3 = 1 2 2 1 2 2 3 4 4"},
    {"space", "pads=[0, 1, 2, 0, 0, 3, 1, 0]", "2x5x3x7", "2x9x6x7", .benchmark = "1x112x112x64"},
    {"channels-first", "pads=[0, 0, 1, 2, 0, 1, 3, 0]", "2x3x4x5", "2x4x8x7"},
    {"integers", NULL, "int64 1 = 7; const int64 2 = 1 1; const int64 scalar = 5",
     "int64 3 = 5 7 5"},
    {"nothing", "pads=[0, 0]", "3 = 1 2 3", "3 = 1 2 3"},
    {"reflect-too-far", "mode=\"reflect\" pads=[3, 0]", "3", .error = "don't fit an axis of 3"},
    {"crop-too-much", "pads=[-2, -2]", "3", .error = "pads of -2 and -2 don't fit"},
    {"overflow", "pads=[9223372036854775807, 1]", "3", .error = "don't fit"},
    {"too-large", "pads=[0, 9223372036854775800]", "3", .error = "too large"},
    {"odd", "pads=[0, 1, 2]", "3", .error = "“pads” has 3 values"},
    {"wrong-rank", "pads=[0, 1]", "3x3", .error = "pads for 1 axes, expected 2"},
    {"unknown-pads", NULL, "3; int64 2", .error = "not known before running"},
    {"no-pads", NULL, "3", .error = "pads for 0 axes, expected 1"},
    {"unknown-mode", "mode=\"mirror\" pads=[0, 1]", "3",
     .error = "attribute “mode” is “mirror”, expected constant, reflect, edge, wrap"},
    {0}};

const TestOperator test_pad[] = {{"Pad", rows}, {0}};
