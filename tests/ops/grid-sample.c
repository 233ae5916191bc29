/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

/* The grid is columns × 2 × rows. */
#define MAP "1x2x2x1 = 1 2 3 4"

static const TestRow rows[] = {
    {"aligned", "align_corners=1", MAP "; 1x3x2x1 = -1 -1 0 0 1 1", "1x1x3x1 = 1 2.5 4",
     .opset = 20},
    {"edges", NULL, MAP "; 1x3x2x1 = -1 -1 0 0 1 1", "1x1x3x1 = 0.25 2.5 1", .opset = 20},
    {"nearest", "mode=\"nearest\"", MAP "; 1x2x2x1 = -0.4 -0.6 0.6 -0.1", "1x1x2x1 = 1 2",
     .opset = 20},
    {"old-name", "mode=\"bilinear\" align_corners=1", MAP "; 1x1x2x1 = 0 0", "1x1x1x1 = 2.5",
     .opset = 16},
    {"border", "padding_mode=\"border\"", MAP "; 1x2x2x1 = -3 -3 0 9", "1x1x2x1 = 1 3.5",
     .opset = 20},
    {"reflection", "padding_mode=\"reflection\" align_corners=1", MAP "; 1x2x2x1 = -3 1 3 -1",
     "1x1x2x1 = 4 1", .opset = 20},
    {"zeros", NULL, MAP "; 1x2x2x1 = -9 0 nan 0", "1x1x2x1 = 0 0", .opset = 20},
    {"many", NULL, "2x7x5x3; 2x4x2x6 in -1.5..1.5", "2x6x4x3", .opset = 20, .tolerance = 1e-5},
    {"many-nearest", "mode=\"nearest\" padding_mode=\"border\" align_corners=1",
     "2x7x5x3; 2x4x2x6 in -1.5..1.5", NULL, .opset = 20},
    {"many-reflection", "padding_mode=\"reflection\"", "2x7x5x3; 2x4x2x6 in -4..4", NULL,
     .opset = 20, .tolerance = 1e-5},
    {"many-cubic", "mode=\"cubic\"", "2x7x5x3; 2x4x2x6 in -1.5..1.5", NULL, .opset = 20,
     .tolerance = 1e-5},
    {"cubic-border", "mode=\"cubic\" padding_mode=\"border\" align_corners=1",
     "2x7x5x3; 2x4x2x6 in -1.5..1.5", NULL, .opset = 20, .tolerance = 1e-5},
    {"cubic-reflection", "mode=\"cubic\" padding_mode=\"reflection\"",
     "2x7x5x3; 2x4x2x6 in -1.5..1.5", NULL, .opset = 20, .tolerance = 1e-5},
    {"empty", NULL, "0x7x5x3; 0x4x2x6", "0x6x4x3", .opset = 20},
    /* The grid is rows × columns × 3 × planes. */
    {"volume", "align_corners=1", "1x2x2x2x1 = 1 2 3 4 5 6 7 8; 1x1x2x3x1 = -1 -1 1 0 0 0",
     "1x1x1x2x1 = 5 4.5", .opset = 20},
    {"volume-planes", "align_corners=1", "1x2x1x1x1 = 1 2; 1x1x1x3x2 = 0 0 0 0 -1 1",
     "1x2x1x1x1 = 1 2", .opset = 20},
    {"volume-many", "padding_mode=\"reflection\"", "2x4x5x6x3; 2x3x2x3x4 in -2..2", "2x4x3x2x3",
     .opset = 20, .tolerance = 1e-5},
    {"four-axes", NULL, "1x2x2x2x2x1; 1x2x2x2x3x1", .opset = 20,
     .error = "supported are maps of two"},
    {"other-batch", NULL, "1x2x2x1; 2x2x2x1", .opset = 20, .error = "the grid is 2x2x2x1"},
    {0}};

const TestOperator test_grid_sample[] = {{"GridSample", rows}, {0}};
