/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define MAP "1x2x2x1 = 1 2 3 4"

static const TestRow rows[] = {
    {"middle", NULL, MAP "; 1x4 = 0 0 2 2; const int64 1 = 0; 1x1x1x1 = 8", "1x2x2x1 = 2 2 2 2",
     .opset = 16},
    {"maximum", "mode=\"max\" sampling_ratio=1",
     MAP "; 1x4 = 0 0 2 2; const int64 1 = 0; 1x1x1x1 = 8", "1x2x2x1 = 0 0 0 2", .opset = 16},
    {"beyond", "sampling_ratio=2", MAP "; 1x4 = 90 90 99 99; const int64 1 = 0; 1x1x1x1",
     "1x2x2x1 = 0 0 0 0"},
    {"no-image", NULL, MAP "; 1x4 = 0 0 2 2; const int64 1 = 1; 1x1x1x1", "1x2x2x1 = 0 0 0 0"},
    {"many", "output_height=3 output_width=2 spatial_scale=4.0",
     "2x7x5x3; 6x4; int64 6 in 0..1; 6x3x2x3", "2x7x5x3", .tolerance = 1e-5},
    {"no-regions", NULL, "1x2x2x1; 0x4; int64 0; 0x1x1x1", "1x2x2x1 = 0 0 0 0"},
    {"gradient-differs", NULL, "1x2x2x1; 1x4; int64 1; 1x1x2x1",
     .error = "input 3 is 1x1x2x1, expected 1x1x1x1"},
    {0}};

const TestOperator test_roi_align_grad[] = {{"RoiAlignGrad", rows}, {0}};
