/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradient of a convolution's weights, as a product of matrices: a workgroup sums up, over a slice
 * of the pixels, a tile of filters by columns, which are the channels of all taps. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "conv-grad-weight.glsl"

const uint TILE = ENS_CONV_GRAD_TILE, STEP = 16; /* pixels that are loaded at once */
const uint EACH = 4, ACROSS = TILE / EACH;       /* filters and columns of an invocation */

shared ivec4 windows[STEP];
shared vec4 filters[STEP][ACROSS], columns[STEP][ACROSS];

/* Of the invocation's row of the tile, as it loads it. */
void
load_step (uint first, uint end, uint filter_index, uint filter_end, uint column, ivec3 tap,
           uint channel)
{
  uint me = gl_LocalInvocationID.x, lane = me % TILE;
  bool in_columns = column < push.taps * push.group_channels;

  for (uint k = me / TILE; k < STEP; k += gl_WorkGroupSize.x / TILE) {
    uint pixel = first + k;
    bool inside = pixel < end;

    filters[k][lane / EACH][lane % EACH] =
        inside && filter_index < filter_end ? dy_load (pixel * push.dy_pitch + filter_index) : 0;
    columns[k][lane / EACH][lane % EACH] =
        inside && in_columns ? load_input (windows[k], tap, channel) : 0;
  }
}

void
store (mat4 sum, uint slice, uint filter_index, uint filter_end, uint column)
{
  uint n_columns = push.taps * push.group_channels;

  for (uint i = 0; i < EACH && filter_index + i < filter_end; i++)
    for (uint j = 0; j < EACH && column + j < n_columns; j++)
      sums[push.offset[2] + (slice * push.filters + filter_index + i) * n_columns + column + j] =
          sum[i][j];
}

void
main ()
{
  uint me = gl_LocalInvocationID.x, lane = me % TILE;
  uvec2 part = divide (gl_WorkGroupID.z, push.filters / push.group_filters); /* slice, group */
  uint first_filter = part.y * push.group_filters, filter_end = first_filter + push.group_filters;
  uint column = gl_WorkGroupID.y * TILE, end = min ((part.x + 1) * push.slice_pixels, push.pixels);
  uvec2 seen = divide (column + lane, push.group_channels); /* tap, channel */
  ivec3 tap = find_tap (seen.x);
  mat4 sum = mat4 (0);

  first_filter += gl_WorkGroupID.x * TILE;
  for (uint first = part.x * push.slice_pixels; first < end; first += STEP) {
    if (me < STEP)
      windows[me] = find_window (first + me);
    barrier ();
    load_step (first, end, first_filter + lane, filter_end, column + lane, tap,
               part.y * push.group_channels + seen.y);
    barrier ();
    for (uint k = 0; k < STEP; k++)
      sum += outerProduct (columns[k][me % ACROSS], filters[k][me / ACROSS]);
    barrier ();
  }
  store (sum, part.x, first_filter + me / ACROSS * EACH, filter_end, column + me % ACROSS * EACH);
}
