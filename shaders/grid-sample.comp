/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map read at positions that a grid tells; see compute/ops/grid-sample.c. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/grid-sample.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint MODE = ENS_GRID_LINEAR;
layout (constant_id = 1) const uint PADDING = ENS_GRID_ZEROS;
layout (constant_id = 2) const bool ALIGN_CORNERS = false;

READS (0, x)
READS (1, grid)
WRITES (2, y)

const uint NEIGHBOURS = MODE == ENS_GRID_CUBIC ? 4 : MODE == ENS_GRID_LINEAR ? 2 : 1;

float
reflect_between (float position, float low, float high)
{
  float range = high - low, beyond = abs (position - low);

  if (range <= 0)
    return low;
  beyond -= 2 * range * floor (beyond / (2 * range));
  return beyond <= range ? low + beyond : high - (beyond - range);
}

float
pad_position (float position, int size)
{
  float last = size - 1;

  if (PADDING == ENS_GRID_ZEROS)
    return position;
  if (PADDING == ENS_GRID_REFLECTION)
    position = ALIGN_CORNERS ? reflect_between (position, 0, last)
                             : reflect_between (position, -0.5, last + 0.5);
  return clamp (position, 0, last);
}

float
cubic_weight (float d)
{
  const float a = -0.75;

  d = abs (d);
  if (d <= 1)
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Indices, or −1, and weights along an axis. */
void
find_neighbours (float position, int size, out ivec4 index, out vec4 weight)
{
  float first;

  index = ivec4 (-1);
  weight = vec4 (0);
  position = ALIGN_CORNERS ? (position + 1) / 2 * (size - 1) : ((position + 1) * size - 1) / 2;
  if (MODE != ENS_GRID_CUBIC)
    position = pad_position (position, size);
  first = MODE == ENS_GRID_NEAREST ? roundEven (position)
                                   : floor (position) - (MODE == ENS_GRID_CUBIC ? 1 : 0);
  for (uint i = 0; i < NEIGHBOURS; i++) {
    float at = first + i;

    weight[i] = MODE == ENS_GRID_CUBIC    ? cubic_weight (position - at)
                : MODE == ENS_GRID_LINEAR ? 1 - abs (position - at)
                                          : 1;
    if (MODE == ENS_GRID_CUBIC)
      at = roundEven (pad_position (at, size));
    if (at >= 0 && at < size)
      index[i] = int (at);
  }
}

void
main ()
{
  uint i = linear_index ();

  if (i < push.n) {
    uvec2 pixel = divide (i, push.channels);
    uvec2 line = divide (pixel.x, push.columns);
    uvec2 image = divide (line.x, push.rows);
    uint at = (image.x * push.columns + line.y) * 2 * push.rows + image.y;
    int height = push.x_size[0], width = push.x_size[1];
    float sum = 0;
    ivec4 rows, columns;
    vec4 down, across;

    find_neighbours (grid_load (at), width, columns, across);
    find_neighbours (grid_load (at + push.rows), height, rows, down);
    for (uint k = 0; k < NEIGHBOURS; k++)
      for (uint l = 0; l < NEIGHBOURS; l++)
        if (rows[k] >= 0 && columns[l] >= 0) {
          uint place = (image.x * uint (height) + uint (rows[k])) * uint (width) + uint (columns[l]);

          sum += down[k] * across[l] * x_load (place * push.channels + pixel.y);
        }
    y_store (i, sum);
  }
}
