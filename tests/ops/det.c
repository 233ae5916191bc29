/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"by-hand", NULL, "2x2 = 1 2 3 4", "scalar = -2"},
    {"batch", NULL, "2x1x2x2 = 0 1 1 0 2 0 0 3", "2x1 = -1 6"},
    {"singular", NULL, "3x3 = 1 2 3 2 4 6 0 1 0", "scalar = 0"},
    {"many", NULL, "3x5x6x6", "3x5", .tolerance = 1e-5},
    {"empty", NULL, "2x0x0", "2 = 1 1"},
    {"not-square", NULL, "2x3", .error = "matrices are 2 × 3, expected square ones"},
    {0}};

const TestOperator test_det[] = {{"Det", rows}, {0}};
