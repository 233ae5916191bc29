/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_RESIZE_GRAD_H
#define ENS_PUSH_RESIZE_GRAD_H

#include "push.h"

/* An entry of the table: a position along the output's axis, and its weight as bits. */
#define ENS_RESIZE_GRAD_WORDS 2

struct EnsResizeGradPush {
  uint offset[3]; /* dY, dX, table */
  uint pixels;    /* of dX, all images */
  uint columns;
  uint dy_pitch, dx_pitch;
  uint size[3], resized[3]; /* of the axes of dX and dY */
  uint starts[3];           /* where an axis has, for each position, its first entry's place */
};
ENS_PUSH (EnsResizeGradPush)

#endif
