/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: bias, residual addition and activations over rectangles of values. */
#include "kernels/erf-parts.h"

/* Cody and Waite's reduction to [−½ ln 2, ½ ln 2] and the minimax polynomial of Cephes' expf ();
 * relative error below 2e-7. x is clipped to where the result is a normal number. */
ENS_INLINE Vector
vector_exp (Vector x)
{
  const float round = 12582912.f; /* 1.5 · 2²³: adding it leaves the integer in the low bits */
  Vector t, n, r, p;

  x = vector_min (vector_max (x, vector_set (-87.f)), vector_set (88.f));
  t = x * 1.44269504f + round;
  n = t - round;
  r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.f;
  return (Vector)((VectorInt)p + ((VectorInt)t << 23));
}

/* 1 / x of finite x ≥ 1; dividing takes as long as half of an exponential. */
ENS_INLINE Vector
vector_reciprocal (Vector x)
{
#if LANES == 16 && defined(__AVX512F__)
  Vector y = (Vector)_mm512_rcp14_ps ((__m512)x);

  return y + y * (1.f - x * y);
#else
  return 1.f / x;
#endif
}

ENS_INLINE Vector
vector_sigmoid (Vector x)
{
  return vector_reciprocal (1.f + vector_exp (-x));
}

/* Near 0 the quotient would lose digits: there the odd polynomial of Cephes' tanhf (). */
ENS_INLINE Vector
vector_tanh (Vector x)
{
  Vector square = x * x;
  Vector p = square * -5.70498872745e-3f + 2.06390887954e-2f;

  p = p * square + -5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square + -3.33332819422e-1f;
  return vector_select (square < 0.390625f, x + x * square * p,
                        1.f - 2.f * vector_reciprocal (1.f + vector_exp (x + x)));
}

/* To 1.3 units in the last place. */
#if LANES == 16 && defined(__AVX512F__)

ENS_INLINE Vector
vector_erf (Vector x)
{
  const VectorInt sign = (VectorInt)vector_set (-0.f);
  const Vector magnitude = (Vector)((VectorInt)x & ~sign);
  const Vector at = vector_min (magnitude * ERF_PARTS_PER_UNIT, vector_set (31.999998f));
  const __m512i part = _mm512_cvttps_epi32 ((__m512)at);
  const Vector t = at - (Vector)_mm512_cvtepi32_ps (part);
  Vector p = {0};

  ENS_UNROLLED (i, ERF_DEGREE + 1) {
    const float *c = erf_parts[ERF_DEGREE - i];

    p = p * t
        + (Vector)_mm512_permutex2var_ps (_mm512_load_ps (c), part, _mm512_load_ps (c + LANES));
  }
  return (Vector)((VectorInt)p | ((VectorInt)x & sign));
}

#else

/* Near 0 x + x · p (x²), elsewhere 1 − exp (q (|x|)), both minimax polynomials; beyond 3.95 it
 * rounds to 1. */
ENS_INLINE Vector
vector_erf (Vector x)
{
  const VectorInt sign = (VectorInt)vector_set (-0.f);
  const Vector magnitude = (Vector)((VectorInt)x & ~sign);
  const Vector far = vector_min (magnitude, vector_set (3.95f)), square = x * x;
  Vector p = square * -5.9908506e-4f + 4.9931793e-3f;
  Vector q = far * 1.9473459e-4f - 3.0316014e-3f;

  p = p * square - 2.6766615e-2f;
  p = p * square + 1.1281816e-1f;
  p = p * square - 3.7612495e-1f;
  p = p * square + 1.2837915e-1f;
  q = q * far + 2.2181401e-2f;
  q = q * far - 1.0383891e-1f;
  q = q * far - 6.3728577e-1f;
  q = q * far - 1.1276155f;
  q = 1.f - vector_exp (q * far - 2.099138e-4f);
  return vector_select (magnitude < 0.921875f, x + x * p,
                        (Vector)((VectorInt)q | ((VectorInt)x & sign)));
}

#endif

/* To the nearest integer, of two the even one; |x| < 2²². */
ENS_INLINE Vector
vector_round (Vector x)
{
  const float round = 12582912.f;

  return x + round - round;
}

#define REAL(n) (float)(n)
#define IF_LESS(a, b, y, z) vector_select ((a) < (b), y, z)
#define MAXIMUM(a, b) vector_max (a, vector_set (b))
#define MINIMUM(a, b) vector_min (a, vector_set (b))
#define ROUND(y) vector_round (y)
#define UNIT(y) vector_min (vector_max (y, vector_set (0.f)), vector_set (1.f))
#define LOGISTIC(y) vector_sigmoid (y)
#define TANH(y) vector_tanh (y)
#define ERF(y) vector_erf (y)
#define EXP(y) vector_exp (y)
#define CASE(upper, name, number, formula, of, derivative) \
  case ENS_ACTIVATION_##upper:                             \
    return formula;

ENS_INLINE Vector
vector_curve (Vector x, const EnsActivation curve, float alpha, float beta)
{
  switch (curve) {
    ENS_CURVES (CASE)
  default:
    return x;
  }
}

ENS_INLINE void
finish_pixel (const float *values, guint columns, const EnsFinish *finish, gsize pixel,
              const EnsActivation curve)
{
  const Vector low = vector_set (finish->low), high = vector_set (finish->high);
  const float *residual = finish->residual;
  float *output = finish->output + pixel * finish->output_pitch;

  if (residual != NULL)
    residual += pixel * finish->residual_pitch;
  for (guint c = 0; c < columns; c += LANES) {
    guint n = MIN (columns - c, LANES);
    gboolean whole = n == LANES;
    Vector x = whole ? vector_load (values + c) : vector_load_some (values + c, n);

    if (finish->bias != NULL)
      x += whole ? vector_load (finish->bias + c) : vector_load_some (finish->bias + c, n);
    if (residual != NULL)
      x += whole ? vector_load (residual + c) : vector_load_some (residual + c, n);
    x = vector_min (vector_max (x, low), high);
    x = vector_curve (x, curve, finish->alpha, finish->beta);
    if (whole)
      vector_store (output + c, x);
    else
      vector_store_some (output + c, x, n);
  }
}

/* One loop per curve, so that the choice is made once and not per value. */
#define FINISH_CURVE(upper, name, number, formula, of, derivative)                   \
  case ENS_ACTIVATION_##upper:                                                       \
    for (gsize i = 0; i < pixels; i++)                                               \
      finish_pixel (values + i * pitch, columns, finish, i, ENS_ACTIVATION_##upper); \
    break;

/* Whether all channels are treated alike and pixels follow each other without gaps. */
static gboolean
is_dense (gsize pitch, gsize pixels, guint columns, const EnsFinish *finish)
{
  return finish->bias == NULL && pitch == columns && finish->output_pitch == columns
         && (finish->residual == NULL || finish->residual_pitch == columns)
         && pixels <= G_MAXUINT32 / columns;
}

static void
finish_values (const float *values, gsize pitch, gsize pixels, guint columns,
               const EnsFinish *finish)
{
  if (is_dense (pitch, pixels, columns, finish)) {
    columns *= (guint)pixels;
    pixels = 1;
  }
  switch (finish->curve) {
    ENS_CURVES (FINISH_CURVE)
  default:
    for (gsize i = 0; i < pixels; i++)
      finish_pixel (values + i * pitch, columns, finish, i, ENS_ACTIVATION_NONE);
  }
}
