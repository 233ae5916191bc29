/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands of convolutions whose filters are a multiple of four, and whose bias, residual and y can be
 * read and written four at a time. For other numbers there is conv-finish.comp: code for both here
 * would be several times as long, and slow to compile. */
#include "common.glsl"
#include "push/conv.h"
#include "activation.glsl"

layout (constant_id = 0) const uint ACTIVATION = ENS_FUNCTION_NONE;
layout (constant_id = 1) const uint OPERANDS = 0;

READS (2, bias)
READS (3, residual)
WRITES (4, y)

vec4
load_bias (uint channel)
{
  return (OPERANDS & ENS_CONV_BIAS) != 0 ? vec4 (bias_four[(push.offset[2] + channel) / 4])
                                         : vec4 (0);
}

void
finish (uint pixel, uint channel, vec4 value)
{
  if ((OPERANDS & ENS_CONV_RESIDUAL) != 0)
    value += vec4 (residual_four[(push.offset[3] + pixel * push.residual_pitch + channel) / 4]);
  value = activate (ACTIVATION, value, push.alpha, push.beta);
  note_overflow (value);
  y_four[(push.offset[4] + pixel * push.y_pitch + channel) / 4] = FLOAT4 (value);
}
