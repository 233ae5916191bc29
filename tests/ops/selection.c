/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow top_rows[] = {
    {"by-hand", NULL, "2x4 = 1 4 2 3 8 5 6 7; const int64 1 = 3",
     "2x3 = 4 3 2 8 7 6; int64 2x3 = 1 3 2 0 3 2", .outputs = 2},
    {"least", "largest=0", "2x4 = 1 4 2 3 8 5 6 7; const int64 1 = 2",
     "2x2 = 1 2 5 6; int64 2x2 = 0 2 1 2", .outputs = 2},
    {"axis", "axis=0", "2x2 = 1 5 3 4; const int64 1 = 1", "1x2 = 3 5; int64 1x2 = 1 0",
     .outputs = 2},
    {"equal", NULL, "4 = 1 2 2 1; const int64 1 = 3", "3 = 2 2 1; int64 3 = 1 2 0", .outputs = 2},
    {"attribute", "k=1", "3 = 1 3 2", "1 = 3; int64 1 = 1", .outputs = 2, .opset = 9},
    {"integers", NULL, "int64 3 = 1 3 2; const int64 1 = 1", "int64 1 = 3; int64 1 = 1",
     .outputs = 2},
    {"large-integers", NULL,
     "int64 4 = 9007199254740992 9007199254740993 -9007199254740993 -9007199254740992; "
     "const int64 1 = 4",
     "int64 4 = 9007199254740993 9007199254740992 -9007199254740992 -9007199254740993; "
     "int64 4 = 1 0 3 2",
     .outputs = 2},
    {"large-integers-least", "largest=0",
     "int64 3 = 9007199254740993 9007199254740992 -9223372036854775808; const int64 1 = 3",
     "int64 3 = -9223372036854775808 9007199254740992 9007199254740993; int64 3 = 2 1 0",
     .outputs = 2},
    {"nan", NULL, "6 = 1 nan 3 inf nan 2; const int64 1 = 5",
     "5 = nan nan inf 3 2; int64 5 = 1 4 3 2 5", .outputs = 2},
    {"nan-least", "largest=0", "6 = 1 nan 3 inf nan 2; const int64 1 = 6",
     "6 = 1 2 3 inf nan nan; int64 6 = 0 5 2 3 1 4", .outputs = 2},
    {"many", "axis=1", "3x17x5; const int64 1 = 4", "3x4x5; int64 3x4x5", .outputs = 2},
    {"none", NULL, "3; const int64 1 = 0", "0; int64 0", .outputs = 2},
    {"too-many", NULL, "3; const int64 1 = 4", .outputs = 2, .error = "k is 4, expected 0 to 3"},
    {"unknown", NULL, "3; int64 1", .outputs = 2, .error = "not known before running"},
    {0}};

static const TestRow hot_rows[] = {
    {"by-hand", NULL, "int64 3 = 0 2 -1; const int64 scalar = 3; 2 = 0 5",
     "3x3 = 5 0 0 0 0 5 0 0 5"},
    {"first-axis", "axis=0", "int32 2 = 1 9; const 1 = 2; int64 2 = 7 8", "int64 2x2 = 7 7 8 7"},
    {"middle", "axis=1", "int64 2x3 in 0..4; const int64 scalar = 5; 2", "2x5x3"},
    {"reals", NULL, "2 = 1 0; const int64 scalar = 2; 2 = 0 1", "2x2 = 0 1 1 0"},
    {"no-depth", NULL, "int64 2; int64 scalar; 2", .error = "the depth, is not one number known"},
    {"empty-depth", NULL, "int64 2; const int64 scalar = 0; 2", .error = "the depth is 0"},
    {"three-values", NULL, "int64 2; const int64 scalar = 2; 3",
     .error = "input 2 is 3, expected a vector of 2"},
    {0}};

static const TestRow non_zero_rows[] = {
    {"by-hand", NULL, "const 2x2 = 1 0 1 1", "int64 2x3 = 0 1 1 0 0 1"},
    {"truth", NULL, "const bool 3 = 1 0 1", "int64 1x2 = 0 2"},
    {"none", NULL, "const 2x2 = 0 0 0 0", "int64 2x0"},
    {"unknown", NULL, "2x2", .error = "depends on the contents of input 0"},
    {0}};

static const TestRow compress_rows[] = {
    {"rows", "axis=0", "3x2 = 1 2 3 4 5 6; const bool 3 = 0 1 1", "2x2 = 3 4 5 6"},
    {"columns", "axis=-1", "3x2 = 1 2 3 4 5 6; const bool 2 = 0 1", "3x1 = 2 4 6"},
    {"elements", NULL, "3x2 = 1 2 3 4 5 6; const bool 5 = 0 1 0 0 1", "2 = 2 5"},
    {"fewer", "axis=0", "3x2 = 1 2 3 4 5 6; const bool 2 = 0 1", "1x2 = 3 4"},
    {"more", "axis=0", "3x2; const bool 4", .error = "4 truth values for 3 elements"},
    {"unknown", "axis=0", "3x2; bool 3", .error = "depends on the contents of input 1"},
    {0}};

const TestOperator test_selection[] = {{"TopK", top_rows},
                                       {"OneHot", hot_rows},
                                       {"NonZero", non_zero_rows},
                                       {"Compress", compress_rows},
                                       {0}};
