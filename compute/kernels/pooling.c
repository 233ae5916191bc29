/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/pooling.h"

#include <string.h>

#include "kernels/conv-method.h"

typedef struct {
  const EnsKernels *kernels;
  const EnsPoolingShape *shape;
  const EnsPoolingArguments *arguments;
  gboolean maximum, count_pads;
  gsize lines;
  guint n_tasks;
  EnsThreadPool *pool;
} Pooling;

/* The taps of a window along one axis that are inside the input, and how many count for the mean.
 */
typedef struct {
  gsize start; /* input position of the first */
  guint taps, counted;
} Range;

static Range
clip_window (guint output, guint stride, guint pad, guint dilation, guint kernel, guint size,
             guint padded_end)
{
  gint64 start = (gint64)output * stride - pad;
  Range range = {0};
  gboolean found = FALSE;

  if (start >= 0 && start + (gint64)(kernel - 1) * dilation < size)
    return (Range) {(gsize)start, kernel, kernel};
  for (guint t = 0; t < kernel; t++) {
    gint64 at = start + (gint64)t * dilation;

    if (at < (gint64)size + padded_end)
      range.counted++;
    if (at < 0 || at >= size)
      continue;
    if (!found)
      range.start = at;
    found = TRUE;
    range.taps++;
  }
  return range;
}

static void
pool_line (const Pooling *pooling, guint image, guint oy)
{
  const EnsPoolingShape *shape = pooling->shape;
  const EnsPoolingArguments *arguments = pooling->arguments;
  const gsize pitch = arguments->input_pitch;
  Range y = clip_window (oy, shape->stride_y, shape->pad_top, shape->dilation_y,
                         shape->kernel_height, shape->height, shape->pad_bottom);
  const float *line =
      arguments->input + ((gsize)image * shape->height + y.start) * shape->width * pitch;
  float *output =
      arguments->output
      + ((gsize)image * shape->output_height + oy) * shape->output_width * arguments->output_pitch;

  for (guint ox = 0; ox < shape->output_width; ox++, output += arguments->output_pitch) {
    Range x = clip_window (ox, shape->stride_x, shape->pad_left, shape->dilation_x,
                           shape->kernel_width, shape->width, shape->pad_right);
    guint count = pooling->count_pads ? y.counted * x.counted : y.taps * x.taps;
    EnsPoolingWindow window = {
        .input = line + x.start * pitch,
        .row = shape->dilation_y * shape->width * pitch,
        .column = shape->dilation_x * pitch,
        .taps_y = y.taps,
        .taps_x = x.taps,
        .channels = shape->channels,
        .scale = 1.f / count,
        .output = output,
    };

    if (pooling->maximum)
      pooling->kernels->max_window (&window);
    else
      pooling->kernels->sum_window (&window);
  }
}

static void
run_lines (gpointer data, guint task, guint worker)
{
  const Pooling *pooling = data;
  const guint height = pooling->shape->output_height;

  for (gsize line = ens_part (pooling->lines, pooling->n_tasks, task);
       line < ens_part (pooling->lines, pooling->n_tasks, task + 1)
       && !ens_thread_pool_is_cancelled (pooling->pool);
       line++)
    pool_line (pooling, line / height, line % height);
}

static void
run_pooling (Pooling *pooling, EnsThreadPool *pool)
{
  pooling->lines = (gsize)pooling->shape->batch * pooling->shape->output_height;
  pooling->n_tasks =
      MIN (pooling->lines, ENS_TASKS_PER_THREAD * ens_thread_pool_get_threads (pool));
  pooling->pool = pool;
  ens_thread_pool_run (pool, pooling->n_tasks, run_lines, pooling);
}

void
ens_max_pooling_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                     const EnsPoolingArguments *arguments, EnsThreadPool *pool)
{
  Pooling pooling = {.kernels = kernels, .shape = shape, .arguments = arguments, .maximum = TRUE};

  run_pooling (&pooling, pool);
}

void
ens_average_pooling_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                         gboolean count_pads, const EnsPoolingArguments *arguments,
                         EnsThreadPool *pool)
{
  Pooling pooling = {
      .kernels = kernels, .shape = shape, .arguments = arguments, .count_pads = count_pads};

  run_pooling (&pooling, pool);
}

/* A task of a global average is an image's channels [from, from + GLOBAL_CHANNELS). */
#define GLOBAL_CHANNELS 128

