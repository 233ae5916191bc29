/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of one tap, the product of dense matrices, by cooperative matrices of workgroups that
 * are read from where they are: no invocation reckons where an element lies, and what lies outside
 * reads as zero (SPV_NV_tensor_addressing). Constants are those of conv-tile.glsl; steps are
 * FRAGMENT_K long.
 *
 * Compilers that don't know the extension are told its instructions by number; of what they make
 * matrix-khr.c makes what others would. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#define COOPERATIVE
#include "conv.glsl"

layout (local_size_x_id = 2) in;
layout (constant_id = 3) const uint TILE_M = 64;
layout (constant_id = 4) const uint TILE_N = 64;
layout (constant_id = 6) const uint SUB_M = 64;
layout (constant_id = 7) const uint SUB_N = 64;
/* What rows of x are known to begin at multiples of. */
layout (constant_id = 11) const uint AT_ONCE = 1;

READS (0, x)
READS (1, weights)

#include "matrix-fragment.glsl"
#include "tensor.glsl"

#define KNOWN_MULTIPLE(x, of) ((x) / (of) * (of))

const uint FRAGMENTS_M = SUB_M / FRAGMENT_M, FRAGMENTS_N = SUB_N / FRAGMENT_N;
const uint WEIGHTS_AT_ONCE = 8;

void
main ()
{
  uint first_pixel = gl_WorkGroupID.x * TILE_M, first_filter = gl_WorkGroupID.y * TILE_N;
  uint x_pitch = KNOWN_MULTIPLE (push.x_pitch, AT_ONCE);
  uint weights_pitch = KNOWN_MULTIPLE (push.weights_pitch, WEIGHTS_AT_ONCE);
  ACCUMULATOR sums[FRAGMENTS_M * FRAGMENTS_N];

  [[unroll]] for (uint i = 0; i < FRAGMENTS_M * FRAGMENTS_N; i++)
    CLEAR (sums[i]);
  for (uint k = 0; k < push.channels; k += FRAGMENT_K) {
    OPERAND_A a[FRAGMENTS_M];

    [[unroll]] for (uint i = 0; i < FRAGMENTS_M; i++)
      LOAD_TENSOR_A (a[i], x_one, KNOWN_MULTIPLE (push.offset[0], AT_ONCE),
                     TENSOR (push.batch, push.channels, x_pitch,
                             first_pixel + i * FRAGMENT_M, FRAGMENT_M, k, FRAGMENT_K));
    [[unroll]] for (uint j = 0; j < FRAGMENTS_N; j++) {
      OPERAND_B b;

      LOAD_TENSOR_B (b, weights_one, KNOWN_MULTIPLE (push.offset[1], WEIGHTS_AT_ONCE),
                     TENSOR (push.channels, push.weights_pitch, weights_pitch,
                             k, FRAGMENT_K, first_filter + j * FRAGMENT_N, FRAGMENT_N));
      [[unroll]] for (uint i = 0; i < FRAGMENTS_M; i++)
        MULTIPLY_ADD (sums[i * FRAGMENTS_N + j], a[i], b);
    }
  }
  [[unroll]] for (uint i = 0; i < FRAGMENTS_M; i++)
    [[unroll]] for (uint j = 0; j < FRAGMENTS_N; j++)
      FINISH (sums[i * FRAGMENTS_N + j], first_pixel + i * FRAGMENT_M,
              first_filter + j * FRAGMENT_N);
}
