/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define X "2x4 = 1 2 3 4 5 6 7 8"

static const TestRow slice_rows[] = {
    {"attributes", "starts=[0, 1] ends=[1, 3]", X, "1x2 = 2 3"},
    {"axes", "starts=[1] ends=[3] axes=[-1]", X, "2x2 = 2 3 6 7"},
    {"inputs", NULL, X "; const int64 1 = 1; const int64 1 = 3; const int64 1 = 1",
     "2x2 = 2 3 6 7"},
    {"int32", NULL, X "; const int32 1 = 1; const int32 1 = 3; const int32 1 = 1", "2x2 = 2 3 6 7"},
    {"steps", NULL,
     X "; const int64 2 = 0 0; const int64 2 = 2 4; const int64 2 = 0 1; const int64 2 = 1 2",
     "2x2 = 1 3 5 7"},
    {"backwards", "starts=[-1] ends=[-9223372036854775808] axes=[1] steps=[-1]", X,
     "2x4 = 4 3 2 1 8 7 6 5"},
    {"backwards-2", "starts=[3] ends=[0] axes=[1] steps=[-2]", X, "2x2 = 4 2 8 6"},
    {"huge-step", "starts=[0] ends=[9] axes=[1] steps=[9223372036854775807]", X, "2x1 = 1 5"},
    {"huge-negative-step", "starts=[9] ends=[-9] axes=[1] steps=[-9223372036854775808]", X,
     "2x1 = 4 8"},
    {"beyond", "starts=[0] ends=[9223372036854775807] axes=[0]", X, "2x4 = 1 2 3 4 5 6 7 8"},
    {"nothing", "starts=[3] ends=[1] axes=[1]", X, "2x0"},
    {"of-nothing", "starts=[0] ends=[1] axes=[0] steps=[-1]", "0x3", "0x3"},
    {"channels", "starts=[3] ends=[20] axes=[3]", "2x3x5x37", "2x3x5x17"},
    {"space", "starts=[1, 0] ends=[3, 5] axes=[1, 2] steps=[1, 2]", "2x4x5x7", "2x2x3x7"},
    {"channels-first", "starts=[1, 0, 1] ends=[3, 3, 4] steps=[1, 2, 1] axes=[1, 2, 3]", "2x3x4x5",
     "2x2x2x3"},
    {"first-axes", "starts=[1, 1] ends=[2, 3]", "2x3x4x5", "1x2x4x5"},
    {"integers", "starts=[1] ends=[2]", "int64 3 = 5 9007199254740993 7",
     "int64 1 = 9007199254740993"},
    {"numbers-differ", "starts=[1] ends=[2, 3]", X, .error = "1 starts, 2 ends, 1 axes"},
    {"missing", "starts=[1]", X, .error = "starts or ends are missing"},
    {"step-0", "starts=[1] ends=[2] steps=[0]", X, .error = "a step is 0"},
    {"no-axis", "starts=[1] ends=[2] axes=[2]", X, .error = "axis 2 does not exist"},
    {"twice", "starts=[1, 1] ends=[2, 2] axes=[1, -1]", X, .error = "axis 1 is named twice"},
    {"unknown", NULL, X "; int64 1; const int64 1 = 3", .error = "the values of input 1"},
    {0}};

static const TestRow gather_rows[] = {
    {"rows", NULL, "3x2 = 1 2 3 4 5 6; int64 2 = 2 0", "2x2 = 5 6 1 2"},
    {"columns", "axis=1", "2x3 = 1 2 3 4 5 6; const int64 2 = -1 0", "2x2 = 3 1 6 4"},
    {"scalar", NULL, "int64 3 = 7 8 9; const int64 scalar = 1", "int64 scalar = 8"},
    {"one-of-them", "axis=1", "2x3x4; const int64 1 = -2", "2x1x4"},
    {"first", "axis=-2", "2x3x4; const int64 scalar = 0", "2x4"},
    {"matrix", "axis=1", "2x3x4; const int32 2x2 = 0 1 2 0", "2x2x2x4"},
    {"bytes", NULL, "uint8 3 = 1 2 3; const int64 2 = 1 1", "uint8 2 = 2 2"},
    {"clamped", NULL, "3 = 1 2 3; int64 4 = 5 -7 -1 2", "4 = 3 1 3 3"},
    {"none", NULL, "3x2; const int64 0", "0x2"},
    {"outside", NULL, "3x2; const int64 1 = 3", .error = "index 3 is outside an axis of 3"},
    {"outside-negative", NULL, "3x2; const int64 1 = -4", .error = "index -4 is outside"},
    {"of-nothing", NULL, "0x2; int64 1", .error = "nothing to gather from"},
    {"no-axis", "axis=2", "3x2; const int64 1 = 0", .error = "axis 2 does not exist"},
    {"float-indices", NULL, "3x2; 1", .error = "input 1 is float32, expected int64 or int32"},
    {"rank-9", NULL, "1x1x1x1x1x1x1x1; const int64 1x1 = 0", .error = "the output has rank 9"},
    {0}};

const TestOperator test_slice[] = {{"Slice", slice_rows}, {"Gather", gather_rows}, {0}};
