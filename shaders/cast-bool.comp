/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Truth values, four bytes to a word, as 0 and 1. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/cast.h"

layout (local_size_x = 128) in;

layout (set = 0, binding = 0) readonly buffer X
{
  uint x[];
};
WRITES (1, y)

void
main ()
{
  uint index = linear_index (), place = push.offset[0] + index;

  if (index < push.n)
    y_store (index, bitfieldExtract (x[place / 4], int(place % 4) * 8, 8) != 0 ? 1 : 0);
}
