/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_GRAD_WEIGHT_SUM_H
#define ENS_PUSH_CONV_GRAD_WEIGHT_SUM_H

#include "push.h"

struct EnsConvGradWeightSumPush {
  uint offset[2]; /* sums, dW */
  uint n, slices; /* elements of dW */
  uint columns, pitch;
};
ENS_PUSH (EnsConvGradWeightSumPush)

#endif
