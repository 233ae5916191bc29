/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: one instruction set level. Included with LANES, TILE_ROWS, LEVEL (its name)
 * and LEVEL_TABLE (the variable's) defined. */
#include "kernels/kernels.h"
#include "kernels/vector.h"

#include <math.h>

#include "kernels/epilogue-template.h"
#include "kernels/gemm-template.h"
#include "kernels/outer-template.h"
#include "kernels/winograd-template.h"
#include "kernels/depthwise-template.h"
#include "kernels/depthwise-gradient-template.h"
#include "kernels/pooling-template.h"
#include "kernels/softmax-template.h"

#define CHAINS 12 /* independent ones: enough for two units with a latency of six cycles */

static float
multiply_add (guint64 rounds)
{
  const Vector factor = vector_set (0.999f), term = vector_set (0.001f);
  Vector x[CHAINS], sum = {0};

  ENS_UNROLLED (i, CHAINS)
    x[i] = vector_set ((float)i);
  for (guint64 r = 0; r < rounds; r++)
    ENS_UNROLLED (i, CHAINS)
      x[i] = x[i] * factor + term;
  ENS_UNROLLED (i, CHAINS)
    sum += x[i];
  return sum[0];
}

const EnsKernels LEVEL_TABLE = {
    .name = LEVEL,
    .lanes = LANES,
    .tile_rows = TILE_ROWS,
    .tiles = {tiles_1, tiles_2},
    .outer = {outer_1, outer_2},
    .winograd_2_weights = winograd_2_weights,
    .winograd_2_input = winograd_2_input,
    .winograd_2_output = winograd_2_output,
    .winograd_4_weights = winograd_4_weights,
    .winograd_4_input = winograd_4_input,
    .winograd_4_output = winograd_4_output,
    .depthwise = depthwise_row,
    .depthwise_gradient = depthwise_gradient_row,
    .max_window = max_window,
    .sum_window = sum_window,
    .max_gradient_window = max_gradient_window,
    .finish = finish_values,
    .softmax = softmax_exponentials,
    .multiply_add = multiply_add,
    .flops_per_round = 2 * CHAINS * LANES,
};
