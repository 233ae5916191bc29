/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_MAX_POOL_GRAD_H
#define ENS_PUSH_MAX_POOL_GRAD_H

#include "push.h"

/* Axes are (z, y, x). */
struct EnsMaxPoolGradPush {
  uint offset[4]; /* X, Y, dY, dX */
  uint channels;
  uint pixels; /* of dX, all images */
  uint x_pitch, y_pitch, dy_pitch, dx_pitch;
  int x_size[3], y_size[3];
  int kernel[3], stride[3], dilation[3];
  int pad[3]; /* before the first pixel */
};
ENS_PUSH (EnsMaxPoolGradPush)

#endif
