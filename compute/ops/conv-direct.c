/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-direct.h"

#include "ops/conv-gpu.h"
#include "ops/record.h"

#include "push/conv-direct.h"

const EnsView *
ens_conv_record_axes (const EnsGeometry *geometry, EnsCommands *commands)
{
  guint32 table[ENS_CONV_AXES][ENS_CONV_WORDS];

  for (guint i = 0; i < ENS_CONV_AXES; i++) {
    table[i][ENS_CONV_X] = (guint32)geometry->input[i];
    table[i][ENS_CONV_Y] = (guint32)geometry->output[i];
    table[i][ENS_CONV_KERNEL] = (guint32)geometry->kernel[i];
    table[i][ENS_CONV_STRIDE] = (guint32)geometry->strides[i];
    table[i][ENS_CONV_DILATION] = (guint32)geometry->dilations[i];
    table[i][ENS_CONV_PAD] = (guint32)geometry->pads_begin[i];
  }
  return ens_commands_table (commands, table, sizeof table);
}

static gboolean
is_long (const EnsConvDirect *conv)
{
  const gint64 *kernel = conv->geometry->kernel;
  gint64 channels = conv->geometry->channels / conv->groups;

  return kernel[0] * kernel[1] * kernel[2] * (channels + 3) > ENS_GPU_MAX_ITERATIONS;
}

gboolean
ens_conv_direct_record (const EnsConvDirect *conv, EnsCommands *commands)
{
  static const EnsFusedActivation none = {.kind = ENS_ACTIVATION_NONE};
  const EnsFusedActivation *activation = conv->activation != NULL ? conv->activation : &none;
  const EnsView *residual = conv->residual;
  guint filters = (guint)ens_view_columns (conv->y);
  EnsConvDirectPush push = {.n = (guint)ens_view_elements (conv->y),
                            .x_pitch = (guint)conv->x->pitch,
                            .residual_pitch = residual != NULL ? (guint)residual->pitch : 0,
                            .y_pitch = (guint)conv->y->pitch,
                            .filters = filters,
                            .group_channels = (guint)(conv->geometry->channels / conv->groups),
                            .group_filters = filters / (guint)conv->groups,
                            .alpha = activation->alpha,
                            .beta = activation->beta};
  EnsDispatch dispatch = {
      .shader = conv->shader,
      .storage = conv->y->type,
      .bindings = {{conv->x, ENS_ACCESS_READ},
                   {conv->weights, ENS_ACCESS_READ},
                   {ens_gpu_operand (conv->bias, conv->x), ENS_ACCESS_READ},
                   {ens_gpu_operand (residual, conv->x), ENS_ACCESS_READ},
                   {conv->y, ENS_ACCESS_WRITE},
                   {NULL, ENS_ACCESS_READ}}, /* the axes */
      .n_bindings = 6,
      .constants = {activation->kind, (conv->bias != NULL ? ENS_CONV_BIAS : 0)
                                          | (residual != NULL ? ENS_CONV_RESIDUAL : 0)},
      .n_constants = 2,
      .push = &push,
      .push_size = sizeof push};

  if (is_long (conv))
    return FALSE;
  dispatch.bindings[5].view = ens_conv_record_axes (conv->geometry, commands);
  ens_commands_cover (commands, &dispatch, push.n, 64);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}
