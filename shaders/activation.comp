/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of one input, element by element. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/activation.h"
#include "activation.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint FUNCTION = ENS_FUNCTION_NONE;

READS (0, x)
WRITES (1, y)

#define NEGATIVE(y) min (y, 0)
#define REST(y) max (y, 0)
#define MAGNITUDE(y) abs (y)
#define SIGN(y) sign (y)
#define FLOOR(y) floor (y)
#define CEIL(y) ceil (y)
#define EXP_MINUS_1(y) (exponential (y) - 1)
#define LOG(y) logarithm (y)
#define LOG_1_PLUS(y) logarithm_1_plus (y)
#define SQRT(y) sqrt (y)
#define SIN(y) sine (y)
#define COS(y) cosine (y)
#define ATAN(y) arc_tangent (y)

vec4
apply (vec4 x, float alpha, float beta)
{
  switch (FUNCTION) {
    ENS_FUNCTIONS (CASE)
  }
  return activate (FUNCTION, x, alpha, beta);
}

/* Each invocation computes up to four neighbours of a row. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column;

  if (row < push.rows) {
    vec4 x = x_load4 (row * push.x_pitch + column, n, 1);

    y_store4 (row * push.y_pitch + column, n, 1, apply (x, push.alpha, push.beta));
  }
}
