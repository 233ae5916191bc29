/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#define X "2x3 = 1 2 3 4 5 6"
#define SHAPES(low, high)                                                               \
  {"all", NULL, "2x3x5x7 in " low ".." high, "1x1x1x1"},                                \
      {"space", "axes=[1, 2] keepdims=0", "2x5x7x37 in " low ".." high, "2x37",         \
       .benchmark = "1x14x14x512"},                                                     \
      {"space-kept", "axes=[1, 2]", "2x5x7x37 in " low ".." high, "2x1x1x37"},          \
      {"channels", "axes=[-1]", "2x3x5x37 in " low ".." high, "2x3x5x1"},               \
      {"long", "axes=[-1]", "3x5x301 in " low ".." high, "3x5x1"},                      \
      {"batch", "axes=[0] keepdims=0", "37x200 in " low ".." high, "200"},              \
      {"ends", "axes=[0, 3] keepdims=0", "3x4x5x6 in " low ".." high, "4x5"},           \
      {"channels-first", "axes=[2, 3] keepdims=0", "2x5x3x4 in " low ".." high, "2x5"}, \
      {"channels-first-kept", "axes=[1]", "2x5x3x4 in " low ".." high, "2x1x3x4"},      \
      {"one", "axes=[0]", "1 in " low ".." high, "1"},                                  \
      {"scalar", NULL, "scalar in " low ".." high, "scalar"},                           \
      {"float64", "axes=[1]", "float64 3x4 in " low ".." high, "float64 3x1"},          \
      {"axis-input", "keepdims=0", "3x4 in " low ".." high "; const int64 1 = 1", "3"}, \
      {"no-axis", "axes=[2]", "3x4", .error = "axis 2 does not exist"},                 \
      {"twice", "axes=[1, -1]", "3x4", .error = "axis 1 is named twice"},               \
  {                                                                                     \
    "unknown-axes", NULL, "3x4; int64 1", .error = "not known before running"           \
  }
#define ROWS(id, low, high, ...) \
  static const TestRow id##_rows[] = {__VA_ARGS__, SHAPES (low, high), {0}}

ROWS (mean, "-1", "1", {"by-hand", "axes=[1]", X, "2x1 = 2 5"},
      {"by-hand-0", "axes=[0] keepdims=0", X, "3 = 2.5 3.5 4.5"});
ROWS (sum, "-1", "1", {"by-hand", "axes=[1]", X, "2x1 = 6 15"},
      {"nothing", "noop_with_empty_axes=1", X, "2x3 = 1 2 3 4 5 6"},
      {"integers", "axes=[0] keepdims=0", "int64 2x2 = 1 2 3 4", "int64 2 = 4 6"},
      {"empty", "axes=[0] keepdims=0", "0x3", "3 = 0 0 0"});
ROWS (max, "-1", "1", {"by-hand", "axes=[1]", "2x3 = -1 -2 -3 4 6 5", "2x1 = -1 6"});
ROWS (min, "-1", "1", {"by-hand", "axes=[1]", "2x3 = -1 -2 -3 4 6 5", "2x1 = -3 4"});
ROWS (prod, "0.5", "2", {"by-hand", "axes=[1]", X, "2x1 = 6 120"},
      {"zeroes", "axes=[1]", "3x2 in 0..0", "3x1 = 0 0 0"},
      {"integers", NULL, "int64 3 = 3 4 5", "int64 1 = 60"});
ROWS (l1, "-1", "1", {"by-hand", "axes=[1]", "2x2 = -1 2 3 -4", "2x1 = 3 7"});
ROWS (l2, "-1", "1", {"by-hand", "axes=[1]", "2x2 = 3 4 -6 8", "2x1 = 5 10"},
      {"zeroes", "axes=[1]", "3x2 in 0..0", "3x1 = 0 0 0"});
ROWS (sum_square, "-1", "1", {"by-hand", "axes=[1]", "2x2 = 3 4 -6 8", "2x1 = 25 100"});
ROWS (log_sum, "0.5", "2", {"by-hand", "axes=[1]", "1x2 = 2 3", "1x1 = 1.6094379"});
ROWS (log_sum_exp, "-1", "1", {"by-hand", "axes=[1]", "1x2 = 0 1", "1x1 = 1.3132617"},
      {"large", "axes=[0]", "2 = 1000 1000", "1 = 1000.6931"});

const TestOperator test_reduce[] = {{"ReduceMean", mean_rows},
                                    {"ReduceSum", sum_rows},
                                    {"ReduceMax", max_rows},
                                    {"ReduceMin", min_rows},
                                    {"ReduceProd", prod_rows},
                                    {"ReduceL1", l1_rows},
                                    {"ReduceL2", l2_rows},
                                    {"ReduceSumSquare", sum_square_rows},
                                    {"ReduceLogSum", log_sum_rows},
                                    {"ReduceLogSumExp", log_sum_exp_rows},
                                    {0}};
