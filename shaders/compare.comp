/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparisons of floats, and what kind of number they are, told by their bits. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "bool.glsl"

READS (0, a)
READS (1, b)

bool
decide (uint a, uint b)
{
  float x = a_load (a), y = b_load (b);

  switch (OPERATION) {
  case ENS_COMPARE_GREATER:
    return x > y;
  case ENS_COMPARE_GREATER_OR_EQUAL:
    return x >= y;
  case ENS_COMPARE_LESS:
    return x < y;
  case ENS_COMPARE_LESS_OR_EQUAL:
    return x <= y;
  case ENS_COMPARE_NAN:
    return (floatBitsToUint (x) & 0x7fffffffu) > 0x7f800000u;
  case ENS_COMPARE_INFINITE:
    return (floatBitsToUint (x) & 0x7fffffffu) == 0x7f800000u;
  case ENS_COMPARE_POSITIVE_INFINITE:
    return floatBitsToUint (x) == 0x7f800000u;
  case ENS_COMPARE_NEGATIVE_INFINITE:
    return floatBitsToUint (x) == 0xff800000u;
  }
  return x == y;
}
