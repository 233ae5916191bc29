/* What is done to results before they are stored; `kind` is a specialisation constant. */
#include "math.glsl"
#include "push/functions.h"

vec4
activate (uint kind, vec4 x, float alpha, float beta)
{
  switch (kind) {
  case ENS_FUNCTION_RELU:
    return max (x, 0);
  case ENS_FUNCTION_CLIP:
    return min (max (x, alpha), beta);
  case ENS_FUNCTION_LEAKY_RELU:
    return mix (x, alpha * x, lessThan (x, vec4 (0)));
  case ENS_FUNCTION_SIGMOID:
    return logistic (x);
  case ENS_FUNCTION_HARD_SIGMOID:
    return clamp (alpha * x + beta, 0, 1);
  case ENS_FUNCTION_HARD_SWISH:
    return x * clamp (x / 6 + 0.5, 0, 1);
  case ENS_FUNCTION_SILU:
    return x * logistic (x);
  case ENS_FUNCTION_TANH:
    return hyperbolic_tangent (x);
  }
  return x;
}

float
activate (uint kind, float x, float alpha, float beta)
{
  return activate (kind, vec4 (x), alpha, beta).x;
}
