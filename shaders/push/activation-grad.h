/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_ACTIVATION_GRAD_H
#define ENS_PUSH_ACTIVATION_GRAD_H

#include "functions.h"
#include "push.h"

struct EnsActivationGradPush {
  uint offset[3]; /* dy, z, dx */
  uint rows, columns;
  uint dy_pitch, z_pitch, dx_pitch;
  float alpha, beta;
};
ENS_PUSH (EnsActivationGradPush)

#endif
