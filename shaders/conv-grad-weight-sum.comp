/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adds up what slices of the pixels came to, in their order. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/conv-grad-weight-sum.h"

layout (local_size_x = 64) in;

layout (set = 0, binding = 0) readonly buffer Sums
{
  float sums[];
};
WRITES (1, dw)

void
main ()
{
  uint index = linear_index ();
  uvec2 at = divide (index, push.columns);
  float sum = 0;

  if (index >= push.n)
    return;
  for (uint slice = 0; slice < push.slices; slice++)
    sum += sums[push.offset[0] + slice * push.n + index];
  dw_store (at.x * push.pitch + at.y, sum);
}
