/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: what is done to a value before it is stored.
 *
 * Convolutions, matrix products and ens_epilogue_run () finish every output value as
 *
 *   y = activation (x + bias[channel] + residual[pixel][channel])
 *
 * while it is still in a register or in the first-level cache. */
#pragma once

#include <glib.h>

#include "base/thread-pool.h"
#include "kernels/level.h"

#include "push/functions.h"

G_BEGIN_DECLS

#define ENS_ACTIVATION_ENUMERATOR(upper, name, number, formula, of, derivative) \
  ENS_ACTIVATION_##upper = number,

typedef enum {
  ENS_ACTIVATION_NONE,
  ENS_ACTIVATIONS (ENS_ACTIVATION_ENUMERATOR) ENS_N_ACTIVATIONS,
} EnsActivation;

/* The activation in double precision: the reference. */
double ens_activation_value (EnsActivation activation, double x, double alpha, double beta);

/* All zeroes: the value is stored as it is. */
typedef struct {
  const float *bias;     /* one per output channel, or NULL */
  const float *residual; /* as many pixels as the output, or NULL; may be the output itself */
  gsize residual_pitch;  /* floats from one of its pixels to the next, ≥ channels */
  EnsActivation activation;
  float alpha, beta;
} EnsEpilogue;

/* An array of pixels: `pixels` rows of `channels` floats, each `pitch` floats after the one before.
 * Any alignment. */
typedef struct {
  gsize pixels;
  guint channels;
  const float *input;
  gsize input_pitch;
  float *output; /* may be the input itself; otherwise they must not overlap */
  gsize output_pitch;
} EnsPixelRows;

/* output = epilogue (input): bias, addition and activation on their own. With neither bias nor
 * residual nor activation it is a copy from pitch to pitch. */
void ens_epilogue_run (const EnsKernels *kernels, const EnsPixelRows *pixels,
                       const EnsEpilogue *epilogue, EnsThreadPool *pool);

G_END_DECLS
