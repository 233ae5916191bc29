/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: gradients of dense and grouped convolutions' weights.
 *
 * A task is a part of the pixels times a range of panels of columns, of one group. It goes over
 * blocks of pixels that the second-level cache holds, in these over taps and panels, and in these
 * over the rows of tiles, while a panel's columns stay in the first-level cache. */
#include "kernels/conv-gradient.h"

#include <string.h>

#include "kernels/conv-gradient-private.h"

/* Tasks that a plan aims at, whatever the number of threads. */
#define TASKS 16
/* A part has at least so many pixels, or adding up costs more than it gains. */
#define MIN_PART_PIXELS 512
/* Floats that the sums of all parts may take. */
#define MAX_SUMS ((gsize)1 << 22)
/* Floats of both factors that a block of pixels may use, and how many pixels it may have. */
#define BLOCK_FLOATS 131072
#define MIN_BLOCK_PIXELS 64
#define MAX_BLOCK_PIXELS 256
/* Up to this many channels a line of taps is one tap of so many more. */
#define MAX_LINE_CHANNELS 16
/* Copying a panel's columns pays where at least so many tiles read them: measured. */
#define MIN_TILES_OF_COPY 11

typedef struct {
  const EnsConvGradientPlan *plan;
  const EnsConvGradientArguments *arguments;
  float *sums; /* of part 0, then the other parts' */
  float *bias; /* of part 0, then the other parts'; NULL: not wanted */
  float *workers;
} Gradient;

/* A task's share. */
typedef struct {
  const Gradient *gradient;
  const float **inputs, **outputs; /* rows of the block's pixels: X's and dY's */
  float *panel;                    /* a panel's columns, a row for each pixel … */
  const float **panel_rows;        /* … and these rows */
  float *edges;       /* zeroes, and behind them copies of lines that reach into the padding */
  float *column_sums; /* dY's, of the block */
  gsize first, n;     /* the block's pixels */
  guint group, part;
} Block;

static gboolean
has_lines (const EnsConvShape *shape)
{
  return shape->groups == 1 && shape->dilation_x == 1 && shape->channels <= MAX_LINE_CHANNELS
         && shape->kernel_width > 1;
}

/* The input's columns [0, width) that a tap sees for a pixel, if its first one is at (y, x): in
 * place, or zeroes where the padding is. */
static const float *
find_input (const Block *block, guint image, gint64 y, gint64 x)
{
  const EnsConvGradientPlan *plan = block->gradient->plan;
  const EnsConvShape *shape = &plan->shape;
  const gsize pitch = block->gradient->arguments->input_pitch;

  if (y < 0 || y >= shape->height || x < 0 || x >= shape->width)
    return block->edges;
  return block->gradient->arguments->input
         + (((gsize)image * shape->height + y) * shape->width + x) * pitch
         + (gsize)block->group * plan->width;
}

/* The same for a line of taps, which is copied to `edge` where it reaches into the padding or its
 * pixels are not side by side. */
static const float *
find_line (const Block *block, guint image, gint64 y, gint64 x, float *edge)
{
  const EnsConvShape *shape = &block->gradient->plan->shape;
  const gsize pitch = block->gradient->arguments->input_pitch, size = shape->channels;
  gboolean inside = x >= 0 && x + shape->kernel_width <= shape->width;

  if (inside && pitch == size && y >= 0 && y < shape->height)
    return find_input (block, image, y, x);
  for (guint i = 0; i < shape->kernel_width; i++)
    memcpy (edge + i * size, find_input (block, image, y, x + i), size * sizeof *edge);
  return edge;
}

static void
point_inputs (const Block *block, guint tap)
{
  const EnsConvGradientPlan *plan = block->gradient->plan;
  const EnsConvShape *shape = &plan->shape;
  const gboolean lines = has_lines (shape);
  const gsize edge = ens_round_up (plan->width, ENS_MAX_LANES);
  const guint taps_x = lines ? 1 : shape->kernel_width;
  const gint64 top = (gint64)(tap / taps_x) * shape->dilation_y - shape->pad_top;
  const gint64 left = (gint64)(tap % taps_x) * shape->dilation_x - shape->pad_left;
  guint x = block->first % plan->output_width;
  gsize line = block->first / plan->output_width;
  guint y = line % plan->output_height, image = line / plan->output_height;

  for (gsize i = 0; i < block->n; i++) {
    gint64 from_y = top + (gint64)y * shape->stride_y, from_x = left + (gint64)x * shape->stride_x;

    block->inputs[i] = lines
                           ? find_line (block, image, from_y, from_x, block->edges + (1 + i) * edge)
                           : find_input (block, image, from_y, from_x);
    if (++x < plan->output_width)
      continue;
    x = 0;
    if (++y < plan->output_height)
      continue;
    y = 0;
    image++;
  }
}

