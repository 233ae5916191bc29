/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

static const TestRow rows[] = {
    {"halves", NULL, "1x1x1x4 = 1 2 3 4; const 1x1x2 = 0 1; const 1x1x2 = 1 0",
     "1x1x1x4 = -3 2 1 4"},
    {"neighbours", "interleaved=1", "1x1x1x4 = 1 2 3 4; const 1x1x2 = 0 1; const 1x1x2 = 1 0",
     "1x1x1x4 = -2 1 3 4"},
    {"partly", "rotary_embedding_dim=2", "1x1x1x4 = 1 2 3 4; const 1x1x1 = 0; const 1x1x1 = 1",
     "1x1x1x4 = -2 1 3 4"},
    {"positions", NULL,
     "1x1x2x2 = 1 2 3 4; const 3x1 = 0 5 1; const 3x1 = 1 5 0; const int64 1x2 = 2 0",
     "1x1x2x2 = 1 2 -4 3"},
    {"positions-computed", NULL,
     "1x1x2x2 = 1 2 3 4; const 3x1 = 0 5 1; const 3x1 = 1 5 0; int64 1x2 = 2 0",
     "1x1x2x2 = 1 2 -4 3"},
    {"four", NULL, "2x3x5x74; 2x5x37; 2x5x37", NULL,
     .benchmark = "1x12x197x64; const 1x197x32; const 1x197x32"},
    {"three", "num_heads=3", "2x5x48; const 2x5x8; const 2x5x8", NULL},
    {"three-partly", "num_heads=3 rotary_embedding_dim=6 interleaved=1",
     "2x5x48; const 7x3; const 7x3; const int64 2x5 in 0..6", NULL},
    {"empty", NULL, "0x3x5x8; const 0x5x4; const 0x5x4", "0x3x5x8"},
    {"no-heads", NULL, "2x5x48; const 2x5x8; const 2x5x8", .error = "can't be cut into 0 heads"},
    {"odd", NULL, "1x1x5x7; const 1x5x3; const 1x5x3", .error = "7 are to be turned in pairs"},
    {"too-many", "rotary_embedding_dim=8", "1x1x5x6; const 1x5x4; const 1x5x4",
     .error = "of 6 elements of a head 8 are to be turned"},
    {"wrong-cache", NULL, "1x1x5x8; const 1x5x4; const 1x5x3", .error = "input 2 is 1x5x3"},
    {"short-sines", NULL, "1x1x2x2; const 3x1; const 1x1; const int64 1x2 = 2 0",
     .error = "input 2 is 1x1, expected 3x1"},
    {"outside", NULL, "1x1x2x2; const 3x1; const 3x1; const int64 1x2 = 2 3",
     .error = "position 3 is not one of 3"},
    {0}};

const TestOperator test_rotary_embedding[] = {{"RotaryEmbedding", rows}, {0}};
