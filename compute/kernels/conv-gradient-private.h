/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: what the files of conv-gradient.h share. Internal to compute/kernels. */
#pragma once

#include "kernels/conv-gradient.h"
#include "kernels/conv-method.h"

/* Complete a plan whose shape, kernels, output and weights_size are set. */
void ens_conv_gradient_plan_dense (EnsConvGradientPlan *plan, guint n_threads);
void ens_conv_gradient_plan_depthwise (EnsConvGradientPlan *plan);

void ens_conv_gradient_run_dense (const EnsConvGradientPlan *plan,
                                  const EnsConvGradientArguments *arguments, EnsThreadPool *pool);
void ens_conv_gradient_run_depthwise (const EnsConvGradientPlan *plan,
                                      const EnsConvGradientArguments *arguments,
                                      EnsThreadPool *pool);

/* Adds up the sums of all parts, in order, in the order of weights. */
void ens_conv_gradient_add (const EnsConvGradientPlan *plan, const float *sums, float *weights,
                            EnsThreadPool *pool);
/* The same for sums of filters, those of a part `step` floats after those of the one before. */
void ens_conv_gradient_add_bias (const EnsConvGradientPlan *plan, const float *sums, gsize step,
                                 float *bias);
