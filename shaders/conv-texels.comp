/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution from texel buffers, for software devices. There a subgroup is a vector register of
 * the processor: eight texels fill one in fifty instructions, and every other way of reading memory
 * takes far longer.
 *
 * A subgroup computes PIXELS pixels of 4 · FOURS · SUBGROUP filters. Each invocation reads its own
 * filters' weights, and the channels of one pixel, which the others get from it by shuffling. The
 * weights' panels are as wide as a subgroup's filters. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_samplerless_texture_functions : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "vec4.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 2) const uint PIXELS = 8;
layout (constant_id = 3) const uint FOURS = 2;
layout (constant_id = 4) const uint SUBGROUP = 8; /* invocations */

layout (set = 0, binding = 0) uniform textureBuffer x;
layout (set = 0, binding = 1) uniform textureBuffer weights;

/* Pixels are spread over the invocations in so many layers. */
const uint LAYERS = (PIXELS + SUBGROUP - 1) / SUBGROUP;

struct Window {
  uint image;    /* its first row among the rows of all images */
  uint down, across; /* of its first tap; beyond the edges they are large */
};

uint n_pixels = push.batch * push.y_height * push.y_width;

Window
find_window (uint pixel)
{
  uint across = pixel % push.y_width, row = pixel / push.y_width;

  return Window (row / push.y_height * push.height,
                 row % push.y_height * push.stride_y - push.pad_top,
                 across * push.stride_x - push.pad_left);
}

void
main ()
{
  uint lane = gl_SubgroupInvocationID;
  uint panels = (push.filters + push.weights_pitch - 1) / push.weights_pitch;
  uint part = linear_group () * gl_NumSubgroups + gl_SubgroupID;
  uint panel = part % panels, first = part / panels * PIXELS;
  uint inner = push.kernel_height * push.kernel_width * push.channels;
  uint group = gl_WorkGroupID.z;
  uint weights_at = push.offset[1] + (group * panels + panel) * inner * FOURS * SUBGROUP + lane;
  uint x_at = push.offset[0] + group * push.channels / 4;
  Window windows[LAYERS];
  vec4 sums[PIXELS * FOURS];

  if (first >= n_pixels)
    return;
  [[unroll]] for (uint i = 0; i < LAYERS; i++)
    windows[i] = find_window (min (first + i * SUBGROUP + lane, n_pixels - 1));
  [[unroll]] for (uint i = 0; i < PIXELS * FOURS; i++)
    sums[i] = vec4 (0);

  for (uint tap_y = 0; tap_y < push.kernel_height; tap_y++)
    for (uint tap_x = 0; tap_x < push.kernel_width; tap_x++) {
      uint at[LAYERS];
      bool inside[LAYERS];

      [[unroll]] for (uint i = 0; i < LAYERS; i++) {
        uint down = windows[i].down + tap_y * push.dilation_y;
        uint across = windows[i].across + tap_x * push.dilation_x;

        inside[i] = down < push.height && across < push.width;
        at[i] = x_at
                + (inside[i] ? ((windows[i].image + down) * push.width + across) * push.x_pitch / 4
                             : 0);
      }
      for (uint c = 0; c < push.channels / 4; c++) {
        vec4 own[LAYERS], w[4 * FOURS];

        [[unroll]] for (uint i = 0; i < LAYERS; i++)
          own[i] = texelFetch (x, int(at[i] + c));
        [[unroll]] for (uint i = 0; i < 4 * FOURS; i++)
          w[i] = texelFetch (weights, int(weights_at + i * SUBGROUP));
        [[unroll]] for (uint i = 0; i < LAYERS; i++)
          own[i] = inside[i] ? own[i] : vec4 (0);
        weights_at += 4 * FOURS * SUBGROUP;
        [[unroll]] for (uint p = 0; p < PIXELS; p++) {
          vec4 a = subgroupShuffle (own[p / SUBGROUP], p % SUBGROUP);

          [[unroll]] for (uint j = 0; j < FOURS; j++) {
            vec4 sum = sums[p * FOURS + j];

            [[unroll]] for (uint k = 0; k < 4; k++)
              sum += a[k] * w[k * FOURS + j];
            sums[p * FOURS + j] = sum;
          }
        }
      }
    }

  [[unroll]] for (uint j = 0; j < FOURS; j++) {
    uint channel = panel * push.weights_pitch + (j * SUBGROUP + lane) * 4;

    if (channel < push.filters) {
      uint at = group * push.filters + channel;
      vec4 start = load_bias (at);

      [[unroll]] for (uint p = 0; p < PIXELS; p++)
        if (first + p < n_pixels)
          finish (first + p, at, sums[p * FOURS + j] + start);
    }
  }
}
