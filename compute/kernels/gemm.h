/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: matrix products with one matrix packed ahead: C = epilogue (A · B).
 *
 * A is rows × inner, C is rows × columns, both row-major with a pitch. B is the matrix that is
 * packed, usually a layer's weights: once, when it is constant; before each product, when it is
 * not. The result does not depend on the number of threads.
 *
 * This is the micro-kernel of the convolutions, and no BLAS, which packs both matrices at every
 * call. Measured on one core of a Zen 5 in GFLOP/s, rows × inner × columns, B as in an ONNX Gemm
 * (transB); OpenBLAS 0.3.21 with its AVX2 kernels beside level avx2, with its AVX-512 kernels
 * beside level avx512:
 *
 *                            avx2   OpenBLAS    avx512   OpenBLAS
 *     1 × 25088 × 4096         17         14        17         14
 *     16 × 25088 × 4096       105         59       237         76
 *     16 × 512 × 1000         127         85       253        116
 *     49 × 512 × 2048         126        103       257        174
 *     196 × 256 × 1024        128        125       261        235
 *     3136 × 64 × 64          127        119       245        217
 *     4096 × 1024 × 1024      125        116       230        232
 *
 * Only one row times weights that are in the cache already is faster there (1 × 512 × 1000: 32 and
 * 45 at AVX2), and in a network they never are.
 */
#pragma once

#include <glib.h>

#include "base/thread-pool.h"
#include "kernels/conv.h"
#include "kernels/epilogue.h"
#include "kernels/level.h"

G_BEGIN_DECLS

typedef struct {
  guint rows, inner, columns; /* ≥ 1 */
} EnsGemmShape;

/* As EnsConvPlan; B is always packed as ENS_PACK_PANELS, the same as a 1×1 convolution with
 * `columns` filters of `inner` channels. */
typedef struct {
  EnsGemmShape shape;
  gsize packed_size;  /* floats */
  gsize scratch_size; /* floats; 0: none is needed */
  /*< private >*/
  EnsConvPlan conv;
} EnsGemmPlan;

void ens_gemm_plan (EnsGemmPlan *plan, const EnsGemmShape *shape, const EnsKernels *kernels,
                    guint n_threads);

typedef enum {
  ENS_GEMM_INNER_FIRST,   /* b[inner][columns]: ONNX MatMul, Gemm with transB = 0 */
  ENS_GEMM_COLUMNS_FIRST, /* b[columns][inner]: ONNX Gemm with transB = 1 */
} EnsGemmOrder;

/* b: row-major with b_pitch floats from one row to the next.
 * packed: plan->packed_size floats, 64-byte aligned. */
void ens_gemm_pack (const EnsGemmPlan *plan, EnsGemmOrder order, const float *b, gsize b_pitch,
                    float *packed, EnsThreadPool *pool);

/* arguments->input is A and output C, rows taking the place of pixels; the epilogue's bias has one
 * value per column. */
void ens_gemm_run (const EnsGemmPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool);

G_END_DECLS
