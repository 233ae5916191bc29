/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packs weights that change from run to run, as ops/conv-pack.c does those that don't. */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "push/conv-pack.h"

layout (local_size_x = 64) in;

READS (0, weights)
WRITES (1, packed)

void
main ()
{
  uint index = linear_index ();
  uvec2 row = divide (index, push.panel), of_tap = divide (row.x, push.rows);
  uvec2 of_panel = divide (of_tap.x, push.taps), of_group = divide (of_panel.x, push.panels);
  uint filter_index = of_group.y * push.panel + row.y, channel = of_tap.y;
  ivec4 at = ivec4 (of_group.x, filter_index, of_panel.y, channel);
  ivec4 steps = ivec4 (push.group, push.filter_step, push.tap, push.channel);
  ivec4 parts = at * steps;
  int from = push.start + parts.x + parts.y + parts.z + parts.w;

  if (index < push.n)
    packed_store (index, filter_index < push.filters && channel < push.channels
                             ? weights_load (uint (from))
                             : 0);
}
