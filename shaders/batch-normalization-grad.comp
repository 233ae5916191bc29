/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradients of scale and bias of each channel. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/batch-normalization-grad.h"
#include "tile.glsl"

READS (0, dy)
READS (1, x)
READS (3, mean)
READS (4, variance)
WRITES (5, dscale)
WRITES (6, dbias)

void
main ()
{
  uint channel = tile_line (), rows = channel < push.columns ? push.rows : 0;
  float centre = rows > 0 ? mean_load (channel) : 0, sum = 0, product = 0;

  for (uint k = tile_first (); k < rows; k += ALONG) {
    float slope = dy_load (k * push.dy_pitch + channel);

    sum += slope;
    product += slope * (x_load (k * push.x_pitch + channel) - centre);
  }
  sum = tile_sum (sum);
  product = tile_sum (product);
  if (rows > 0 && tile_first () == 0) {
    dbias_store (channel, sum);
    dscale_store (channel, product / sqrt (variance_load (channel) + push.epsilon));
  }
}
