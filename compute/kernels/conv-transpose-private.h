/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: what the files of conv-transpose.h share. Internal to compute/kernels. */
#pragma once

#include "kernels/conv-method.h"
#include "kernels/conv-transpose.h"

void ens_conv_transpose_plan_bands (EnsConvTransposePlan *plan, guint n_threads);
void ens_conv_transpose_pack_bands (const EnsConvTransposePlan *plan, const float *weights,
                                    float *packed, EnsThreadPool *pool);
void ens_conv_transpose_run_bands (const EnsConvTransposePlan *plan,
                                   const EnsConvTransposeArguments *arguments, EnsThreadPool *pool);

void ens_conv_transpose_run_depthwise (const EnsConvTransposePlan *plan,
                                       const EnsConvTransposeArguments *arguments,
                                       EnsThreadPool *pool);
