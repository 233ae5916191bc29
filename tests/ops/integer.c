/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define ROWS(id, ...) static const TestRow id##_rows[] = {__VA_ARGS__, {0}}

ROWS (and, {"by-hand", NULL, "int32 3 = 12 -1 5; int32 3 = 10 7 2", "int32 3 = 8 7 0"},
      {"broadcast", NULL, "uint8 2x2 = 255 15 16 1; uint8 scalar = 17", "uint8 2x2 = 17 1 16 1"},
      {"reals", NULL, "3; 3", .error = "input 0 is float32"});
ROWS (or, {"by-hand", NULL, "int32 3 = 12 -1 5; int32 3 = 10 7 2", "int32 3 = 14 -1 7"},
      {"many", NULL, "int64 3x5x7; int64 5x1", NULL});
ROWS (xor,
      {
          "by-hand", NULL, "int8 3 = 12 -1 5; int8 3 = 10 7 2", "int8 3 = 6 -8 7"},
      {"other-type", NULL, "int8 3; int64 3", .error = "input 1 is int64, expected int8"});
ROWS (not, {"by-hand", NULL, "int32 3 = 12 -1 5", "int32 3 = -13 0 -6"},
      {"bytes", NULL, "uint8 3 = 0 255 15", "uint8 3 = 255 0 240"});
ROWS (shift,
      {"left", "direction=\"LEFT\"", "uint8 3 = 16 4 1; uint8 3 = 1 2 8", "uint8 3 = 32 16 0"},
      {"right", "direction=\"RIGHT\"", "uint8 3 = 16 4 255; uint8 3 = 1 2 8", "uint8 3 = 8 1 0"},
      {"sign", "direction=\"RIGHT\"", "int8 3 = -16 -4 -1; int8 3 = 1 8 -1", "int8 3 = -8 -1 -1"},
      {"far", "direction=\"LEFT\"", "int64 1 = 1; int64 1 = 64", "int64 1 = 0"},
      {"no-direction", NULL, "uint8 3; uint8 3", .error = "attribute “direction” is missing"});
ROWS (mod,
      {"floored", NULL, "int64 6 = -4 7 5 4 -7 8; int64 6 = 2 -3 8 -2 3 5",
       "int64 6 = 0 -2 5 0 2 3"},
      {"truncated", "fmod=1", "int64 6 = -4 7 5 4 -7 8; int64 6 = 2 -3 8 -2 3 5",
       "int64 6 = 0 1 5 0 -1 3"},
      {"real", "fmod=1", "4 = -4.25 7.5 5 -7; 4 = 2 -3 8 3", "4 = -0.25 1.5 5 -1"},
      {"broadcast", "fmod=1", "2x3x5; const 3x1 = 0.3 0.4 0.5", NULL},
      {"by-zero", NULL, "int32 2 = 5 -5; int32 2 = 0 -1", "int32 2 = 0 0"},
      {"real-floored", NULL, "4 = -4.25 7.5 5 -7; 4 = 2 -3 8 3", "4 = 1.75 -1.5 5 2"},
      {"other-type", "fmod=1", "3; int64 3", .error = "input 1 is int64, expected float32"});

const TestOperator test_integer[] = {{"BitwiseAnd", and_rows},
                                     {"BitwiseOr", or_rows},
                                     {"BitwiseXor", xor_rows},
                                     {"BitwiseNot", not_rows},
                                     {"BitShift", shift_rows},
                                     {"Mod", mod_rows},
                                     {0}};
