/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_LRN_H
#define ENS_PUSH_LRN_H

#include "push.h"

/* y = x · (bias + factor · sum of squares)^−beta, of channels from `before` before to `after` after
 * the one. */
struct EnsLrnPush {
  uint offset[2]; /* x, y */
  uint rows, columns;
  uint x_pitch, y_pitch;
  uint before, after;
  float factor, beta, bias;
};
ENS_PUSH (EnsLrnPush)

#endif
