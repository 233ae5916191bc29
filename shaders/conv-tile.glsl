/* Convolution as a product of matrices of which one is never written down (implicit GEMM): pixels
 * of the output × taps and channels, by taps and channels × filters. A workgroup computes a tile of
 * TILE_M pixels × TILE_N filters in steps of TILE_K. What a step needs is brought to shared memory,
 * and the next step's is on its way while this one is computed. Each subgroup multiplies its part
 * of the tile, SUB_M × SUB_N, in fragments (fragment.glsl). */
#include "conv.glsl"

layout (local_size_x_id = 2) in;
layout (constant_id = 3) const uint TILE_M = 64;
layout (constant_id = 4) const uint TILE_N = 64;
layout (constant_id = 5) const uint TILE_K = 16;
layout (constant_id = 6) const uint SUB_M = 32;
layout (constant_id = 7) const uint SUB_N = 32;

/* Four elements as they are in memory. Rows in shared memory are a little further apart than they
 * are long, so that a column's elements are not all in one bank. */
#ifdef FLOAT16
#define FOUR uvec2
#define ROW_GAP 2

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
#define ROW_GAP 1
#define unpack_four(x) (x)
#define pack_four(x) (x)
#endif

READS (0, x)
layout (set = 0, binding = 0) readonly buffer x_packed
{
  FOUR x_fours_packed[];
};
layout (set = 0, binding = 1) readonly buffer weights_packed
{
  FOUR weights[];
};

const uint K_FOURS = TILE_K / 4, N_FOURS = TILE_N / 4;
const uint A_PITCH = K_FOURS + ROW_GAP, B_PITCH = N_FOURS + ROW_GAP; /* in fours */

shared FOUR a_tile[TILE_M * A_PITCH];
shared FOUR b_tile[TILE_K * B_PITCH];

/* Of each row of A: its image's first element, and where its window begins, y and x. */
shared ivec3 windows[TILE_M];

#include "fragment.glsl"

const uint A_LOADS = TILE_M * K_FOURS / gl_WorkGroupSize.x;
const uint B_LOADS = TILE_K * N_FOURS / gl_WorkGroupSize.x;
const int FAR_OUTSIDE = -0x40000000;

ivec3
find_window (uint pixel)
{
  uint across = pixel % push.y_width, row = pixel / push.y_width;
  uint down = row % push.y_height, image = row / push.y_height;

  if (image >= push.batch)
    return ivec3 (0, FAR_OUTSIDE, FAR_OUTSIDE);
  return ivec3 (image * push.height * push.width * push.x_pitch,
                int(down * push.stride_y) - push.pad_top,
                int(across * push.stride_x) - push.pad_left);
}

/* Row k of the weights' matrix stands for tap (y, x) and a channel. */
uvec3
find_tap (uint k)
{
  uint tap = k / push.channels;

  return uvec3 (tap / push.kernel_width * push.dilation_y, tap % push.kernel_width * push.dilation_x,
                k % push.channels);
}

/* The element of x at a window's tap; −1 beyond its edges. */
int
find_element (ivec3 window, uvec3 tap)
{
  int down = window.y + int(tap.x), across = window.z + int(tap.y);

  if (uint (down) >= push.height || uint (across) >= push.width)
    return -1;
  return window.x + (down * int(push.width) + across) * int(push.x_pitch)
         + int(gl_WorkGroupID.z * push.channels + tap.z);
}

FOUR
load_single (ivec3 window, uint k, uint inner)
{
  vec4 value = vec4 (0);

  for (uint i = 0; i < 4 && k + i < inner; i++) {
    int element = find_element (window, find_tap (k + i));

    if (element >= 0)
      value[i] = x_load (element);
  }
  return pack_four (value);
}

FOUR
load_x (ivec3 window, uint k, uint inner)
{
  if ((push.offset[0] | push.x_pitch | push.channels) % 4 == 0) {
    int element = k < inner ? find_element (window, find_tap (k)) : -1;

    return element >= 0 ? x_fours_packed[(push.offset[0] + element) / 4] : FOUR (0);
  }
  return load_single (window, k, inner);
}

