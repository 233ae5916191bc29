/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CAST_H
#define ENS_PUSH_CAST_H

#include "push.h"

struct EnsCastPush {
  uint offset[2]; /* x, y */
  uint n;
};
ENS_PUSH (EnsCastPush)

#endif
