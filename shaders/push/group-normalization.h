/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_GROUP_NORMALIZATION_H
#define ENS_PUSH_GROUP_NORMALIZATION_H

#include "lines.h"
#include "push.h"

/* Constant 1 of group-normalization.comp: whether scale and bias have one element per group, not
 * per channel. */
struct EnsGroupNormalizationPush {
  uint offset[4]; /* x, scale, bias, y */
  ENS_LINES;      /* a line is a group of an image; it steps from pixel to pixel */
  uint width;     /* channels of a group */
  float epsilon;
};
ENS_PUSH (EnsGroupNormalizationPush)

#endif
