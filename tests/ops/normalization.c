/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define VECTORS "const 37; const 37; const 37; const 37 in 0.1..2"

static const TestRow batch_rows[] = {
    {"by-hand", "epsilon=0.0",
     "1x1x2x2 = 1 10 3 30; const 2 = 2 1; const 2 = 0.5 0; const 2 = 2 20; const 2 = 4 25",
     "1x1x2x2 = -0.5 -2 1.5 2"},
    {"many", NULL, "2x3x5x37; " VECTORS, NULL, .benchmark = "1x56x56x37; " VECTORS},
    {"momentum", "momentum=0.5 epsilon=0.001", "2x3x5x37; " VECTORS, NULL},
    {"vectors-computed", NULL, "2x3x4; 4; 4; 4; 4 in 0.1..2", NULL},
    {"rank-2", NULL, "5x3; const 3; const 3; const 3; const 3 in 0.1..2", NULL},
    {"rank-5", NULL, "1x2x3x2x3; const 3; const 3; const 3; const 3 in 0.1..2", NULL},
    {"mixed-types", NULL,
     "2x3; const float64 3; const float64 3; const float64 3; const float64 3 in 0.1..2", NULL},
    {"wrong-vector", NULL, "2x3; const 3; const 3; const 2; const 3",
     .error = "input 3 is 2, expected a vector of 3"},
    {"training", "training_mode=1", "2x3; const 3; const 3; const 3; const 3",
     .error = "attribute “training_mode” is 1, expected 0; export"},
    {"not-spatial", "spatial=0", "2x3; const 3; const 3; const 3; const 3",
     .error = "attribute “spatial” is 0, expected 1"},
    {0}};

static const TestRow lp_rows[] = {
    {"by-hand", NULL, "2x2 = 3 4 0 0", "2x2 = 0.6 0.8 0 0"},
    {"sums", "p=1 axis=0", "2x2 = 3 -4 1 12", "2x2 = 0.75 -0.25 0.25 0.75"},
    {"layout", "axis=1", "2x3x4x5", NULL},
    {"p-3", "p=3", "2x2", .error = "attribute “p” is 3, expected 1 to 2"},
    {"no-axis", "axis=-3", "2x2", .error = "axis -3 does not exist"},
    {0}};

const TestOperator test_normalization[] = {
    {"BatchNormalization", batch_rows}, {"LpNormalization", lp_rows}, {0}};
