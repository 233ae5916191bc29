/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations, applied to results before they are stored; `kind` is a specialisation constant. */
#include "math.glsl"
#include "push/functions.h"

#define REAL(n) float (n)
#define IF_LESS(a, b, y, z) mix (vec4 (z), vec4 (y), lessThan (vec4 (a), vec4 (b)))
#define MAXIMUM(a, b) max (a, b)
#define MINIMUM(a, b) min (a, b)
#define UNIT(y) clamp (y, 0, 1)
#define LOGISTIC(y) logistic (y)
#define TANH(y) hyperbolic_tangent (y)
#define ROUND(y) roundEven (y)
#define ERF(y) error_function (y)
#define EXP(y) exponential (y)
#define CASE(upper, name, number, formula, of, derivative) \
  case number:                             \
    return formula;

vec4
activate (uint kind, vec4 x, float alpha, float beta)
{
  switch (kind) {
    ENS_ACTIVATIONS (CASE)
  }
  return x;
}

float
activate (uint kind, float x, float alpha, float beta)
{
  return activate (kind, vec4 (x), alpha, beta).x;
}
