/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions by their definition, an element of the output an invocation: any number of axes, any
 * groups, weights as the graph has them. */
#include "common.glsl"
#include "push/conv-direct.h"
#include "activation.glsl"

layout (local_size_x = 64) in;
layout (constant_id = 0) const uint ACTIVATION = ENS_FUNCTION_NONE;
layout (constant_id = 1) const uint OPERANDS = 0;

READS (0, x)
READS (1, weights)
READS (2, bias)
READS (3, residual)
WRITES (4, y)
layout (set = 0, binding = 5) readonly buffer table_words
{
  int table[];
};

ivec3
axes (uint word)
{
  uint at = push.offset[5] + word;

  return ivec3 (table[at], table[at + ENS_CONV_WORDS], table[at + 2 * ENS_CONV_WORDS]);
}

/* A group's channels of a pixel by weights that lie `step` apart. */
float
sum_channels (uint image, ivec3 at, uint group, uint weights_at, uint step)
{
  ivec3 size = axes (ENS_CONV_X);
  uint x_at = (((image * size.x + at.x) * size.y + at.y) * size.z + at.z) * push.x_pitch
              + group * push.group_channels;
  float sum = 0;

  for (uint c = 0; c < push.group_channels; c++)
    sum += x_load (x_at + c) * weights_load (weights_at + c * step);
  return sum;
}

bool
is_inside (ivec3 at)
{
  return all (greaterThanEqual (at, ivec3 (0))) && all (lessThan (at, axes (ENS_CONV_X)));
}

/* Each shader's own. */
float sum_window (uint image, ivec3 position, uint filter_index);

void
main ()
{
  uint index = linear_index ();
  uint pixel = index / push.filters, filter_index = index % push.filters;
  ivec3 size = axes (ENS_CONV_Y);
  uint row = pixel / size.z, plane = row / size.y;
  float sum;

  if (index >= push.n)
    return;
  sum = sum_window (plane / size.x, ivec3 (plane % size.x, row % size.y, pixel % size.z),
                    filter_index);
  if ((OPERANDS & ENS_CONV_BIAS) != 0)
    sum += bias_load (filter_index);
  if ((OPERANDS & ENS_CONV_RESIDUAL) != 0)
    sum += residual_load (pixel * push.residual_pitch + filter_index);
  y_store (pixel * push.y_pitch + filter_index, activate (ACTIVATION, sum, push.alpha, push.beta));
}
