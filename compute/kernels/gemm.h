/* gst-ensemble kernels: matrix products with one matrix packed ahead: C = epilogue (A · B).
 *
 * A is rows × inner, C is rows × columns, both row-major with a pitch. B is the matrix that is
 * packed, usually a layer's weights: once, when it is constant; before each product, when it is
 * not. The result does not depend on the number of threads.
 *
 * This is the micro-kernel of the convolutions, and no BLAS: one that packs both matrices at every
 * call was not found to be faster at any shape that networks have. Measured on one core of a Zen 5
 * (GFLOP/s, rows × inner × columns; OpenBLAS 0.3.21 with its AVX2 kernels beside level avx2, and
 * with its AVX-512 kernels beside level avx512, B as it lies in an ONNX Gemm):
 *
 *                            avx2   OpenBLAS    avx512   OpenBLAS
 *     16 × 25088 × 4096        94         65       214         69
 *     16 × 512 × 1000         119         84       235        117
 *     49 × 512 × 2048         123        106       253        177
 *     196 × 256 × 1024        129        128       253        237
 *     3136 × 64 × 64          126        123       245        218
 *     4096 × 1024 × 1024      122        124       229        235
 */
#pragma once

#include <glib.h>

#include "kernels/conv.h"
#include "kernels/epilogue.h"
#include "kernels/level.h"

#include <ensemble/pool.h>

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
                    float *packed);

/* arguments->input is A and output C, rows taking the place of pixels; the epilogue's bias has one
 * value per column. */
void ens_gemm_run (const EnsGemmPlan *plan, const EnsConvArguments *arguments, EnsPool *pool);

G_END_DECLS
