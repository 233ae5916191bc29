/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution as a product of matrices of which one is never written down (implicit GEMM): pixels
 * of the output × taps and channels, by taps and channels × filters. A workgroup computes a tile of
 * TILE_M pixels × TILE_N filters in steps of TILE_K. What a step needs is brought to shared memory,
 * and the next step's is on its way while this one is computed. Each subgroup multiplies its part
 * of the tile, SUB_M × SUB_N, in fragments (fragment.glsl). */
#include "conv.glsl"

layout (local_size_x_id = 2) in;
layout (constant_id = 3) const uint TILE_M = 64;
layout (constant_id = 4) const uint TILE_N = 64;
layout (constant_id = 5) const uint TILE_K = 32;
layout (constant_id = 6) const uint SUB_M = 32;
layout (constant_id = 7) const uint SUB_N = 32;
/* Channels of x that can be loaded at once: PART_SIZE, 4 or 1. */
layout (constant_id = 11) const uint AT_ONCE = 1;

/* Elements as they are in memory: four, and as many as an invocation brings to shared memory at
 * once. Rows there are 16 bytes further apart than they are long, so that a column's elements are
 * not all in one bank. */
#ifdef FLOAT16
#define FOUR uvec2

vec4
unpack_four (FOUR x)
{
  return vec4 (unpackHalf2x16 (x.x), unpackHalf2x16 (x.y));
}

FOUR
pack_four (vec4 x)
{
  return FOUR (packHalf2x16 (x.xy), packHalf2x16 (x.zw));
}
#else
#define FOUR vec4
#define unpack_four(x) (x)
#define pack_four(x) (x)
#endif

/* Arrays of matrices are not indexed by variables: loops over them must be unrolled. */
#ifdef COOPERATIVE
#extension GL_EXT_control_flow_attributes : require
#define UNROLL [[unroll]]
#define PART uvec4
#define PART_SIZE 8
#define ROW_GAP 1
#else
#define UNROLL
#define PART FOUR
#define PART_SIZE 4
#ifdef FLOAT16
#define ROW_GAP 2
#else
#define ROW_GAP 1
#endif
#endif

READS (0, x)
layout (set = 0, binding = 0) readonly buffer x_packed
{
  FOUR x_fours_packed[];
};
layout (set = 0, binding = 0) readonly buffer x_in_parts
{
  PART x_parts[];
};
layout (set = 0, binding = 1) readonly buffer weights_in_parts
{
  PART weights[];
};

const uint K_PARTS = TILE_K / PART_SIZE, N_PARTS = TILE_N / PART_SIZE;
const uint A_PITCH = K_PARTS + ROW_GAP, B_PITCH = N_PARTS + ROW_GAP; /* in parts */

shared PART a_tile[TILE_M * A_PITCH];
shared PART b_tile[TILE_K * B_PITCH];

#include "matrix-fragment.glsl"

const uint A_LOADS = TILE_M * K_PARTS / gl_WorkGroupSize.x;
const uint B_LOADS = TILE_K * N_PARTS / gl_WorkGroupSize.x;
const int FAR_OUTSIDE = -0x40000000;

/* Where the window of a pixel begins: its element of x, which may lie outside, y and x. */
ivec3
find_window (uint pixel)
{
  uvec2 row = divide (pixel, push.y_width), image = divide (row.x, push.y_height);
  int down = int(image.y * push.stride_y) - push.pad_top;
  int across = int(row.y * push.stride_x) - push.pad_left;

  if (image.x >= push.batch)
    return ivec3 (0, FAR_OUTSIDE, FAR_OUTSIDE);
  return ivec3 (((int(image.x * push.height) + down) * int(push.width) + across) * int(push.x_pitch),
                down, across);
}

/* Rows of the weights' matrix stand for a tap, y and x as far as dilation takes it, and a channel.
 * Moves n rows on. */
void
advance (inout ivec3 tap, uint n)
{
  tap.z += int(n);
  while (tap.z >= push.channels) {
    tap.z -= int(push.channels);
    tap.y += int(push.dilation_x);
    if (tap.y == push.kernel_width * push.dilation_x) {
      tap.y = 0;
      tap.x += int(push.dilation_y);
    }
  }
}

/* The element of x at a window's tap; −1 beyond its edges, and behind the last tap. */
int
find_element (ivec3 window, ivec3 tap)
{
  int down = window.y + tap.x, across = window.z + tap.y;

  if (uint (down) >= push.height || uint (across) >= push.width
      || tap.x >= push.kernel_height * push.dilation_y)
    return -1;
  return window.x + (tap.x * int(push.width) + tap.y) * int(push.x_pitch)
         + int(gl_WorkGroupID.z * push.channels) + tap.z;
}

