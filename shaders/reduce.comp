/* Sums, means, extremes and norms along any axes. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/reduce.h"
#include "strided.glsl"
#include "mathematics.glsl"
#include "tile.glsl"

layout (constant_id = 1) const uint KIND = ENS_REDUCE_SUM;

READS (0, x)
WRITES (1, y)
AXES (2)

float
smaller (float a, float b)
{
  return a < b ? a : b;
}

float
multiply (float a, float b)
{
  return a * b;
}

TILE_REDUCTION (tile_min, smaller)
TILE_REDUCTION (tile_product, multiply)

/* Element k of those that begin at `start`. */
float
element (uint start, uint k)
{
  if (push.n_reduced > 0)
    start += strided_offsets (push.n_kept, push.n_reduced, k / push.columns).x;
  return x_load (start + k % push.columns * push.step);
}

float
find_extreme (uint start, uint length, bool least)
{
  float extreme = least ? INFINITE : -INFINITE;

  for (uint k = tile_first (); k < length; k += ALONG) {
    float x = element (start, k);

    extreme = least ? smaller (extreme, x) : larger (extreme, x);
  }
  return least ? tile_min (extreme) : tile_max (extreme);
}

float
find_product (uint start, uint length)
{
  float product = 1;

  for (uint k = tile_first (); k < length; k += ALONG)
    product *= element (start, k);
  return tile_product (product);
}

/* The sum of what KIND makes of each element. */
float
find_sum (uint start, uint length, float largest)
{
  float sum = 0;

  for (uint k = tile_first (); k < length; k += ALONG) {
    float x = element (start, k);

    switch (KIND) {
    case ENS_REDUCE_L1:
      sum += abs (x);
      break;
    case ENS_REDUCE_L2:
    case ENS_REDUCE_SUM_SQUARE:
      sum += x * x;
      break;
    case ENS_REDUCE_LOG_SUM_EXP:
      sum += exponential (x - largest);
      break;
    default:
      sum += x;
    }
  }
  return tile_sum (sum);
}

float
reduce (uint start, uint length)
{
  float largest;

  switch (KIND) {
  case ENS_REDUCE_MEAN:
    return find_sum (start, length, 0) / push.extent;
  case ENS_REDUCE_MAX:
    return find_extreme (start, length, false);
  case ENS_REDUCE_MIN:
    return find_extreme (start, length, true);
  case ENS_REDUCE_PROD:
    return find_product (start, length);
  case ENS_REDUCE_L2:
    return sqrt (find_sum (start, length, 0));
  case ENS_REDUCE_LOG_SUM:
    return logarithm (find_sum (start, length, 0));
  case ENS_REDUCE_LOG_SUM_EXP:
    largest = find_extreme (start, length, false);
    return largest + logarithm (find_sum (start, length, largest));
  }
  return find_sum (start, length, 0);
}

void
main ()
{
  uint line = tile_line ();
  uvec4 at = strided_offsets (0, push.n_kept, line);
  float value = reduce (at.y, line < push.n ? push.extent : 0);

  if (line < push.n && tile_first () == 0)
    y_store (at.x, value);
}
