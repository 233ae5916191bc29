/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/conv-transpose.h"

#include "kernels/conv-transpose-private.h"

/* The pads with which a convolution of stride 1 and the turned kernel leads from a length to
 * another. FALSE if one is negative. */
static gboolean
turn_pads (guint from, guint to, guint reach, guint pad, guint *begin, guint *end)
{
  gint64 pads = (gint64)to - from + reach;

  if (pad > reach || pads + pad < reach)
    return FALSE;
  *begin = reach - pad;
  *end = pads - *begin;
  return TRUE;
}

/* The convolution with the turned kernel, as far as its pads and strides are those of one. */
static gboolean
turn (const EnsConvTransposePlan *plan, EnsConvShape *turned)
{
  const EnsConvShape *conv = &plan->conv;

  *turned = *conv;
  turned->height = plan->height;
  turned->width = plan->width;
  turned->channels = conv->filters;
  turned->filters = conv->channels;
  return conv->stride_y == 1 && conv->stride_x == 1
         && turn_pads (plan->height, conv->height, (conv->kernel_height - 1) * conv->dilation_y,
                       conv->pad_top, &turned->pad_top, &turned->pad_bottom)
         && turn_pads (plan->width, conv->width, (conv->kernel_width - 1) * conv->dilation_x,
                       conv->pad_left, &turned->pad_left, &turned->pad_right);
}

static gboolean
is_depthwise (const EnsConvShape *conv)
{
  return conv->groups == conv->channels && conv->filters == conv->channels && conv->dilation_y == 1
         && conv->dilation_x == 1;
}

/* Any plan of a depthwise convolution packs as is wanted, whatever its size. */
static void
plan_depthwise (EnsConvTransposePlan *plan, EnsConvShape *turned)
{
  turned->height = turned->kernel_height;
  turned->width = turned->kernel_width;
  ens_conv_plan_algorithm (&plan->turned, turned, ENS_CONV_DEPTHWISE, plan->kernels, 1);
  plan->method = ENS_CONV_TRANSPOSE_DEPTHWISE;
  plan->name = "depthwise";
  plan->kind = "conv-transpose/depthwise";
  plan->packed_size = plan->turned.packed_size;
}

static void
plan_conv (EnsConvTransposePlan *plan, const EnsConvShape *turned, guint n_threads)
{
  static const char *const kinds[] = {
      [ENS_PACK_PANELS] = "conv-transpose/panels",
      [ENS_PACK_WINOGRAD_2] = "conv-transpose/winograd-2",
      [ENS_PACK_WINOGRAD_4] = "conv-transpose/winograd-4",
      [ENS_PACK_DEPTHWISE] = "conv-transpose/depthwise",
      [ENS_PACK_PLAIN] = "conv-transpose/plain",
  };

  ens_conv_plan (&plan->turned, turned, plan->kernels, n_threads);
  plan->method = ENS_CONV_TRANSPOSE_CONV;
  plan->name = ens_conv_algorithm_name (plan->turned.algorithm);
  plan->kind = kinds[plan->turned.pack];
  plan->packed_size = plan->turned.packed_size;
  plan->scratch_size = plan->turned.scratch_size;
}

void
ens_conv_transpose_plan (EnsConvTransposePlan *plan, const EnsConvShape *conv, guint height,
                         guint width, const EnsKernels *kernels, guint n_threads)
{
  EnsConvShape turned;

  *plan =
      (EnsConvTransposePlan) {.conv = *conv, .height = height, .width = width, .kernels = kernels};
  if (turn (plan, &turned))
    plan_conv (plan, &turned, n_threads);
  else if (is_depthwise (conv))
    plan_depthwise (plan, &turned);
  else
    ens_conv_transpose_plan_bands (plan, MAX (n_threads, 1));
}

void
ens_conv_transpose_pack (const EnsConvTransposePlan *plan, const float *weights, float *packed,
                         EnsThreadPool *pool)
{
  EnsConvWeights turned;

  if (plan->method == ENS_CONV_TRANSPOSE_BANDS) {
    ens_conv_transpose_pack_bands (plan, weights, packed, pool);
    return;
  }
  turned = ens_conv_weights_turned (&plan->turned.shape, weights);
  ens_conv_pack (&plan->turned, &turned, packed, pool);
}

static void
run_conv (const EnsConvTransposePlan *plan, const EnsConvTransposeArguments *arguments,
          EnsThreadPool *pool)
{
  EnsEpilogue epilogue = {.bias = arguments->bias};

  ens_conv_run (&plan->turned,
                &(EnsConvArguments) {.packed = arguments->packed,
                                     .input = arguments->input,
                                     .input_pitch = arguments->input_pitch,
                                     .output = arguments->output,
                                     .output_pitch = arguments->output_pitch,
                                     .epilogue = &epilogue,
                                     .scratch = arguments->scratch},
                pool);
}

void
ens_conv_transpose_run (const EnsConvTransposePlan *plan,
                        const EnsConvTransposeArguments *arguments, EnsThreadPool *pool)
{
  switch (plan->method) {
  case ENS_CONV_TRANSPOSE_CONV:
    run_conv (plan, arguments, pool);
    break;
  case ENS_CONV_TRANSPOSE_DEPTHWISE:
    ens_conv_transpose_run_depthwise (plan, arguments, pool);
    break;
  case ENS_CONV_TRANSPOSE_BANDS:
    ens_conv_transpose_run_bands (plan, arguments, pool);
    break;
  }
}
