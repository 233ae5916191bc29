/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution, each channel by a filter of its own: an invocation computes four channels of
 * PIXELS neighbours in a row. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "conv.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 2) const uint PIXELS = 4;

READS (0, x)
READS (1, weights)

/* Adds the tap (down, across) of `image` to the sums of pixels from `first` on. */
void
add_tap (inout vec4 sums[PIXELS], uint row, uint first, uvec2 tap, uint channel)
{
  uint down = row % push.y_height * push.stride_y + tap.x * push.dilation_y - push.pad_top;
  uint start = (row / push.y_height * push.height + down) * push.width;
  vec4 weight = weights_load4 (
      (tap.x * push.kernel_width + tap.y) * push.weights_pitch + channel, 4, 1);

  [[unroll]] for (uint i = 0; i < PIXELS; i++) {
    uint across = (first + i) * push.stride_x + tap.y * push.dilation_x - push.pad_left;
    bool inside = down < push.height && across < push.width;
    vec4 x = x_load4 ((inside ? (start + across) * push.x_pitch : 0) + channel,
                      push.channels - channel, 1);

    sums[i] += inside ? x * weight : vec4 (0);
  }
}

void
main ()
{
  uint vec4s = (push.channels + 3) / 4, spans = (push.y_width + PIXELS - 1) / PIXELS;
  uint index = linear_index ();
  uint channel = index % vec4s * 4, first = index / vec4s % spans * PIXELS;
  uint row = index / vec4s / spans;
  vec4 sums[PIXELS];

  if (row >= push.batch * push.y_height)
    return;
  [[unroll]] for (uint i = 0; i < PIXELS; i++)
    sums[i] = vec4 (0);
  for (uint y = 0; y < push.kernel_height; y++)
    for (uint x = 0; x < push.kernel_width; x++)
      add_tap (sums, row, first, uvec2 (y, x), channel);
  [[unroll]] for (uint i = 0; i < PIXELS; i++)
    if (first + i < push.y_width)
      finish (row * push.y_width + first + i, channel, push.channels - channel, sums[i]);
}
