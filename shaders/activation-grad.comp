/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Derivatives of functions of one input times the gradient of their result. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/activation-grad.h"
#include "activation.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint FUNCTION = ENS_FUNCTION_NONE;

READS (0, dy)
READS (1, z)
WRITES (2, dx)

#define MAGNITUDE(y) abs (y)
#define SIGN(y) sign (y)
#define SQRT(y) sqrt (y)
#define SIN(y) sine (y)
#define COS(y) cosine (y)
#define DERIVATIVE(upper, name, number, formula, of, derivative) \
  case number:                                                   \
    return vec4 (derivative);

vec4
derive (vec4 z, float alpha, float beta)
{
  vec4 x = z, y = z;

  switch (FUNCTION) {
    ENS_ALL_FUNCTIONS (DERIVATIVE)
  }
  return vec4 (1);
}

/* Each invocation computes up to four neighbours of a row. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    vec4 dy = dy_load4 (row * push.dy_pitch + column, n, 1);
    vec4 z = z_load4 (row * push.z_pitch + column, n, 1);

    dx_store4 (row * push.dx_pitch + column, n, 1, dy * derive (z, push.alpha, push.beta));
  }
}
