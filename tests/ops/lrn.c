/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"by-hand", "size=3 alpha=3.0 beta=1.0 bias=1.0", "1x1x1x4 = 1 2 3 4",
     "1x1x1x4 = 0.1666667 0.1333333 0.1 0.1538462"},
    {"even-size", "size=2 alpha=2.0 beta=1.0 bias=1.0", "1x3 = 1 2 3",
     "1x3 = 0.1666667 0.1428571 0.3"},
    {"three-quarters", "size=5", "2x3x5x37 in -9..9", NULL, .benchmark = "1x55x55x96"},
    {"half", "size=5 beta=0.5 alpha=0.5 bias=2.0", "2x3x5x37", NULL},
    {"long", "size=3 alpha=0.5", "1x2x2x300", NULL},
    {"wider-than-channels", "size=99 alpha=1.0", "1x2x2x5", NULL},
    {"huge-size", "size=9223372036854775807 alpha=1.0", "1x2x2x5", NULL},
    {"no-size", NULL, "1x2x2x5", .error = "attribute “size” is missing"},
    {0}};

const TestOperator test_lrn[] = {{"LRN", rows}, {0}};
