/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums or products along lines, an invocation each; y may be x. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/cumulative.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const bool PRODUCT = false;
layout (constant_id = 1) const bool EXCLUSIVE = false;
layout (constant_id = 2) const bool REVERSE = false;

READS (0, x)
WRITES (1, y)

void
main ()
{
  uint line = linear_index ();

  if (line < push.n) {
    uvec2 part = divide (line, push.inner);
    uint start = part.x * push.extent * push.inner + part.y;
    float total = PRODUCT ? 1 : 0;

    for (uint i = 0; i < push.extent; i++) {
      uint at = start + (REVERSE ? push.extent - 1 - i : i) * push.inner;
      float value = x_load (at), before = total;

      total = PRODUCT ? total * value : total + value;
      y_store (at, EXCLUSIVE ? before : total);
    }
  }
}
