/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_INSTANCE_NORMALIZATION_H
#define ENS_PUSH_INSTANCE_NORMALIZATION_H

#include "lines.h"
#include "push.h"

struct EnsInstanceNormalizationPush {
  uint offset[4]; /* x, scale, bias, y */
  ENS_LINES;      /* a line is a channel of an image */
  float epsilon;
};
ENS_PUSH (EnsInstanceNormalizationPush)

#endif
