/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define COMMON                                                        \
  {"broadcast", NULL, "2x3x4x5; 2x1x1x5", "bool 2x3x4x5"},            \
      {"one", NULL, "scalar; scalar", "bool scalar"},                 \
  {                                                                   \
    "types-differ", NULL, "2x3; int64 3", .error = "input 1 is int64" \
  }
#define BOOLEANS "bool 4 = 0 0 1 1; bool 4 = 0 1 0 1"
#define LOGIC                                                            \
  {"broadcast", NULL, "bool 2x3x4x5; bool 2x1x1x5", "bool 2x3x4x5"},     \
  {                                                                      \
    "floats", NULL, "2; 2", .error = "input 0 is float32, expected bool" \
  }
#define ROWS(id, ...) static const TestRow id##_rows[] = {__VA_ARGS__, {0}}

ROWS (equal, {"by-hand", NULL, "3 = 1 2 3; 3 = 1 3 2", "bool 3 = 1 0 0"},
      {"integers", NULL, "int64 2 = 9007199254740993 5; int64 2 = 9007199254740992 5",
       "bool 2 = 0 1"},
      {"booleans", NULL, BOOLEANS, "bool 4 = 1 0 0 1"}, COMMON);
ROWS (greater, {"by-hand", NULL, "3 = 1 2 3; 3 = 1 3 2", "bool 3 = 0 0 1"}, COMMON);
ROWS (greater_or_equal, {"by-hand", NULL, "3 = 1 2 3; 3 = 1 3 2", "bool 3 = 1 0 1"}, COMMON);
ROWS (less, {"by-hand", NULL, "3 = 1 2 3; 3 = 1 3 2", "bool 3 = 0 1 0"}, COMMON);
ROWS (less_or_equal, {"by-hand", NULL, "3 = 1 2 3; 3 = 1 3 2", "bool 3 = 1 1 0"}, COMMON);
ROWS (and, {"by-hand", NULL, BOOLEANS, "bool 4 = 0 0 0 1"}, LOGIC);
ROWS (or, {"by-hand", NULL, BOOLEANS, "bool 4 = 0 1 1 1"}, LOGIC);
ROWS (xor,
      {
          "by-hand", NULL, BOOLEANS, "bool 4 = 0 1 1 0"},
      LOGIC);
ROWS (not, {"by-hand", NULL, "bool 2 = 0 1", "bool 2 = 1 0"},
      {"floats", NULL, "2", .error = "input 0 is float32, expected bool"});
ROWS (where, {"by-hand", NULL, "bool 3 = 1 0 1; 3 = 1 2 3; 3 = 4 5 6", "3 = 1 5 3"},
      {"broadcast", NULL, "bool 2x1; 1x3 = 1 2 3; scalar = 9", "2x3"},
      {"layout", NULL, "bool 2x1x4x5; 2x3x1x1; 2x3x4x5", "2x3x4x5"},
      {"known", NULL, "const bool 3 = 1 0 1; 3 = 1 2 3; 3 = 4 5 6", "3 = 1 5 3"},
      {"known-layout", NULL, "const bool 2x1x4x5; 2x3x1x1; 2x3x4x5", "2x3x4x5"},
      {"integers", NULL, "bool 2 = 0 1; int64 2 = 1 2; int64 2 = 3 9007199254740993",
       "int64 2 = 3 2"},
      {"types-differ", NULL, "bool 2; 2; int64 2", .error = "input 2 is int64, expected float32"},
      {"no-condition", NULL, "2; 2; 2", .error = "input 0 is float32, expected bool"},
      {"misfit", NULL, "bool 2; 3; 3", .error = "broadcasts"});

static const TestRow is_nan_rows[] = {
    {"by-hand", NULL, "5 = nan 1 inf -inf 0", "bool 5 = 1 0 0 0 0"},
    {"many", NULL, "3x5x7", NULL},
    {"integers", NULL, "int64 3", .error = "input 0 is int64"},
    {0}};

#define INFINITIES "5 = nan 1 inf -inf 0"

static const TestRow is_inf_rows[] = {
    {"both", NULL, INFINITIES, "bool 5 = 0 0 1 1 0"},
    {"positive", "detect_negative=0", INFINITIES, "bool 5 = 0 0 1 0 0"},
    {"negative", "detect_positive=0", INFINITIES, "bool 5 = 0 0 0 1 0"},
    {"none", "detect_positive=0 detect_negative=0", INFINITIES, "bool 5 = 0 0 0 0 0"},
    {"many", NULL, "3x5x7", NULL},
    {0}};

const TestOperator test_logic[] = {{"IsInf", is_inf_rows},
                                   {"IsNaN", is_nan_rows},
                                   {"Equal", equal_rows},
                                   {"Greater", greater_rows},
                                   {"GreaterOrEqual", greater_or_equal_rows},
                                   {"Less", less_rows},
                                   {"LessOrEqual", less_or_equal_rows},
                                   {"And", and_rows},
                                   {"Or", or_rows},
                                   {"Xor", xor_rows},
                                   {"Not", not_rows},
                                   {"Where", where_rows},
                                   {0}};
