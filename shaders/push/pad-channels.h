/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_WIDEN_H
#define ENS_PUSH_WIDEN_H

#include "push.h"

/* Groups of `channels` become groups of `vec4s` vec4, padded with zeroes. */
struct EnsWidenPush {
  uint offset[2]; /* x, y */
  uint pixels, groups, channels, vec4s;
  uint x_pitch;
};
ENS_PUSH (EnsWidenPush)

#endif
