/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of what was normalised, given those of scale and bias. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/batch-normalization-grad.h"

layout (local_size_x = 128) in;

READS (0, dy)
READS (1, x)
READS (2, scale)
READS (3, mean)
READS (4, variance)
READS (5, dscale)
READS (6, dbias)
WRITES (7, dx)

/* Each invocation computes up to four channels of a pixel. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    vec4 inverse = 1 / sqrt (variance_load4 (column, n, 1) + push.epsilon);
    vec4 slope = dy_load4 (row * push.dy_pitch + column, n, 1);
    vec4 normal = (x_load4 (row * push.x_pitch + column, n, 1) - mean_load4 (column, n, 1)) * inverse;

    if (push.batch_statistics != 0)
      slope -= (dbias_load4 (column, n, 1) + normal * dscale_load4 (column, n, 1)) / push.rows;
    dx_store4 (row * push.dx_pitch + column, n, 1, slope * scale_load4 (column, n, 1) * inverse);
  }
}
