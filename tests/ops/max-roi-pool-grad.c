/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define MAP "1x2x3x1 = 1 2 3 4 5 6"

static const TestRow rows[] = {
    {"by-hand", "pooled_shape=[1, 3]", MAP "; 1x5 = 0 0 0 2 1; 1x1x3x1 = 7 8 9",
     "1x2x3x1 = 0 0 0 7 8 9"},
    {"first-of-equal", "pooled_shape=[1, 1]", "1x2x2x1 = 7 7 7 7; 1x5 = 0 0 0 1 1; 1x1x1x1 = 3",
     "1x2x2x1 = 3 0 0 0"},
    {"overlapping", "pooled_shape=[1, 2]", "1x1x3x1 = 1 9 2; 1x5 = 0 0 0 2 0; 1x1x2x1 = 5 7",
     "1x1x3x1 = 0 12 0"},
    {"two-regions", "pooled_shape=[1, 1]",
     MAP "; 3x5 = 0 0 0 2 1 0 1 0 9 9 1 0 0 2 1; 3x1x1x1 = 1 2 4", "1x2x3x1 = 0 0 0 0 0 3"},
    {"beyond", "pooled_shape=[1, 1]", MAP "; 1x5 = 0 5 5 9 9; 1x1x1x1 = 3",
     "1x2x3x1 = 0 0 0 0 0 0"},
    {"many", "pooled_shape=[3, 2] spatial_scale=4.0", "2x7x5x3; 9x5 in 0..1.9; 9x3x2x3", "2x7x5x3",
     .benchmark = "1x50x50x256; const 64x5 in 0..12; 64x3x2x256"},
    {"no-regions", "pooled_shape=[2, 2]", "1x2x2x1; 0x5; 0x2x2x1", "1x2x2x1 = 0 0 0 0"},
    {"gradient-differs", "pooled_shape=[1, 1]", "1x2x2x1; 1x5; 1x1x2x1",
     .error = "input 2 is 1x1x2x1, expected 1x1x1x1"},
    {0}};

const TestOperator test_max_roi_pool_grad[] = {{"MaxRoiPoolGrad", rows}, {0}};
