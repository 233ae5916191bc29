/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours, each channel in [0, 1]. */
#pragma once

#include <glib.h>

typedef struct {
  double r, g, b;
} Colour;

static inline Colour
mix (Colour a, Colour b, double share)
{
  return (Colour) {a.r + (b.r - a.r) * share, a.g + (b.g - a.g) * share, a.b + (b.b - a.b) * share};
}

/* gain < 1 darkens, gain > 1 lightens (towards white). */
static inline Colour
shade (Colour c, double gain)
{
  if (gain > 1)
    return mix (c, (Colour) {1, 1, 1}, MIN (gain - 1, 1));
  return (Colour) {c.r * gain, c.g * gain, c.b * gain};
}

static inline double
hue_channel (double hue, double offset)
{
  double h = (hue + offset) * 6;

  h -= 6 * (int)(h / 6);
  return CLAMP (ABS (h - 3) - 1, 0, 1);
}

/* hue in [0, 1): 0 red, 1/3 green, 2/3 blue. */
static inline Colour
from_hsv (double hue, double saturation, double value)
{
  Colour pure = {hue_channel (hue, 1), hue_channel (hue, 2.0 / 3), hue_channel (hue, 1.0 / 3)};

  return shade (mix ((Colour) {1, 1, 1}, pure, saturation), value);
}