static void
run_global (gpointer data, guint task, guint worker)
{
  const Pooling *pooling = data;
  const EnsPoolingShape *shape = pooling->shape;
  const EnsPoolingArguments *arguments = pooling->arguments;
  const guint blocks = ens_divide_up (shape->channels, GLOBAL_CHANNELS);
  const guint channel = task % blocks * GLOBAL_CHANNELS;
  const gsize image = task / blocks, pixels = (gsize)shape->height * shape->width;
  EnsPoolingWindow window = {
      .input = arguments->input + image * pixels * arguments->input_pitch + channel,
      .row = shape->width * arguments->input_pitch,
      .column = arguments->input_pitch,
      .taps_y = shape->height,
      .taps_x = shape->width,
      .channels = MIN (shape->channels - channel, GLOBAL_CHANNELS),
      .scale = 1.f / pixels,
      .output = arguments->output + image * arguments->output_pitch + channel,
  };

  pooling->kernels->sum_window (&window);
}

void
ens_global_average_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                        const EnsPoolingArguments *arguments, EnsThreadPool *pool)
{
  Pooling pooling = {.kernels = kernels, .shape = shape, .arguments = arguments};

  ens_thread_pool_run (pool, shape->batch * ens_divide_up (shape->channels, GLOBAL_CHANNELS),
                       run_global, &pooling);
}

/* Windows overlap: a task of a gradient is an image's channels [from, from + GRADIENT_CHANNELS). */
#define GRADIENT_CHANNELS 64

typedef struct {
  const EnsKernels *kernels;
  const EnsPoolingShape *shape;
  const EnsPoolingGradientArguments *arguments;
} Gradient;

static void
add_line (const Gradient *gradient, gsize image, guint oy, guint channel)
{
  const EnsPoolingShape *shape = gradient->shape;
  const EnsPoolingGradientArguments *arguments = gradient->arguments;
  const gsize output = (image * shape->output_height + oy) * shape->output_width;
  const Range y = clip_window (oy, shape->stride_y, shape->pad_top, shape->dilation_y,
                               shape->kernel_height, shape->height, 0);
  const gsize line = (image * shape->height + y.start) * shape->width;
  EnsPoolingGradientWindow window = {
      .row = shape->dilation_y * shape->width * arguments->input_pitch,
      .column = shape->dilation_x * arguments->input_pitch,
      .gradient_row = shape->dilation_y * shape->width * arguments->input_gradient_pitch,
      .gradient_column = shape->dilation_x * arguments->input_gradient_pitch,
      .taps_y = y.taps,
      .channels = MIN (shape->channels - channel, GRADIENT_CHANNELS),
  };

  for (guint ox = 0; ox < shape->output_width; ox++) {
    const Range x = clip_window (ox, shape->stride_x, shape->pad_left, shape->dilation_x,
                                 shape->kernel_width, shape->width, 0);
    const gsize at = line + x.start;

    window.input = arguments->input + at * arguments->input_pitch + channel;
    window.input_gradient =
        arguments->input_gradient + at * arguments->input_gradient_pitch + channel;
    window.maximum = arguments->output + (output + ox) * arguments->output_pitch + channel;
    window.gradient =
        arguments->output_gradient + (output + ox) * arguments->output_gradient_pitch + channel;
    window.taps_x = x.taps;
    gradient->kernels->max_gradient_window (&window);
  }
}

static void
run_gradient (gpointer data, guint task, guint worker)
{
  const Gradient *gradient = data;
  const EnsPoolingShape *shape = gradient->shape;
  const guint blocks = ens_divide_up (shape->channels, GRADIENT_CHANNELS);
  const guint channel = task % blocks * GRADIENT_CHANNELS;
  const gsize image = task / blocks, pixels = (gsize)shape->height * shape->width;
  const gsize pitch = gradient->arguments->input_gradient_pitch;
  float *first = gradient->arguments->input_gradient + image * pixels * pitch + channel;

  for (gsize i = 0; i < pixels; i++)
    memset (first + i * pitch, 0,
            MIN (shape->channels - channel, GRADIENT_CHANNELS) * sizeof (float));
  for (guint oy = 0; oy < shape->output_height; oy++)
    add_line (gradient, image, oy, channel);
}

void
ens_max_pooling_gradient_run (const EnsKernels *kernels, const EnsPoolingShape *shape,
                              const EnsPoolingGradientArguments *arguments, EnsThreadPool *pool)
{
  Gradient gradient = {kernels, shape, arguments};

  ens_thread_pool_run (pool, shape->batch * ens_divide_up (shape->channels, GRADIENT_CHANNELS),
                       run_gradient, &gradient);
}
