/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_DIRECT_H
#define ENS_PUSH_CONV_DIRECT_H

#include "conv-operands.h"

/* Words of an axis in the table, axes (z, y, x). */
#define ENS_CONV_AXES 3
#define ENS_CONV_X 0 /* lengths */
#define ENS_CONV_Y 1
#define ENS_CONV_KERNEL 2
#define ENS_CONV_STRIDE 3
#define ENS_CONV_DILATION 4
#define ENS_CONV_PAD 5 /* before the first element */
#define ENS_CONV_WORDS 6

struct EnsConvDirectPush {
  uint offset[6]; /* x, weights, bias, residual, y, table */
  uint n;         /* elements of y */
  uint x_pitch, residual_pitch, y_pitch;
  uint filters;                       /* of all groups */
  uint group_channels, group_filters; /* of one */
  float alpha, beta;
};
ENS_PUSH (EnsConvDirectPush)

#endif
