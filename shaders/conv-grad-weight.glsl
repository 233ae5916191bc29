/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the shaders of the gradient of a convolution's weights share. */
#include "common.glsl"
#include "push/conv-grad-weight.h"

layout (local_size_x = 64) in;

READS (0, x)
READS (1, dy)
layout (set = 0, binding = 2) writeonly buffer Sums
{
  float sums[];
};
layout (set = 0, binding = 3) readonly buffer Table
{
  int table[];
};

ivec3
axes (uint word)
{
  uint at = push.offset[3] + word;

  return ivec3 (table[at], table[at + ENS_CONV_WORDS], table[at + 2 * ENS_CONV_WORDS]);
}

/* A pixel of the output: z, y, x of its window's first position, and its image. */
ivec4
find_window (uint pixel)
{
  ivec3 size = axes (ENS_CONV_Y);
  uvec2 row = divide (pixel, size.z), plane = divide (row.x, size.y);
  uvec2 image = divide (plane.x, size.x);

  return ivec4 (ivec3 (image.y, plane.y, row.y) * axes (ENS_CONV_STRIDE) - axes (ENS_CONV_PAD),
                image.x);
}

/* How far a tap is from its window's first position. */
ivec3
find_tap (uint tap)
{
  ivec3 kernel = axes (ENS_CONV_KERNEL);
  uvec2 row = divide (tap, kernel.z), plane = divide (row.x, kernel.y);

  return ivec3 (plane.x, plane.y, row.y) * axes (ENS_CONV_DILATION);
}

/* What a window sees there: zero in the padding. */
float
load_input (ivec4 window, ivec3 tap, uint channel)
{
  ivec3 at = window.xyz + tap, size = axes (ENS_CONV_X);
  int pixel = ((window.w * size.x + at.x) * size.y + at.y) * size.z + at.z;

  if (any (lessThan (at, ivec3 (0))) || any (greaterThanEqual (at, size)))
    return 0;
  return x_load (uint (pixel) * push.x_pitch + channel);
}
