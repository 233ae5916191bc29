/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_BATCH_NORMALIZATION_H
#define ENS_PUSH_BATCH_NORMALIZATION_H

#include "push.h"

struct EnsBatchNormalizationPush {
  uint offset[6]; /* x, scale, bias, mean, variance, y */
  uint rows, columns;
  uint x_pitch, y_pitch;
  float epsilon;
};
ENS_PUSH (EnsBatchNormalizationPush)

#endif
