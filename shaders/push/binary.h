/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_BINARY_H
#define ENS_PUSH_BINARY_H

#include "push.h"

/* Constant 0 of binary.comp; constant 1 is the activation, one of functions.h. */
#define ENS_BINARY_ADD 0
#define ENS_BINARY_SUB 1
#define ENS_BINARY_MUL 2
#define ENS_BINARY_DIV 3
#define ENS_BINARY_POW 4
#define ENS_BINARY_MIN 5
#define ENS_BINARY_MAX 6
#define ENS_BINARY_PRELU 7

/* y = activation (factor · op (a, b)) */
struct EnsBinaryPush {
  uint offset[4]; /* a, b, y, table of axes [y, a, b] */
  uint n_axes;
  uint rows, columns;
  uint a_step, b_step; /* along the last axis; y has its elements side by side */
  float factor;
  float alpha, beta;
};
ENS_PUSH (EnsBinaryPush)

#endif
