/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of a map that is read at positions of a grid, and of the grid; see
 * compute/ops/grid-sample-grad.c. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/grid-sample-grad.h"
#include "grid-sample.glsl"

layout (local_size_x = 128) in;
layout (constant_id = 3) const bool GRID = false;

READS (0, x)
READS (1, grid)
READS (2, dy)
WRITES (3, dx)

/* The sum of the weights with which element i is read. */
float
weight_of (int i, ivec4 index, vec4 weight)
{
  return dot (mix (vec4 (0), weight, equal (index, ivec4 (i))), vec4 (1));
}

/* Up to four channels of an element of X. */
void
differentiate_map (uint i)
{
  uvec2 element = divide (i, (push.channels + 3) / 4);
  uvec2 line = divide (element.x, push.x_size[1]), image = divide (line.x, push.x_size[0]);
  uint channel = element.y * 4, n = push.channels - channel, pixels = push.rows * push.columns;
  uint row = 0, column = 0, first = image.x * push.columns * 2 * push.rows;
  vec4 sum = vec4 (0), weight, ignored;
  ivec4 index;

  for (uint pixel = 0; pixel < pixels; pixel++) {
    uint at = first + column * 2 * push.rows + row;
    float down, across = 0;

    find_neighbours (grid_load (at + push.rows), push.x_size[0], index, weight, ignored);
    down = weight_of (int (image.y), index, weight);
    if (down != 0) {
      find_neighbours (grid_load (at), push.x_size[1], index, weight, ignored);
      across = weight_of (int (line.y), index, weight);
    }
    if (across != 0)
      sum += down * across
             * dy_load4 ((image.x * pixels + pixel) * push.channels + channel, n, 1);
    if (++column == push.columns) {
      column = 0;
      row++;
    }
  }
  dx_store4 (element.x * push.channels + channel, n, 1, sum);
}

/* What the gradient at a position and an element of X have in common. */
float
multiply_channels (uint pixel, uint element)
{
  float sum = 0;

  for (uint channel = 0; channel < push.channels; channel += 4) {
    uint n = push.channels - channel;

    sum += dot (dy_load4 (pixel * push.channels + channel, n, 1),
                x_load4 (element * push.channels + channel, n, 1));
  }
  return sum;
}

/* Both coordinates of a position. */
void
differentiate_grid (uint pixel)
{
  uvec2 line = divide (pixel, push.columns), image = divide (line.x, push.rows);
  uint at = (image.x * push.columns + line.y) * 2 * push.rows + image.y;
  int height = push.x_size[0], width = push.x_size[1];
  vec4 down, across, down_slope, across_slope;
  vec2 slopes = vec2 (0);
  ivec4 rows, columns;

  find_neighbours (grid_load (at), width, columns, across, across_slope);
  find_neighbours (grid_load (at + push.rows), height, rows, down, down_slope);
  for (uint k = 0; k < NEIGHBOURS; k++)
    for (uint l = 0; l < NEIGHBOURS; l++)
      if (rows[k] >= 0 && columns[l] >= 0) {
        uint line = image.x * uint (height) + uint (rows[k]);
        float value = multiply_channels (pixel, line * uint (width) + uint (columns[l]));

        slopes += value * vec2 (down[k] * across_slope[l], down_slope[k] * across[l]);
      }
  dx_store (at, slopes.x);
  dx_store (at + push.rows, slopes.y);
}

void
main ()
{
  uint i = linear_index ();

  if (i < push.n) {
    if (GRID)
      differentiate_grid (i);
    else
      differentiate_map (i);
  }
}
