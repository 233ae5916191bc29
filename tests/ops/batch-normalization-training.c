/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    /* Channels of mean 2 and 20, deviations 1 and 10. */
    {"by-hand", "epsilon=0.0 momentum=0.5",
     "1x1x2x2 = 1 10 3 30; 2 = 2 1; 2 = 0.5 0; 2 = 0 40; 2 = 1 0",
     "1x1x2x2 = -1.5 -1 2.5 1; 2 = 1 30; 2 = 1.5 100; 2 = 2 20; 2 = 1 100", .outputs = 5},
    {"many", NULL, "2x3x5x37; 37; 37; 37; 37 in 0.1..2", NULL, .outputs = 5,
     .benchmark = "32x56x56x64; 64; 64; 64; 64"},
    {"several-tiles", "momentum=0.3", "2x31x17x67 in 3..5; 67; 67; 67; 67 in 0.1..2", NULL,
     .outputs = 5, .tolerance = 1e-5},
    {"relu", "activation=\"Relu\"", "2x3x5x37; 37; 37; 37; 37 in 0.1..2", NULL, .outputs = 5},
    {"clip", "activation=\"Clip\" activation_alpha=0.0 activation_beta=0.5",
     "2x3x5x37; 37; 37; 37; 37 in 0.1..2", NULL, .outputs = 5},
    {"hard-swish", "activation=\"HardSwish\"", "2x3x5x37; 37; 37; 37; 37 in 0.1..2", NULL,
     .outputs = 5},
    {"rank-2", NULL, "5x3; 3; 3; 3; 3 in 0.1..2", NULL, .outputs = 5},
    {"one-channel", NULL, "2x5x5x1; 1; 1; 1; 1 in 0.1..2", NULL, .outputs = 5},
    {"float64", NULL, "float64 5x3; float64 3; float64 3; float64 3; float64 3 in 0.1..2", NULL,
     .outputs = 5},
    {"one-value", NULL, "1x1x1x3; 3; 3; 3; 3", .outputs = 5,
     .error = "a batch has one value per channel; its variance needs two"},
    {"wrong-vector", NULL, "2x3; 3; 3; 2; 3", .outputs = 5,
     .error = "input 3 is 2, expected a vector of 3"},
    {0}};

const TestOperator test_batch_normalization_training[] = {{"BatchNormalizationTraining", rows},
                                                          {0}};
