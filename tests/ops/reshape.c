/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow reshape_rows[] = {
    {"plain", NULL, "2x3x4; const int64 2 = 6 4", "6x4"},
    {"open", NULL, "2x3x4; const int64 2 = 2 -1", "2x12"},
    {"copied", NULL, "2x3x4; const int64 3 = 0 4 0", .error = "2x3x4 can't be reshaped to 0x4x0"},
    {"copied-fits", NULL, "2x3x4; const int64 3 = 0 -1 0", "2x3x4"},
    {"zero", "allowzero=1", "0x3; const int64 2 = 3 0", "3x0"},
    {"to-scalar", NULL, "1x1; const int64 0", "scalar"},
    {"from-scalar", NULL, "scalar; const int64 1 = -1", "1"},
    {"integers", NULL, "int64 2x3; const int64 1 = 6", "int64 6"},
    {"empty-open", NULL, "0x3; const int64 2 = -1 3", "0x3"},
    {"misfit", NULL, "2x3x4; const int64 2 = 5 -1", .error = "can't be reshaped to 5x?"},
    {"two-open", NULL, "2x3; const int64 2 = -1 -1", .error = "can't be reshaped"},
    {"negative", NULL, "2x3; const int64 2 = -2 -3", .error = "can't be reshaped"},
    {"overflow", NULL, "2x3; const int64 3 = 4294967296 4294967296 6",
     .error = "can't be reshaped"},
    {"copied-beyond", NULL, "6; const int64 2 = 6 0", .error = "can't be reshaped"},
    {"open-of-nothing", "allowzero=1", "0x3; const int64 2 = -1 0", .error = "can't be reshaped"},
    {"unknown", NULL, "2x3; int64 2", .error = "the values of input 1"},
    {"too-long", NULL, "1; const int64 9 = 1 1 1 1 1 1 1 1 1", .error = "at most 8 values"},
    {0}};

static const TestRow flatten_rows[] = {
    {"default", NULL, "2x3x4x5", "2x60"},
    {"all", "axis=0", "2x3x4", "1x24"},
    {"none", "axis=3", "2x3x4", "24x1"},
    {"negative", "axis=-1", "2x3x4", "6x4"},
    {"scalar", "axis=0", "scalar", "1x1"},
    {"beyond", "axis=4", "2x3x4", .error = "axis 4 does not exist in a tensor of rank 3"},
    {0}};

static const TestRow squeeze_rows[] = {
    {"all", NULL, "1x2x1x3", "2x3"},
    {"attribute", "axes=[0]", "1x2x1x3", "2x1x3"},
    {"input", NULL, "1x2x1x3; const int64 2 = -2 0", "2x3"},
    {"to-scalar", NULL, "1x1", "scalar"},
    {"not-one", "axes=[1]", "1x2", .error = "axis 1 has length 2, expected 1"},
    {"no-axis", "axes=[2]", "1x2", .error = "axis 2 does not exist"},
    {0}};

static const TestRow unsqueeze_rows[] = {
    {"attribute", "axes=[0, 3]", "2x3", "1x2x3x1"},
    {"input", NULL, "2x3; const int64 1 = -1", "2x3x1"},
    {"scalar", "axes=[0]", "scalar", "1"},
    {"twice", "axes=[1, -3]", "2x3", .error = "axis 1 is named twice"},
    {"same", "axes=[0, 0]", "2x3", .error = "axis 0 is named twice"},
    {"missing", NULL, "2x3", .error = "axes are missing"},
    {"rank-9", "axes=[0]", "1x1x1x1x1x1x1x1", .error = "the output has rank 9"},
    {0}};

static const TestRow identity_rows[] = {
    {"plain", NULL, "2x3x4x5", "2x3x4x5"}, {"integers", NULL, "int64 2", "int64 2"}, {0}};

static const TestRow dropout_rows[] = {
    {"plain", "ratio=0.5", "2x3x4x5", "2x3x4x5", .opset = 7},
    {"mask", NULL, "2x2; const scalar = 0.5; const bool scalar = 0", "2x2; bool 2x2 = 1 1 1 1",
     .outputs = 2},
    {"seed", "seed=5", "2x2", "2x2"},
    {"training", NULL, "2x2; const scalar = 0.5; const bool scalar = 1",
     .error = "training_mode is set"},
    {"maybe-training", NULL, "2x2; const scalar; bool scalar", .error = "training_mode is set"},
    {0}};

static const TestRow expand_rows[] = {
    {"by-hand", NULL, "2x1 = 1 2; const int64 2 = 1 3", "2x3 = 1 1 1 2 2 2"},
    {"longer", NULL, "3; const int64 3 = 2 1 1", "2x1x3"},
    {"shorter", NULL, "2x3; const int64 1 = 1", "2x3"},
    {"wide", NULL, "2x1x5x37; const int64 4 = 1 4 1 1", "2x4x5x37"},
    {"scalar", NULL, "scalar; const int64 2 = 3 5", "3x5"},
    {"bytes", NULL, "uint8 2x1; const int64 2 = 1 3", "uint8 2x3"},
    {"misfit", NULL, "2x3; const int64 1 = 2", .error = "2x3 can't be broadcast with 2"},
    {"negative", NULL, "2x3; const int64 1 = -1", .error = "can't be broadcast with ?"},
    {"too-large", NULL, "1; const int64 2 = 4294967296 1073741824", .error = "too large"},
    {0}};

static const TestRow tile_rows[] = {
    {"by-hand", NULL, "1x2 = 1 2; const int64 2 = 2 2", "2x4 = 1 2 1 2 1 2 1 2"},
    {"many", NULL, "2x3x5; const int64 3 = 3 1 4", "6x3x20"},
    {"none", NULL, "2x3; const int64 2 = 0 1", "0x3"},
    {"rank-8", NULL, "1x2x1x2x1x2x1x3; const int64 8 = 2 1 2 1 1 1 1 2", "2x2x2x2x1x2x1x6"},
    {"wrong-number", NULL, "2x3; const int64 1 = 2",
     .error = "1 repetitions for a tensor of rank 2"},
    {"negative", NULL, "2; const int64 1 = -1", .error = "-1 repetitions along axis 0"},
    {"overflow", NULL, "2; const int64 1 = 4611686018427387904", .error = "along axis 0"},
    {"too-large", NULL, "2; const int64 1 = 4611686018427387", .error = "too large"},
    {0}};

const TestOperator test_reshape[] = {
    {"Reshape", reshape_rows},     {"Flatten", flatten_rows},   {"Squeeze", squeeze_rows},
    {"Unsqueeze", unsqueeze_rows}, {"Identity", identity_rows}, {"Dropout", dropout_rows},
    {"Expand", expand_rows},       {"Tile", tile_rows},         {0}};
