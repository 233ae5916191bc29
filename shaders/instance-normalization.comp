/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each channel of each image normalised to mean 0 and variance 1, then scaled and shifted. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/instance-normalization.h"
#include "tile.glsl"

READS (0, x)
READS (1, scale)
READS (2, bias)
WRITES (3, y)

/* An invocation reads and writes elements of its own alone, so that y may be x. */
void
main ()
{
  uint line = tile_line ();
  uint length = line < push.n ? push.extent : 0;
  uvec2 at = divide (line, push.inner);
  uint channel = at.y;
  uint x_start = at.x * push.x_outer + channel, y_start = at.x * push.y_outer + channel;
  float sum = 0, squares = 0, mean, factor;

  for (uint k = tile_first (); k < length; k += ALONG)
    sum += x_load (x_start + k * push.x_step);
  mean = tile_sum (sum) / push.extent;
  for (uint k = tile_first (); k < length; k += ALONG) {
    float difference = x_load (x_start + k * push.x_step) - mean;

    squares += difference * difference;
  }
  factor = scale_load (channel) / sqrt (tile_sum (squares) / push.extent + push.epsilon);
  for (uint k = tile_first (); k < length; k += ALONG)
    y_store (y_start + k * push.y_step,
             (x_load (x_start + k * push.x_step) - mean) * factor + bias_load (channel));
}
