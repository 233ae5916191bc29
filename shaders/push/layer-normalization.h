/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_LAYER_NORMALIZATION_H
#define ENS_PUSH_LAYER_NORMALIZATION_H

#include "push.h"

/* Constants 1 to 3 of layer-normalization.comp: whether there is a bias, how many outputs, and
 * whether the mean is subtracted. Bindings of absent operands hold others. */
struct EnsLayerNormalizationPush {
  uint offset[6]; /* x, scale, bias, y, means, inverse deviations */
  uint n, extent; /* rows, and their length */
  float epsilon;
};
ENS_PUSH (EnsLayerNormalizationPush)

#endif