static void
point_outputs (const Block *block)
{
  const EnsConvGradientArguments *arguments = block->gradient->arguments;
  const float *pixel = arguments->output_gradient + block->first * arguments->output_pitch
                       + (gsize)block->group * block->gradient->plan->filters;

  for (gsize i = 0; i < block->n; i++, pixel += arguments->output_pitch)
    block->outputs[i] = pixel;
}

static guint
panel_width (const EnsConvGradientPlan *plan)
{
  return 2 * plan->kernels->lanes;
}

/* A panel's columns side by side. Where they are, pixels a power of two apart would share cache
 * sets. */
static void
copy_panel (const Block *block, const float *const *from, guint column, guint columns)
{
  const guint width = panel_width (block->gradient->plan);

  for (gsize i = 0; i < block->n; i++)
    memcpy (block->panel + i * width, from[i] + column, columns * sizeof (float));
}

/* All rows of tiles against one panel of columns. */
static void
multiply_panel (const Block *block, guint tap, guint panel, gboolean first)
{
  const EnsConvGradientPlan *plan = block->gradient->plan;
  const guint rows = plan->swapped ? plan->width : plan->filters;
  const guint columns = plan->swapped ? plan->filters : plan->width;
  const guint tiles = ens_divide_up (rows, plan->kernels->tile_rows);
  const guint column = panel * panel_width (plan);
  const gboolean copy = tiles >= MIN_TILES_OF_COPY && !has_lines (&plan->shape);
  const float *const *of_columns = plan->swapped ? block->outputs : block->inputs;
  EnsOuterTile tile = {.a = plan->swapped ? block->inputs : block->outputs,
                       .b = copy ? block->panel_rows : of_columns,
                       .b_offset = copy ? 0 : column,
                       .depth = block->n,
                       .columns = MIN (columns - column, panel_width (plan)),
                       .first = first,
                       .pitch = plan->swapped ? plan->filters : (gsize)plan->taps * plan->width};
  const guint vectors = tile.columns <= plan->kernels->lanes ? 1 : 2;
  float *sums = block->gradient->sums + block->part * plan->sums_size
                + (gsize)block->group * plan->filters * plan->taps * plan->width
                + (gsize)tap * plan->width * (plan->swapped ? plan->filters : 1) + column;

  if (copy)
    copy_panel (block, of_columns, column, tile.columns);
  for (guint t = 0; t < tiles; t++) {
    guint row = ens_part (rows, tiles, t);

    tile.a_offset = row;
    tile.sums = sums + row * tile.pitch;
    plan->kernels->outer[vectors - 1][ens_part (rows, tiles, t + 1) - row - 1](&tile);
  }
}

/* dY's columns of the group. */
static void
sum_columns (const Block *block, gboolean first)
{
  const EnsConvGradientPlan *plan = block->gradient->plan;
  float *bias = block->gradient->bias + (gsize)block->part * plan->shape.filters
                + block->group * plan->filters;
  EnsPoolingWindow window = {.input = block->outputs[0],
                             .column = block->gradient->arguments->output_pitch,
                             .taps_y = 1,
                             .taps_x = block->n,
                             .channels = plan->filters,
                             .scale = 1,
                             .output = block->column_sums};

  plan->kernels->sum_window (&window);
  for (guint i = 0; i < plan->filters; i++)
    bias[i] = first ? block->column_sums[i] : bias[i] + block->column_sums[i];
}

static void
run_block (const Block *block, guint from, guint to, gboolean first)
{
  const EnsConvGradientPlan *plan = block->gradient->plan;
  guint pointed = plan->taps;

  point_outputs (block);
  for (guint unit = from; unit < to; unit++) {
    guint tap = unit / plan->panels;

    if (tap != pointed)
      point_inputs (block, tap);
    pointed = tap;
    multiply_panel (block, tap, unit % plan->panels, first);
  }
  if (block->gradient->bias != NULL && from == 0)
    sum_columns (block, first);
}

static gsize
pointers_size (const EnsConvGradientPlan *plan)
{
  return ens_round_up (plan->block_pixels * sizeof (float *) / sizeof (float), ENS_MAX_LANES);
}

static gsize
count_pixels (const EnsConvGradientPlan *plan)
{
  return (gsize)plan->shape.batch * plan->output_height * plan->output_width;
}

