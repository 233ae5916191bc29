/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same by its definition, for groups that are too small for tiles: an invocation sums up one
 * weight over a slice of the pixels. Neighbours have neighbouring filters. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv-grad-weight.glsl"

void
main ()
{
  uint index = linear_index (), columns = push.taps * push.group_channels;
  uvec2 of_filter = divide (index, push.filters), of_slice = divide (of_filter.x, columns);
  uint filter_index = of_filter.y, slice = of_slice.x, column = of_slice.y;
  uvec2 seen = divide (column, push.group_channels); /* tap, channel */
  uint channel = filter_index / push.group_filters * push.group_channels + seen.y;
  uint end = min ((slice + 1) * push.slice_pixels, push.pixels);
  ivec3 tap = find_tap (seen.x);
  float sum = 0;

  if (index >= push.n)
    return;
  for (uint pixel = slice * push.slice_pixels; pixel < end; pixel++)
    sum += dy_load (pixel * push.dy_pitch + filter_index)
           * load_input (find_window (pixel), tap, channel);
  sums[push.offset[2] + (slice * push.filters + filter_index) * columns + column] = sum;
}
