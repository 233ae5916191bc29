/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_H
#define ENS_PUSH_CONV_H

#include "conv-operands.h"

/* y = activation (x * weights + bias + residual), on maps of two axes. Packed weights are, for each
 * group, a matrix with a row for each tap and channel, (y, x, channel) in this order, and a column
 * for each filter, zeroes beyond the last up to the pitch. */
struct EnsConvPush {
  uint offset[5]; /* x, weights, bias, residual, y */
  uint batch, height, width, y_height, y_width;
  uint x_pitch, residual_pitch, y_pitch, weights_pitch;
  uint channels, filters; /* of one group */
  uint kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x;
  int pad_top, pad_left;
  float alpha, beta;
};
ENS_PUSH (EnsConvPush)

#endif
