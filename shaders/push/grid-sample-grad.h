/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_GRID_SAMPLE_GRAD_H
#define ENS_PUSH_GRID_SAMPLE_GRAD_H

#include "grid.h"
#include "push.h"

/* One more constant: whether the gradient is the grid's. */
struct EnsGridSampleGradPush {
  uint offset[4];               /* x, grid, dy, dx or the grid's gradient */
  uint n;                       /* groups of four channels of X's elements; positions */
  int x_size[2];                /* height, width */
  uint rows, columns, channels; /* of dy */
};
ENS_PUSH (EnsGridSampleGradPush)

#endif
