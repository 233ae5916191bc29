/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_ARG_H
#define ENS_PUSH_ARG_H

#include "push.h"

/* Constants 1 and 2 of arg.comp: the least value's position instead of the largest one's; the last
 * one of several. Element k of line i is at (i / inner · extent + k) · inner + i % inner. */
struct EnsArgPush {
  uint offset[2]; /* x, y */
  uint n, extent, inner;
};
ENS_PUSH (EnsArgPush)

#endif
