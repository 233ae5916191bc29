/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements in another order: Transpose, Slice, Concat, Tile and the like are all the same loop over
 * two arrays with strides. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/copy.h"
#include "strided.glsl"

layout (local_size_x = 128) in;

READS (0, x)
WRITES (1, y)
AXES (2)

/* Each invocation moves up to four neighbours along the last axis. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    uvec4 start = strided_offsets (0, push.n_axes, row);
    vec4 x = x_load4 (push.x_start + start.y + column * push.x_step, n, push.x_step);

    y_store4 (push.y_start + start.x + column * push.y_step, n, push.y_step, x);
  }
}
