/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/gemm.h"

#include "kernels/conv-method.h"

void
ens_gemm_plan (EnsGemmPlan *plan, const EnsGemmShape *shape, const EnsKernels *kernels,
               guint n_threads)
{
  EnsConvShape conv = {
      .batch = 1,
      .height = 1,
      .width = shape->rows,
      .channels = shape->inner,
      .filters = shape->columns,
      .kernel_height = 1,
      .kernel_width = 1,
      .stride_y = 1,
      .stride_x = 1,
      .dilation_y = 1,
      .dilation_x = 1,
      .groups = 1,
  };

  plan->shape = *shape;
  ens_conv_plan_algorithm (&plan->conv, &conv, ENS_CONV_GEMM, kernels, n_threads);
  plan->packed_size = plan->conv.packed_size;
  plan->scratch_size = plan->conv.scratch_size;
}

/* Rows of a panel that a task packs. */
#define PACKED_ROWS 256

typedef struct {
  const EnsGemmPlan *plan;
  EnsPanelSource source; /* all of B */
  float *packed;
} Packing;

static void
pack_part (gpointer data, guint task, guint worker)
{
  const Packing *packing = data;
  const EnsKernels *kernels = packing->plan->conv.kernels;
  EnsPanelSource source = packing->source;
  const guint parts = ens_divide_up (source.depth, PACKED_ROWS);
  const gsize row = (gsize)(task % parts) * PACKED_ROWS;
  const guint column = task / parts * 2 * kernels->lanes;
  const guint width = ens_panel_width (kernels, source.columns - column);
  float *to = packing->packed + column * source.depth + row * width;

  source.from += (gssize)row * source.k_pitch + column * source.column_pitch;
  source.depth = MIN (source.depth - row, PACKED_ROWS);
  source.columns = MIN (source.columns - column, width);
  ens_panel_pack (&source, width, to);
}

void
ens_gemm_pack (const EnsGemmPlan *plan, EnsGemmOrder order, const float *b, gsize b_pitch,
               float *packed, EnsThreadPool *pool)
{
  Packing packing = {
      .plan = plan,
      .source = {.from = b,
                 .k_pitch = order == ENS_GEMM_INNER_FIRST ? (gssize)b_pitch : 1,
                 .column_pitch = order == ENS_GEMM_INNER_FIRST ? 1 : (gssize)b_pitch,
                 .depth = plan->shape.inner,
                 .columns = plan->shape.columns},
      .packed = packed,
  };

  ens_thread_pool_run (pool,
                       ens_divide_up (plan->shape.columns, 2 * plan->conv.kernels->lanes)
                           * ens_divide_up (plan->shape.inner, PACKED_ROWS),
                       pack_part, &packing);
}

void
ens_gemm_run (const EnsGemmPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  ens_conv_run (&plan->conv, arguments, pool);
}
