/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mean and variance of each channel of a batch, and the running ones that follow from them. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/batch-normalization-training.h"
#include "tile.glsl"

READS (0, x)
READS (1, old_mean)
READS (2, old_variance)
WRITES (3, new_mean)
WRITES (4, new_variance)
WRITES (5, mean)
WRITES (6, variance)

void
main ()
{
  uint channel = tile_line (), rows = channel < push.columns ? push.rows : 0;
  float sum = 0, squares = 0, centre;

  for (uint k = tile_first (); k < rows; k += ALONG)
    sum += x_load (k * push.x_pitch + channel);
  centre = tile_sum (sum) / push.rows;
  for (uint k = tile_first (); k < rows; k += ALONG) {
    float difference = x_load (k * push.x_pitch + channel) - centre;

    squares += difference * difference;
  }
  squares = tile_sum (squares);
  if (rows > 0 && tile_first () == 0) {
    float unbiased = squares / (push.rows - 1);

    mean_store (channel, centre);
    variance_store (channel, squares / push.rows);
    new_mean_store (channel, mix (old_mean_load (channel), centre, push.momentum));
    new_variance_store (channel, mix (old_variance_load (channel), unbiased, push.momentum));
  }
}
