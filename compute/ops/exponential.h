/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exponential function, in a form that vectorises. */
#pragma once

#include "base/simd.h"

#include <math.h>
#include <string.h>

/* eˣ to about one unit in the last place; 0 where the result would not be a normal number.
 *
 * Source: the range reduction and polynomial of S. L. Moshier, Cephes Mathematical Library,
 * expf.c. */
ENS_INLINE float
ens_exp (float x)
{
  const float magic = 0x1.8p23f; /* adding it rounds to an integer */
  float clamped = x >= -87.3f ? (x > 88.7f ? 88.7f : x) : -87.3f; /* of NaN, too */
  float n = clamped * 1.44269504f + magic - magic;
  float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  int exponent = ((int)n + 127) << 23;
  float scale;

  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1;
  memcpy (&scale, &exponent, sizeof scale);
  p *= scale;
  p = x < -87.3f ? 0 : p;
  p = x > 88.7f ? INFINITY : p;
  return x != x ? x : p;
}
