/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define HAND "2x3 = 1 -2 3 4 5 -6; 3 = 2 4 -8"

/* Ways of broadcasting. */
#define SHAPES                                                                                   \
  {"same", NULL, "2x3x5x37; 2x3x5x37", NULL, .benchmark = "1x56x56x64; 1x56x56x64"},             \
      {"per-channel", NULL, "2x3x5x37; const 37", NULL, .benchmark = "1x56x56x64; const 64"},    \
      {"per-channel-rank-4", NULL, "2x3x5x37; const 1x1x1x37", NULL},                            \
      {"scalar", NULL, "2x3x5x37; const scalar = 0.75", NULL},                                   \
      {"scalar-first", NULL, "const 1 = 0.75; 2x3x5x37", NULL},                                  \
      {"per-image", NULL, "3x2x2x5; 3x1x1x1", NULL}, {"gate", NULL, "2x4x3x17; 2x1x1x17", NULL}, \
      {"both", NULL, "4x1x5; 3x1", "4x3x5"}, {"outer", NULL, "7x1; 1x9", "7x9"},                 \
      {"one", NULL, "scalar; scalar", "scalar"}, {"empty", NULL, "0x3; 3", "0x3"},               \
      {"float64", NULL, "float64 2x3; float64 3", "float64 2x3"},                                \
      {"misfit", NULL, "2x3; 2", .error = "input 1 is 2, expected what broadcasts with 2x3"},    \
  {                                                                                              \
    "types-differ", NULL, "2x3; int64 3", .error = "input 1 is int64, expected float32"          \
  }

#define ROWS(id, ...) static const TestRow id##_rows[] = {__VA_ARGS__, SHAPES, {0}}

ROWS (add, {"by-hand", NULL, HAND, "2x3 = 3 2 -5 6 9 -14"},
      {"integers", NULL, "int64 2 = 1 9223372036854775807; int64 2 = 2 1",
       "int64 2 = 3 -9223372036854775808"},
      {"relu", "activation=\"Relu\"", HAND, "2x3 = 3 2 0 6 9 0"},
      {"clip", "activation=\"Clip\" activation_alpha=-0.5 activation_beta=0.25",
       "2x3x5x37; 2x3x5x37", NULL});
ROWS (sub, {"by-hand", NULL, HAND, "2x3 = -1 -6 11 2 1 2"},
      {"integers", NULL, "int32 2 = 1 5; int32 scalar = 2", "int32 2 = -1 3"});
ROWS (mul, {"by-hand", NULL, HAND, "2x3 = 2 -8 -24 8 20 48"},
      {"integers", NULL, "int64 2 = 3 -5; int64 2 = 4611686018427387904 2",
       "int64 2 = -4611686018427387904 -10"});
ROWS (div, {"by-hand", NULL, HAND, "2x3 = 0.5 -0.5 -0.375 2 1.25 0.75"},
      {"integers", NULL, "int64 5 = 7 -7 7 -9223372036854775808 5; int64 5 = 2 2 -2 -1 0",
       "int64 5 = 3 -3 -3 -9223372036854775808 0"});
ROWS (min, {"by-hand", NULL, HAND, "2x3 = 1 -2 -8 2 4 -8"},
      {"alone", NULL, "3 = 1 -2 3", "3 = 1 -2 3"}, {"three", NULL, "2x5x7; 7; 2x1x1", "2x5x7"},
      {"integers", NULL, "int64 2 = 1 9007199254740993; int64 2 = 2 9007199254740992",
       "int64 2 = 1 9007199254740992"});
ROWS (max, {"by-hand", NULL, HAND, "2x3 = 2 4 3 4 5 -6"},
      {"alone", NULL, "3 = 1 -2 3", "3 = 1 -2 3"}, {"three", NULL, "2x5x7; 7; 2x1x1", "2x5x7"});
ROWS (sum, {"by-hand", NULL, HAND "; 2x1 = 100 200", "2x3 = 103 102 95 206 209 186"},
      {"alone", NULL, "2x5", "2x5"},
      {"three-relu", "activation=\"Relu\"", "2x3x5; 2x3x5; 2x3x5", "2x3x5"});
static const TestRow mean_rows[] = {
    {"by-hand", NULL, HAND "; 2x1 = 100 200",
     "2x3 = 34.333333 34 31.666667 68.666667 69.666667 62"},
    {"alone", NULL, "3 = 1 -2 3", "3 = 1 -2 3"},
    {"two", NULL, "3 = 1 2 3; 3 = 3 5 8", "3 = 2 3.5 5.5"},
    {"wide", NULL, "2x3x5x37; 2x3x5x37; 2x3x5x37", NULL},
    {"broadcast", NULL, "2x3x5; 5", "2x3x5"},
    {"relu", "activation=\"Relu\"", "2x3x5; 2x3x5", NULL},
    {"integers", NULL, "int64 3; int64 3", .error = "input 0 is int64"},
    {0}};
static const TestRow pow_rows[] = {
    {"by-hand", NULL, "4 = 2 3 0.25 10; 4 = 3 2 0.5 -1", "4 = 8 9 0.5 0.1"},
    {"negative-base", NULL, "5 = -2 -2 -8 0 0; 5 = 3 2 -1 0 3", "5 = -8 4 -0.125 1 0"},
    {"square", NULL, "2x3x5x37; const scalar = 2", NULL},
    {"roots", NULL, "2x37 in 0.1..3; 37", NULL},
    {"integer-exponent", NULL, "3 = 2 3 -2; int64 3 = 3 2 3", "3 = 8 9 -8"},
    {"integers", NULL, "int64 5 = 3 -1 -1 7 2; int64 5 = 39 -3 -4 0 -1",
     "int64 5 = 4052555153018976267 -1 1 1 0"},
    {"misfit", NULL, "2x3; 2", .error = "input 1 is 2, expected what broadcasts with 2x3"},
    {0}};
static const TestRow prelu_rows[] = {
    {"by-hand", NULL, "2x3 = 1 -2 3 -4 5 -6; 3 = 2 0.5 -8", "2x3 = 1 -1 3 -8 5 48"},
    {"per-channel", NULL, "2x3x5x37; const 37", NULL},
    {"one-slope", NULL, "2x3x5x37; const 1", NULL},
    {"whole", NULL, "2x3x5x37; const 2x3x5x37", NULL},
    {"larger-slope", NULL, "3; 2x3", .error = "slope 2x3 can't be broadcast to 3"},
    {0}};

const TestOperator test_binary[] = {{"Add", add_rows},
                                    {"Sub", sub_rows},
                                    {"Mul", mul_rows},
                                    {"Div", div_rows},
                                    {"Min", min_rows},
                                    {"Max", max_rows},
                                    {"Sum", sum_rows},
                                    {"Mean", mean_rows},
                                    {"Pow", pow_rows},
                                    {"PRelu", prelu_rows},
                                    {0}};
