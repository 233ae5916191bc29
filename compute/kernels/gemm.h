/* gst-ensemble kernels: matrix products with one matrix packed ahead: C = epilogue (A · B).
 *
 * A is rows × inner, C is rows × columns, both row-major with a pitch. B is the matrix that is
 * packed, usually a layer's weights: once, when it is constant; before each product, when it is
 * not. The result does not depend on the number of threads. */
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
