/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all shaders share.
 *
 * A shader is compiled once for float32 and once for float16 storage, FLOAT; values are always
 * computed in float32. */
#include "push/push.h"

#ifdef FLOAT16
#extension GL_EXT_shader_16bit_storage : require
#define FLOAT float16_t
#define FLOAT4 f16vec4

/* A word of each dispatch's own: whether it has stored a value that overflows float16. */
layout (set = 0, binding = ENS_OVERFLOW_BINDING) writeonly buffer Overflow
{
  uint overflow;
};

/* Called with whatever is stored. */
void
note_overflow (vec4 value)
{
  if (!all (lessThanEqual (abs (value), vec4 (ENS_FLOAT16_MAX))))
    overflow = 1;
}

void
note_overflow (float value)
{
  note_overflow (vec4 (value));
}
#else
#define FLOAT float
#define FLOAT4 vec4
#define note_overflow(value)
#endif

/* The first n, and zeroes behind them. */
vec4
keep (vec4 value, uint n)
{
  return mix (vec4 (0), value, lessThan (uvec4 (0, 1, 2, 3), uvec4 (n)));
}

/* Numbers of invocations and of workgroups where both may spread over x and y (see
 * ens_commands_cover ()). */
#define linear_index() \
  (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y * gl_NumWorkGroups.x * gl_WorkGroupSize.x)
#define linear_group() (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x)

/* The quotient, and the remainder without a second division. */
uvec2
divide (uint a, uint b)
{
  uint quotient = a / b;

  return uvec2 (quotient, a - quotient * b);
}

/* READS (0, x) binds an array: x_load (at) is an element, x_load4 (at, n, step) the next n ≤ 4, each
 * `step` after the one before, and zeroes behind them. Neighbours whose place allows it are read at
 * once. Positions count from where the view begins. Neither array is `restrict`: what an operator
 * computes in place is bound twice. */
#define READS(i, name)                                                                       \
  layout (set = 0, binding = i) readonly buffer name##_elements                              \
  {                                                                                          \
    FLOAT name##_one[];                                                                      \
  };                                                                                         \
  layout (set = 0, binding = i) readonly buffer name##_fours                                 \
  {                                                                                          \
    FLOAT4 name##_four[];                                                                    \
  };                                                                                         \
                                                                                             \
  float name##_load (uint at)                                                                \
  {                                                                                          \
    return float(name##_one[push.offset[i] + at]);                                           \
  }                                                                                          \
                                                                                             \
  vec4 name##_load4 (uint at, uint n, uint step)                                             \
  {                                                                                          \
    uint place = push.offset[i] + at;                                                        \
    vec4 value = vec4 (0);                                                                   \
                                                                                             \
    if (step == 1 && n >= 4 && place % 4 == 0)                                               \
      return vec4 (name##_four[place / 4]);                                                  \
    value.x = float(name##_one[place]);                                                      \
    if (n > 1)                                                                               \
      value.y = float(name##_one[place + step]);                                             \
    if (n > 2)                                                                               \
      value.z = float(name##_one[place + 2 * step]);                                         \
    if (n > 3)                                                                               \
      value.w = float(name##_one[place + 3 * step]);                                         \
    return value;                                                                            \
  }

/* WRITES (1, y) is the same for y_store (at, value) and y_store4 (at, n, step, value). */
#define WRITES(i, name)                                                                      \
  layout (set = 0, binding = i) writeonly buffer name##_elements                             \
  {                                                                                          \
    FLOAT name##_one[];                                                                      \
  };                                                                                         \
  layout (set = 0, binding = i) writeonly buffer name##_fours                                \
  {                                                                                          \
    FLOAT4 name##_four[];                                                                    \
  };                                                                                         \
                                                                                             \
  void name##_store (uint at, float value)                                                   \
  {                                                                                          \
    note_overflow (value);                                                                   \
    name##_one[push.offset[i] + at] = FLOAT (value);                                         \
  }                                                                                          \
                                                                                             \
  void name##_store4 (uint at, uint n, uint step, vec4 value)                                \
  {                                                                                          \
    uint place = push.offset[i] + at;                                                        \
                                                                                             \
    note_overflow (keep (value, n));                                                         \
    if (step == 1 && n >= 4 && place % 4 == 0) {                                             \
      name##_four[place / 4] = FLOAT4 (value);                                               \
      return;                                                                                \
    }                                                                                        \
    name##_one[place] = FLOAT (value.x);                                                     \
    if (n > 1)                                                                               \
      name##_one[place + step] = FLOAT (value.y);                                            \
    if (n > 2)                                                                               \
      name##_one[place + 2 * step] = FLOAT (value.z);                                        \
    if (n > 3)                                                                               \
      name##_one[place + 3 * step] = FLOAT (value.w);                                        \
  }
