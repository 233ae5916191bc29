/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_GRID_SAMPLE_H
#define ENS_PUSH_GRID_SAMPLE_H

#include "grid.h"
#include "push.h"

struct EnsGridSamplePush {
  uint offset[3]; /* x, grid, y */
  uint n;
  int x_size[2];                /* height, width */
  uint rows, columns, channels; /* of y */
};
ENS_PUSH (EnsGridSamplePush)

#endif
