/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: the gradient of a loss with respect to a convolution's weights and bias,
 * planned once and run many times.
 *
 *   dW[m][ky][kx][c] = Σ dY[p][m] · X[the pixel that tap (ky, kx) of p sees][c]
 *   db[m] = Σ dY[p][m]
 *
 * over all output pixels p of all images. Tensors are NHWC with a pitch, weights OHWI, as in
 * kernels/conv.h. The pixels are cut into parts of a number that depends on the shape alone; parts
 * are summed one by one and added in order: the result does not depend on the number of threads.
 *
 * The sums run over 10⁴ to 10⁶ pixels, and neither factor is known ahead. The micro-kernel of outer
 * products (outer-template.h) needs neither packed, nor the input copied for every tap. Measured on
 * one core of a Zen 5 in GFLOP/s; beside it the product alone, without those copies and in a single
 * call, by OpenBLAS 0.3.21 with its kernels for AVX2 and for AVX-512:
 *
 *                                        avx2   OpenBLAS    avx512   OpenBLAS
 *     1×1, 64 → 64, 32², batch 32          70         82       116        116
 *     1×1, 64 → 256                        98        100       133        145
 *     3×3, 128 → 128, 16²                 108        115       200        188
 *     1×1, 256 → 256, 16²                 102        113       167        197
 *     3×3, 512 → 512, 4²                  107        123       192        226
 *     7×7, stride 2, 3 → 64, 128²          85         91       147        130
 */
#pragma once

#include "kernels/conv.h"

G_BEGIN_DECLS

typedef struct {
  EnsConvShape shape;
  const char *algorithm; /* its name; static */
  gsize scratch_size;    /* floats */
  /*< private >*/
  const EnsKernels *kernels;
  guint output_height, output_width;
  guint taps, width;   /* a tap sees `width` floats side by side … */
  guint filters;       /* … of a group, which has so many filters */
  gboolean swapped;    /* tiles have the input's channels as rows, filters as columns */
  guint panels;        /* of one tap */
  guint parts;         /* of the pixels; for depthwise, of the lines */
  guint column_blocks; /* tasks of one part and group */
  guint block_pixels;
  gsize weights_size, sums_size; /* floats; the latter of one part */
  gsize worker_size;
} EnsConvGradientPlan;

void ens_conv_gradient_plan (EnsConvGradientPlan *plan, const EnsConvShape *shape,
                             const EnsKernels *kernels, guint n_threads);

typedef struct {
  const float *input;
  gsize input_pitch;
  const float *output_gradient; /* dY */
  gsize output_pitch;
  float *weights_gradient; /* dense, as ens_conv_pack () reads weights */
  float *bias_gradient;    /* NULL: not wanted */
  float *scratch;          /* plan->scratch_size floats, 64-byte aligned; contents don't matter */
} EnsConvGradientArguments;

void ens_conv_gradient_run (const EnsConvGradientPlan *plan,
                            const EnsConvGradientArguments *arguments, EnsThreadPool *pool);

G_END_DECLS
