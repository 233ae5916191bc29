/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/float16.h"

#include "base/simd.h"

float
ens_float16_to_float (guint16 half)
{
  guint32 sign = (guint32)(half & 0x8000) << 16;
  guint32 exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;

  if (exponent == 0x1f)
    return ens_float_from_bits (sign | 0x7f800000 | fraction << 13);
  if (exponent > 0)
    return ens_float_from_bits (sign | (exponent + 112) << 23 | fraction << 13);
  return (float)fraction * ens_float_from_bits (sign | 103u << 23); /* ± 2⁻²⁴ */
}

ENS_INLINE guint32
get_bits (float number)
{
  guint32 bits;

  memcpy (&bits, &number, sizeof bits);
  return bits;
}

/* Without branches, so that compilers make vectors of it. All ways are computed, one is taken. */
ENS_INLINE guint16
convert (float number)
{
  enum {
    INFINITE = 0x7f800000,
    TOO_LARGE = 0x477ff000, /* 65520, halfway from the largest to 2¹⁶ */
    NORMAL = 0x38800000,    /* 2⁻¹⁴ */
    HALF = 0x3f000000,      /* 0.5: its last place is 2⁻²⁴, that of subnormal numbers */
    REBIAS = 112 << 23,
  };
  guint32 bits = get_bits (number);
  guint32 sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  guint32 odd = magnitude >> 13 & 1;
  guint32 normal = (magnitude - REBIAS + 0xfff + odd) >> 13;
  guint32 subnormal =
      get_bits (ens_float_from_bits (magnitude) + ens_float_from_bits (HALF)) - HALF;
  guint32 half = magnitude < NORMAL ? subnormal : normal;

  half = magnitude >= TOO_LARGE ? 0x7c00 : half;
  half = magnitude > INFINITE ? 0x7e00 : half;
  return (guint16)(sign | half);
}

ENS_CLONES gboolean
ens_float16_from_floats (const float *from, guint16 *to, gsize n)
{
  guint16 largest = 0;

  for (gsize i = 0; i < n; i++) {
    guint16 magnitude;

    to[i] = convert (from[i]);
    magnitude = to[i] & 0x7fff;
    largest = MAX (largest, magnitude);
  }
  return ens_float16_is_finite (largest);
}
