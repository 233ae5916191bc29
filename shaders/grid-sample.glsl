/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where positions of a grid are on a map; see compute/ops/grid-sample.c. */
layout (constant_id = 0) const uint MODE = ENS_GRID_LINEAR;
layout (constant_id = 1) const uint PADDING = ENS_GRID_ZEROS;
layout (constant_id = 2) const bool ALIGN_CORNERS = false;

const uint NEIGHBOURS = MODE == ENS_GRID_CUBIC ? 4 : MODE == ENS_GRID_LINEAR ? 2 : 1;
const float CUBIC_A = -0.75;

/* Mirrored at `low` and `high` until it is between; the slope turns with each time. */
vec4
reflect_between (vec4 position, float low, float high, inout vec4 slope)
{
  float range = high - low;
  vec4 beyond = abs (position - low);
  bvec4 turned;

  if (range <= 0) {
    slope = vec4 (0);
    return vec4 (low);
  }
  beyond -= 2 * range * floor (beyond / (2 * range));
  turned = greaterThan (beyond, vec4 (range));
  slope = mix (slope, -slope, notEqual (turned, lessThan (position, vec4 (low))));
  return mix (low + beyond, high - (beyond - range), turned);
}

vec4
pad_position (vec4 position, int size, out vec4 slope)
{
  float last = size - 1;
  vec4 inside;

  slope = vec4 (1);
  if (PADDING == ENS_GRID_ZEROS)
    return position;
  if (PADDING == ENS_GRID_REFLECTION)
    position = ALIGN_CORNERS ? reflect_between (position, 0, last, slope)
                             : reflect_between (position, -0.5, last + 0.5, slope);
  inside = clamp (position, 0, last);
  slope = mix (vec4 (0), slope, equal (position, inside));
  return inside;
}

vec4
cubic_weight (vec4 distance)
{
  const float a = CUBIC_A;
  vec4 d = abs (distance), far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;

  far = mix (vec4 (0), far, lessThan (d, vec4 (2)));
  return mix (far, ((a + 2) * d - (a + 3)) * d * d + 1, lessThanEqual (d, vec4 (1)));
}

vec4
cubic_slope (vec4 distance)
{
  const float a = CUBIC_A;
  vec4 d = abs (distance), far = (3 * a * d - 10 * a) * d + 8 * a;

  far = mix (vec4 (0), far, lessThan (d, vec4 (2)));
  return sign (distance)
         * mix (far, (3 * (a + 2) * d - 2 * (a + 3)) * d, lessThanEqual (d, vec4 (1)));
}

/* Indices, or −1, and weights along an axis, and how these change with the grid's value. */
void
find_neighbours (float position, int size, out ivec4 index, out vec4 weight, out vec4 slope)
{
  const vec4 steps = vec4 (0, 1, 2, 3);
  float scale = float (ALIGN_CORNERS ? size - 1 : size) / 2;
  vec4 at, moved;
  bvec4 inside;

  position = ALIGN_CORNERS ? (position + 1) / 2 * (size - 1) : ((position + 1) * size - 1) / 2;
  if (MODE == ENS_GRID_CUBIC) {
    at = floor (position) - 1 + steps;
    weight = cubic_weight (position - at);
    slope = scale * cubic_slope (position - at);
    at = roundEven (pad_position (at, size, moved));
  } else {
    position = pad_position (vec4 (position), size, moved).x;
    at = (MODE == ENS_GRID_NEAREST ? roundEven (position) : floor (position)) + steps;
    weight = MODE == ENS_GRID_NEAREST ? vec4 (1) : 1 - abs (position - at);
    slope = MODE == ENS_GRID_NEAREST ? vec4 (0) : scale * moved.x * vec4 (-1, 1, 0, 0);
  }
  inside = lessThan (abs (2 * at - (size - 1)), vec4 (size));
  index = mix (ivec4 (-1), ivec4 (at), inside);
  if (MODE != ENS_GRID_CUBIC)
    index = mix (ivec4 (-1), index, lessThan (uvec4 (steps), uvec4 (NEIGHBOURS)));
}
