/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define MAP "1x3x4x1 = 1 2 3 4 5 6 7 8 9 10 11 12"

static const TestRow rows[] = {
    {"whole", "pooled_shape=[1, 1]", MAP "; 1x5 = 0 0 0 3 2", "1x1x1x1 = 12"},
    {"parts", "pooled_shape=[3, 2]", MAP "; 1x5 = 0 0 0 3 2", "1x3x2x1 = 2 4 6 8 10 12"},
    /* Corners belong to the region, and parts overlap where they share a position. */
    {"overlapping", "pooled_shape=[2, 2]", MAP "; 1x5 = 0 0 0 2 2", "1x2x2x1 = 6 7 10 11"},
    {"smaller-than-parts", "pooled_shape=[2, 3]", MAP "; 1x5 = 0 1 1 1 1", "1x2x3x1 = 6 6 6 6 6 6"},
    {"turned", "pooled_shape=[1, 1]", MAP "; 1x5 = 0 2 1 0 0", "1x1x1x1 = 7"},
    {"scaled", "pooled_shape=[1, 1] spatial_scale=0.25", MAP "; 1x5 = 0 0 0 5.9 6", "1x1x1x1 = 10"},
    {"beyond", "pooled_shape=[1, 2]", MAP "; 2x5 = 0 2 1 5 2 0 9 9 12 12", "2x1x2x1 = 12 0 0 0"},
    {"negative", "pooled_shape=[1, 1]", "1x2x2x1 = -4 -3 -2 -1; 1x5 = 0 -5 -5 0 0", "1x1x1x1 = -4"},
    {"no-image", "pooled_shape=[1, 1]", MAP "; 3x5 = 1 0 0 3 2 -1 0 0 3 2 nan 0 0 3 2",
     "3x1x1x1 = 0 0 0"},
    {"far", "pooled_shape=[1, 1]", MAP "; 3x5 = 0 -1e30 -inf 1e30 inf 0 1 nan 1 1 0 1e30 0 1e30 0",
     "3x1x1x1 = 12 6 0"},
    {"many", "pooled_shape=[3, 2] spatial_scale=4.0", "2x7x5x3; 9x5 in 0..1.9", "9x3x2x3",
     .benchmark = "1x50x50x256; const 64x5 in 0..12"},
    {"float64", "pooled_shape=[1, 1]", "float64 1x1x2x1 = 3 4; float64 1x5 = 0 0 0 1 0",
     "float64 1x1x1x1 = 4"},
    {"no-regions", "pooled_shape=[2, 2]", "1x2x2x1; 0x5", "0x2x2x1"},
    {"empty-map", "pooled_shape=[1, 1]", "1x0x2x1; 1x5 = 0 0 0 1 1", "1x1x1x1 = 0"},
    {"four-numbers", "pooled_shape=[1, 1]", "1x2x2x1; 1x4", .error = "regions have 4 numbers"},
    {"one-number", "pooled_shape=[1]", "1x2x2x1; 1x5", .error = "“pooled_shape” has 1 number"},
    {"large-map", "pooled_shape=[1, 1]", "1x1x2000000x1; 1x5", .error = "at most 1048576"},
    {"no-shape", NULL, "1x2x2x1; 1x5", .error = "“pooled_shape” is missing"},
    {0}};

const TestOperator test_max_roi_pool[] = {{"MaxRoiPool", rows}, {0}};
