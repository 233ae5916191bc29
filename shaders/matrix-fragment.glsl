/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fragments of matrices, which the invocations of a subgroup hold together: FRAGMENT_M × FRAGMENT_K
 * of A by FRAGMENT_K × FRAGMENT_N of B is added to FRAGMENT_M × FRAGMENT_N. With a SCOPE of
 * workgroup, all of it is one subgroup here.
 *
 *   OPERAND_A, OPERAND_B, ACCUMULATOR    types
 *   CLEAR (accumulator)
 *   LOAD_A (a, at), LOAD_B (b, at)       from a_tile and b_tile, `at` counted in parts
 *   MULTIPLY_ADD (accumulator, a, b)
 *   STORE (accumulator)                  to where staged () finds it after a fragment_barrier ()
 *   FINISH (accumulator, pixel, filter)  what the convolution does with sums, from there on
 *
 * With COOPERATIVE they are cooperative matrices, by the extension of Khronos where the compiler
 * knows it and else by NVIDIA's older one, which matrix-khr.c rewrites into the other. Without, any
 * SUBGROUP_SIZE neighbours compute the same by themselves: the fast path of devices that have no
 * such matrices, and with float32 storage. */
layout (constant_id = 8) const uint FRAGMENT_M = 16;
layout (constant_id = 9) const uint FRAGMENT_N = 16;
layout (constant_id = 10) const uint FRAGMENT_K = 16;

#ifdef COOPERATIVE
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_memory_scope_semantics : require
layout (constant_id = 12) const int SCOPE = gl_ScopeSubgroup;
#define WHOLE (SCOPE == gl_ScopeWorkgroup)
#define SUBGROUP_SIZE (WHOLE ? gl_WorkGroupSize.x : gl_SubgroupSize)
#define subgroup_index() (WHOLE ? 0 : gl_SubgroupID)
#define subgroup_lane() (WHOLE ? gl_LocalInvocationIndex : gl_SubgroupInvocationID)

void
fragment_barrier ()
{
  if (WHOLE)
    barrier ();
  else
    subgroupBarrier ();
}
#else
#define SUBGROUP_SIZE 32
#define subgroup_index() (gl_LocalInvocationIndex / SUBGROUP_SIZE)
#define subgroup_lane() (gl_LocalInvocationIndex % SUBGROUP_SIZE)
#define fragment_barrier() barrier ()
#endif

shared float staging[TILE_M / SUB_M * (TILE_N / SUB_N) * FRAGMENT_M * FRAGMENT_N];

uint
staging_begin ()
{
  return subgroup_index () * FRAGMENT_M * FRAGMENT_N;
}

vec4
staged (uint four)
{
  uint at = staging_begin () + four * 4;

  return vec4 (staging[at], staging[at + 1], staging[at + 2], staging[at + 3]);
}

#if defined COOPERATIVE && defined GL_KHR_cooperative_matrix
#extension GL_KHR_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define OPERAND_A coopmat<float16_t, SCOPE, FRAGMENT_M, FRAGMENT_K, gl_MatrixUseA>
#define OPERAND_B coopmat<float16_t, SCOPE, FRAGMENT_K, FRAGMENT_N, gl_MatrixUseB>
#define ACCUMULATOR \
  coopmat<float, SCOPE, FRAGMENT_M, FRAGMENT_N, gl_MatrixUseAccumulator>
#define CLEAR(sum) sum = ACCUMULATOR (0.0)
#define LOAD_A(a, at) coopMatLoad (a, a_tile, at, A_PITCH, gl_CooperativeMatrixLayoutRowMajor)
#define LOAD_B(b, at) coopMatLoad (b, b_tile, at, B_PITCH, gl_CooperativeMatrixLayoutRowMajor)
#define MULTIPLY_ADD(sum, a, b) sum = coopMatMulAdd (a, b, sum)
#define STORE(sum) \
  coopMatStore (sum, staging, staging_begin (), FRAGMENT_N, gl_CooperativeMatrixLayoutRowMajor)

#elif defined COOPERATIVE
#extension GL_NV_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define OPERAND_A fcoopmatNV<16, SCOPE, FRAGMENT_M, FRAGMENT_K>
#define OPERAND_B fcoopmatNV<16, SCOPE, FRAGMENT_K, FRAGMENT_N>
#define ACCUMULATOR fcoopmatNV<32, SCOPE, FRAGMENT_M, FRAGMENT_N>
#define CLEAR(sum) sum = ACCUMULATOR (0.0)
#define LOAD_A(a, at) coopMatLoadNV (a, a_tile, at, A_PITCH, false)
#define LOAD_B(b, at) coopMatLoadNV (b, b_tile, at, B_PITCH, false)
#define MULTIPLY_ADD(sum, a, b) sum = coopMatMulAddNV (a, b, sum)
#define STORE(sum) coopMatStoreNV (sum, staging, staging_begin (), FRAGMENT_N, false)

#else
/* An invocation has two rows of four columns; of A its rows' four values, of B four rows of its
 * columns. Constants 8 to 10 are 16, 16 and 4. */
struct OperandA {
  vec4 rows[2];
};
struct OperandB {
  vec4 rows[4];
};
struct Accumulator {
  vec4 rows[2];
};
#define OPERAND_A OperandA
#define OPERAND_B OperandB
#define ACCUMULATOR Accumulator

uint
fragment_row ()
{
  return subgroup_lane () / 4 * 2;
}

uint
fragment_four ()
{
  return subgroup_lane () % 4;
}

void
CLEAR (out Accumulator sum)
{
  sum.rows[0] = sum.rows[1] = vec4 (0);
}

void
LOAD_A (out OperandA a, uint at)
{
  for (uint i = 0; i < 2; i++)
    a.rows[i] = unpack_four (a_tile[at + (fragment_row () + i) * A_PITCH]);
}

void
LOAD_B (out OperandB b, uint at)
{
  for (uint k = 0; k < 4; k++)
    b.rows[k] = unpack_four (b_tile[at + k * B_PITCH + fragment_four ()]);
}

void
MULTIPLY_ADD (inout Accumulator sum, OperandA a, OperandB b)
{
  for (uint i = 0; i < 2; i++)
    for (uint k = 0; k < 4; k++)
      sum.rows[i] += a.rows[i][k] * b.rows[k];
}

void
STORE (Accumulator sum)
{
  for (uint i = 0; i < 2; i++)
    for (uint column = 0; column < 4; column++)
      staging[staging_begin () + (fragment_row () + i) * FRAGMENT_N + fragment_four () * 4 + column] =
          sum.rows[i][column];
}
#endif

/* Of a fragment that has gone through shared memory each invocation takes what it finishes, four
 * filters of a pixel. */
void
finish_fragment (uint first_pixel, uint first_filter)
{
  uint n_pixels = push.batch * push.y_height * push.y_width;

  for (uint four = subgroup_lane (); four < FRAGMENT_M * FRAGMENT_N / 4; four += SUBGROUP_SIZE) {
    uint pixel = first_pixel + four / (FRAGMENT_N / 4);
    uint filter_index = first_filter + four % (FRAGMENT_N / 4) * 4;

    if (pixel < n_pixels && filter_index < push.filters)
      finish (pixel, gl_WorkGroupID.z * push.filters + filter_index, push.filters - filter_index,
              staged (four));
  }
}

#define FINISH(sum, first_pixel, first_filter)    \
  {                                               \
    STORE (sum);                                  \
    fragment_barrier ();                          \
    finish_fragment (first_pixel, first_filter);  \
    fragment_barrier ();                          \
  }
