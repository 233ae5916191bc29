/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution from texel buffers, for devices that are software (see conv-texels.comp). An
 * invocation computes four channels of PIXELS neighbours in a row; what their windows share it reads
 * once. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_samplerless_texture_functions : require
#include "vec4.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 2) const uint PIXELS = 4;
layout (constant_id = 3) const uint KERNEL_WIDTH = 3;
layout (constant_id = 4) const uint STRIDE_X = 1;

layout (set = 0, binding = 0) uniform textureBuffer x;
layout (set = 0, binding = 1) uniform textureBuffer weights;

const uint SPAN = (PIXELS - 1) * STRIDE_X + KERNEL_WIDTH;

/* Adds what row `down` of an image, all of whose rows begin at `image`, brings by taps `tap_y`. */
void
add_row (inout vec4 sums[PIXELS], uint image, uint down, uint left, uint tap_y, uint four)
{
  uint vec4s = push.x_pitch / 4, start = push.offset[0] + four;
  uint weights_at = push.offset[1] + tap_y * KERNEL_WIDTH * push.weights_pitch / 4 + four;
  vec4 row[SPAN];

  [[unroll]] for (uint i = 0; i < SPAN; i++) {
    bool inside = down < push.height && left + i < push.width;
    uint at = inside ? ((image + down) * push.width + left + i) * vec4s : 0;
    vec4 value = texelFetch (x, int(start + at));

    row[i] = inside ? value : vec4 (0);
  }
  [[unroll]] for (uint tap_x = 0; tap_x < KERNEL_WIDTH; tap_x++) {
    vec4 weight = texelFetch (weights, int(weights_at + tap_x * push.weights_pitch / 4));

    [[unroll]] for (uint i = 0; i < PIXELS; i++)
      sums[i] += row[i * STRIDE_X + tap_x] * weight;
  }
}

void
main ()
{
  uint vec4s = push.channels / 4, spans = (push.y_width + PIXELS - 1) / PIXELS;
  uint index = linear_index ();
  uint part = index / vec4s, four = index - part * vec4s;
  uint row = part / spans, first = (part - row * spans) * PIXELS;
  uint image = row / push.y_height;
  uint down = (row - image * push.y_height) * push.stride_y - push.pad_top;
  uint left = first * STRIDE_X - push.pad_left;
  vec4 sums[PIXELS], start;

  if (image >= push.batch)
    return;
  [[unroll]] for (uint i = 0; i < PIXELS; i++)
    sums[i] = vec4 (0);
  for (uint tap_y = 0; tap_y < push.kernel_height; tap_y++)
    add_row (sums, image * push.height, down + tap_y * push.dilation_y, left, tap_y, four);
  start = load_bias (four * 4);
  [[unroll]] for (uint i = 0; i < PIXELS; i++)
    if (first + i < push.y_width)
      finish (row * push.y_width + first + i, four * 4, sums[i] + start);
}
