/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pairs of elements turned by an angle. An invocation reads and writes a pair of its own alone, or
 * an element that is not turned, so that y may be x. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/rotary-embedding.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const bool NEIGHBOURS = false;

READS (0, x)
READS (1, cosines)
READS (2, sines)
layout (set = 0, binding = 3) readonly buffer Angles
{
  uint angles[];
};
WRITES (4, y)

void
main ()
{
  uvec2 at = divide (linear_index (), push.depth - push.pairs);
  uint row = at.x, i = at.y;

  if (row < push.rows) {
    uint start = row * push.depth;

    if (i < push.pairs) {
      uint first = start + (NEIGHBOURS ? 2 * i : i);
      uint second = first + (NEIGHBOURS ? 1 : push.pairs);
      uint angle = angles[push.offset[3] + row] * push.pairs + i;
      float a = x_load (first), b = x_load (second);
      float c = cosines_load (angle), s = sines_load (angle);

      y_store (first, a * c - b * s);
      y_store (second, a * s + b * c);
    } else {
      y_store (start + push.pairs + i, x_load (start + push.pairs + i));
    }
  }
}
