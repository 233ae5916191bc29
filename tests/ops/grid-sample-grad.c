/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

/* The grid is columns × 2 × rows. */
#define MAP "1x2x2x1 = 1 2 3 4"
#define MANY "2x7x5x6; 2x4x2x6 in -1.5..1.5; 2x6x4x6"

#define SHAPES                                                                                  \
  {"zeros",                                                                                     \
   NULL,                                                                                        \
   MANY,                                                                                        \
   NULL,                                                                                        \
   .tolerance = 2e-5,                                                                           \
   .benchmark = "8x32x32x64; 8x32x2x32 in -1..1; 8x32x32x64"},                                  \
      {"border", "padding_mode=\"border\" align_corners=1", MANY, NULL, .tolerance = 2e-5},     \
      {"reflection", "padding_mode=\"reflection\"", "2x7x5x3; 2x4x2x6 in -4..4; 2x6x4x3", NULL, \
       .tolerance = 2e-5},                                                                      \
      {"reflection-aligned", "padding_mode=\"reflection\" align_corners=1",                     \
       "2x7x5x3; 2x4x2x6 in -4..4; 2x6x4x3", NULL, .tolerance = 2e-5},                          \
      {"nearest-border", "mode=\"nearest\" padding_mode=\"border\"", MANY, NULL,                \
       .tolerance = 2e-5},                                                                      \
      {"cubic", "mode=\"cubic\"", MANY, NULL, .tolerance = 2e-5},                               \
      {"cubic-border", "mode=\"cubic\" padding_mode=\"border\" align_corners=1", MANY, NULL,    \
       .tolerance = 2e-5},                                                                      \
      {"cubic-reflection", "mode=\"cubic\" padding_mode=\"reflection\"", MANY, NULL,            \
       .tolerance = 2e-5},                                                                      \
      {"many-channels", NULL, "2x3x4x37; 2x2x2x3; 2x3x2x37", NULL, .tolerance = 2e-5},          \
      {"volume", "padding_mode=\"border\"", "2x4x5x6x3; 2x3x2x3x4 in -2..2; 2x4x3x2x3", NULL,   \
       .tolerance = 2e-5},                                                                      \
      {"no-positions", NULL, "1x2x2x3; 1x0x2x4; 1x4x0x3", NULL},                                \
      {"empty", NULL, "0x7x5x3; 0x4x2x6; 0x6x4x3", NULL},                                       \
      {"other-output", NULL, "1x2x2x1; 1x3x2x1; 1x3x1x1",                                       \
       .error = "input 2 is 1x3x1x1, expected 1x1x3x1"},                                        \
  {                                                                                             \
    "other-batch", NULL, "1x2x2x1; 2x2x2x1; 1x1x2x1", .error = "the grid is 2x2x2x1"            \
  }

static const TestRow map_rows[] = {
    {"by-hand", "align_corners=1", MAP "; 1x3x2x1 = -1 -1 0 0 1 1; 1x1x3x1 = 10 4 20",
     "1x2x2x1 = 11 1 1 21"},
    {"by-hand-border", "padding_mode=\"border\"", MAP "; 1x2x2x1 = -3 -3 9 0; 1x1x2x1 = 10 20",
     "1x2x2x1 = 10 10 0 10"},
    SHAPES,
    {0}};

static const TestRow grid_rows[] = {
    /* In the middle the map rises by 1 to the right and by 2 downwards. */
    {"by-hand", "align_corners=1", MAP "; 1x1x2x1 = 0 0; 1x1x1x1 = 10", "1x1x2x1 = 5 10"},
    {"by-hand-border", "padding_mode=\"border\"", MAP "; 1x1x2x1 = 9 0; 1x1x1x1 = 10",
     "1x1x2x1 = 0 20"},
    {"by-hand-nearest", "mode=\"nearest\"", MAP "; 1x1x2x1 = 0.3 0.2; 1x1x1x1 = 10",
     "1x1x2x1 = 0 0"},
    SHAPES,
    {0}};

const TestOperator test_grid_sample_grad[] = {
    {"GridSampleGradMap", map_rows}, {"GridSampleGradGrid", grid_rows}, {0}};
