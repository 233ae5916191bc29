/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define MAP "1x2x2x1 = 1 2 3 4"

static const TestRow rows[] = {
    {"middle", NULL, MAP "; 1x4 = 0 0 2 2; const int64 1 = 0", "1x1x1x1 = 2.5", .opset = 16},
    {"corner", "sampling_ratio=1 output_height=2 output_width=2",
     MAP "; 1x4 = 0 0 2 2; const int64 1 = 0", "1x2x2x1 = 1 2 3 4", .opset = 16},
    /* Without the half pixel the first of two samples is at 0.5. */
    {"old", "sampling_ratio=1", MAP "; 1x4 = 0 0 1 1; const int64 1 = 0", "1x1x1x1 = 2.5",
     .opset = 10},
    {"small-region", "coordinate_transformation_mode=\"output_half_pixel\"",
     MAP "; 1x4 = 0.5 0.5 0.5 0.5; const int64 1 = 0", "1x1x1x1 = 4"},
    {"maximum", "mode=\"max\" sampling_ratio=1", MAP "; 1x4 = 0 0 2 2; const int64 1 = 0",
     "1x1x1x1 = 1", .opset = 16},
    {"beyond", "sampling_ratio=2", MAP "; 2x4 = 90 90 99 99 -9 -9 -5 -5; const int64 2 = 0 0",
     "2x1x1x1 = 0 0"},
    {"all-samples", "sampling_ratio=1024 output_height=2 output_width=3",
     "1x2x2x1; 2x4 in 0..2; const int64 2 = 0 0", "2x2x3x1", .tolerance = 1e-5},
    {"too-many-samples", "sampling_ratio=1025", MAP "; 1x4; const int64 1 = 0",
     .error = "“sampling_ratio” is 1025"},
    {"no-image", NULL, MAP "; 2x4 = 0 0 2 2 0 0 2 2; const int64 2 = 1 -1", "2x1x1x1 = 0 0"},
    {"many", "output_height=3 output_width=2 spatial_scale=4.0", "2x7x5x3; 6x4; int64 6 in 0..1",
     "6x3x2x3", .tolerance = 1e-5},
    /* Images that are known before running. */
    {"many-known", "output_height=3 output_width=2 spatial_scale=4.0",
     "2x7x5x3; const 6x4; const int64 6 = 0 1 1 0 1 0", "6x3x2x3", .tolerance = 1e-5,
     .benchmark = "1x50x50x256; 64x4 in 0..12; const int64 64 in 0..0"},
    {"maxima-known",
     "mode=\"max\" output_height=3 output_width=2 spatial_scale=4.0 sampling_ratio=2",
     "2x7x5x3; const 6x4; const int64 6 = 0 1 -1 2 1 0", "6x3x2x3", .tolerance = 1e-5},
    {"old-known",
     "output_height=3 output_width=2 spatial_scale=4.0 sampling_ratio=3 "
     "coordinate_transformation_mode=\"output_half_pixel\"",
     "2x7x5x3; const 6x4; const int64 6 = 0 1 1 0 1 0", "6x3x2x3", .tolerance = 1e-5},
    {"many-maxima", "mode=\"max\" output_height=3 output_width=2 spatial_scale=4.0",
     "2x7x5x3; 6x4; int64 6 in 0..1", "6x3x2x3", .tolerance = 1e-5},
    {"no-number", NULL, "1x2x2x1; 1x4 = 0 0 1e30 nan; const int64 1 = 0", "1x1x1x1"},
    /* Which take a second, not hours. */
    {"far", "output_height=7 output_width=7",
     "1x2x2x64; 3x4 = 0 0 1e30 1e30 -1e30 -1e30 1e30 1e30 0 0 inf inf; const int64 3 = 0 0 0",
     "3x7x7x64"},
    {"far-maxima", "mode=\"max\"", MAP "; 2x4 = 0 0 9000 9000 0 0 inf inf; const int64 2 = 0 0",
     "2x1x1x1 = 3.9 0", .tolerance = 0.1},
    {"no-regions", NULL, "1x2x2x1; 0x4; int64 0", "0x1x1x1"},
    {"five-numbers", NULL, "1x2x2x1; 1x5; int64 1", .error = "regions have 5 coordinates"},
    {0}};

const TestOperator test_roi_align[] = {{"RoiAlign", rows}, {0}};
