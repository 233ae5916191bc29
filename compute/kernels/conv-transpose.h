/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: transposed convolution, planned once and run many times. It leads from what
 * a convolution's output was to what its input was, and is described by that convolution: this is
 * also how the gradient of a convolution's input is found.
 *
 * Tensors are NHWC with a pitch, as in kernels/conv.h. The result does not depend on the number of
 * threads. */
#pragma once

#include "kernels/conv.h"
#include "kernels/gemm.h"

G_BEGIN_DECLS

typedef enum {
  ENS_CONV_TRANSPOSE_BANDS,     /* any: products of bands of the input, summed by output pixel */
  ENS_CONV_TRANSPOSE_CONV,      /* stride 1: a convolution with the kernel turned */
  ENS_CONV_TRANSPOSE_DEPTHWISE, /* by the phases of the strides, each such a convolution */
} EnsConvTransposeMethod;

typedef struct {
  EnsConvShape conv;   /* height, width, channels: of the transposed convolution's output */
  guint height, width; /* of its input, which has conv.filters channels */
  EnsConvTransposeMethod method;
  const char *name;   /* of the method; static */
  const char *kind;   /* of packed weights, as ens_packed_weights_get () has it; static */
  gsize packed_size;  /* floats */
  gsize scratch_size; /* floats */
  /*< private >*/
  const EnsKernels *kernels;
  EnsConvPlan turned;            /* CONV, and how DEPTHWISE packs */
  EnsGemmPlan gemm;              /* BANDS: pixels of band_input rows × channels × products */
  guint products;                /* of an input pixel and group: taps × filters */
  guint band_output, band_input; /* rows of a band */
  guint bands;                   /* of an image */
  gsize group_size, worker_size; /* parts of packed_size and scratch_size */
} EnsConvTransposePlan;

/* The convolution's pads at bottom and right follow from both sizes and are not read; its strides
 * may leave pixels of the output that no pixel of the input reaches. */
void ens_conv_transpose_plan (EnsConvTransposePlan *plan, const EnsConvShape *conv, guint height,
                              guint width, const EnsKernels *kernels, guint n_threads);

/* weights: the convolution's, dense (OHWI). packed: 64-byte aligned. */
void ens_conv_transpose_pack (const EnsConvTransposePlan *plan, const float *weights, float *packed,
                              EnsThreadPool *pool);

typedef struct {
  const float *packed;
  const float *input;
  gsize input_pitch;
  float *output; /* must not overlap the input */
  gsize output_pitch;
  const float *bias; /* of each channel of the output, or NULL */
  float *scratch;    /* plan->scratch_size floats, 64-byte aligned; contents don't matter */
} EnsConvTransposeArguments;

void ens_conv_transpose_run (const EnsConvTransposePlan *plan,
                             const EnsConvTransposeArguments *arguments, EnsThreadPool *pool);

G_END_DECLS
