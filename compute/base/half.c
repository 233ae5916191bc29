#include "base/half.h"

#include <string.h>

#include "base/simd.h"

ENS_INLINE guint32
get_bits (float number)
{
  guint32 bits;

  memcpy (&bits, &number, sizeof bits);
  return bits;
}

ENS_INLINE float
get_number (guint32 bits)
{
  float number;

  memcpy (&number, &bits, sizeof number);
  return number;
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
  guint32 subnormal = get_bits (get_number (magnitude) + get_number (HALF)) - HALF;
  guint32 half = magnitude < NORMAL ? subnormal : normal;

  half = magnitude >= TOO_LARGE ? 0x7c00 : half;
  half = magnitude > INFINITE ? 0x7e00 : half;
  return (guint16)(sign | half);
}

ENS_CLONES gboolean
ens_half_from_floats (const float *from, guint16 *to, gsize n)
{
  guint16 largest = 0;

  for (gsize i = 0; i < n; i++) {
    guint16 magnitude;

    to[i] = convert (from[i]);
    magnitude = to[i] & 0x7fff;
    largest = MAX (largest, magnitude);
  }
  return ens_half_is_finite (largest);
}
