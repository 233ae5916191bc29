/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradient of MaxRoiPool: an element gets those of all parts of regions in which it is the first
 * maximum. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/max-roi-pool.h"

layout (local_size_x = 128) in;

READS (0, x)
READS (1, regions)
READS (2, dy)
WRITES (3, dx)

#include "max-roi-pool.glsl"

bool
is_maximum (int image, ivec4 bin, ivec2 at, float value, uint channel)
{
  for (int row = bin.x; row < bin.z; row++)
    for (int column = bin.y; column < bin.w; column++) {
      float other = x_load (element_at (image, ivec2 (row, column), channel));
      bool before = row < at.x || row == at.x && column < at.y;

      if (other > value || before && other == value)
        return false;
    }
  return true;
}

float
take_region (uint region, int image, ivec2 at, float value, uint channel)
{
  float sum = 0;

  for (int row = 0; row < push.y_size[0]; row++)
    for (int column = 0; column < push.y_size[1]; column++) {
      ivec4 bin = find_bin (region, ivec2 (row, column));
      uint place = (region * uint (push.y_size[0]) + row) * uint (push.y_size[1]) + column;

      if (all (greaterThanEqual (at, bin.xy)) && all (lessThan (at, bin.zw))
          && is_maximum (image, bin, at, value, channel))
        sum += dy_load (place * push.channels + channel);
    }
  return sum;
}

void
main ()
{
  uint i = linear_index ();
  uvec2 pixel = divide (i, push.channels), line = divide (pixel.x, uint (push.x_size[1]));
  uvec2 image = divide (line.x, uint (push.x_size[0]));

  if (i < push.n) {
    ivec2 at = ivec2 (image.y, line.y);
    float value = x_load (element_at (int (image.x), at, pixel.y)), sum = 0;

    for (uint region = 0; region < push.regions; region++)
      if (read_image (region) == int (image.x))
        sum += take_region (region, int (image.x), at, value, pixel.y);
    dx_store (i, sum);
  }
}
