/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_ACTIVATION_H
#define ENS_PUSH_ACTIVATION_H

#include "functions.h"
#include "push.h"

struct EnsActivationPush {
  uint offset[2]; /* x, y */
  uint rows, columns;
  uint x_pitch, y_pitch;
  float alpha, beta;
};
ENS_PUSH (EnsActivationPush)

#endif
