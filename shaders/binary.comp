/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of two inputs that are broadcast to the output's shape. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/binary.h"
#include "strided.glsl"
#include "activation.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint OPERATION = ENS_BINARY_ADD;
layout (constant_id = 1) const uint ACTIVATION = ENS_FUNCTION_NONE;

READS (0, a)
READS (1, b)
WRITES (2, y)
AXES (3)

vec4
combine (vec4 a, vec4 b)
{
  switch (OPERATION) {
  case ENS_BINARY_SUB:
    return a - b;
  case ENS_BINARY_MUL:
    return a * b;
  case ENS_BINARY_DIV:
    return a / b;
  case ENS_BINARY_POW:
    return power (a, b);
  case ENS_BINARY_MIN:
    return min (a, b);
  case ENS_BINARY_MAX:
    return max (a, b);
  case ENS_BINARY_PRELU:
    return mix (a, a * b, lessThan (a, vec4 (0)));
  }
  return a + b;
}

/* Each invocation computes up to four neighbours along the last axis. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    uvec4 start = strided_offsets (0, push.n_axes, row);
    vec4 a = a_load4 (start.y + column * push.a_step, n, push.a_step);
    vec4 b = b_load4 (start.z + column * push.b_step, n, push.b_step);

    y_store4 (start.x + column, n, 1,
              activate (ACTIVATION, push.factor * combine (a, b), push.alpha, push.beta));
  }
}
