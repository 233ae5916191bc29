/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CUMULATIVE_H
#define ENS_PUSH_CUMULATIVE_H

#include "push.h"

/* Constants of cumulative.comp: whether products are formed, whether an element is left out of its
 * own sum, and whether sums begin at the end. */
struct EnsCumulativePush {
  uint offset[2]; /* x, y */
  uint n;         /* lines */
  uint extent, inner;
};
ENS_PUSH (EnsCumulativePush)

#endif
