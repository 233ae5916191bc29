/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map read at positions that a grid tells; see compute/ops/grid-sample.c. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/grid-sample.h"
#include "grid-sample.glsl"

layout (local_size_x = 128) in;
READS (0, x)
READS (1, grid)
WRITES (2, y)

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
    vec4 down, across, ignored;

    find_neighbours (grid_load (at), width, columns, across, ignored);
    find_neighbours (grid_load (at + push.rows), height, rows, down, ignored);
    for (uint k = 0; k < NEIGHBOURS; k++)
      for (uint l = 0; l < NEIGHBOURS; l++)
        if (rows[k] >= 0 && columns[l] >= 0) {
          uint place = (image.x * uint (height) + uint (rows[k])) * uint (width) + uint (columns[l]);

          sum += down[k] * across[l] * x_load (place * push.channels + pixel.y);
        }
    y_store (i, sum);
  }
}