FOUR
load_four (ivec3 window, ivec3 tap)
{
  vec4 value = vec4 (0);

  if (AT_ONCE >= 4) {
    int element = find_element (window, tap);

    return element >= 0 ? x_fours_packed[(push.offset[0] + element) / 4] : FOUR (0);
  }
  for (uint i = 0; i < 4; i++, advance (tap, 1)) {
    int element = find_element (window, tap);

    if (element >= 0)
      value[i] = x_load (element);
  }
  return pack_four (value);
}

PART
load_x (ivec3 window, ivec3 tap)
{
  if (AT_ONCE >= PART_SIZE) {
    int element = find_element (window, tap);

    return element >= 0 ? x_parts[(push.offset[0] + element) / PART_SIZE] : PART (0);
  }
#ifdef COOPERATIVE
  FOUR first = load_four (window, tap);

  advance (tap, 4);
  return PART (first, load_four (window, tap));
#else
  return load_four (window, tap);
#endif
}

PART
load_weights (uint k, uint filter_index, uint inner)
{
  return k < inner && filter_index < push.weights_pitch
             ? weights[(push.offset[1] + (gl_WorkGroupID.z * inner + k) * push.weights_pitch
                        + filter_index)
                       / PART_SIZE]
             : PART (0);
}

const uint FRAGMENTS_M = SUB_M / FRAGMENT_M, FRAGMENTS_N = SUB_N / FRAGMENT_N;

void
main ()
{
  uint local = gl_LocalInvocationIndex;
  uint first_pixel = gl_WorkGroupID.x * TILE_M, first_filter = gl_WorkGroupID.y * TILE_N;
  uint inner = push.kernel_height * push.kernel_width * push.channels;
  /* Where this subgroup's part of the tile begins, and what this invocation brings. */
  uint sub_m = subgroup_index () / (TILE_N / SUB_N) * SUB_M;
  uint sub_n = subgroup_index () % (TILE_N / SUB_N) * SUB_N;
  uint a_row = local / K_PARTS, a_column = local % K_PARTS;
  uint b_row = local / N_PARTS, b_column = local % N_PARTS;
  PART a_next[A_LOADS], b_next[B_LOADS];
  ivec3 windows[A_LOADS];
  ivec3 tap = ivec3 (0);
  ACCUMULATOR sums[FRAGMENTS_M * FRAGMENTS_N];

#define A_ROW(i) (a_row + (i) * (gl_WorkGroupSize.x / K_PARTS))
#define B_ROW(i) (b_row + (i) * (gl_WorkGroupSize.x / N_PARTS))

  UNROLL for (uint i = 0; i < A_LOADS; i++)
    windows[i] = find_window (first_pixel + A_ROW (i));
  UNROLL for (uint i = 0; i < FRAGMENTS_M * FRAGMENTS_N; i++)
    CLEAR (sums[i]);
  advance (tap, a_column * PART_SIZE);
  /* Brings the step at k while it computes the one before. */
  for (uint k = 0; k < inner + TILE_K; k += TILE_K) {
    if (k > 0) {
      UNROLL for (uint i = 0; i < A_LOADS; i++)
        a_tile[A_ROW (i) * A_PITCH + a_column] = a_next[i];
      UNROLL for (uint i = 0; i < B_LOADS; i++)
        b_tile[B_ROW (i) * B_PITCH + b_column] = b_next[i];
      barrier ();
    }
    if (k < inner) {
      UNROLL for (uint i = 0; i < A_LOADS; i++)
        a_next[i] = load_x (windows[i], tap);
      UNROLL for (uint i = 0; i < B_LOADS; i++)
        b_next[i] = load_weights (k + B_ROW (i), first_filter + b_column * PART_SIZE, inner);
      advance (tap, TILE_K);
    }
    if (k == 0)
      continue;
    for (uint step = 0; step < TILE_K; step += FRAGMENT_K) {
      OPERAND_A a[FRAGMENTS_M];

      UNROLL for (uint i = 0; i < FRAGMENTS_M; i++)
        LOAD_A (a[i], (sub_m + i * FRAGMENT_M) * A_PITCH + step / PART_SIZE);
      UNROLL for (uint j = 0; j < FRAGMENTS_N; j++) {
        OPERAND_B b;

        LOAD_B (b, step * B_PITCH + (sub_n + j * FRAGMENT_N) / PART_SIZE);
        UNROLL for (uint i = 0; i < FRAGMENTS_M; i++)
          MULTIPLY_ADD (sums[i * FRAGMENTS_N + j], a[i], b);
      }
    }
    barrier ();
  }

  UNROLL for (uint i = 0; i < FRAGMENTS_M; i++)
    UNROLL for (uint j = 0; j < FRAGMENTS_N; j++)
      FINISH (sums[i * FRAGMENTS_N + j], first_pixel + sub_m + i * FRAGMENT_M,
              first_filter + sub_n + j * FRAGMENT_N);
}
