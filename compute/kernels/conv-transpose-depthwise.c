/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: transposed depthwise convolution. Output pixels that are a stride apart see
 * the same taps, every stride-th one, at neighbouring pixels of the input: a convolution of stride
 * 1 for each phase of the stride. Weights are packed turned: taps go with ascending pixels. */
#include "kernels/conv-span.h"
#include "kernels/conv-transpose-private.h"

typedef struct {
  const EnsConvTransposePlan *plan;
  const EnsConvTransposeArguments *arguments;
  EnsFinish finish;
  gsize weights_pitch;
} Depthwise;

/* Positions `phase`, phase + stride … of one axis of the output. */
typedef struct {
  EnsConvAxis axis; /* of the phase's convolution */
  guint tap;        /* the first one in the turned kernel; the others are a stride apart */
} Phase;

static Phase
find_phase (guint phase, guint kernel, guint stride, guint pad, guint size)
{
  const guint first = (phase + pad) % stride, at = (phase + pad) / stride;
  const guint taps = first < kernel ? ens_divide_up (kernel - first, stride) : 0;

  return (Phase) {.axis = {.size = size,
                           .kernel = taps,
                           .stride = 1,
                           .dilation = 1,
                           .pad = (gint)taps - 1 - (gint)at},
                  .tap = taps > 0 ? kernel - 1 - (first + stride * (taps - 1)) : 0};
}

/* Pixels of one phase of a line whose kernel lines and their first input line are known. */
static void
run_phase (const Depthwise *depthwise, guint phase, gsize pixel, const EnsDepthwiseRow *line)
{
  const EnsConvTransposePlan *plan = depthwise->plan;
  const EnsConvShape *conv = &plan->conv;
  const guint stride = conv->stride_x;
  const guint n = phase < conv->width ? ens_divide_up (conv->width - phase, stride) : 0;
  const Phase columns = find_phase (phase, conv->kernel_width, stride, conv->pad_left, plan->width);
  EnsConvSpan span;

  for (guint i = 0; i < n; i += span.n) {
    EnsFinish finish = ens_finish_at (&depthwise->finish, pixel + phase + (gsize)i * stride, 0);
    EnsDepthwiseRow row = *line;

    finish.output_pitch *= stride;
    span = ens_conv_span_next (&columns.axis, n, i);
    row.input += span.input * line->column;
    row.weights += (columns.tap + (gsize)span.tap * stride) * depthwise->weights_pitch;
    row.weights_pitch = stride * depthwise->weights_pitch;
    row.taps_x = span.taps;
    row.pixels = span.n;
    row.finish = &finish;
    plan->kernels->depthwise (&row);
  }
}

static void
run_line (gpointer data, guint line, guint worker)
{
  const Depthwise *depthwise = data;
  const EnsConvTransposePlan *plan = depthwise->plan;
  const EnsConvShape *conv = &plan->conv;
  const gsize pitch = depthwise->arguments->input_pitch;
  const guint y = line % conv->height, image = line / conv->height, stride = conv->stride_y;
  const Phase rows =
      find_phase (y % stride, conv->kernel_height, stride, conv->pad_top, plan->height);
  const EnsConvSpan lines = ens_conv_span_at (&rows.axis, y / stride);
  const gsize weights_row = conv->kernel_width * depthwise->weights_pitch;
  EnsDepthwiseRow row = {
      .input = depthwise->arguments->input
               + ((gsize)image * plan->height + lines.input) * plan->width * pitch,
      .row = plan->width * pitch,
      .column = pitch,
      .step = pitch,
      .weights = depthwise->arguments->packed + (rows.tap + lines.tap * stride) * weights_row,
      .weights_row = stride * weights_row,
      .taps_y = lines.taps,
      .channels = conv->channels,
      .group = 1};

  for (guint phase = 0; phase < conv->stride_x; phase++)
    run_phase (depthwise, phase, (gsize)line * conv->width, &row);
}

void
ens_conv_transpose_run_depthwise (const EnsConvTransposePlan *plan,
                                  const EnsConvTransposeArguments *arguments, EnsThreadPool *pool)
{
  EnsEpilogue epilogue = {.bias = arguments->bias};
  Depthwise depthwise = {
      .plan = plan,
      .arguments = arguments,
      .finish = ens_finish_new (&epilogue, arguments->output, arguments->output_pitch),
      .weights_pitch = ens_round_up (plan->conv.channels, plan->kernels->lanes),
  };

  ens_thread_pool_run (pool, plan->conv.batch * plan->conv.height, run_line, &depthwise);
}
