/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maxima over parts of regions. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/max-roi-pool.h"

layout (local_size_x = 128) in;

READS (0, x)
READS (1, regions)
WRITES (2, y)

#include "max-roi-pool.glsl"

float
find_maximum (int image, ivec4 bin, uint channel)
{
  float maximum = 0;
  bool found = false;

  for (int row = bin.x; row < bin.z; row++)
    for (int column = bin.y; column < bin.w; column++) {
      float value = x_load (element_at (image, ivec2 (row, column), channel));

      if (!found || value > maximum)
        maximum = value;
      found = true;
    }
  return maximum;
}

void
main ()
{
  uint i = linear_index ();
  uvec2 bin = divide (i, push.channels), line = divide (bin.x, uint (push.y_size[1]));
  uvec2 region = divide (line.x, uint (push.y_size[0]));

  if (i < push.n) {
    int image = read_image (region.x);
    float maximum = 0;

    if (image >= 0)
      maximum = find_maximum (image, find_bin (region.x, ivec2 (region.y, line.y)), bin.y);
    y_store (i, maximum);
  }
}
