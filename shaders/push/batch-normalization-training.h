/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_BATCH_NORMALIZATION_TRAINING_H
#define ENS_PUSH_BATCH_NORMALIZATION_TRAINING_H

#include "push.h"
#include "tile.h"

struct EnsBatchNormalizationTrainingPush {
  uint offset[7]; /* x, running mean and variance, new ones, the batch's mean and variance */
  uint rows, columns;
  uint x_pitch;
  float momentum;
};
ENS_PUSH (EnsBatchNormalizationTrainingPush)

#endif
