/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow instance_rows[] = {
    {"by-hand", "epsilon=0.0", "1x2x2 = 1 10 3 30; const 2 = 2 1; const 2 = 0.5 0",
     "1x2x2 = -1.5 -1 2.5 1"},
    {"many", NULL, "2x3x5x7; const 7; const 7", NULL},
    {"large", NULL, "2x19x13x37; const 37; const 37", NULL},
    {"one-channel", NULL, "2x19x13x1; const 1; const 1", NULL},
    {"rank-8", NULL, "2x1x2x1x2x3x1x5; const 5; const 5", NULL},
    {"no-channels", NULL, "2x3x0; const 0; const 0", "2x3x0"},
    {"rank-2", NULL, "2x3; const 3; const 3", .error = "expected rank 3"},
    {"wrong-vector", NULL, "2x3x4; const 4; const 3",
     .error = "input 2 is 3, expected a vector of 4"},
    {0}};

static const TestRow group_rows[] = {
    {"by-hand", "epsilon=0.0 num_groups=1", "1x2x2 = 1 3 5 7; const 2 = 2 1; const 2 = 0.5 0",
     "1x2x2 = -2.1832816 -0.4472136 1.3944272 1.3416408"},
    {"per-group", "epsilon=0.0 num_groups=2",
     "1x2x4 = 1 3 10 30 1 3 10 30; const 2 = 2 1; const 2 = 0.5 0",
     "1x2x4 = -1.5 2.5 -1 1 -1.5 2.5 -1 1"},
    {"narrow", "num_groups=7", "2x3x5x21; const 21; const 21", NULL, .tolerance = 1e-5},
    {"wide", "num_groups=3", "2x5x4x111; const 111; const 111", NULL, .tolerance = 1e-5},
    {"wide-per-group", "num_groups=3", "2x5x4x111; const 3; const 3", NULL, .tolerance = 1e-5},
    {"all", "num_groups=1", "2x19x13x37; 37; 37", NULL, .tolerance = 1e-5},
    {"one-pixel", "num_groups=2", "2x1x8; const 8; const 8", NULL, .tolerance = 1e-5},
    {"rank-8", "num_groups=2", "2x1x2x1x2x3x1x4; const 4; const 4", NULL},
    {"empty", "num_groups=2", "0x3x4; const 4; const 4", "0x3x4"},
    {"resnet", "num_groups=32", "1x7x7x64; const 64; const 64", NULL, .tolerance = 1e-5,
     .benchmark = "1x56x56x256; const 256; const 256"},
    {"uneven", "num_groups=3", "2x3x4; const 4; const 4",
     .error = "4 channels can't be cut into 3"},
    {"no-groups", NULL, "2x3x4; const 4; const 4", .error = "attribute “num_groups” is missing"},
    {"wrong-vector", "num_groups=2", "2x3x4; const 4; const 2",
     .error = "input 2 is 2, expected a vector of 4"},
    {0}};

const TestOperator test_group_normalization[] = {
    {"InstanceNormalization", instance_rows}, {"GroupNormalization", group_rows}, {0}};
