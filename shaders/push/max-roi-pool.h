/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_MAX_ROI_POOL_H
#define ENS_PUSH_MAX_ROI_POOL_H

#include "push.h"

/* Coordinates of regions, and sides of maps, go so far; what is beyond is cut off. Products with
 * rows or columns of the output fit 32 bits. */
#define ENS_MAX_ROI_POOL_REACH 1048576
#define ENS_MAX_ROI_POOL_SIZE 512

struct EnsMaxRoiPoolPush {
  uint offset[4]; /* x, regions, y; or x, regions, dy, dx */
  uint n;         /* invocations */
  uint channels, x_pitch;
  int images, regions;
  int x_size[2], y_size[2]; /* rows, columns */
  float scale;
};
ENS_PUSH (EnsMaxRoiPoolPush)

#endif
