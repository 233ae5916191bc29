/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_COPY_H
#define ENS_PUSH_COPY_H

#include "push.h"

struct EnsCopyPush {
  uint offset[3]; /* x, y, table of axes [y, x] */
  uint n_axes;    /* in the table */
  uint rows, columns;
  uint x_start, y_start;
  uint x_step, y_step; /* along the last axis */
};
ENS_PUSH (EnsCopyPush)

#endif
