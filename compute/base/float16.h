/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* float16 (IEEE 754 binary16). */
#pragma once

#include <glib.h>
#include <string.h>

static inline float
ens_float_from_bits (guint32 bits)
{
  float number;

  memcpy (&number, &bits, sizeof number);
  return number;
}

/* Exact. */
float ens_float16_to_float (guint16 half);

/* Rounds n numbers to the nearest, ties to even; what is too large becomes infinite. FALSE if one
 * of them is not finite then. */
gboolean ens_float16_from_floats (const float *from, guint16 *to, gsize n);

static inline gboolean
ens_float16_is_finite (guint16 half)
{
  return (half & 0x7c00) != 0x7c00;
}
