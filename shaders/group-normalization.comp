/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each group of channels of each image normalised to mean 0 and variance 1, then scaled and
 * shifted. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/group-normalization.h"
#include "tile.glsl"

layout (constant_id = 1) const bool PER_GROUP = false;

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
  uint first = at.y * push.width; /* channel */
  uint x_start = at.x * push.x_outer + first, y_start = at.x * push.y_outer + first;
  float sum = 0, squares = 0, mean, inverse;

  for (uint k = tile_first (); k < length; k += ALONG) {
    uvec2 place = divide (k, push.width);

    sum += x_load (x_start + place.x * push.x_step + place.y);
  }
  mean = tile_sum (sum) / push.extent;
  for (uint k = tile_first (); k < length; k += ALONG) {
    uvec2 place = divide (k, push.width);
    float difference = x_load (x_start + place.x * push.x_step + place.y) - mean;

    squares += difference * difference;
  }
  inverse = 1 / sqrt (tile_sum (squares) / push.extent + push.epsilon);
  for (uint k = tile_first (); k < length; k += ALONG) {
    uvec2 place = divide (k, push.width);
    uint channel = PER_GROUP ? at.y : first + place.y;
    float x = x_load (x_start + place.x * push.x_step + place.y);

    y_store (y_start + place.x * push.y_step + place.y,
             (x - mean) * inverse * scale_load (channel) + bias_load (channel));
  }
}
