/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selects from two inputs by conditions: bytes, four to a word. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/where.h"
#include "strided.glsl"

layout (local_size_x = 128) in;

layout (set = 0, binding = 0) readonly buffer Conditions
{
  uint conditions[];
};
READS (1, a)
READS (2, b)
WRITES (3, y)
AXES (4)

void
main ()
{
  uvec2 index = divide (linear_index (), push.columns);

  if (index.x < push.rows) {
    uvec4 at = strided_offsets (0, push.n_axes, index.x)
               + index.y * uvec4 (1, push.condition_step, push.a_step, push.b_step);
    uint place = push.offset[0] + at.y;
    bool condition = bitfieldExtract (conditions[place / 4], int(place % 4) * 8, 8) != 0;

    y_store (at.x, condition ? a_load (at.z) : b_load (at.w));
  }
}
