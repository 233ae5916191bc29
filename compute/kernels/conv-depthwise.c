/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: convolution of single channels and of small groups of channels.
 *
 * Where each channel has several filters, the input's lines are first copied with every channel
 * repeated that often; the rest is the same. */
#include "kernels/conv-method.h"

#include <string.h>

#include "kernels/conv-span.h"

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvArguments *arguments;
  EnsFinish finish;
  gsize weights_pitch; /* packed floats of one tap and one input of every group */
  EnsThreadPool *pool;
} Depthwise;

static guint
multiplier_of (const EnsConvPlan *plan)
{
  return plan->shape.filters / plan->shape.channels;
}

/* Input channels of a group. */
static guint
group_of (const EnsConvPlan *plan)
{
  return plan->shape.channels / plan->shape.groups;
}

/* A line of the image with each channel `multiplier` times. */
static void
repeat_channels (const EnsConvPlan *plan, const float *line, gsize pitch, float *to)
{
  const guint multiplier = multiplier_of (plan);

  for (guint x = 0; x < plan->shape.width; x++, line += pitch)
    for (guint c = 0; c < plan->shape.channels; c++)
      for (guint m = 0; m < multiplier; m++)
        *to++ = line[c];
}

/* Points row->input at the first of the kernel lines that are inside the input. */
static void
find_lines (const Depthwise *depthwise, guint image, const EnsConvSpan *lines, float *scratch,
            EnsDepthwiseRow *row)
{
  const EnsConvPlan *plan = depthwise->plan;
  const EnsConvShape *shape = &plan->shape;
  const gsize pitch = depthwise->arguments->input_pitch;
  gsize line = (gsize)image * shape->height + lines->input;

  row->input = depthwise->arguments->input + line * shape->width * pitch;
  row->row = shape->dilation_y * shape->width * pitch;
  row->column = shape->dilation_x * pitch;
  row->step = shape->stride_x * pitch;
  if (multiplier_of (plan) == 1)
    return;
  for (guint i = 0; i < lines->taps; i++)
    repeat_channels (plan, row->input + i * row->row, pitch,
                     scratch + (gsize)i * shape->width * shape->filters);
  row->input = scratch;
  row->row = (gsize)shape->width * shape->filters;
  row->column = (gsize)shape->dilation_x * shape->filters;
  row->step = (gsize)shape->stride_x * shape->filters;
}

static void
run_line (const Depthwise *depthwise, guint image, guint y, float *scratch)
{
  const EnsConvPlan *plan = depthwise->plan;
  const EnsConvShape *shape = &plan->shape;
  const EnsConvAxis rows = ens_conv_rows_axis (shape), columns = ens_conv_columns_axis (shape);
  const gsize tap_size = group_of (plan) * depthwise->weights_pitch;
  EnsDepthwiseRow row = {.channels = shape->filters,
                         .group = group_of (plan),
                         .weights_row = shape->kernel_width * tap_size,
                         .weights_pitch = depthwise->weights_pitch};
  const float *line, *weights = depthwise->arguments->packed;
  gsize pixel = ((gsize)image * plan->output_height + y) * plan->output_width;
  EnsConvSpan lines = ens_conv_span_at (&rows, y), span;

  row.taps_y = lines.taps;
  find_lines (depthwise, image, &lines, scratch, &row);
  line = row.input;
  for (guint x = 0; x < plan->output_width; x += span.n) {
    EnsFinish finish = ens_finish_at (&depthwise->finish, pixel + x, 0);

    span = ens_conv_span_next (&columns, plan->output_width, x);
    row.input = line + span.input * (row.column / shape->dilation_x);
    row.weights = weights + lines.tap * row.weights_row + span.tap * tap_size;
    row.taps_x = span.taps;
    row.pixels = span.n;
    row.finish = &finish;
    plan->kernels->depthwise (&row);
  }
}

static void
run_task (gpointer data, guint task, guint worker)
{
  const Depthwise *depthwise = data;
  const EnsConvPlan *plan = depthwise->plan;
  float *scratch = depthwise->arguments->scratch + worker * plan->worker_size;

  for (gsize line = ens_part (plan->rows, plan->row_blocks, task);
       line < ens_part (plan->rows, plan->row_blocks, task + 1)
       && !ens_thread_pool_is_cancelled (depthwise->pool);
       line++)
    run_line (depthwise, line / plan->output_height, line % plan->output_height, scratch);
}

static void
run_depthwise (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  Depthwise depthwise = {
      .plan = plan,
      .arguments = arguments,
      .finish = ens_finish_new (arguments->epilogue, arguments->output, arguments->output_pitch),
      .weights_pitch = ens_round_up (plan->shape.filters, plan->kernels->lanes),
      .pool = pool,
  };

  ens_thread_pool_run (pool, plan->row_blocks, run_task, &depthwise);
}

static gsize
packed_size (const EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;

  return (gsize)shape->kernel_height * shape->kernel_width * group_of (plan)
         * ens_round_up (shape->filters, plan->kernels->lanes);
}

static void
plan_lines (EnsConvPlan *plan)
{
  plan->rows = (gsize)plan->shape.batch * plan->output_height;
  plan->row_blocks = MIN (plan->rows, ENS_TASKS_PER_THREAD * plan->n_threads);
  plan->packed_size = packed_size (plan);
}

static gboolean
plan_depthwise (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;

  if (shape->groups != shape->channels)
    return FALSE;
  plan_lines (plan);
  if (multiplier_of (plan) > 1)
    plan->worker_size =
        ens_round_up ((gsize)shape->kernel_height * shape->width * shape->filters, ENS_MAX_LANES);
  return TRUE;
}

static gboolean
plan_grouped (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;
  const guint group = group_of (plan);

  if (shape->filters != shape->channels || plan->kernels->lanes < 8 || group >= plan->kernels->lanes
      || (group != 2 && group != 4 && group != 8))
    return FALSE;
  plan_lines (plan);
  return TRUE;
}

/* packed: [tap][input of the group][filters, rounded up] */
static void
pack_depthwise (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
                EnsThreadPool *pool)
{
  const EnsConvShape *shape = &plan->shape;
  const guint taps = shape->kernel_height * shape->kernel_width, channels = group_of (plan);
  const guint filters = shape->filters / shape->groups;
  const gsize pitch = ens_round_up (shape->filters, plan->kernels->lanes);

  memset (packed, 0, plan->packed_size * sizeof *packed);
  for (guint f = 0; f < shape->filters; f++) {
    const float *from =
        weights->from + f / filters * weights->group + f % filters * weights->filter;

    for (guint t = 0; t < taps * channels; t++)
      packed[t * pitch + f] = from[t / channels * weights->tap + t % channels * weights->channel];
  }
}

static gboolean
always (const EnsConvPlan *plan)
{
  return TRUE;
}

const EnsConvMethod ens_conv_depthwise = {
    .name = "depthwise",
    .pack_kind = ENS_PACK_DEPTHWISE,
    .plan = plan_depthwise,
    .worthwhile = always,
    .pack = pack_depthwise,
    .run = run_depthwise,
};

const EnsConvMethod ens_conv_grouped = {
    .name = "grouped",
    .pack_kind = ENS_PACK_DEPTHWISE,
    .plan = plan_grouped,
    .worthwhile = always,
    .pack = pack_depthwise,
    .run = run_depthwise,
};
