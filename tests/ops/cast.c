/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"float-to-int64", "to=7", "5 = -1.9 -0.5 0.5 1.9 3", "int64 5 = -1 0 0 1 3"},
    {"float-to-bool", "to=9", "3 = 0 0.5 -1", "bool 3 = 0 1 1"},
    {"bool-to-float", "to=1", "bool 5 = 0 1 1 0 1", "5 = 0 1 1 0 1"},
    {"float-to-half-and-back", "to=10",
     "9 = 0 1 -2.5 65504 65519 65520 0.00006103515625 0.000000059604645 0.1",
     "float16 9 = 0 1 -2.5 65504 65504 inf 0.00006103515625 0.000000059604645 0.1"},
    {"half-to-float", "to=1", "float16 3 = 1 0.5 -65504", "3 = 1 0.5 -65504"},
    {"int64-exact", "to=7", "int64 1 = 9007199254740993", "int64 1 = 9007199254740993"},
    {"int64-to-int32", "to=6", "int64 2 = -5 7", "int32 2 = -5 7"},
    {"float-to-double", "to=11", "3 = -5 0.5 7", "float64 3 = -5 0.5 7"},
    {"int64-to-double", "to=11", "int64 2 = -5 7", "float64 2 = -5 7"},
    {"uint8-to-float", "to=1", "uint8 2 = 200 7", "2 = 200 7"},
    {"to-uint8", "to=2", "int64 2 = 200 7", "uint8 2 = 200 7"},
    {"to-int8", "to=3", "2 = -128 127", "int8 2 = -128 127"},
    {"not-a-number", "to=7", "3 = nan inf -inf",
     "int64 3 = 0 9223372036854775807 -9223372036854775808"},
    {"layout", "to=6", "2x3x4x5", "int32 2x3x4x5"},
    {"unknown-type", "to=8", "3", .error = "attribute “to” is ONNX's type 8, expected"},
    {"no-type", NULL, "3", .error = "attribute “to” is missing"},
    {0}};

const TestOperator test_cast[] = {{"Cast", rows}, {0}};
