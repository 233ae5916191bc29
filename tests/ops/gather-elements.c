/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow elements_rows[] = {
    {"by-hand", "axis=1", "2x2 = 1 2 3 4; const int64 2x2 = 0 0 1 0", "2x2 = 1 1 4 3"},
    {"first-axis", NULL, "3x3 = 1 2 3 4 5 6 7 8 9; const int64 2x3 = 1 2 0 2 0 0",
     "2x3 = 4 8 3 7 2 3"},
    {"negative", NULL, "3x3 = 1 2 3 4 5 6 7 8 9; const int32 2x3 = -1 -2 0 -2 0 0",
     "2x3 = 7 5 3 4 2 3"},
    {"fewer", "axis=-1", "3x5x7; const int64 2x3x11 in -7..6", "2x3x11"},
    {"computed", "axis=1", "2x2 = 1 2 3 4; int64 2x2 = 0 0 1 0", "2x2 = 1 1 4 3"},
    {"integers", NULL, "int32 3 = 5 6 7; const int64 2 = 2 0", "int32 2 = 7 5"},
    {"empty", NULL, "3x4; const int64 0x4", "0x4"},
    {"outside", NULL, "3; const int64 1 = 3", .error = "index 3 is outside an axis of 3"},
    {"other-rank", NULL, "3x3; const int64 1 = 1", .error = "indices are 1, expected at most 3x3"},
    {"more", NULL, "3x3; const int64 1x4", .error = "indices are 1x4, expected at most 3x3"},
    {0}};

static const TestRow nd_rows[] = {
    {"elements", NULL, "2x2 = 0 1 2 3; const int64 2x2 = 0 0 1 1", "2 = 0 3"},
    {"rows", NULL, "2x2 = 0 1 2 3; const int64 2x1 = 1 0", "2x2 = 2 3 0 1"},
    {"planes", NULL, "2x2x2 = 0 1 2 3 4 5 6 7; const int64 2x1x2 = 0 1 -1 0", "2x1x2 = 2 3 4 5"},
    {"batch", "batch_dims=1", "2x2x2 = 0 1 2 3 4 5 6 7; const int64 2x1 = 1 0", "2x2 = 2 3 4 5"},
    {"many", NULL, "5x4x7x3; const int64 11x3x2 in 0..3", "11x3x7x3"},
    {"batches", "batch_dims=2", "2x3x5x7; const int64 2x3x4x1 in -5..4", "2x3x4x7"},
    {"batches-of-tuples", "batch_dims=1", "2x3x5x2; const int64 2x2 = 1 -1 0 2", "2x2"},
    {"computed", NULL, "2x2 = 0 1 2 3; int64 2x2 = 0 0 1 1", "2 = 0 3"},
    {"outside", NULL, "2x2; const int64 1x1 = 2", .error = "index 2 is outside an axis of 2"},
    {"too-deep", NULL, "2x2; const int64 1x3", .error = "indices are 1x3, which tell no places"},
    {"other-batch", "batch_dims=1", "2x2; const int64 3x1", .error = "indices are 3x1"},
    {0}};

const TestOperator test_gather_elements[] = {
    {"GatherElements", elements_rows}, {"GatherND", nd_rows}, {0}};
