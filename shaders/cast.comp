/* From one type of floats in memory to the other. The variant is named by what it reads. */
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
  FLOAT x[];
};
layout (set = 0, binding = 1) writeonly restrict buffer Y
{
  OTHER y[];
};

void
main ()
{
  uint index = linear_index ();

  if (index < push.n)
    y[push.offset[1] + index] = OTHER (float(x[push.offset[0] + index]));
}
