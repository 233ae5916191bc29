/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: gradients of depthwise convolutions' weights. A task is a part of the
 * output's lines; sums are [tap][channel], as packed weights are. */
#include "kernels/conv-gradient-private.h"

#include <string.h>

#include "kernels/conv-span.h"

#define PARTS 16

typedef struct {
  const EnsConvGradientPlan *plan;
  const EnsConvGradientArguments *arguments;
} Gradient;

/* What one line of the output adds. */
static void
sum_line (const Gradient *gradient, gsize output_line, float *sums)
{
  const EnsConvGradientPlan *plan = gradient->plan;
  const EnsConvShape *shape = &plan->shape;
  const EnsConvAxis rows = ens_conv_rows_axis (shape), columns = ens_conv_columns_axis (shape);
  const EnsConvGradientArguments *arguments = gradient->arguments;
  const gsize pitch = arguments->input_pitch, image = output_line / plan->output_height;
  EnsConvSpan lines = ens_conv_span_at (&rows, output_line % plan->output_height), span;
  EnsDepthwiseGradientRow row = {.row = shape->dilation_y * shape->width * pitch,
                                 .column = shape->dilation_x * pitch,
                                 .step = shape->stride_x * pitch,
                                 .gradient_pitch = arguments->output_pitch,
                                 .taps_y = lines.taps,
                                 .channels = shape->channels,
                                 .sums_row = (gsize)shape->kernel_width * shape->channels,
                                 .sums_step = shape->channels};
  const float *input =
      arguments->input + (image * shape->height + lines.input) * shape->width * pitch;

  for (guint x = 0; x < plan->output_width; x += span.n) {
    span = ens_conv_span_next (&columns, plan->output_width, x);
    row.input = input + span.input * pitch;
    row.gradient =
        arguments->output_gradient + (output_line * plan->output_width + x) * row.gradient_pitch;
    row.sums = sums + lines.tap * row.sums_row + span.tap * row.sums_step;
    row.taps_x = span.taps;
    row.pixels = span.n;
    if (lines.taps > 0 && span.taps > 0)
      plan->kernels->depthwise_gradient (&row);
  }
}

static gsize
count_lines (const EnsConvGradientPlan *plan)
{
  return (gsize)plan->shape.batch * plan->output_height;
}

static void
sum_part (gpointer data, guint part, guint worker)
{
  const Gradient *gradient = data;
  const EnsConvGradientPlan *plan = gradient->plan;
  const gsize begin = ens_part (count_lines (plan), plan->parts, part);
  const gsize end = ens_part (count_lines (plan), plan->parts, part + 1);
  float *sums = gradient->arguments->scratch + part * plan->sums_size;
  float *bias = sums + plan->weights_size;
  EnsPoolingWindow window = {.column = gradient->arguments->output_pitch,
                             .taps_y = 1,
                             .taps_x = (end - begin) * plan->output_width,
                             .channels = plan->shape.channels,
                             .scale = 1,
                             .output = bias};

  memset (sums, 0, plan->weights_size * sizeof *sums);
  for (gsize line = begin; line < end; line++)
    sum_line (gradient, line, sums);
  if (gradient->arguments->bias_gradient == NULL)
    return;
  window.input = gradient->arguments->output_gradient + begin * plan->output_width * window.column;
  plan->kernels->sum_window (&window);
}

void
ens_conv_gradient_run_depthwise (const EnsConvGradientPlan *plan,
                                 const EnsConvGradientArguments *arguments, EnsThreadPool *pool)
{
  Gradient gradient = {plan, arguments};

  ens_thread_pool_run (pool, plan->parts, sum_part, &gradient);
  ens_conv_gradient_add (plan, arguments->scratch, arguments->weights_gradient, pool);
  if (arguments->bias_gradient != NULL)
    ens_conv_gradient_add_bias (plan, arguments->scratch + plan->weights_size, plan->sums_size,
                                arguments->bias_gradient);
}

/* All channels are one group's filters, each of one column; the bias' sums follow the weights'. */
void
ens_conv_gradient_plan_depthwise (EnsConvGradientPlan *plan)
{
  plan->algorithm = "depthwise";
  plan->taps = plan->shape.kernel_height * plan->shape.kernel_width;
  plan->width = 1;
  plan->filters = plan->shape.filters;
  plan->swapped = TRUE;
  plan->parts = MIN (count_lines (plan), PARTS);
  plan->sums_size = ens_round_up (plan->weights_size + plan->filters, ENS_MAX_LANES);
  plan->scratch_size = plan->parts * plan->sums_size;
}
