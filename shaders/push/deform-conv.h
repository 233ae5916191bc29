/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_DEFORM_CONV_H
#define ENS_PUSH_DEFORM_CONV_H

#include "push.h"

/* Constants of deform-conv.comp: whether there are a bias and a mask. Bindings of absent operands
 * hold others. Pairs are of rows and columns. */
struct EnsDeformConvPush {
  uint offset[6]; /* x, weights, offsets, bias, mask, y */
  uint n;
  uint channels, filters;
  uint group_channels, group_filters;
  uint offset_groups, offset_channels;
  int x_size[2], y_size[2], kernel[2], stride[2], dilation[2], pad[2];
};
ENS_PUSH (EnsDeformConvPush)

#endif
