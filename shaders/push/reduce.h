/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_REDUCE_H
#define ENS_PUSH_REDUCE_H

#include "push.h"

/* Constant 1 of reduce.comp. */
#define ENS_REDUCE_SUM 0
#define ENS_REDUCE_MEAN 1
#define ENS_REDUCE_MAX 2
#define ENS_REDUCE_MIN 3
#define ENS_REDUCE_PROD 4
#define ENS_REDUCE_L1 5
#define ENS_REDUCE_L2 6
#define ENS_REDUCE_SUM_SQUARE 7
#define ENS_REDUCE_LOG_SUM 8
#define ENS_REDUCE_LOG_SUM_EXP 9

struct EnsReducePush {
  uint offset[3];         /* x, y, table of axes: kept ones [y, x], then reduced ones [x] */
  uint n_kept, n_reduced; /* of these in the table: all kept ones, reduced ones but the last */
  uint n;                 /* elements of the output */
  uint extent;            /* elements of the input that each one comes from */
  uint columns, step;     /* the last reduced axis */
};
ENS_PUSH (EnsReducePush)

#endif
