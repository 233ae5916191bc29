/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: products of matrices by OpenBLAS.
 *
 * For products of which neither factor is known ahead; with one factor packed ahead, kernels/gemm.h
 * is faster wherever it has more than the baseline kernels.
 *
 * A product is cut into tiles of fixed size, so that a result does not depend on the number of
 * threads, neither ours nor OpenBLAS's. The tiles are also smaller than what OpenBLAS divides among
 * its own threads: a call stays on the calling thread, and an application's own setting of
 * OpenBLAS's threads, which holds for the whole process, is left alone. */
#pragma once

#include <glib.h>

#include "base/thread-pool.h"

G_BEGIN_DECLS

/* The largest tile, in each dimension: 64³ multiplications, up to which OpenBLAS uses one thread.
 */
#define ENS_BLAS_TILE 64

/* c = a · bᵀ. Rows of a matrix are so many floats apart as its pitch says. */
typedef struct {
  guint rows, inner, columns; /* ≥ 1 */
  const float *a;             /* rows × inner */
  gsize a_pitch;
  const float *b; /* columns × inner */
  gsize b_pitch;
  float *c; /* rows × columns; must not overlap a or b */
  gsize c_pitch;
} EnsBlasProduct;

/* One tile of c, with at most ENS_BLAS_TILE rows and columns and any inner dimension, in float32.
 * On the calling thread. */
void ens_blas_multiply_tile (const EnsBlasProduct *product);

/* c = a · bᵀ + bias for any size, summed in float64 and rounded once. bias: one value for each
 * column. */
void ens_blas_multiply_float64 (const EnsBlasProduct *product, const float *bias,
                                EnsThreadPool *pool);

/* Makes OpenBLAS use one thread for every product of this process, also where a build of it divides
 * smaller ones. For programs of our own; a library must not decide that for its application. */
void ens_blas_use_one_thread (void);

G_END_DECLS
