/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each row normalised to mean 0 and variance 1, or to mean square 1, then scaled and shifted element
 * by element. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/layer-normalization.h"
#include "tile.glsl"

layout (constant_id = 1) const bool BIAS = false;
layout (constant_id = 2) const uint OUTPUTS = 1;
layout (constant_id = 3) const bool CENTRED = true;

READS (0, x)
READS (1, scale)
READS (2, bias)
WRITES (3, y)
WRITES (4, means)
WRITES (5, inverses)

void
main ()
{
  uint row = tile_line (), start = row * push.extent;
  uint extent = row < push.n ? push.extent : 0;
  float sum = 0, squares = 0, mean = 0, inverse;

  if (CENTRED) {
    for (uint k = tile_first (); k < extent; k += ALONG)
      sum += x_load (start + k);
    mean = tile_sum (sum) / push.extent;
  }
  for (uint k = tile_first (); k < extent; k += ALONG) {
    float difference = x_load (start + k) - mean;

    squares += difference * difference;
  }
  inverse = 1 / sqrt (tile_sum (squares) / push.extent + push.epsilon);
  for (uint k = tile_first (); k < extent; k += ALONG)
    y_store (start + k, (x_load (start + k) - mean) * inverse * scale_load (k)
                            + (BIAS ? bias_load (k) : 0));
  if (extent > 0 && tile_first () == 0) {
    if (OUTPUTS > 1)
      means_store (row, mean);
    if (OUTPUTS > 2)
      inverses_store (row, inverse);
  }
}
