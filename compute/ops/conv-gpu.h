/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions on a GPU: which shader, which tile. Products of matrices are convolutions of one
 * tap. */
#pragma once

#include "graph/commands.h"
#include "kernels/conv.h"
#include "ops/operands.h"

/* How weights lie in memory. */
typedef enum {
  ENS_GPU_WEIGHTS_PLAIN,          /* (filters, kernel, channels of a group) */
  ENS_GPU_WEIGHTS_CHANNELS_FIRST, /* (channels, filters), of a kernel of one tap */
  /* Those of the convolution that this one leads back from, as ens_conv_weights_turned () says. */
  ENS_GPU_WEIGHTS_TURNED,
} EnsGpuWeightsOrder;

typedef struct {
  EnsConvShape shape;
  const EnsView *x, *y;
  guint x_pitch, y_pitch, residual_pitch; /* elements from one pixel to the next */
  EnsTensor *constant;                    /* the weights, packed once; or NULL: … */
  const EnsView *weights;                 /* … packed in each run; dense */
  EnsGpuWeightsOrder order;
  const EnsView *bias;     /* a value for each filter, or NULL */
  const EnsView *residual; /* or NULL */
  const EnsFusedActivation *activation;
} EnsGpuConv;

/* FALSE, and nothing recorded, if no shader with packed weights takes it. */
gboolean ens_gpu_conv_record (const EnsGpuConv *conv, EnsCommands *commands);

/* An absent operand is bound as another one that is there. */
static inline const EnsView *
ens_gpu_operand (const EnsView *operand, const EnsView *otherwise)
{
  return operand != NULL ? operand : otherwise;
}
