/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions to about one unit in the last place on every device: what Vulkan demands of its own is
 * far less, and what drivers give differs.
 *
 * Source of the range reductions and polynomials of exp, log and tanh: S. L. Moshier, Cephes
 * Mathematical Library (expf.c, logf.c, tanhf.c, sinf.c, atanf.c). */

#define INFINITE uintBitsToFloat (0x7f800000u)
#define NOT_A_NUMBER uintBitsToFloat (0x7fc00000u)

/* 0 where the result would not be a normal number. */
vec4
exponential (vec4 x)
{
  vec4 bounded = min (max (x, -87.3), 88.7);
  vec4 n = roundEven (bounded * 1.44269504);
  vec4 r = bounded - n * 0.693359375 + n * 2.12194440e-4;
  vec4 p = vec4 (1.9875691500e-4);

  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  p = p * r * r + r + 1;
  p *= intBitsToFloat ((ivec4 (n) + 127) << 23);
  p = mix (p, vec4 (0), lessThan (x, vec4 (-87.3)));
  p = mix (p, vec4 (INFINITE), greaterThan (x, vec4 (88.7)));
  return mix (p, x, isnan (x));
}

float
exponential (float x)
{
  return exponential (vec4 (x)).x;
}

/* Of normal numbers; −∞ of smaller ones. rest: x − 1, which near 0 may be known more exactly. */
vec4
logarithm_near_1 (vec4 x, vec4 rest)
{
  ivec4 bits = floatBitsToInt (x);
  vec4 e = vec4 ((bits >> 23) - 126);
  vec4 m = intBitsToFloat ((bits & 0x7fffff) | 0x3f000000); /* in [½, 1) */
  bvec4 low = lessThan (m, vec4 (0.70710678));
  vec4 f = mix (m, m + m, low) - 1, z, y;

  e -= mix (vec4 (0), vec4 (1), low);
  f = mix (f, rest, equal (e, vec4 (0)));
  z = f * f;
  y = 7.0376836292e-2 * f - 1.1514610310e-1;
  y = y * f + 1.1676998740e-1;
  y = y * f - 1.2420140846e-1;
  y = y * f + 1.4249322787e-1;
  y = y * f - 1.6668057665e-1;
  y = y * f + 2.0000714765e-1;
  y = y * f - 2.4999993993e-1;
  y = y * f + 3.3333331174e-1;
  y = y * f * z - 2.12194440e-4 * e - 0.5 * z;
  y = f + y + 0.693359375 * e;
  y = mix (y, vec4 (-INFINITE), lessThan (x, vec4 (1.17549435e-38)));
  y = mix (y, vec4 (NOT_A_NUMBER), lessThan (x, vec4 (0)));
  y = mix (y, vec4 (INFINITE), equal (x, vec4 (INFINITE)));
  return mix (y, x, isnan (x));
}

vec4
logarithm (vec4 x)
{
  return logarithm_near_1 (x, x - 1);
}

/* log (1 + x) */
vec4
logarithm_1_plus (vec4 x)
{
  return logarithm_near_1 (1 + x, x);
}

float
logarithm (float x)
{
  return logarithm (vec4 (x)).x;
}

vec4
logistic (vec4 x)
{
  return 1 / (1 + exponential (-x));
}

vec4
hyperbolic_tangent (vec4 x)
{
  vec4 z = x * x, p = vec4 (-5.70498872745e-3);
  vec4 far = 1 - 2 / (exponential (2 * abs (x)) + 1);

  p = p * z + 2.06390887954e-2;
  p = p * z - 5.37397155531e-2;
  p = p * z + 1.33314422036e-1;
  p = p * z - 3.33332819422e-1;
  p = p * z * x + x;
  return mix (mix (far, -far, lessThan (x, vec4 (0))), p, lessThan (abs (x), vec4 (0.625)));
}

/* To 1.5e-7. Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26. */
vec4
error_function (vec4 x)
{
  vec4 t = 1 / (1 + 0.3275911 * abs (x)), p = vec4 (1.061405429);

  p = p * t - 1.453152027;
  p = p * t + 1.421413741;
  p = p * t - 0.284496736;
  p = p * t + 0.254829592;
  return sign (x) * (1 - p * t * exponential (-x * x));
}

/* Sine and cosine of |x| up to some 10⁴: reduced by multiples of π / 2. Cephes, sinf.c. */
void
sine_and_cosine (vec4 x, out vec4 sine_, out vec4 cosine_)
{
  vec4 n = roundEven (x * 0.636619772);
  vec4 r = ((x - n * 1.5703125) - n * 4.837512969970703e-4) - n * 7.54978995489e-8;
  vec4 z = r * r, s, c;
  ivec4 quarter = ivec4 (n);
  bvec4 odd = notEqual (quarter & 1, ivec4 (0));

  s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
  c = ((2.443315711810e-5 * z - 1.388731625494e-3) * z + 4.166664568299e-2) * z * z - 0.5 * z + 1;
  sine_ = mix (s, c, odd);
  cosine_ = mix (c, s, odd);
  sine_ = mix (sine_, -sine_, notEqual (quarter & 2, ivec4 (0)));
  cosine_ = mix (cosine_, -cosine_, notEqual ((quarter + 1) & 2, ivec4 (0)));
}

vec4
sine (vec4 x)
{
  vec4 s, c;

  sine_and_cosine (x, s, c);
  return s;
}

vec4
cosine (vec4 x)
{
  vec4 s, c;

  sine_and_cosine (x, s, c);
  return c;
}

/* Cephes, atanf.c. */
vec4
arc_tangent (vec4 x)
{
  vec4 a = abs (x), z, y;
  bvec4 far = greaterThan (a, vec4 (2.414213562)), middle = greaterThan (a, vec4 (0.414213562));

  y = mix (mix (vec4 (0), vec4 (0.785398163), middle), vec4 (1.570796327), far);
  a = mix (mix (a, (a - 1) / (a + 1), middle), -1 / a, far);
  z = a * a;
  y += (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z
        - 3.33329491539e-1) * z * a + a;
  return mix (y, -y, lessThan (x, vec4 (0)));
}

/* aᵇ, also of negative a where b is an integer. */
vec4
power (vec4 a, vec4 b)
{
  vec4 y = exponential (b * logarithm (abs (a)));
  bvec4 negative = lessThan (a, vec4 (0));
  vec4 odd = abs (b - 2 * floor (b / 2)); /* 0 or 1 of integers */

  y = mix (y, mix (y, -y, equal (odd, vec4 (1))), negative);
  y = mix (y, vec4 (NOT_A_NUMBER), bvec4 (vec4 (negative) * vec4 (notEqual (b, floor (b)))));
  y = mix (y, a * a, equal (b, vec4 (2)));
  y = mix (y, a, equal (b, vec4 (1)));
  return mix (y, vec4 (1), equal (b, vec4 (0)));
}
