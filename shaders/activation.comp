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

/* The negative part of each value and the rest: what has two formulas is the sum of both. */
#define NEGATIVE(x) min (x, 0)
#define REST(x) max (x, 0)

vec4
apply (vec4 x, float alpha, float beta)
{
  switch (FUNCTION) {
  case ENS_FUNCTION_ELU:
    return REST (x) + alpha * (exponential (NEGATIVE (x)) - 1);
  case ENS_FUNCTION_CELU:
    return REST (x) + alpha * (exponential (NEGATIVE (x) / alpha) - 1);
  case ENS_FUNCTION_SELU:
    return beta * (REST (x) + alpha * (exponential (NEGATIVE (x)) - 1));
  case ENS_FUNCTION_THRESHOLDED_RELU:
    return mix (vec4 (0), x, greaterThan (x, vec4 (alpha)));
  case ENS_FUNCTION_SOFTPLUS:
    return REST (x) + logarithm (1 + exponential (-abs (x)));
  case ENS_FUNCTION_SOFTSIGN:
    return x / (1 + abs (x));
  case ENS_FUNCTION_ABS:
    return abs (x);
  case ENS_FUNCTION_NEG:
    return -x;
  case ENS_FUNCTION_EXP:
    return exponential (x);
  case ENS_FUNCTION_LOG:
    return logarithm (x);
  case ENS_FUNCTION_SQRT:
    return sqrt (x);
  case ENS_FUNCTION_RECIPROCAL:
    return 1 / x;
  case ENS_FUNCTION_FLOOR:
    return floor (x);
  case ENS_FUNCTION_CEIL:
    return ceil (x);
  case ENS_FUNCTION_ROUND:
    return roundEven (x);
  case ENS_FUNCTION_SIGN:
    return sign (x);
  case ENS_FUNCTION_ERF:
    return error_function (x);
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
