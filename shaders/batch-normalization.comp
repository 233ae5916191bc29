/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Channels scaled and shifted by what training found. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/batch-normalization.h"

layout (local_size_x = 128) in;

READS (0, x)
READS (1, scale)
READS (2, bias)
READS (3, mean)
READS (4, variance)
WRITES (5, y)

/* Each invocation computes up to four channels of a pixel. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    vec4 factor = scale_load4 (column, n, 1) / sqrt (variance_load4 (column, n, 1) + push.epsilon);
    vec4 x = x_load4 (row * push.x_pitch + column, n, 1) - mean_load4 (column, n, 1);

    y_store4 (row * push.y_pitch + column, n, 1, x * factor + bias_load4 (column, n, 1));
  }
}
