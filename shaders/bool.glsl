/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Truth values of two inputs that are broadcast to the output's shape: a shader defines
 * decide (a, b), of the places of two elements. */
#extension GL_EXT_shader_8bit_storage : require
#include "push/logic.h"
#include "strided.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint OPERATION = 0;

layout (set = 0, binding = 2) writeonly buffer Y
{
  uint8_t y[];
};
AXES (3)

bool decide (uint a, uint b);

void
main ()
{
  uvec2 index = divide (linear_index (), push.columns);

  if (index.x < push.rows) {
    uvec4 at = strided_offsets (0, push.n_axes, index.x)
               + index.y * uvec4 (1, push.a_step, push.b_step, 0);

    y[push.offset[2] + at.x] = uint8_t (uint (decide (at.y, at.z)));
  }
}
