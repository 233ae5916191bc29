/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scaled dot-product attention, a workgroup for each query, that reads keys and values in blocks and
 * corrects what it has summed whenever a larger score is met (Milakov and Gimelshein, "Online
 * normalizer calculation for softmax", 2018). */
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
#include "common.glsl"
#include "push/attention.h"
#include "math.glsl"
#include "tile.glsl"

layout (constant_id = 1) const uint MASK = ENS_ATTENTION_UNMASKED;
layout (constant_id = 2) const bool CAUSAL = false;
layout (constant_id = 3) const bool CAPPED = false;

READS (0, query)
READS (1, key)
READS (2, value)
READS (3, mask)
layout (set = 0, binding = 4) readonly buffer Selected
{
  uint8_t selected[];
};
WRITES (5, y)

const uint PARTS = ENS_ATTENTION_MAX_DEPTH / ENS_TILE;

shared float query[ENS_ATTENTION_MAX_DEPTH];
shared float weights[ENS_TILE];

float
score (uint key, uint place, uint at)
{
  float sum = 0;

  for (uint k = 0; k < push.depth; k++)
    sum += query[k] * key_load (place + k);
  sum *= push.scale;
  if (CAPPED)
    sum = push.softcap * hyperbolic_tangent (vec4 (sum / push.softcap)).x;
  if (MASK == ENS_ATTENTION_ADDEND)
    sum += mask_load (at + key * push.mask[3]);
  if (MASK == ENS_ATTENTION_SELECTED
      && uint (selected[push.offset[4] + at + key * push.mask[3]]) == 0)
    sum = -INFINITE;
  return sum;
}

void
main ()
{
  uint me = gl_LocalInvocationID.x, line = linear_group ();
  uvec2 row = divide (min (line, push.n - 1), push.queries);
  uvec2 head = divide (row.x, push.heads);
  uint shared_head = head.y / push.sharing;
  uint keys = CAUSAL ? min (row.y + 1, push.keys) : push.keys;
  uint at = head.x * push.mask[0] + head.y * push.mask[1] + row.y * push.mask[2];
  uint from = head.x * push.query[0] + head.y * push.query[1] + row.y * push.query[2];
  uint first_key = head.x * push.key[0] + shared_head * push.key[1];
  uint first_value = head.x * push.value[0] + shared_head * push.value[1];
  uint to = head.x * push.y[0] + head.y * push.y[1] + row.y * push.y[2];
  float sums[PARTS], top = -INFINITE, total = 0;

  for (uint k = me; k < push.depth; k += ENS_TILE)
    query[k] = query_load (from + k);
  for (uint part = 0; part < PARTS; part++)
    sums[part] = 0;
  barrier ();
  for (uint start = 0; start < keys; start += ENS_TILE) {
    uint key = start + me, n = min (keys - start, ENS_TILE);
    float s = key < keys ? score (key, first_key + key * push.key[2], at) : -INFINITE;
    float new_top = larger (top, tile_max (s)), correction;

    weights[me] = key < keys && new_top > -INFINITE ? exponential (s - new_top) : 0;
    correction = top > -INFINITE ? exponential (top - new_top) : 0;
    total = total * correction + tile_sum (weights[me]);
    top = new_top;
    for (uint part = 0, k = me; k < push.value_depth; part++, k += ENS_TILE) {
      float sum = 0;

      for (uint i = 0; i < n; i++)
        sum += weights[i] * value_load (first_value + (start + i) * push.value[2] + k);
      sums[part] = sums[part] * correction + sum;
    }
    barrier ();
  }
  if (line < push.n)
    for (uint part = 0, k = me; k < push.value_depth; part++, k += ENS_TILE)
      y_store (to + k, total == 0 ? 0 : sums[part] / total);
}
