/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradient of a maximum: a pixel gets those of all windows in which it is the first that holds the
 * maximum. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/max-pool-grad.h"

layout (local_size_x = 128) in;

READS (0, x)
READS (1, y)
READS (2, dy)
WRITES (3, dx)

#define AXES(member) ivec3 (push.member[0], push.member[1], push.member[2])

uint
pixel_at (ivec3 position, ivec3 size, uint image)
{
  return ((image * size.x + position.x) * size.y + position.y) * size.z + position.z;
}

bool
is_inside (ivec3 at, ivec3 size)
{
  return all (greaterThanEqual (at, ivec3 (0))) && all (lessThan (at, size));
}

/* Which channels of the window have their maximum before the tap, counted as taps are. */
bvec4
found_before (ivec3 first, int tap, vec4 maximum, uint image, uint channel, uint n)
{
  ivec3 size = AXES (x_size), kernel = AXES (kernel), dilation = AXES (dilation);
  bvec4 found = bvec4 (false);

  for (int i = 0; i < tap; i++) {
    int row = i / kernel.z;
    ivec3 at = first + ivec3 (row / kernel.y, row % kernel.y, i % kernel.z) * dilation;

    if (is_inside (at, size)) {
      bvec4 same =
          equal (x_load4 (pixel_at (at, size, image) * push.x_pitch + channel, n, 1), maximum);

      found = bvec4 (uvec4 (found) | uvec4 (same));
    }
  }
  return found;
}

/* What the window in which the pixel is that tap gives it. */
vec4
take_window (ivec3 window, int tap, vec4 value, uint image, uint channel, uint n)
{
  uint pixel = pixel_at (window, AXES (y_size), image);
  vec4 maximum = y_load4 (pixel * push.y_pitch + channel, n, 1);
  vec4 gradient = mix (vec4 (0), dy_load4 (pixel * push.dy_pitch + channel, n, 1),
                       equal (value, maximum));

  if (gradient == vec4 (0))
    return gradient;
  return mix (gradient, vec4 (0),
              found_before (window * AXES (stride) - AXES (pad), tap, maximum, image, channel, n));
}

vec4
take_windows (ivec3 position, vec4 value, uint image, uint channel, uint n)
{
  ivec3 kernel = AXES (kernel), last = position + AXES (pad), size = AXES (y_size);
  vec4 sum = vec4 (0);
  int tap = 0;

  for (int z = 0; z < kernel.x; z++)
    for (int y = 0; y < kernel.y; y++)
      for (int x = 0; x < kernel.z; x++, tap++) {
        ivec3 from = last - ivec3 (z, y, x) * AXES (dilation), window = from / AXES (stride);

        if (window * AXES (stride) == from && is_inside (window, size))
          sum += take_window (window, tap, value, image, channel, n);
      }
  return sum;
}

/* Each invocation computes up to four channels of a pixel. */
void
main ()
{
  uvec2 at = divide (linear_index (), (push.channels + 3) / 4);
  uint pixel = at.x, channel = at.y * 4, n = push.channels - channel;
  ivec3 size = AXES (x_size);
  uvec2 row = divide (pixel, size.z), plane = divide (row.x, size.y);
  uvec2 image = divide (plane.x, size.x);

  if (pixel < push.pixels)
    dx_store4 (pixel * push.dx_pitch + channel, n, 1,
               take_windows (ivec3 (image.y, plane.y, row.y),
                             x_load4 (pixel * push.x_pitch + channel, n, 1), image.x, channel, n));
}
