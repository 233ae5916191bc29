/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_POOL_H
#define ENS_PUSH_POOL_H

#include "push.h"

/* Constant 0 of pool.comp. */
#define ENS_POOL_MAX 0
#define ENS_POOL_MEAN 1
#define ENS_POOL_MEAN_WITH_PADS 2

/* Axes are (z, y, x). */
struct EnsPoolPush {
  uint offset[2]; /* x, y */
  uint channels;
  uint x_pitch, y_pitch;
  int x_size[3], y_size[3];
  int kernel[3], stride[3], dilation[3];
  int pad[3];    /* before the first pixel */
  int padded[3]; /* length with pads at both ends */
};
ENS_PUSH (EnsPoolPush)

#endif
