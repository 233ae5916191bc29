/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_TRILU_H
#define ENS_PUSH_TRILU_H

#include "push.h"

/* Constant 0 of trilu.comp: whether the upper triangle is kept. */
struct EnsTriluPush {
  uint offset[2]; /* x, y */
  uint n;
  uint rows, columns; /* of a matrix */
  int diagonal;       /* the first, or last, that is kept; at most ±2³⁰ */
};
ENS_PUSH (EnsTriluPush)

#endif
