/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of a tensor divided by their sum or norm: Softmax, LogSoftmax, LpNormalization. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/softmax.h"
#include "math.glsl"
#include "tile.glsl"

layout (constant_id = 1) const uint KIND = ENS_LINE_SOFTMAX;

READS (0, x)
WRITES (1, y)

/* The terms of the sum. */
float
term (float x, float largest)
{
  switch (KIND) {
  case ENS_LINE_L1:
    return abs (x);
  case ENS_LINE_L2:
    return x * x;
  }
  return exponential (x - largest);
}

float
result (float x, float largest, float sum)
{
  switch (KIND) {
  case ENS_LINE_LOG_SOFTMAX:
    return x - largest - logarithm (sum);
  case ENS_LINE_L1:
    return sum > 0 ? x / sum : 0;
  case ENS_LINE_L2:
    return sum > 0 ? x / sqrt (sum) : 0;
  }
  return exponential (x - largest) / sum;
}

/* An invocation reads and writes elements of its own alone, so that y may be x. */
void
main ()
{
  uint line = tile_line ();
  uint length = line < push.n ? push.extent : 0;
  uvec2 at = divide (line, push.inner);
  uint x_start = at.x * push.x_outer + at.y, y_start = at.x * push.y_outer + at.y;
  float largest = -INFINITE, sum = 0;

  if (KIND == ENS_LINE_SOFTMAX || KIND == ENS_LINE_LOG_SOFTMAX) {
    for (uint k = tile_first (); k < length; k += ALONG)
      largest = larger (largest, x_load (x_start + k * push.x_step));
    largest = tile_max (largest);
  }
  for (uint k = tile_first (); k < length; k += ALONG)
    sum += term (x_load (x_start + k * push.x_step), largest);
  sum = tile_sum (sum);
  for (uint k = tile_first (); k < length; k += ALONG)
    y_store (y_start + k * push.y_step, result (x_load (x_start + k * push.x_step), largest, sum));
}
