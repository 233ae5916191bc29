/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rounds images to 256 numbers from their least to their largest. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/fake-quantize-range.h"

layout (local_size_x = 128) in;

READS (0, x)
READS (1, low)
READS (2, high)
WRITES (3, y)

/* Each invocation computes up to four neighbours of a row. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.columns + 3) / 4);
  uint row = at.x, column = at.y * 4, n = push.columns - column, first = row * push.columns + column;
  float bottom, top, scale, zero;

  if (row >= push.rows)
    return;
  bottom = min (low_load (row * push.low_step), 0);
  top = max (high_load (row * push.high_step), 0);
  scale = top > bottom ? (top - bottom) / 255 : 1;
  zero = roundEven (clamp (-bottom / scale, 0, 255));
  y_store4 (first, n, 1, scale * clamp (roundEven (x_load4 (first, n, 1) / scale), -zero, 255 - zero));
}
