/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define TWICE "5 = 1 2 3 4 5; const int64 3 = 1 1 4; 3 = 10 -20 0.5"

static const TestRow elements_rows[] = {
    {"by-hand", "axis=1", "1x5 = 1 2 3 4 5; const int64 1x2 = 1 3; 1x2 = 1.1 2.1",
     "1x5 = 1 1.1 3 2.1 5"},
    {"first-axis", NULL,
     "3x3 = 0 0 0 0 0 0 0 0 0; const int64 2x3 = 1 0 2 0 2 1; 2x3 = 1 1.1 1.2 2 2.1 2.2",
     "3x3 = 2 1.1 0 1 0 2.2 0 2.1 1.2"},
    {"negative", NULL, "3 = 0 0 0; const int32 1 = -1; 1 = 5", "3 = 0 0 5"},
    {"add", "reduction=\"add\"", TWICE, "5 = 1 -8 3 4 5.5", .opset = 16},
    {"mul", "reduction=\"mul\"", TWICE, "5 = 1 -400 3 4 2.5", .opset = 16},
    {"max", "reduction=\"max\"", TWICE, "5 = 1 10 3 4 5", .opset = 18},
    {"min", "reduction=\"min\"", TWICE, "5 = 1 -20 3 4 0.5", .opset = 18},
    {"mul-zeroes", "axis=1 reduction=\"mul\"", "1x5 in 0..0; const int64 1x3 = 0 1 2; 1x3 = 3 4 7",
     "1x5 = 0 0 0 0 0", .opset = 16},
    {"many-max", "reduction=\"max\"", "5x4; const int64 7x3 in 0..4; 7x3", NULL, .opset = 18},
    {"integers", "reduction=\"add\"", "int64 2 = 1 2; const int64 2 = 0 0; int64 2 = 5 6",
     "int64 2 = 12 2", .opset = 16},
    {"many", "axis=1 reduction=\"add\"", "3x11x7; const int64 3x19x5 in -11..10; 3x19x5", NULL,
     .opset = 16},
    {"computed", NULL, "3 = 0 0 0; int64 1 = 1; 1 = 5", "3 = 0 5 0"},
    {"nothing", NULL, "3 = 1 2 3; const int64 0; 0", "3 = 1 2 3"},
    {"outside", NULL, "3; const int64 1 = 3; 1", .error = "index 3 is outside an axis of 3"},
    {"other-updates", NULL, "3; const int64 1 = 2; 2", .error = "updates are 2, expected 1"},
    {"other-type", NULL, "3; const int64 1 = 2; int64 1",
     .error = "input 2 is int64, expected float32"},
    {0}};

static const TestRow nd_rows[] = {
    {"elements", NULL, "4 = 1 2 3 4; const int64 2x1 = 3 0; 2 = 9 8", "4 = 8 2 3 9"},
    {"rows", NULL, "2x2 = 1 2 3 4; const int64 1x1 = 1; 1x2 = 9 8", "2x2 = 1 2 9 8"},
    {"add", "reduction=\"add\"", "4 = 1 2 3 4; const int64 2x1 = 3 3; 2 = 9 8", "4 = 1 2 3 21",
     .opset = 16},
    {"min", "reduction=\"min\"", "4 = 1 2 3 4; const int64 2x1 = 3 0; 2 = -9 8", "4 = 1 2 3 -9",
     .opset = 18},
    {"many", "reduction=\"mul\"", "5x4x7; const int64 3x2x2 in -4..3; 3x2x7", NULL, .opset = 16},
    {"computed", NULL, "2x2 = 1 2 3 4; int64 1x1 = 1; 1x2 = 9 8", "2x2 = 1 2 9 8"},
    {"outside", NULL, "2x2; const int64 1x1 = 2; 1x2", .error = "index 2 is outside"},
    {"other-updates", NULL, "2x2; const int64 1x1 = 1; 2x2",
     .error = "updates are 2x2, expected 1x2"},
    {0}};

const TestOperator test_scatter[] = {
    {"ScatterElements", elements_rows}, {"ScatterND", nd_rows}, {0}};
