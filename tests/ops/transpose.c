/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow transpose_rows[] = {
    {"default", NULL, "2x3 = 1 2 3 4 5 6", "3x2 = 1 4 2 5 3 6"},
    {"by-hand", "perm=[1, 0, 2]", "2x2x2 = 1 2 3 4 5 6 7 8", "2x2x2 = 1 2 5 6 3 4 7 8"},
    {"to-channels-last", "perm=[0, 2, 3, 1]", "2x17x5x7", "2x5x7x17", .benchmark = "1x256x56x56"},
    {"to-channels-first", "perm=[0, 3, 1, 2]", "2x5x7x33", "2x33x5x7"},
    {"large", "perm=[1, 0]", "37x101", "101x37", .benchmark = "4096x1000"},
    {"ones", "perm=[0, 3, 1, 2]", "2x1x1x37", "2x37x1x1", .benchmark = "1x1x1x100000"},
    {"reversed", NULL, "2x3x4x5", "5x4x3x2"},
    {"rank-6", "perm=[5, 0, 3, 1, 4, 2]", "2x3x2x3x2x3", "3x2x3x3x2x2"},
    {"bytes", NULL, "uint8 5x3", "uint8 3x5"},
    {"doubles", NULL, "float64 5x3", "float64 3x5"},
    {"halves", NULL, "float16 5x3", "float16 3x5"},
    {"scalar", NULL, "scalar", "scalar"},
    {"empty", NULL, "0x3", "3x0"},
    {"wrong-number", "perm=[0, 1, 2]", "2x3", .error = "perm has 3 axes, expected 2"},
    {"twice", "perm=[0, 0]", "2x3", .error = "axis 0 is named twice"},
    {"no-axis", "perm=[0, 2]", "2x3", .error = "axis 2 does not exist"},
    {0}};

static const TestRow depth_to_space_rows[] = {
    {"by-hand", "blocksize=2", "1x1x2x4 = 1 2 3 4 5 6 7 8", "1x2x4x1 = 1 2 5 6 3 4 7 8"},
    {"by-hand-crd", "blocksize=2 mode=\"CRD\"", "1x1x1x8 = 1 2 3 4 5 6 7 8",
     "1x2x2x2 = 1 5 2 6 3 7 4 8"},
    {"many", "blocksize=3", "2x3x4x45", "2x9x12x5"},
    {"many-crd", "blocksize=3 mode=\"CRD\"", "2x3x4x45", "2x9x12x5"},
    {"uneven", "blocksize=2", "1x2x2x6",
     .error = "6 channels are not a multiple of blocksize² = 4"},
    {"no-size", NULL, "1x2x2x4", .error = "attribute “blocksize” is missing"},
    {"unknown-mode", "blocksize=2 mode=\"XYZ\"", "1x2x2x4",
     .error = "attribute “mode” is “XYZ”, expected DCR, CRD"},
    {"rank-3", "blocksize=2", "2x2x4", .error = "expected rank 4"},
    {0}};

static const TestRow space_to_depth_rows[] = {
    {"by-hand", "blocksize=2", "1x2x4x1 = 1 2 5 6 3 4 7 8", "1x1x2x4 = 1 2 3 4 5 6 7 8"},
    {"many", "blocksize=3", "2x9x12x5", "2x3x4x45"},
    {"uneven", "blocksize=2", "1x3x2x6", .error = "3x2 is not a multiple of blocksize 2"},
    {0}};

const TestOperator test_transpose[] = {{"Transpose", transpose_rows},
                                       {"DepthToSpace", depth_to_space_rows},
                                       {"SpaceToDepth", space_to_depth_rows},
                                       {0}};
