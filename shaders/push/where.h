/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_WHERE_H
#define ENS_PUSH_WHERE_H

#include "push.h"

struct EnsWherePush {
  uint offset[5]; /* conditions, a, b, y, table of axes [y, condition, a, b] */
  uint n_axes;
  uint rows, columns;
  uint condition_step, a_step, b_step; /* along the last axis */
};
ENS_PUSH (EnsWherePush)

#endif
