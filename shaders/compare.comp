/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparisons of floats. */
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
  }
  return x == y;
}
