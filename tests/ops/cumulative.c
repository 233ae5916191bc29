/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow sum_rows[] = {
    {"by-hand", NULL, "4 = 1 2 3 4; const int64 scalar = 0", "4 = 1 3 6 10"},
    {"exclusive", "exclusive=1", "4 = 1 2 3 4; const int64 1 = 0", "4 = 0 1 3 6"},
    {"reverse", "reverse=1", "4 = 1 2 3 4; const int32 scalar = 0", "4 = 10 9 7 4"},
    {"both", "exclusive=1 reverse=1", "4 = 1 2 3 4; const int64 scalar = -1", "4 = 9 7 4 0"},
    {"columns", NULL, "2x2 = 1 2 3 4; const int64 scalar = 0", "2x2 = 1 2 4 6"},
    {"integers", NULL, "int32 2x2 = 1 2 3 4; const int64 scalar = 1", "int32 2x2 = 1 3 3 7"},
    {"many", NULL, "3x5x7; const int64 scalar = 1", NULL},
    {"long", NULL, "1x70000x2; const int64 scalar = 1", NULL, .tolerance = 1e-5},
    {"empty", NULL, "0x3; const int64 scalar = 1", "0x3"},
    {"no-axis", NULL, "3x5; const int64 scalar = 2", .error = "axis 2 does not exist"},
    {"unknown", NULL, "3x5; int64 scalar", .error = "not known before running"},
    {0}};

static const TestRow prod_rows[] = {
    {"by-hand", NULL, "4 = 1 2 3 4; const int64 scalar = 0", "4 = 1 2 6 24"},
    {"both", "exclusive=1 reverse=1", "4 = 1 2 3 4; const int64 scalar = 0", "4 = 24 12 4 1"},
    {"zeroes", NULL, "4 in 0..0; const int64 scalar = 0", "4 = 0 0 0 0"},
    {"exclusive", "exclusive=1", "2x5x3; const int64 scalar = 1", NULL},
    {"reverse", "reverse=1", "2x5x3; const int64 scalar = 1", NULL},
    {"many", NULL, "3x5x7 in 0.5..2; const int64 scalar = -2", NULL},
    {0}};

const TestOperator test_cumulative[] = {{"CumSum", sum_rows}, {"CumProd", prod_rows}, {0}};
