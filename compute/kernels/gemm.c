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

void
ens_gemm_pack (const EnsGemmPlan *plan, EnsGemmOrder order, const float *b, gsize b_pitch,
               float *packed)
{
  EnsPanelSource source = {
      .from = b,
      .k_pitch = order == ENS_GEMM_INNER_FIRST ? b_pitch : 1,
      .column_pitch = order == ENS_GEMM_INNER_FIRST ? 1 : b_pitch,
      .depth = plan->shape.inner,
      .columns = plan->shape.columns,
  };

  ens_panels_pack (plan->conv.kernels, &source, packed);
}

void
ens_gemm_run (const EnsGemmPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  ens_conv_run (&plan->conv, arguments, pool);
}
