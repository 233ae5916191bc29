/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"by-hand", "epsilon=0.0", "2x2 = 1 3 10 30; const 2 = 1 2; const 2 = 0.5 0",
     "2x2 = -0.5 2 -0.5 2"},
    {"no-bias", "epsilon=0.0", "2x2 = 1 3 10 30; const 2 = 1 2", "2x2 = -1 2 -1 2"},
    {"statistics", "epsilon=0.0", "2x2 = 1 3 10 30; const 2 = 1 2",
     "2x2 = -1 2 -1 2; 2x1 = 2 20; 2x1 = 1 0.1", .outputs = 3},
    {"many", NULL, "2x5x7x37; const 37; const 37", NULL, .tolerance = 1e-5,
     .benchmark = "1x56x56x96; const 96; const 96"},
    {"far-from-zero", NULL, "3x50 in 99..101; const 50", NULL, .tolerance = 1e-4},
    {"several-axes", "axis=1", "2x3x5; const 3x5; const 3x5", NULL, .tolerance = 1e-5},
    {"all-axes", "axis=0", "3x5; 3x5; 3x5", NULL, .tolerance = 1e-5, .outputs = 2},
    {"float64", NULL, "float64 2x3; const float64 3", "float64 2x3"},
    {"empty", NULL, "0x3; const 3", "0x3"},
    {"wrong-scale", NULL, "2x3; const 2", .error = "input 1 is 2, expected 3"},
    {"wrong-bias", NULL, "2x3; const 3; const 1", .error = "input 2 is 1, expected 3"},
    {"no-axis", "axis=2", "2x3; const 3", .error = "axis 2 does not exist"},
    {"stash", "stash_type=11", "2x3; const 3", .error = "attribute “stash_type” is 11, expected 1"},
    {0}};

static const TestRow rms_rows[] = {
    {"by-hand", "epsilon=0.0", "2x2 = 1 7 -20 140; const 2 = 1 2", "2x2 = 0.2 2.8 -0.2 2.8"},
    {"many", NULL, "2x5x7x37; const 37", NULL, .tolerance = 1e-5,
     .benchmark = "1x197x768; const 768"},
    {"several-axes", "axis=1", "2x3x5; 3x5", NULL, .tolerance = 1e-5},
    {"empty", NULL, "0x3; const 3", "0x3"},
    {"wrong-scale", NULL, "2x3; const 2", .error = "input 1 is 2, expected 3"},
    {0}};

const TestOperator test_layer_normalization[] = {
    {"LayerNormalization", rows}, {"RMSNormalization", rms_rows}, {0}};
