/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transposed convolution by its definition. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "direct.glsl"

/* Weights are (channels, kernel, filters of a group). A tap brings what lies at input pixels whose
 * steps end here: position + pad - tap · dilation has to be a multiple of the stride. */
float
sum_window (uint image, ivec3 position, uint filter_index)
{
  ivec3 kernel = axes (ENS_CONV_KERNEL), dilation = axes (ENS_CONV_DILATION);
  ivec3 stride = axes (ENS_CONV_STRIDE), last = position + axes (ENS_CONV_PAD);
  uint group = filter_index / push.group_filters;
  uint step = kernel.x * kernel.y * kernel.z * push.group_filters;
  uint weights_at = group * push.group_channels * step + filter_index % push.group_filters;
  float sum = 0;

  for (int z = 0; z < kernel.x; z++)
    for (int y = 0; y < kernel.y; y++)
      for (int x = 0; x < kernel.z; x++) {
        ivec3 to = last - ivec3 (z, y, x) * dilation;
        ivec3 at = to / stride;

        if (at * stride == to && is_inside (at))
          sum += sum_channels (image, at, group, weights_at, step);
        weights_at += push.group_filters;
      }
  return sum;
}
