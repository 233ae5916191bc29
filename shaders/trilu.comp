/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Triangles of matrices, zeroes elsewhere. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/trilu.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const bool UPPER = true;

READS (0, x)
WRITES (1, y)

void
main ()
{
  uint i = linear_index ();

  if (i < push.n) {
    uvec2 at = divide (i, push.columns);
    int beyond = int (at.y) - int (divide (at.x, push.rows).y) - push.diagonal;

    y_store (i, (UPPER ? beyond >= 0 : beyond <= 0) ? x_load (i) : 0);
  }
}
