/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_GRAD_WEIGHT_H
#define ENS_PUSH_CONV_GRAD_WEIGHT_H

#include "conv-axes.h"
#include "push.h"

/* Filters, and taps' channels, of a workgroup of conv-grad-weight.comp. */
#define ENS_CONV_GRAD_TILE 32

/* The sums of a slice of the pixels are dW's elements in order; conv-grad-weight-sum.comp adds up
 * those of all slices. */
struct EnsConvGradWeightPush {
  uint offset[4]; /* X, dY, sums, table of axes */
  uint x_pitch, dy_pitch;
  uint filters;                       /* of all groups */
  uint group_channels, group_filters; /* of one */
  uint taps;
  uint pixels, slice_pixels; /* of dY */
  uint n;                    /* elements of dW times slices */
};
ENS_PUSH (EnsConvGradWeightPush)

#endif
