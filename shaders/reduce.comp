/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums, means, extremes and norms along any axes. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/reduce.h"
#include "strided.glsl"
#include "math.glsl"
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

/* What is kept of an element, of the largest one if that is subtracted before. */
float
term (float x, float largest)
{
  switch (KIND) {
  case ENS_REDUCE_L1:
    return abs (x);
  case ENS_REDUCE_L2:
  case ENS_REDUCE_SUM_SQUARE:
    return x * x;
  case ENS_REDUCE_LOG_SUM_EXP:
    return exponential (x - largest);
  }
  return x;
}

#define SUM 0
#define PRODUCT 1
#define LARGEST 2
#define LEAST 3

float
accumulate (uint how, float a, float x, float largest)
{
  switch (how) {
  case PRODUCT:
    return a * x;
  case LARGEST:
    return larger (a, x);
  case LEAST:
    return smaller (a, x);
  }
  return a + term (x, largest);
}

/* An invocation's part of the elements from `start` on: rows of the last reduced axis, one after
 * another. */
float
visit (uint how, uint start, uint rows, float initial, float largest)
{
  float a = initial;

  for (uint row = 0; row < rows; row++) {
    uint at = start + strided_offsets (push.n_kept, push.n_reduced, row).x;

    for (uint k = tile_first (); k < push.columns; k += ALONG)
      a = accumulate (how, a, x_load (at + k * push.step), largest);
  }
  return a;
}

float
find_sum (uint start, uint rows, float largest)
{
  return tile_sum (visit (SUM, start, rows, 0, largest));
}

float
find_largest (uint start, uint rows)
{
  return tile_max (visit (LARGEST, start, rows, -INFINITE, 0));
}

float
reduce (uint start, uint rows)
{
  float largest;

  switch (KIND) {
  case ENS_REDUCE_MEAN:
    return find_sum (start, rows, 0) / push.extent;
  case ENS_REDUCE_MAX:
    return find_largest (start, rows);
  case ENS_REDUCE_MIN:
    return tile_min (visit (LEAST, start, rows, INFINITE, 0));
  case ENS_REDUCE_PROD:
    return tile_product (visit (PRODUCT, start, rows, 1, 0));
  case ENS_REDUCE_L2:
    return sqrt (find_sum (start, rows, 0));
  case ENS_REDUCE_LOG_SUM:
    return logarithm (find_sum (start, rows, 0));
  case ENS_REDUCE_LOG_SUM_EXP:
    largest = find_largest (start, rows);
    return largest + logarithm (find_sum (start, rows, largest));
  }
  return find_sum (start, rows, 0);
}

void
main ()
{
  uint line = tile_line ();
  uvec4 at = strided_offsets (0, push.n_kept, line);
  float value = reduce (at.y, line < push.n ? push.extent / push.columns : 0);

  if (line < push.n && tile_first () == 0)
    y_store (at.x, value);
}
