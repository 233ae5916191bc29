/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A workgroup takes ACROSS lines side by side, with ENS_TILE / ACROSS invocations along each; what
 * these find is put together in the same order whatever the device. */
#include "push/tile.h"

layout (local_size_x = ENS_TILE) in;
layout (constant_id = 0) const uint ACROSS = 1;

const uint ALONG = ENS_TILE / ACROSS;

shared float tile_parts[ENS_TILE];

uint
tile_line ()
{
  return linear_group () * ACROSS + gl_LocalInvocationID.x % ACROSS;
}

/* The first position of a line that is this invocation's, ALONG from one to the next. */
uint
tile_first ()
{
  return gl_LocalInvocationID.x / ACROSS;
}

/* Defines name (part), the parts of a line joined; all invocations have to call it. */
#define TILE_REDUCTION(name, join)                                          \
  float name (float part)                                                   \
  {                                                                         \
    uint me = gl_LocalInvocationID.x;                                       \
                                                                            \
    tile_parts[me] = part;                                                  \
    for (uint reach = ENS_TILE / 2; reach >= ACROSS; reach /= 2) {          \
      barrier ();                                                           \
      if (me < reach)                                                       \
        tile_parts[me] = join (tile_parts[me], tile_parts[me + reach]);     \
    }                                                                       \
    barrier ();                                                             \
    part = tile_parts[me % ACROSS];                                         \
    barrier ();                                                             \
    return part;                                                            \
  }

float
add (float a, float b)
{
  return a + b;
}

float
larger (float a, float b)
{
  return a > b ? a : b;
}

TILE_REDUCTION (tile_sum, add)
TILE_REDUCTION (tile_max, larger)
