/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution by its definition. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "direct.glsl"

/* Weights are (filters, kernel, channels of a group). */
float
sum_window (uint image, ivec3 position, uint filter_index)
{
  ivec3 kernel = axes (ENS_CONV_KERNEL), dilation = axes (ENS_CONV_DILATION);
  ivec3 first = position * axes (ENS_CONV_STRIDE) - axes (ENS_CONV_PAD);
  uint weights_at = filter_index * kernel.x * kernel.y * kernel.z * push.group_channels;
  float sum = 0;

  for (int z = 0; z < kernel.x; z++)
    for (int y = 0; y < kernel.y; y++)
      for (int x = 0; x < kernel.z; x++) {
        ivec3 at = first + ivec3 (z, y, x) * dilation;

        if (is_inside (at))
          sum += sum_channels (image, at, filter_index / push.group_filters, weights_at, 1);
        weights_at += push.group_channels;
      }
  return sum;
}
