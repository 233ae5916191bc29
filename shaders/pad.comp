/* The input with something around it. */
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

/* Where a position outside [0, length) is taken from; −1: from nowhere. */
int
source (int position, int length)
{
  if (MODE == ENS_PADDING_EDGE)
    return clamp (position, 0, length - 1);
  if (MODE == ENS_PADDING_REFLECT) {
    position = abs (position);
    return position < length ? position : 2 * (length - 1) - position;
  }
  return position < length ? position : -1;
}

void
main ()
{
  uint index = linear_index (), rest = index, at = push.offset[2];
  bool inside = true;
  int from = 0;

  if (index >= push.n)
    return;
  for (uint axis = 0; axis < push.n_axes; axis++) {
    uvec2 step = divide (rest, uint (axes[at]));
    int position = source (int (step.y) - axes[at + 2], axes[at + 1]);

    inside = inside && position >= 0;
    from += position * axes[at + 3];
    rest = step.x;
    at += ENS_PADDING_WORDS;
  }
  y_store (index, inside ? x_load (uint (from)) : push.value);
}
