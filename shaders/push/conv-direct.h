/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_DIRECT_H
#define ENS_PUSH_CONV_DIRECT_H

#include "conv-axes.h"
#include "conv-operands.h"

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
