/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A convolution with taps that are moved; see compute/ops/deform-conv.c. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/deform-conv.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const bool BIAS = false;
layout (constant_id = 1) const bool MASK = false;

READS (0, x)
READS (1, weights)
READS (2, offsets)
READS (3, bias)
READS (4, mask)
WRITES (5, y)

float
interpolate (uint image, vec2 at, uint channel)
{
  int height = push.x_size[0], width = push.x_size[1];
  vec2 first = floor (at);
  float sum = 0;

  if (!(at.x > -1 && at.x < height && at.y > -1 && at.y < width))
    return 0;
  for (int i = 0; i < 4; i++) {
    ivec2 place = ivec2 (first) + ivec2 (i / 2, i % 2);
    vec2 near = 1 - abs (at - vec2 (place));

    if (place.x >= 0 && place.x < height && place.y >= 0 && place.y < width) {
      uint pixel = (image * uint (height) + uint (place.x)) * uint (width) + uint (place.y);

      sum += near.x * near.y * x_load (pixel * push.channels + channel);
    }
  }
  return sum;
}

void
main ()
{
  uint i = linear_index (), taps = uint (push.kernel[0] * push.kernel[1]);

  if (i < push.n) {
    uvec2 pixel = divide (i, push.filters);
    uvec2 line = divide (pixel.x, uint (push.y_size[1]));
    uvec2 image = divide (line.x, uint (push.y_size[0]));
    uint filter_ = pixel.y, first = filter_ / push.group_filters * push.group_channels;
    ivec2 start = ivec2 (image.y, line.y) * ivec2 (push.stride[0], push.stride[1])
                  - ivec2 (push.pad[0], push.pad[1]);
    float sum = 0;

    if (BIAS)
      sum = bias_load (filter_);
    for (uint tap = 0; tap < taps; tap++)
      for (uint c = 0; c < push.group_channels; c++) {
        uint group = (first + c) / push.offset_channels;
        uint moved = (pixel.x * push.offset_groups + group) * taps + tap;
        ivec2 place = ivec2 (tap / push.kernel[1], tap % push.kernel[1])
                      * ivec2 (push.dilation[0], push.dilation[1]);
        vec2 at = vec2 (start + place)
                  + vec2 (offsets_load (2 * moved), offsets_load (2 * moved + 1));
        float value = interpolate (image.x, at, first + c);

        if (MASK)
          value *= mask_load (moved);
        sum += value * weights_load ((filter_ * taps + tap) * push.group_channels + c);
      }
    y_store (i, sum);
  }
}
