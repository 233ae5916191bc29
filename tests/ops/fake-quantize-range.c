/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

/* A scale that is a power of two: then references and kernels round the same numbers. */
#define BOUNDS "1 = -1; 1 = 0.9921875"
/* Those of float16 are other numbers, of which some come a step apart. */
#define STEP 0.0079

static const TestRow rows[] = {
    {"by-hand", NULL, "5 = -10 0 0.4 0.6 245; 1 = -10; 1 = 245", "5 = -10 0 0 1 245"},
    {"half-way", NULL, "4 = 0.5 1.5 2.5 -2.5; 1 = -55; 1 = 200", "4 = 0 2 2 -2"},
    {"per-image", NULL, "2x2 = 1.3 255 1.3 127.5; 2x1 = 0 0; 2x1 = 255 127.5",
     "2x2 = 1 255 1.5 127.5"},
    {"one-bound-per-image", NULL, "2x2 = 1.3 255 1.3 127.5; scalar = 0; 2x1 = 255 127.5",
     "2x2 = 1 255 1.5 127.5"},
    {"positive", NULL, "3 = 100 200 255; 1 = 100; 1 = 255", "3 = 100 200 255"},
    {"negative", NULL, "3 = -100.4 -200 -255; 1 = -255; 1 = -100", "3 = -100 -200 -255"},
    {"nothing", NULL, "3 = 0 0 0; 1 = 0; 1 = 0", "3 = 0 0 0"},
    {"beyond", NULL, "2 = -3 300; 1 = 0; 1 = 255", "2 = 0 255"},
    {"prime", NULL, "3x7x5x13; 3x1x1x1 = -1 -1 -1; 3x1x1x1 = 0.9921875 0.9921875 0.9921875", NULL,
     .tolerance = STEP},
    {"empty", NULL, "0x4; 1 = 0; 1 = 1", NULL},
    {"many", NULL, "2x11x64; " BOUNDS, NULL, .benchmark = "1x197x384; " BOUNDS, .tolerance = STEP},
    {"other-bounds", NULL, "2x3; 3; 1", NULL,
     "input 1 is 3, expected one number, or one per image"},
    {0}};

const TestOperator test_fake_quantize_range[] = {{"FakeQuantizeRange", rows}, {NULL}};
