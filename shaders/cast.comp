/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From one type of floats in memory to the other. The variant is named by what it writes. */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "push/cast.h"

#ifdef FLOAT16
#define OTHER float
#else
#define OTHER float16_t
#endif

layout (local_size_x = 128) in;

layout (set = 0, binding = 0) readonly restrict buffer X
{
  OTHER x[];
};
WRITES (1, y)

void
main ()
{
  uint index = linear_index ();

  if (index < push.n)
    y_store (index, float(x[push.offset[0] + index]));
}
