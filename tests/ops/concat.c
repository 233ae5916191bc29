/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow concat_rows[] = {
    {"by-hand", "axis=1", "2x1 = 1 2; 2x2 = 3 4 5 6", "2x3 = 1 3 4 2 5 6"},
    {"by-hand-0", "axis=0", "1x2 = 1 2; 2x2 = 3 4 5 6", "3x2 = 1 2 3 4 5 6"},
    {"channels", "axis=-1", "2x3x5x7; 2x3x5x1; 2x3x5x16", "2x3x5x24",
     .benchmark = "1x56x56x64; 1x56x56x64"},
    {"rows", "axis=1", "2x3x5x7; 2x1x5x7", "2x4x5x7"},
    {"columns", "axis=2", "2x3x5x7; 2x3x4x7", "2x3x9x7"},
    {"alone", "axis=0", "3x4", "3x4"},
    {"empty-part", "axis=1", "2x0; 2x3 = 1 2 3 4 5 6", "2x3 = 1 2 3 4 5 6"},
    {"integers", "axis=0", "int64 1 = 9007199254740993; int64 2 = 4 5",
     "int64 3 = 9007199254740993 4 5"},
    {"bytes", "axis=-1", "uint8 2x3; uint8 2x2", "uint8 2x5"},
    {"booleans", "axis=0", "bool 3x2; bool 1x2", "bool 4x2"},
    {"doubles", "axis=1", "float64 3x2; float64 3x3", "float64 3x5"},
    {"halves", "axis=1", "float16 3x2; float16 3x3", "float16 3x5"},
    {"no-axis", NULL, "2x3; 2x3", .error = "“axis” is missing"},
    {"axis-too-large", "axis=2", "2x3; 2x3",
     .error = "axis 2 does not exist in a tensor of rank 2"},
    {"misfit", "axis=0", "2x3; 2x4", .error = "input 1 is 2x4, expected 2x3 but for axis 0"},
    {"ranks-differ", "axis=0", "2x3; 3", .error = "input 1 is 3, expected 2x3"},
    {"types-differ", "axis=0", "2x3; int64 2x3", .error = "input 1 is int64"},
    {"absent", "axis=0", "2x3; -; 2x3", .error = "input 1 is missing"},
    {0}};

static const TestRow split_rows[] = {
    {"equal", "axis=1", "2x4 = 1 2 3 4 5 6 7 8", "2x2 = 1 2 5 6; 2x2 = 3 4 7 8", .outputs = 2},
    {"attribute", "axis=-1 split=[1, 3]", "2x4 = 1 2 3 4 5 6 7 8", "2x1 = 1 5; 2x3 = 2 3 4 6 7 8",
     .outputs = 2},
    {"input", "axis=0", "4 = 1 2 3 4; const int64 3 = 2 0 2", "2 = 1 2; 0; 2 = 3 4", .outputs = 3},
    {"channels", "axis=3 split=[5, 1, 31]", "2x3x5x37", "2x3x5x5; 2x3x5x1; 2x3x5x31", .outputs = 3},
    {"default-axis", NULL, "6x2", "3x2; 3x2", .outputs = 2},
    {"rows", "axis=1 split=[2, 3]", "2x5x3x4", "2x2x3x4; 2x3x3x4", .outputs = 2},
    {"last-smaller", "axis=1 num_outputs=3", "2x5", "2x2; 2x2; 2x1", .outputs = 3, .opset = 18},
    {"other-number", "axis=1 num_outputs=3", "2x5", .outputs = 2, .opset = 18,
     .error = "attribute “num_outputs” is 3, expected 2"},
    {"uneven", "axis=1", "2x5", .error = "5 can't be split into 2 equal parts", .outputs = 2},
    {"too-few", "axis=1 split=[2, 2]", "2x5", .error = "don't add up to 5", .outputs = 2},
    {"too-many", "axis=1 split=[2, 4]", "2x5", .error = "don't add up to 5", .outputs = 2},
    {"negative", "axis=1 split=[-1, 6]", "2x5", .error = "don't add up to 5", .outputs = 2},
    {"numbers-differ", "axis=1 split=[5]", "2x5", .error = "1 sizes for 2 outputs", .outputs = 2},
    {"unknown-sizes", "axis=0", "4; int64 2", .error = "not known before running", .outputs = 2},
    {0}};

const TestOperator test_concat[] = {{"Concat", concat_rows}, {"Split", split_rows}, {0}};
