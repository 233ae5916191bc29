/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the shaders of convolutions: their operands, and the epilogue of a sum. */
#include "common.glsl"
#include "push/conv.h"
#include "activation.glsl"

layout (constant_id = 0) const uint ACTIVATION = ENS_FUNCTION_NONE;
layout (constant_id = 1) const uint OPERANDS = 0;

READS (2, bias)
READS (3, residual)
WRITES (4, y)

/* Up to four neighbouring channels of a pixel: the first n. */
void
finish (uint pixel, uint channel, uint n, vec4 value)
{
  if ((OPERANDS & ENS_CONV_BIAS) != 0)
    value += bias_load4 (channel, n, 1);
  if ((OPERANDS & ENS_CONV_RESIDUAL) != 0)
    value += residual_load4 (pixel * push.residual_pitch + channel, n, 1);
  y_store4 (pixel * push.y_pitch + channel, n, 1,
            activate (ACTIVATION, value, push.alpha, push.beta));
}
