/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define LOOSE 1e-5

static const TestRow rows[] = {
    {"by-hand", NULL, "2x3 = 1 2 3 4 5 6; const 3x2 = 1 0 0 1 1 1", "2x2 = 4 5 10 11"},
    {"vectors", NULL, "3 = 1 2 3; 3 = 4 5 6", "scalar = 32"},
    {"vector-matrix", NULL, "3 = 1 2 3; 3x2 = 1 0 0 1 1 1", "2 = 4 5"},
    {"matrix-vector", NULL, "2x3 = 1 2 3 4 5 6; 3 = 1 1 1", "2 = 6 15"},
    {"sum-of-70000", NULL, "1x70000; 70000x2", NULL, .tolerance = 1e-4},
    {"sum-of-70000-constant", NULL, "1x70000; const 70000x2", NULL, .tolerance = 1e-4},
    {"batch-vector", NULL, "4x2x3; const 3", "4x2", .tolerance = LOOSE},
    {"vector-batch", NULL, "3; 4x3x5", "4x5", .tolerance = LOOSE},
    {"one-b-for-all", NULL, "4x5x7; const 7x3", "4x5x3", .tolerance = LOOSE,
     .benchmark = "8x128x256; const 256x256"},
    {"batches", NULL, "2x3x5x7; 2x3x7x4", "2x3x5x4", .tolerance = LOOSE},
    {"batches-broadcast", NULL, "3x1x5x7; 2x7x4", "3x2x5x4", .tolerance = LOOSE},
    {"constant-batches", NULL, "5x7; const 2x7x4", "2x5x4", .tolerance = LOOSE},
    {"constant-single-batch", NULL, "5x7; const 1x7x4", "1x5x4", .tolerance = LOOSE},
    {"relu", "activation=\"Relu\"", "5x7; const 7x3", NULL, .tolerance = LOOSE},
    {"bias", NULL, "2x3 = 1 2 3 4 5 6; const 3x2 = 1 0 0 1 1 1; const 2 = 10 20",
     "2x2 = 14 25 20 31"},
    {"bias-batches", "activation=\"Gelu\"", "2x3x5x7; 2x3x7x4; 4", NULL, .tolerance = LOOSE},
    {"residual", NULL, "2x3 = 1 2 3 4 5 6; const 3x2 = 1 0 0 1 1 1; const 2 = 10 20; 2x2 = 1 2 3 4",
     "2x2 = 15 27 23 35"},
    {"residual-alone", "activation=\"Relu\"", "4x5x7; const 7x3; -; 4x5x3", NULL,
     .tolerance = LOOSE},
    {"residual-batches", NULL, "2x3x5x7; 2x3x7x4; 4; 2x3x5x4", NULL, .tolerance = LOOSE},
    {"wrong-residual", NULL, "2x3; const 3x4; -; 4", .error = "the residual is 4, expected 2x4"},
    {"bias-rows", NULL, "4x5x7; const 7x3; const 3", NULL, .tolerance = LOOSE},
    {"integers", NULL, "int32 2x3 = 1 2 3 4 5 6; int32 3x1 = 1 1 1", "int32 2x1 = 6 15"},
    {"empty-batch", NULL, "0x5x7; const 7x3", "0x5x3"},
    {"inner-differs", NULL, "2x3; const 2x3", .error = "3 columns meet 2 rows"},
    {"wrong-bias", NULL, "2x3; 3x4; 3", .error = "input 2 is 3, expected a vector of 4"},
    {"batches-differ", NULL, "2x5x7; 3x7x4", .error = "leading axes that broadcast with 2x5x7"},
    {"scalar", NULL, "scalar; 3x4", .error = "expected rank 1 to 8"},
    {0}};

const TestOperator test_matmul[] = {{"MatMul", rows}, {0}};
