/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: which algorithm finds the gradient of a convolution's weights, and how the
 * sums of its parts are added up. */
#include "kernels/conv-gradient-private.h"

#include "base/simd.h"

/* Elements of a task. */
#define BLOCK 4096

typedef struct {
  const EnsConvGradientPlan *plan;
  const float *sums;
  float *weights;
} Addition;

ENS_CLONES static void
add_parts (const float *sums, gsize step, guint parts, float *to, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] = sums[i];
  for (guint part = 1; part < parts; part++) {
    sums += step;
    for (gsize i = 0; i < n; i++)
      to[i] += sums[i];
  }
}

/* From [tap][column][filter] of each group to [filter][tap][column]. */
static void
add_turned (const Addition *addition, const float *sums, float *block, gsize first, gsize n)
{
  const EnsConvGradientPlan *plan = addition->plan;
  const gsize depth = (gsize)plan->taps * plan->width;

  add_parts (sums + first, plan->sums_size, plan->parts, block, n);
  for (gsize i = 0; i < n; i++) {
    gsize row = (first + i) / plan->filters, filter = (first + i) % plan->filters;
    gsize group = row / depth;

    addition->weights[(group * plan->filters + filter) * depth + row % depth] = block[i];
  }
}

static void
run_block (gpointer data, guint task, guint worker)
{
  const Addition *addition = data;
  const EnsConvGradientPlan *plan = addition->plan;
  const gsize first = (gsize)task * BLOCK, n = MIN (plan->weights_size - first, BLOCK);
  float block[BLOCK];

  if (plan->swapped)
    add_turned (addition, addition->sums, block, first, n);
  else
    add_parts (addition->sums + first, plan->sums_size, plan->parts, addition->weights + first, n);
}

void
ens_conv_gradient_add (const EnsConvGradientPlan *plan, const float *sums, float *weights,
                       EnsThreadPool *pool)
{
  Addition addition = {plan, sums, weights};

  ens_thread_pool_run (pool, ens_divide_up (plan->weights_size, BLOCK), run_block, &addition);
}

void
ens_conv_gradient_add_bias (const EnsConvGradientPlan *plan, const float *sums, gsize step,
                            float *bias)
{
  add_parts (sums, step, plan->parts, bias, plan->shape.filters);
}

static gboolean
is_depthwise (const EnsConvShape *shape)
{
  return shape->groups > 1 && shape->groups == shape->channels && shape->filters == shape->channels;
}

void
ens_conv_gradient_plan (EnsConvGradientPlan *plan, const EnsConvShape *shape,
                        const EnsKernels *kernels, guint n_threads)
{
  *plan = (EnsConvGradientPlan) {.shape = *shape,
                                 .kernels = kernels,
                                 .output_height = ens_conv_output_height (shape),
                                 .output_width = ens_conv_output_width (shape),
                                 .weights_size = (gsize)shape->filters * shape->kernel_height
                                                 * shape->kernel_width * shape->channels
                                                 / shape->groups};
  if (is_depthwise (shape))
    ens_conv_gradient_plan_depthwise (plan);
  else
    ens_conv_gradient_plan_dense (plan, MAX (n_threads, 1));
}

void
ens_conv_gradient_run (const EnsConvGradientPlan *plan, const EnsConvGradientArguments *arguments,
                       EnsThreadPool *pool)
{
  if (is_depthwise (&plan->shape))
    ens_conv_gradient_run_depthwise (plan, arguments, pool);
  else
    ens_conv_gradient_run_dense (plan, arguments, pool);
}
