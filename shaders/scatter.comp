/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each element with its updates, in their order: lists[i] is where the list of run i begins. An
 * invocation reads and writes one element of data and y, so that y may be data. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/scatter.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint REDUCTION = 0;

READS (0, data)
layout (set = 0, binding = 1) readonly buffer Lists
{
  uint lists[];
};
READS (2, updates)
WRITES (3, y)

float
combine (float a, float b)
{
  switch (REDUCTION) {
  case 1:
    return a + b;
  case 2:
    return a * b;
  case 3:
    return max (a, b);
  case 4:
    return min (a, b);
  }
  return b;
}

void
main ()
{
  uint i = linear_index ();

  if (i < push.n) {
    uvec2 at = divide (i, push.run);
    uint list = push.offset[1] + at.x;
    float value = data_load (i);

    uint end = lists[list + 1];

    for (uint k = lists[list]; k < end; k++) {
      uint from = lists[push.offset[1] + k];

      value = combine (value, updates_load (from * push.run + at.y));
    }
    y_store (i, value);
  }
}