FOUR
load_weights (uint k, uint filter_index, uint inner)
{
  return k < inner && filter_index < push.weights_pitch
             ? weights[(push.offset[1] + (gl_WorkGroupID.z * inner + k) * push.weights_pitch
                        + filter_index)
                       / 4]
             : FOUR (0);
}

const uint FRAGMENTS_M = SUB_M / FRAGMENT_M, FRAGMENTS_N = SUB_N / FRAGMENT_N;

void
main ()
{
  uint local = gl_LocalInvocationIndex;
  uint first_pixel = gl_WorkGroupID.x * TILE_M, first_filter = gl_WorkGroupID.y * TILE_N;
  uint n_pixels = push.batch * push.y_height * push.y_width;
  uint inner = push.kernel_height * push.kernel_width * push.channels;
  /* Where this subgroup's part of the tile begins, and what this invocation brings. */
  uint sub_m = subgroup_index () / (TILE_N / SUB_N) * SUB_M;
  uint sub_n = subgroup_index () % (TILE_N / SUB_N) * SUB_N;
  uint a_row = local / K_FOURS, a_column = local % K_FOURS;
  uint b_row = local / N_FOURS, b_column = local % N_FOURS;
  FOUR a_next[A_LOADS], b_next[B_LOADS];
  ACCUMULATOR sums[FRAGMENTS_M * FRAGMENTS_N];

  for (uint i = local; i < TILE_M; i += gl_WorkGroupSize.x)
    windows[i] = find_window (first_pixel + i);
  for (uint i = 0; i < FRAGMENTS_M * FRAGMENTS_N; i++)
    CLEAR (sums[i]);
  barrier ();

#define A_ROW(i) (a_row + (i) * (gl_WorkGroupSize.x / K_FOURS))
#define B_ROW(i) (b_row + (i) * (gl_WorkGroupSize.x / N_FOURS))
#define BRING(k)                                                                    \
  for (uint i = 0; i < A_LOADS; i++)                                                \
    a_next[i] = load_x (windows[A_ROW (i)], (k) + a_column * 4, inner);             \
  for (uint i = 0; i < B_LOADS; i++)                                                \
    b_next[i] = load_weights ((k) + B_ROW (i), first_filter + b_column * 4, inner);

  BRING (0)
  for (uint k = 0; k < inner; k += TILE_K) {
    for (uint i = 0; i < A_LOADS; i++)
      a_tile[A_ROW (i) * A_PITCH + a_column] = a_next[i];
    for (uint i = 0; i < B_LOADS; i++)
      b_tile[B_ROW (i) * B_PITCH + b_column] = b_next[i];
    barrier ();
    if (k + TILE_K < inner) {
      BRING (k + TILE_K)
    }
    for (uint step = 0; step < TILE_K; step += FRAGMENT_K) {
      OPERAND_A a[FRAGMENTS_M];

      for (uint i = 0; i < FRAGMENTS_M; i++)
        LOAD_A (a[i], (sub_m + i * FRAGMENT_M) * A_PITCH + step / 4);
      for (uint j = 0; j < FRAGMENTS_N; j++) {
        OPERAND_B b;

        LOAD_B (b, step * B_PITCH + (sub_n + j * FRAGMENT_N) / 4);
        for (uint i = 0; i < FRAGMENTS_M; i++)
          MULTIPLY_ADD (sums[i * FRAGMENTS_N + j], a[i], b);
      }
    }
    barrier ();
  }

  /* One fragment after another goes through shared memory, where each invocation takes what it
   * finishes, four filters of a pixel. */
  for (uint i = 0; i < FRAGMENTS_M; i++)
    for (uint j = 0; j < FRAGMENTS_N; j++) {
      STORE (sums[i * FRAGMENTS_N + j]);
      barrier ();
      for (uint four = subgroup_lane (); four < FRAGMENT_M * FRAGMENT_N / 4; four += SUBGROUP_SIZE) {
        uint pixel = first_pixel + sub_m + i * FRAGMENT_M + four / (FRAGMENT_N / 4);
        uint filter_index = first_filter + sub_n + j * FRAGMENT_N + four % (FRAGMENT_N / 4) * 4;

        if (pixel < n_pixels && filter_index < push.filters)
          finish (pixel, gl_WorkGroupID.z * push.filters + filter_index,
                  push.filters - filter_index, staged (four));
      }
      barrier ();
    }
}
