/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/colour-space.h"

#include <math.h>

#include "base/simd.h"

/* Rounds to a level of 0 ... 255 * unit. */
ENS_INLINE gint16
quantise (float value, float unit)
{
  value = value < 0 ? 0 : value;
  value = value > 255 ? 255 : value;
  return (gint16)(value * unit + 0.5f);
}

typedef struct {
  float r, g, b;
} Rgb;

ENS_INLINE float
clamp (float value)
{
  value = value < 0 ? 0 : value;
  return value > 255 ? 255 : value;
}

ENS_INLINE Rgb
to_rgb (const float *ycbcr)
{
  float y = ycbcr[0], cb = ycbcr[1] - 128, cr = ycbcr[2] - 128;

  return (Rgb) {clamp (y + 1.402f * cr), clamp (y - 0.344136f * cb - 0.714136f * cr),
                clamp (y + 1.772f * cb)};
}

ENS_CLONES static void
convert_ycbcr (const float *restrict ycbcr, gsize n, float unit, gint16 *restrict a,
               gint16 *restrict b, gint16 *restrict c)
{
  for (gsize i = 0; i < n; i++) {
    a[i] = quantise (ycbcr[3 * i], unit);
    b[i] = quantise (ycbcr[3 * i + 1], unit);
    c[i] = quantise (ycbcr[3 * i + 2], unit);
  }
}

/* Without a branch, so that it runs in vectors: of the three sectors' formulas for hue the one of
 * the largest component is selected. */
ENS_CLONES static void
convert_hsv (const float *restrict ycbcr, gsize n, float unit, gint16 *restrict h,
             gint16 *restrict s, gint16 *restrict v)
{
  for (gsize i = 0; i < n; i++) {
    Rgb p = to_rgb (ycbcr + 3 * i);
    float high = p.r > p.g ? p.r : p.g, low = p.r < p.g ? p.r : p.g;
    float range, sector, difference, hue;

    high = p.b > high ? p.b : high;
    low = p.b < low ? p.b : low;
    range = high - low;
    sector = p.g >= p.r ? 2 : 0;
    difference = p.g >= p.r ? p.b - p.r : p.g - p.b;
    difference = high == p.b ? p.r - p.g : difference;
    sector = high == p.b ? 4 : sector;
    hue = sector + difference / (range > 0 ? range : 1);
    hue = hue < 0 ? hue + 6 : hue;
    hue = range > 0 ? hue : 0;
    h[i] = quantise (hue * (255.0f / 6), unit);
    s[i] = quantise (255 * range / (high > 0 ? high : 1), unit);
    v[i] = quantise (high, unit);
  }
}

/* The shares of red and green, and the mean of the three. */
ENS_CLONES static void
convert_rgi (const float *restrict ycbcr, gsize n, float unit, gint16 *restrict r,
             gint16 *restrict g, gint16 *restrict intensity)
{
  for (gsize i = 0; i < n; i++) {
    Rgb p = to_rgb (ycbcr + 3 * i);
    float sum = p.r + p.g + p.b, share = 255 / (sum > 1 ? sum : 1);

    r[i] = quantise (p.r * share, unit);
    g[i] = quantise (p.g * share, unit);
    intensity[i] = quantise (sum / 3, unit);
  }
}

void
ens_colour_space_convert (EnsColourSpace space, const float *ycbcr, gsize n, guint unit,
                          gint16 *const planes[3])
{
  switch (space) {
  case ENS_COLOUR_YCBCR:
    convert_ycbcr (ycbcr, n, unit, planes[0], planes[1], planes[2]);
    break;
  case ENS_COLOUR_HSV:
    convert_hsv (ycbcr, n, unit, planes[0], planes[1], planes[2]);
    break;
  case ENS_COLOUR_RGI:
    convert_rgi (ycbcr, n, unit, planes[0], planes[1], planes[2]);
    break;
  }
}
