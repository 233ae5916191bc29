/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define LOOSE 1e-5

static const TestRow rows[] = {
    {"by-hand", NULL, "2x3 = 1 2 3 4 5 6; const 3x2 = 1 0 0 1 1 1; const 2 = 10 20",
     "2x2 = 14 25 20 31"},
    {"by-hand-scaled", "transB=1 alpha=0.5 beta=2.0",
     "2x3 = 1 2 3 4 5 6; const 2x3 = 1 0 1 0 1 1; const 2x1 = 1 -1", "2x2 = 4 4.5 3 3.5"},
    {"by-hand-transposed", "transA=1", "3x2 = 1 4 2 5 3 6; const 3x2 = 1 0 0 1 1 1",
     "2x2 = 4 5 10 11"},
    {"vector-c", "transB=1", "5x37; const 11x37; const 11", NULL, .tolerance = LOOSE,
     .benchmark = "1x4096; const 4096x4096; const 4096"},
    {"batch", "transB=1", "16x64; const 48x64; const 48", NULL, .tolerance = LOOSE,
     .benchmark = "16x4096; const 1000x4096; const 1000"},
    {"row-c", NULL, "5x7; const 7x3; const 1x3", NULL, .tolerance = LOOSE},
    {"column-c", NULL, "5x7; const 7x3; const 5x1", NULL, .tolerance = LOOSE},
    {"matrix-c", NULL, "5x7; const 7x3; 5x3", NULL, .tolerance = LOOSE},
    {"scalar-c", NULL, "5x7; const 7x3; const scalar", NULL, .tolerance = LOOSE},
    {"one-column", NULL, "5x7; const 7x1; const 5x1", NULL, .tolerance = LOOSE},
    {"no-c", "alpha=-2.5", "5x7; const 7x3", NULL, .tolerance = LOOSE},
    {"relu", "activation=\"Relu\"", "5x7; const 7x19; const 19", NULL, .tolerance = LOOSE},
    {"scaled-sigmoid", "activation=\"Sigmoid\" alpha=2.0 beta=0.5", "5x7; const 7x19; const 19",
     NULL, .tolerance = LOOSE},
    {"both-transposed", "transA=1 transB=1", "7x5; const 3x7; const 3", NULL, .tolerance = LOOSE},
    {"b-computed", "transB=1", "5x7; 3x7; 3", NULL, .tolerance = LOOSE},
    {"b-and-a-transposed-computed", "transA=1", "17x5; 17x13", NULL, .tolerance = LOOSE},
    {"single", NULL, "1x1; const 1x1; const 1", NULL, .tolerance = LOOSE},
    {"empty-inner", NULL, "2x0; const 0x3; const 3 = 1 2 3", "2x3 = 1 2 3 1 2 3"},
    {"empty-rows", NULL, "0x4; const 4x3; const 3", "0x3"},
    {"float64", NULL, "float64 2x3; float64 3x2", "float64 2x2"},
    {"inner-differs", NULL, "2x3; const 2x3", .error = "3 columns meet 2 rows"},
    {"rank-3", NULL, "1x2x3; const 3x2", .error = "input 0 is 1x2x3, expected rank 2"},
    {"wrong-c", NULL, "2x3; const 3x4; const 3", .error = "expected what broadcasts to 2x4"},
    {"larger-c", NULL, "1x3; const 3x4; const 2x4", .error = "expected what broadcasts to 1x4"},
    {"types-differ", NULL, "2x3; float64 3x4", .error = "input 1 is float64, expected float32"},
    {0}};

const TestOperator test_gemm[] = {{"Gemm", rows}, {0}};
