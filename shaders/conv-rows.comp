/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products with few rows, such as classifiers of one image: their cost is reading the weights once.
 * A workgroup computes 4 · ACROSS columns of ROWS rows; its invocations divide the inner dimension
 * among themselves and add up in a fixed order. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv.glsl"

#define ACROSS 8
#define DOWN 16

layout (local_size_x = ACROSS * DOWN) in;
layout (constant_id = 2) const uint ROWS = 1;

READS (0, x)
READS (1, weights)

shared vec4 partial[ROWS * DOWN * ACROSS];

void
main ()
{
  uint across = gl_LocalInvocationIndex % ACROSS, down = gl_LocalInvocationIndex / ACROSS;
  uint column = (gl_WorkGroupID.x * ACROSS + across) * 4, first = gl_WorkGroupID.y * ROWS;
  vec4 sums[ROWS];

  for (uint i = 0; i < ROWS; i++)
    sums[i] = vec4 (0);
  if (column < push.filters)
    for (uint k = down; k < push.channels; k += DOWN) {
      vec4 four = weights_load4 (k * push.weights_pitch + column, 4, 1);

      for (uint i = 0; i < ROWS; i++)
        if (first + i < push.batch)
          sums[i] += x_load ((first + i) * push.x_pitch + k) * four;
    }
  for (uint i = 0; i < ROWS; i++)
    partial[(i * DOWN + down) * ACROSS + across] = sums[i];
  barrier ();
  for (uint i = down; i < ROWS; i += DOWN)
    if (column < push.filters && first + i < push.batch) {
      vec4 sum = vec4 (0);

      for (uint j = 0; j < DOWN; j++)
        sum += partial[(i * DOWN + j) * ACROSS + across];
      finish (first + i, column, push.filters - column, sum);
    }
}
