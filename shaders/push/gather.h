/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_GATHER_H
#define ENS_PUSH_GATHER_H

#include "push.h"

/* y[row] = x[row / n_indices · extent + indices[row % n_indices]], rows of `columns` elements. */
struct EnsGatherPush {
  uint offset[3]; /* x, indices, y */
  uint n_indices, extent;
  uint rows, columns;
};
ENS_PUSH (EnsGatherPush)

#endif
