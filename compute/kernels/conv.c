/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/conv.h"

#include "kernels/conv-method.h"

static const EnsConvMethod *const methods[ENS_N_CONV_ALGORITHMS] = {
    [ENS_CONV_GEMM] = &ens_conv_gemm,
    [ENS_CONV_INDIRECT] = &ens_conv_indirect,
    [ENS_CONV_ROWS] = &ens_conv_rows,
    [ENS_CONV_WINOGRAD_2] = &ens_conv_winograd_2,
    [ENS_CONV_WINOGRAD_4] = &ens_conv_winograd_4,
    [ENS_CONV_DEPTHWISE] = &ens_conv_depthwise,
    [ENS_CONV_GROUPED] = &ens_conv_grouped,
    [ENS_CONV_BLAS] = &ens_conv_blas,
};

static guint
output_size (guint input, guint pads, guint kernel, guint dilation, guint stride)
{
  return (input + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

guint
ens_conv_output_height (const EnsConvShape *shape)
{
  return output_size (shape->height, shape->pad_top + shape->pad_bottom, shape->kernel_height,
                      shape->dilation_y, shape->stride_y);
}

guint
ens_conv_output_width (const EnsConvShape *shape)
{
  return output_size (shape->width, shape->pad_left + shape->pad_right, shape->kernel_width,
                      shape->dilation_x, shape->stride_x);
}

double
ens_conv_flops (const EnsConvShape *shape)
{
  return 2. * shape->batch * ens_conv_output_height (shape) * ens_conv_output_width (shape)
         * shape->filters * shape->kernel_height * shape->kernel_width * shape->channels
         / shape->groups;
}

const char *
ens_conv_algorithm_name (EnsConvAlgorithm algorithm)
{
  return methods[algorithm]->name;
}

const char *
ens_pack_kind_name (EnsPackKind kind)
{
  static const char *const names[] = {
      [ENS_PACK_PANELS] = "panels",         [ENS_PACK_WINOGRAD_2] = "winograd-2",
      [ENS_PACK_WINOGRAD_4] = "winograd-4", [ENS_PACK_DEPTHWISE] = "depthwise",
      [ENS_PACK_PLAIN] = "plain",
  };

  return names[kind];
}

gboolean
ens_conv_plan_algorithm (EnsConvPlan *plan, const EnsConvShape *shape, EnsConvAlgorithm algorithm,
                         const EnsKernels *kernels, guint n_threads)
{
  EnsConvPlan draft = {
      .shape = *shape,
      .algorithm = algorithm,
      .pack = methods[algorithm]->pack_kind,
      .n_threads = MAX (n_threads, 1),
      .kernels = kernels,
      .output_height = ens_conv_output_height (shape),
      .output_width = ens_conv_output_width (shape),
  };

  if (!methods[algorithm]->plan (&draft))
    return FALSE;
  draft.scratch_size = draft.shared_size + draft.n_threads * draft.worker_size;
  *plan = draft;
  return TRUE;
}

void
ens_conv_plan (EnsConvPlan *plan, const EnsConvShape *shape, const EnsKernels *kernels,
               guint n_threads)
{
  static const EnsConvAlgorithm by_preference[] = {
      ENS_CONV_DEPTHWISE,  ENS_CONV_GROUPED,    ENS_CONV_BLAS, ENS_CONV_GEMM,
      ENS_CONV_WINOGRAD_4, ENS_CONV_WINOGRAD_2, ENS_CONV_ROWS, ENS_CONV_INDIRECT,
  };

  for (guint i = 0; i < G_N_ELEMENTS (by_preference); i++)
    if (ens_conv_plan_algorithm (plan, shape, by_preference[i], kernels, n_threads)
        && methods[by_preference[i]]->worthwhile (plan))
      return;
}

EnsConvWeights
ens_conv_weights (const EnsConvShape *shape, const float *weights)
{
  const gssize channels = shape->channels / shape->groups;
  const gssize filter = (gssize)shape->kernel_height * shape->kernel_width * channels;

  return (EnsConvWeights) {.from = weights,
                           .group = shape->filters / shape->groups * filter,
                           .filter = filter,
                           .tap = channels,
                           .channel = 1};
}

EnsConvWeights
ens_conv_weights_turned (const EnsConvShape *shape, const float *weights)
{
  const gssize filters = shape->filters / shape->groups;
  const gssize taps = (gssize)shape->kernel_height * shape->kernel_width;

  return (EnsConvWeights) {.from = weights + (taps - 1) * filters,
                           .group = shape->channels / shape->groups * taps * filters,
                           .filter = 1,
                           .tap = -filters,
                           .channel = taps * filters};
}

void
ens_conv_pack (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
               EnsThreadPool *pool)
{
  methods[plan->algorithm]->pack (plan, weights, packed, pool);
}

void
ens_conv_run (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  methods[plan->algorithm]->run (plan, arguments, pool);
}