static void
run_task (gpointer data, guint task, guint worker)
{
  const Gradient *gradient = data;
  const EnsConvGradientPlan *plan = gradient->plan;
  const guint units = plan->taps * plan->panels, columns = task % plan->column_blocks;
  const guint part = task / plan->column_blocks % plan->parts;
  float *scratch = gradient->workers + worker * plan->worker_size;
  Block block = {.gradient = gradient,
                 .inputs = (const float **)(gpointer)scratch,
                 .outputs = (const float **)(gpointer)(scratch + pointers_size (plan)),
                 .panel_rows = (const float **)(gpointer)(scratch + 2 * pointers_size (plan)),
                 .panel = scratch + 3 * pointers_size (plan),
                 .group = task / plan->column_blocks / plan->parts,
                 .part = part};
  const gsize begin = ens_part (count_pixels (plan), plan->parts, part);
  const gsize end = ens_part (count_pixels (plan), plan->parts, part + 1);

  block.column_sums = block.panel + plan->block_pixels * panel_width (plan);
  block.edges = block.column_sums + ens_round_up (plan->filters, ENS_MAX_LANES);
  memset (block.edges, 0, plan->width * sizeof (float));
  for (guint i = 0; i < plan->block_pixels; i++)
    block.panel_rows[i] = block.panel + i * panel_width (plan);
  for (block.first = begin; block.first < end; block.first += block.n) {
    block.n = MIN (plan->block_pixels, end - block.first);
    run_block (&block, ens_part (units, plan->column_blocks, columns),
               ens_part (units, plan->column_blocks, columns + 1), block.first == begin);
  }
}

void
ens_conv_gradient_run_dense (const EnsConvGradientPlan *plan,
                             const EnsConvGradientArguments *arguments, EnsThreadPool *pool)
{
  const gboolean whole = plan->sums_size == 0; /* one part, in dW's own order */
  float *bias = arguments->scratch + plan->parts * plan->sums_size;
  Gradient gradient = {.plan = plan,
                       .arguments = arguments,
                       .sums = whole ? arguments->weights_gradient : arguments->scratch,
                       .bias = arguments->bias_gradient != NULL ? bias : NULL};

  gradient.workers = bias + ens_round_up ((gsize)plan->parts * plan->shape.filters, ENS_MAX_LANES);
  ens_thread_pool_run (pool, plan->parts * plan->column_blocks * plan->shape.groups, run_task,
                       &gradient);
  if (!whole)
    ens_conv_gradient_add (plan, gradient.sums, arguments->weights_gradient, pool);
  if (gradient.bias != NULL)
    ens_conv_gradient_add_bias (plan, bias, plan->shape.filters, arguments->bias_gradient);
}

/* Lanes of vectors that hold nothing cost as much as others. */
static gboolean
is_swap_better (const EnsConvGradientPlan *plan)
{
  const guint lanes = plan->kernels->lanes;

  return (double)ens_round_up (plan->filters, lanes) * plan->width
         < (double)ens_round_up (plan->width, lanes) * plan->filters;
}

static void
plan_tasks (EnsConvGradientPlan *plan)
{
  const guint groups = plan->shape.groups, columns = plan->swapped ? plan->filters : plan->width;
  gsize wanted = ens_divide_up (TASKS, groups);

  plan->panels = ens_divide_up (columns, panel_width (plan));
  plan->parts = CLAMP (count_pixels (plan) / MIN_PART_PIXELS, 1, wanted);
  plan->parts = CLAMP (MAX_SUMS / plan->weights_size, 1, plan->parts);
  plan->column_blocks = MIN (ens_divide_up (wanted, plan->parts), plan->taps * plan->panels);
  plan->block_pixels =
      CLAMP (BLOCK_FLOATS / (plan->filters + plan->width), MIN_BLOCK_PIXELS, MAX_BLOCK_PIXELS);
}

void
ens_conv_gradient_plan_dense (EnsConvGradientPlan *plan, guint n_threads)
{
  const EnsConvShape *shape = &plan->shape;
  gboolean lines = has_lines (shape);

  plan->algorithm = "outer products";
  plan->taps = shape->kernel_height * (lines ? 1 : shape->kernel_width);
  plan->width = shape->channels / shape->groups * (lines ? shape->kernel_width : 1);
  plan->filters = shape->filters / shape->groups;
  plan->swapped = is_swap_better (plan);
  plan_tasks (plan);
  if (plan->parts > 1 || plan->swapped)
    plan->sums_size = ens_round_up (plan->weights_size, ENS_MAX_LANES);
  plan->worker_size =
      3 * pointers_size (plan) + plan->block_pixels * panel_width (plan)
      + ens_round_up (plan->filters, ENS_MAX_LANES)
      + (1 + (lines ? plan->block_pixels : 0)) * ens_round_up (plan->width, ENS_MAX_LANES);
  plan->scratch_size = plan->parts * plan->sums_size
                       + ens_round_up ((gsize)plan->parts * shape->filters, ENS_MAX_LANES)
                       + n_threads * plan->worker_size;
}
