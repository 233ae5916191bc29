/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The epilogue of a convolution whose sums another dispatch has stored: x has the groups and pixels
 * of y, and the filters of a group padded to a multiple of four, weights_pitch. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv.glsl"

layout (local_size_x = 64) in;

READS (0, x)

void
main ()
{
  uint index = linear_index (), vec4s = push.weights_pitch / 4;
  uint filter_index = index % vec4s * 4, part = index / vec4s;
  uint groups = push.x_pitch / push.weights_pitch;
  uint group = part % groups, pixel = part / groups;

  if (pixel < push.batch * push.y_height * push.y_width)
    finish (pixel, group * push.filters + filter_index, push.filters - filter_index,
            vec4 (x_four[push.offset[0] / 4 + index]));
}
