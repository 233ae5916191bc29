/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_BATCH_NORMALIZATION_GRAD_H
#define ENS_PUSH_BATCH_NORMALIZATION_GRAD_H

#include "push.h"
#include "tile.h"

/* Of both shaders; the first has no dx. */
struct EnsBatchNormalizationGradPush {
  uint offset[8]; /* dy, x, scale, mean, variance, dscale, dbias, dx */
  uint rows, columns;
  uint dy_pitch, x_pitch, dx_pitch;
  float epsilon;
  uint batch_statistics;
};
ENS_PUSH (EnsBatchNormalizationGradPush)

#endif
