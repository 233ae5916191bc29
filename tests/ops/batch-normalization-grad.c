/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define VECTORS(n) #n "; " #n "; " #n " in 0.1..2"

static const TestRow rows[] = {
    {"by-hand", "epsilon=0.0", "2x2 = 1 2 3 4; 2x2 = 5 2 1 4; 2 = 2 3; 2 = 3 3; 2 = 4 1",
     "2x2 = 1 6 3 12; 2 = -2 2; 2 = 4 6", .outputs = 3},
    {"by-hand-training", "epsilon=0.0 training_mode=1",
     "2x2 = 1 2 3 4; 2x2 = 5 2 1 4; 2 = 2 3; 2 = 3 3; 2 = 4 1", "2x2 = 0 0 0 0; 2 = -2 2; 2 = 4 6",
     .outputs = 3},
    {"fixed", NULL, "2x3x5x37; 2x3x5x37; " VECTORS (37), NULL, .outputs = 3},
    {"training", "training_mode=1", "2x3x5x37; 2x3x5x37; " VECTORS (37), NULL, .outputs = 3,
     .benchmark = "32x56x56x64; 32x56x56x64; " VECTORS (64)},
    {"several-tiles", "training_mode=1", "2x31x17x67; 2x31x17x67; " VECTORS (67), NULL,
     .outputs = 3, .tolerance = 1e-5},
    {"rank-2", "training_mode=1", "5x3; 5x3; " VECTORS (3), NULL, .outputs = 3},
    {"one-channel", "training_mode=1", "2x5x5x1; 2x5x5x1; " VECTORS (1), NULL, .outputs = 3},
    {"float64", "training_mode=1",
     "float64 5x3; float64 5x3; float64 3; float64 3; float64 3 in 0.1..2", NULL, .outputs = 3},
    {"other-shape", NULL, "2x3; 3x3; 3; 3; 3", .outputs = 3,
     .error = "input 1 is 3x3, expected 2x3"},
    {0}};

const TestOperator test_batch_normalization_grad[] = {{"BatchNormalizationGrad", rows}, {0}};
