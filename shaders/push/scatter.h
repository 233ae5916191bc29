/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_SCATTER_H
#define ENS_PUSH_SCATTER_H

#include "push.h"

/* Constant 0 of scatter.comp is the reduction: none, sum, product, maximum, minimum. */
struct EnsScatterPush {
  uint offset[4]; /* data, lists of updates, updates, y */
  uint n;         /* elements of y */
  uint run;       /* elements that lie behind one index */
};
ENS_PUSH (EnsScatterPush)

#endif
