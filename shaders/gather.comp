/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of a tensor in the order of a list that is known when the plan is made. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/gather.h"

layout (local_size_x = 128) in;

READS (0, x)
layout (set = 0, binding = 1) readonly buffer Indices
{
  uint indices[];
};
WRITES (2, y)

/* Each invocation moves up to four neighbours of a row. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    uvec2 part = divide (row, push.n_indices);
    uint from = part.x * push.extent + indices[push.offset[1] + part.y];

    y_store4 (row * push.columns + column, n, 1, x_load4 (from * push.columns + column, n, 1));
  }
}
