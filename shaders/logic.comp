/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of truth values. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "bool.glsl"

layout (set = 0, binding = 0) readonly buffer A
{
  uint8_t a_bytes[];
};
layout (set = 0, binding = 1) readonly buffer B
{
  uint8_t b_bytes[];
};

bool
decide (uint a, uint b)
{
  bool x = uint (a_bytes[push.offset[0] + a]) != 0;
  bool y = uint (b_bytes[push.offset[1] + b]) != 0;

  switch (OPERATION) {
  case ENS_LOGIC_AND:
    return x && y;
  case ENS_LOGIC_OR:
    return x || y;
  case ENS_LOGIC_XOR:
    return x != y;
  case ENS_LOGIC_NOT:
    return !x;
  }
  return x == y;
}
