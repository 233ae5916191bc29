/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradient of Resize: weighted sums of the pixels that tables name for each axis, as many as there
 * are. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/resize-grad.h"

layout (local_size_x = 128) in;

READS (0, dy)
WRITES (1, dx)
layout (set = 0, binding = 2) readonly buffer Table
{
  uint table[];
};

/* The entries of a position: [x, y). */
uvec2
entries (int axis, uint position)
{
  uint start = push.offset[2] + push.starts[axis] + position;

  return push.offset[2] + uvec2 (table[start], table[start + 1]);
}

vec4
sum_line (uint line, float weight, uvec2 columns, uint channel, uint n)
{
  vec4 sum = vec4 (0);

  for (uint x = columns.x; x < columns.y; x += ENS_RESIZE_GRAD_WORDS)
    sum += weight * uintBitsToFloat (table[x + 1])
           * dy_load4 ((line * push.resized[2] + table[x]) * push.dy_pitch + channel, n, 1);
  return sum;
}

vec4
sum_image (uint image, uvec3 position, uint channel, uint n)
{
  uvec2 planes = entries (0, position.x), lines = entries (1, position.y);
  uvec2 columns = entries (2, position.z);
  vec4 sum = vec4 (0);

  for (uint z = planes.x; z < planes.y; z += ENS_RESIZE_GRAD_WORDS)
    for (uint y = lines.x; y < lines.y; y += ENS_RESIZE_GRAD_WORDS) {
      uint line = (image * push.resized[0] + table[z]) * push.resized[1] + table[y];
      float weight = uintBitsToFloat (table[z + 1]) * uintBitsToFloat (table[y + 1]);

      sum += sum_line (line, weight, columns, channel, n);
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
    dx_store4 (pixel * push.dx_pitch + channel, n, 1, sum_image (image.x, position, channel, n));
}
