/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of matrices of any order, one element per invocation: for matrices that are too small for
 * conv.comp, or not known early enough to be packed for it. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/matmul.h"
#include "activation.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const uint ACTIVATION = ENS_FUNCTION_NONE;
layout (constant_id = 1) const bool HAS_C = false;

READS (0, a)
READS (1, b)
READS (2, c)
WRITES (3, y)
layout (set = 0, binding = 4) readonly buffer table_words
{
  uint table[];
};

void
main ()
{
  uint index = linear_index ();
  uint column = index % push.columns, row = index / push.columns % push.rows;
  uint product = index / push.columns / push.rows;
  uint a_at, b_at;
  float sum = 0;

  if (index >= push.n)
    return;
  a_at = table[push.offset[4] + 2 * product] + row * push.a_row;
  b_at = table[push.offset[4] + 2 * product + 1] + column * push.b_column;
  for (uint k = 0; k < push.inner; k++)
    sum += a_load (a_at + k * push.a_column) * b_load (b_at + k * push.b_row);
  sum *= push.factor;
  if (HAS_C)
    sum += push.c_factor * c_load (row * push.c_row + column * push.c_column);
  y_store (index, activate (ACTIVATION, sum, push.alpha, push.beta));
}
