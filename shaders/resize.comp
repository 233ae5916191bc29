/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weighted sums of the pixels that tables name for each axis. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/resize.h"

layout (local_size_x = 128) in;

READS (0, x)
WRITES (1, y)
layout (set = 0, binding = 2) readonly buffer Taps
{
  uint taps[];
};

uint
tap (int axis, uint position, uint k)
{
  uint number = push.first[axis] + position * push.n_taps[axis] + k;

  return push.offset[2] + number * ENS_RESIZE_WORDS;
}

bool
is_outside (uvec3 position)
{
  bool outside = false;

  for (int axis = 0; axis < 3; axis++)
    outside = outside || taps[tap (axis, position[axis], 0)] == ENS_RESIZE_OUTSIDE;
  return outside;
}

vec4
sum_taps (uvec3 position, uint start, uint n)
{
  vec4 sum = vec4 (0);

  for (uint z = 0; z < push.n_taps[0]; z++)
    for (uint y = 0; y < push.n_taps[1]; y++)
      for (uint x = 0; x < push.n_taps[2]; x++) {
        uvec3 at = uvec3 (tap (0, position.x, z), tap (1, position.y, y), tap (2, position.z, x));
        float weight = uintBitsToFloat (taps[at.x + 1]) * uintBitsToFloat (taps[at.y + 1])
                       * uintBitsToFloat (taps[at.z + 1]);

        sum += weight * x_load4 (start + taps[at.x] + taps[at.y] + taps[at.z], n, 1);
      }
  return sum;
}

/* Each invocation computes up to four channels of a pixel. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint pixel = at.x, channel = at.y * 4, n = push.columns - channel;
  uvec2 line = divide (pixel, push.size[2]), plane = divide (line.x, push.size[1]);
  uvec2 image = divide (plane.x, push.size[0]);
  uvec3 position = uvec3 (image.y, plane.y, line.y); /* z, y, x */

  if (pixel < push.pixels)
    y_store4 (pixel * push.y_pitch + channel, n, 1,
              is_outside (position) ? vec4 (push.extrapolation)
                                    : sum_taps (position, image.x * push.image + channel, n));
}
