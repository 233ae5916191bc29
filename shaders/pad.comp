/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input, padded. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/pad.h"

layout (local_size_x = 128) in;
layout (constant_id = 0) const uint MODE = ENS_PADDING_CONSTANT;

READS (0, x)
WRITES (1, y)
layout (set = 0, binding = 2) readonly buffer Axes
{
  int axes[];
};

/* The input position that fills a position outside [0, length); −1: none. */
int
source (int position, int length)
{
  if (MODE == ENS_PADDING_EDGE)
    return clamp (position, 0, length - 1);
  if (MODE == ENS_PADDING_WRAP) /* % of a negative number is not defined */
    return position < 0 ? length - 1 - (-1 - position) % length : position % length;
  if (MODE == ENS_PADDING_REFLECT) {
    position = abs (position);
    return position < length ? position : 2 * (length - 1) - position;
  }
  return position < length ? position : -1;
}

/* Each invocation computes up to four neighbours of a row. */
void
main ()
{
  uvec2 index = divide (linear_index (), (push.columns + 3) / 4);
  uint row = index.x, column = index.y * 4, n = push.columns - column;
  uint rest = row, at = push.offset[2];
  bool inside = true;
  int from = 0;

  if (row >= push.rows)
    return;
  for (uint axis = 0; axis < push.n_axes; axis++) {
    uvec2 step = divide (rest, uint (axes[at]));
    int position = source (int (step.y) - axes[at + 2], axes[at + 1]);

    inside = inside && position >= 0;
    from += position * axes[at + 3];
    rest = step.x;
    at += ENS_PADDING_WORDS;
  }
  y_store4 (row * push.columns + column, n, 1,
            inside ? x_load4 (uint (from) + column, n, 1) : vec4 (push.value));
}
