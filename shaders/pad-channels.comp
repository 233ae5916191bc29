/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of a map in which the channels of each group begin and end at multiples of four, for
 * shaders that read four at a time. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/pad-channels.h"

layout (local_size_x = 64) in;

READS (0, x)
WRITES (1, y)

void
main ()
{
  uint index = linear_index ();
  uint four = index % push.vec4s, group = index / push.vec4s % push.groups;
  uint pixel = index / push.vec4s / push.groups;

  if (pixel < push.pixels)
    y_four[push.offset[1] / 4 + index] = FLOAT4 (x_load4 (
        pixel * push.x_pitch + group * push.channels + four * 4, push.channels - four * 4, 1));
}
