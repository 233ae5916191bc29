/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Local response normalisation across channels. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/lrn.h"
#include "math.glsl"

layout (local_size_x = 128) in;

READS (0, x)
WRITES (1, y)

void
main ()
{
  uvec2 index = divide (linear_index (), push.columns);
  uint row = index.x, column = index.y;
  uint first = column - min (column, push.before);
  uint last = min (column + push.after, push.columns - 1);
  float sum = 0;

  if (row >= push.rows)
    return;
  for (uint k = first; k <= last; k++) {
    float x = x_load (row * push.x_pitch + k);

    sum += x * x;
  }
  y_store (row * push.y_pitch + column,
           x_load (row * push.x_pitch + column)
               * exponential (-push.beta * logarithm (push.bias + push.factor * sum)));
}
