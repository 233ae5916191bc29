/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Positions of the largest or least values along an axis: ArgMax, ArgMin. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/arg.h"
#include "tile.glsl"

layout (constant_id = 1) const bool LEAST = false;
layout (constant_id = 2) const bool LAST = false;

/* 64-bit integers, the low word first. */
READS (0, x)
layout (set = 0, binding = 1) writeonly buffer Y
{
  uvec2 y[];
};

shared float best_values[ENS_TILE];
shared uint best_positions[ENS_TILE];

/* Whether a value at a position is to be preferred to another one. */
bool
beats (float value, uint position, float other, uint other_position)
{
  if (value == other)
    return LAST ? position > other_position : position < other_position;
  return LEAST ? value < other : value > other;
}

void
main ()
{
  uint line = tile_line (), me = gl_LocalInvocationID.x, first = tile_first ();
  uvec2 at = divide (line, push.inner);
  uint start = at.x * push.extent * push.inner + at.y;
  uint extent = line < push.n ? push.extent : 0;
  /* Those that find no element of their own begin with one of somebody else's. */
  uint best = min (first, max (extent, 1) - 1);
  float value = line < push.n ? x_load (start + best * push.inner) : 0;

  for (uint k = first + ALONG; k < extent; k += ALONG) {
    float next = x_load (start + k * push.inner);

    if (beats (next, k, value, best)) {
      value = next;
      best = k;
    }
  }
  best_values[me] = value;
  best_positions[me] = best;
  for (uint reach = ENS_TILE / 2; reach >= ACROSS; reach /= 2) {
    barrier ();
    if (me < reach
        && beats (best_values[me + reach], best_positions[me + reach], best_values[me],
                  best_positions[me])) {
      best_values[me] = best_values[me + reach];
      best_positions[me] = best_positions[me + reach];
    }
  }
  if (me < ACROSS && line < push.n)
    y[push.offset[1] + line] = uvec2 (best_positions[me], 0);
}
