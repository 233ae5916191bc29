/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow shape_rows[] = {{"all", NULL, "2x3x4", "int64 3 = 2 3 4"},
                                     {"scalar", NULL, "scalar", "int64 0"},
                                     {"from", "start=1", "2x3x4", "int64 2 = 3 4"},
                                     {"between", "start=-2 end=-1", "2x3x4", "int64 1 = 3"},
                                     {"beyond", "start=-9 end=9", "2x3x4", "int64 3 = 2 3 4"},
                                     {"none", "start=2 end=1", "2x3x4", "int64 0"},
                                     {0}};

static const TestRow size_rows[] = {{"by-hand", NULL, "2x3x4", "int64 scalar = 24"},
                                    {"one", NULL, "scalar", "int64 scalar = 1"},
                                    {0}};

#define I64 "const int64 scalar"

static const TestRow range_rows[] = {
    {"integers", NULL, I64 " = 3; " I64 " = 9; " I64 " = 3", "int64 2 = 3 6"},
    {"down", NULL, I64 " = 10; " I64 " = 4; " I64 " = -2", "int64 3 = 10 8 6"},
    {"none", NULL, I64 " = 3; " I64 " = 3; " I64 " = 1", "int64 0"},
    {"floats", NULL, "const scalar = 1; const scalar = 2; const scalar = 0.4", "3 = 1 1.4 1.8"},
    {"no-step", NULL, I64 " = 3; " I64 " = 9; " I64 " = 0",
     .error = "not a finite number of steps"},
    {"not-a-number", NULL, "const scalar = nan; const scalar; const scalar = 1",
     .error = "not a finite number of steps"},
    {"endless", NULL, I64 " = 0; " I64 " = 9223372036854775807; " I64 " = 1",
     .error = "not a finite number of steps"},
    {"unknown", NULL, I64 " = 3; int64 scalar; " I64 " = 0", .error = "known before running"},
    {0}};

static const TestRow fill_rows[] = {
    {"zeroes", NULL, "const int64 2 = 2 3", "2x3 = 0 0 0 0 0 0"},
    {"floats", "value=<float32 1 = 2.5>", "const int64 1 = 3", "3 = 2.5 2.5 2.5"},
    {"integers", "value=<int64 1 = 9007199254740993>", "const int64 1 = 2",
     "int64 2 = 9007199254740993 9007199254740993"},
    {"booleans", "value=<bool 1 = 1>", "const int64 1 = 2", "bool 2 = 1 1"},
    {"scalar", "value=<int32 scalar = 4>", "const int64 0", "int32 scalar = 4"},
    {"empty", NULL, "const int64 2 = 0 4", "0x4"},
    {"two-values", "value=<int32 2 = 4 5>", "const int64 1 = 2",
     .error = "attribute “value” is 2, expected a single element"},
    {"negative", NULL, "const int64 1 = -1", .error = "too large"},
    {"huge", NULL, "const int64 2 = 4294967296 4294967296", .error = "too large"},
    {"unknown", NULL, "int64 2", .error = "the values of input 0"},
    {0}};

const TestOperator test_shape[] = {{"Shape", shape_rows},
                                   {"Size", size_rows},
                                   {"Range", range_rows},
                                   {"ConstantOfShape", fill_rows},
                                   {0}};
