/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define SQUARE "3x3 = 1 2 3 4 5 6 7 8 9"

static const TestRow trilu_rows[] = {
    {"upper", NULL, SQUARE, "3x3 = 1 2 3 0 5 6 0 0 9"},
    {"lower", "upper=0", SQUARE, "3x3 = 1 0 0 4 5 0 7 8 9"},
    {"above", NULL, SQUARE "; const int64 scalar = 1", "3x3 = 0 2 3 0 0 6 0 0 0"},
    {"below", "upper=0", SQUARE "; const int64 1 = -1", "3x3 = 0 0 0 4 0 0 7 8 0"},
    {"infinite", NULL, "2x2 = 1 -inf -inf -inf", "2x2 = 1 -inf 0 -inf"},
    {"many", NULL, "2x3x5x7; const int64 scalar = -2", "2x3x5x7"},
    {"truth", "upper=0", "bool 2x2 = 1 1 1 1", "bool 2x2 = 1 0 1 1"},
    {"far", NULL, SQUARE "; const int64 scalar = 99", "3x3 = 0 0 0 0 0 0 0 0 0"},
    {"beyond-32-bits", NULL, SQUARE "; const int64 scalar = 9999999999", "3x3 = 0 0 0 0 0 0 0 0 0"},
    {"below-32-bits", NULL, SQUARE "; const int64 scalar = -9999999999", SQUARE},
    {"lower-beyond-32-bits", "upper=0", SQUARE "; const int64 scalar = 9999999999", SQUARE},
    {"lower-below-32-bits", "upper=0", SQUARE "; const int64 scalar = -9999999999",
     "3x3 = 0 0 0 0 0 0 0 0 0"},
    {"empty", NULL, "0x3", "0x3"},
    {"vector", NULL, "3", .error = "expected rank 2 to 8"},
    {"unknown", NULL, "3x3; int64 scalar", .error = "not known before running"},
    {0}};

static const TestRow eye_rows[] = {{"square", NULL, "2x2", "2x2 = 1 0 0 1"},
                                   {"wide", "k=1", "int32 2x3", "int32 2x3 = 0 1 0 0 0 1"},
                                   {"below", "k=-1", "3x2", "3x2 = 0 0 1 0 0 1"},
                                   {"type", "dtype=7", "2x2", "int64 2x2 = 1 0 0 1"},
                                   {"vector", NULL, "3", .error = "expected rank 2"},
                                   {0}};

const TestOperator test_trilu[] = {{"Trilu", trilu_rows}, {"EyeLike", eye_rows}, {0}};
