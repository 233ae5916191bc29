/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: maximum and average over windows of a map. NHWC with a pitch, as conv.h. */
#pragma once

#include <glib.h>

#include "base/thread-pool.h"
#include "kernels/level.h"

G_BEGIN_DECLS

/* Output sizes are given because rounding up (ONNX ceil_mode) is the operator's matter. Every
 * window must touch the input. */
typedef struct {
  guint batch, height, width, channels; /* of the input */
  guint output_height, output_width;
  guint kernel_height, kernel_width;
  guint stride_y, stride_x;
  guint dilation_y, dilation_x;
  guint pad_top, pad_left;
  guint pad_bottom, pad_right; /* what count_pads counts; windows may reach beyond */
} EnsPoolingShape;

typedef struct {
  const float *input;
  gsize input_pitch;
  float *output; /* must not overlap the input */
  gsize output_pitch;
} EnsPoolingArguments;

/* The largest value in each window; padding takes no part. NaN is not looked for. */
void ens_max_pooling_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                          const EnsPoolingArguments *arguments, EnsThreadPool *pool);

typedef struct {
  const float *input, *output, *output_gradient;
  gsize input_pitch, output_pitch, output_gradient_pitch;
  float *input_gradient; /* must overlap nothing else */
  gsize input_gradient_pitch;
} EnsPoolingGradientArguments;

/* Adds each output's gradient to that of the first input of its window that equals the output, from
 * zero on. */
void ens_max_pooling_gradient_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                                   const EnsPoolingGradientArguments *arguments,
                                   EnsThreadPool *pool);

/* The mean of each window over the positions inside the input or, with count_pads, inside the
 * padded input (padding counts as zeroes; what lies beyond the padding does not count). */
void ens_average_pooling_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                              gboolean count_pads, const EnsPoolingArguments *arguments,
                              EnsThreadPool *pool);

/* The mean over all height · width pixels: one output pixel per image. Only batch, height, width
 * and channels of the shape are read. */
void ens_global_average_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                             const EnsPoolingArguments *arguments, EnsThreadPool *pool);

G_END_DECLS
