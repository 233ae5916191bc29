/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_RESIZE_H
#define ENS_PUSH_RESIZE_H

#include "push.h"

/* A tap in the table: the elements from the start of an axis to it, and its weight as bits. Each
 * position of an axis has n_taps of them. Where a position has none, its first one's elements
 * are: */
#define ENS_RESIZE_WORDS 2
#define ENS_RESIZE_OUTSIDE 0xffffffffu

struct EnsResizePush {
  uint offset[3]; /* x, y, table of taps */
  uint pixels;    /* of the output, all images */
  uint columns;
  uint y_pitch;
  uint image; /* elements from one image of x to the next */
  uint size[3], n_taps[3];
  uint first[3]; /* where an axis has its taps, in taps */
  float extrapolation;
};
ENS_PUSH (EnsResizePush)

#endif
