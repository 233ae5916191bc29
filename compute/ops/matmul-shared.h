/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of matrices: what Gemm and MatMul share. */
#pragma once

#include "graph/commands.h"
#include "kernels/epilogue.h"
#include "ops/operands.h"

/* A product, or a batch of them: Y (rows × columns) = A (rows × inner) · B (inner × columns). */
typedef struct {
  gint64 rows, inner, columns;
  gboolean trans_a, trans_b; /* how A and B lie in memory */
  /* Of which matrix each product of the batch reads: strides in elements over `batch`. */
  EnsShape batch;
  gint64 a_strides[ENS_MAX_RANK], b_strides[ENS_MAX_RANK];
} EnsMatMul;

/* "A can't be multiplied by B": a columns meet b rows. Returns FALSE. */
gboolean ens_matmul_inner_error (const EnsOperands *operands, gint64 a, gint64 b, GError **error);
/* Kernels can count rows and columns. */
gboolean ens_matmul_check (const EnsOperands *operands, const EnsMatMul *product, GError **error);

/* Product `i` of the batch: the elements of A and B that its matrices begin at. */
void ens_matmul_find (const EnsMatMul *product, gint64 i, gsize *a, gsize *b);

/* cpu_plan () of both: leaves no state where there is nothing to multiply. */
void ens_matmul_plan (const EnsOperands *operands, const EnsMatMul *product, EnsCpuPlan *plan);

typedef struct {
  const float *a, *b;
  float *y;
  const EnsEpilogue *epilogue; /* or NULL */
} EnsMatMulMatrices;

/* One product of the batch, as planned. */
void ens_matmul_run (const EnsMatMul *product, const EnsMatMulMatrices *matrices,
                     const EnsCpuContext *context);

EnsEpilogue ens_matmul_epilogue (const EnsFusedActivation *activation);

/* What is added on a GPU: Y = activation (factor · A · B + c_factor · C), with C's strides over Y's
 * rows and columns, 0 where it repeats. */
typedef struct {
  const EnsView *c; /* or NULL */
  gint64 c_row, c_column;
  float factor, c_factor;
  const EnsView *residual; /* of Y's shape, beside C; or NULL */
} EnsMatMulAddition;

/* gpu () of both. */
gboolean ens_matmul_record (const EnsOperands *operands, const EnsMatMul *product,
                            const EnsMatMulAddition *addition, const EnsFusedActivation *activation,
                            EnsCommands *commands);
