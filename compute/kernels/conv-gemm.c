/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: convolution as an indirect matrix product.
 *
 * The rows of the matrix are output pixels. Row p has, for each tap, a pointer to the input pixel
 * that the tap sees (or to zeroes, in the padding), so nothing is copied: Dukhan, "The Indirect
 * Convolution Algorithm", 2019. With few channels the taps would be too short for that; then a
 * padded copy of some input lines is made, in which a whole line of taps is contiguous.
 *
 * A task is a block of rows times a range of panels. It goes over the panels, and within one over
 * blocks of the inner dimension, so that the piece of a panel in use stays in the first-level cache
 * while the block's rows, which the second-level cache holds, go by. */
#include "kernels/conv-method.h"

#include <string.h>

/* Inner dimension summed at a time: a piece of a panel is 32 KiB with AVX2. Longer is measured to
 * be better than keeping it in the first-level cache at any price, for sums are stored less often.
 */
#define DEPTH_BLOCK 512
/* Floats of input that a block of rows may use: 384 KiB of second-level cache. */
#define BLOCK_INPUT 98304
#define MAX_BLOCK_TILES 16
/* … and at least so many rows, so that the weights are not read too often. */
#define MIN_BLOCK_ROWS 48
/* Up to this many channels lines of taps are copied together. */
#define MAX_ROWS_CHANNELS 16

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvArguments *arguments;
  EnsFinish finish;
  const float *zeroes;
  float *workers;     /* scratch of worker 0 */
  gsize panels_pitch; /* packed floats of one group */
  EnsThreadPool *pool;
} Product;

/* An output pixel. */
typedef struct {
  guint image, y, x;
} Position;

/* One task's share of the scratch memory and of the work. */
typedef struct {
  const Product *product;
  gsize *starts;      /* first row of each tile; one more for the end of the last */
  const float **rows; /* tile after tile: [taps][rows of the tile] */
  float *partial;     /* tile after tile: [rows of the tile][panel width] */
  float *lines;       /* padded copy of input lines, ENS_CONV_ROWS only */
  gsize first_tile, n_tiles;
  Position first; /* the first tile's first row */
  guint group;
} Block;

static gsize
tile_start (const EnsConvPlan *plan, gsize tile)
{
  return ens_part (plan->rows, plan->tiles, tile);
}

static guint
panel_width (const EnsConvPlan *plan)
{
  return 2 * plan->kernels->lanes;
}

static guint
group_panels (const EnsConvPlan *plan)
{
  return ens_divide_up (plan->shape.filters / plan->shape.groups, panel_width (plan));
}

/* Divisions, once per block instead of once per tile and panel. */
static void
find_tiles (const Block *block)
{
  for (gsize t = 0; t <= block->n_tiles; t++)
    block->starts[t] = tile_start (block->product->plan, block->first_tile + t);
}

static gsize
max_block_tiles (const EnsConvPlan *plan)
{
  return ens_divide_up (plan->tiles, plan->row_blocks);
}

static Position
position_of (const EnsConvPlan *plan, gsize row)
{
  gsize line = row / plan->output_width;

  return (Position) {
      .image = line / plan->output_height,
      .y = line % plan->output_height,
      .x = row % plan->output_width,
  };
}

static void
advance (const EnsConvPlan *plan, Position *position)
{
  if (++position->x < plan->output_width)
    return;
  position->x = 0;
  if (++position->y < plan->output_height)
    return;
  position->y = 0;
  position->image++;
}

/* The pixels that one row's taps see; consecutive taps go `step` pointers apart. */
static void
point_indirect (const Product *product, const Position *position, const float **rows, guint step)
{
  const EnsConvShape *shape = &product->plan->shape;
  const gsize pitch = product->arguments->input_pitch;
  const float *image =
      product->arguments->input + (gsize)position->image * shape->height * shape->width * pitch;
  const gint64 left = (gint64)position->x * shape->stride_x - shape->pad_left;
  gint64 y = (gint64)position->y * shape->stride_y - shape->pad_top;

  for (guint ky = 0; ky < shape->kernel_height; ky++, y += shape->dilation_y) {
    gboolean outside = y < 0 || y >= shape->height;
    gint64 x = left;

    for (guint kx = 0; kx < shape->kernel_width; kx++, x += shape->dilation_x, rows += step)
      if (outside || x < 0 || x >= shape->width)
        *rows = product->zeroes;
      else
        *rows = image + (y * shape->width + x) * pitch;
  }
}

static gsize
lines_pitch (const EnsConvShape *shape)
{
  return (gsize)(shape->width + shape->pad_left + shape->pad_right) * shape->channels;
}

/* The taps of n rows, which are whole lines of the kernel, in the padded copy. */
static void
point_lines (const Block *block, Position *position, const float **rows, gsize n)
{
  const EnsConvPlan *plan = block->product->plan;
  const EnsConvShape *shape = &plan->shape;
  const guint taps = shape->kernel_height, top = block->first.y;
  const gsize pitch = lines_pitch (shape), below = shape->dilation_y * pitch;
  const gsize line = shape->stride_y * pitch, step = (gsize)shape->stride_x * shape->channels;
  const float *lines = block->lines;

  for (gsize i = 0; i < n; i++, advance (plan, position)) {
    const float *pixel = lines + (position->y - top) * line + position->x * step;

    for (guint t = 0; t < taps; t++)
      rows[t * n + i] = pixel + t * below;
  }
}

static void
point_matrix (const EnsConvArguments *arguments, gsize row, const float **rows, gsize n)
{
  const gsize pitch = arguments->input_pitch;
  const float *pixel = arguments->input + row * pitch;

  for (gsize i = 0; i < n; i++, pixel += pitch)
    rows[i] = pixel;
}

static void
point_block (const Block *block)
{
  const Product *product = block->product;
  const EnsConvPlan *plan = product->plan;
  const float **rows = block->rows;
  Position position = block->first;

  for (gsize t = 0; t < block->n_tiles; t++) {
    gsize start = block->starts[t], n = block->starts[t + 1] - start;

    if (plan->algorithm == ENS_CONV_GEMM)
      point_matrix (product->arguments, start, rows, n);
    else if (plan->algorithm == ENS_CONV_ROWS)
      point_lines (block, &position, rows, n);
    else
      for (gsize i = 0; i < n; i++, advance (plan, &position))
        point_indirect (product, &position, rows + i, n);
    rows += n * plan->taps;
  }
}

static void
copy_line (const Product *product, guint image, gint64 y, float *to)
{
  const EnsConvShape *shape = &product->plan->shape;
  const gsize pitch = product->arguments->input_pitch;
  const float *from;

  if (y < 0 || y >= shape->height) {
    memset (to, 0, lines_pitch (shape) * sizeof *to);
    return;
  }
  from = product->arguments->input + ((gsize)image * shape->height + y) * shape->width * pitch;
  memset (to, 0, (gsize)shape->pad_left * shape->channels * sizeof *to);
  to += (gsize)shape->pad_left * shape->channels;
  if (pitch == shape->channels)
    memcpy (to, from, (gsize)shape->width * shape->channels * sizeof *to);
  else
    for (guint x = 0; x < shape->width; x++)
      memcpy (to + (gsize)x * shape->channels, from + x * pitch, shape->channels * sizeof *to);
  to += (gsize)shape->width * shape->channels;
  memset (to, 0, (gsize)shape->pad_right * shape->channels * sizeof *to);
}

/* Lines of a padded copy that n output rows need. */
static gsize
lines_of (const EnsConvShape *shape, gsize n)
{
  return (n - 1) * shape->stride_y + (shape->kernel_height - 1) * shape->dilation_y + 1;
}

static void
copy_lines (const Block *block)
{
  const EnsConvPlan *plan = block->product->plan;
  const EnsConvShape *shape = &plan->shape;
  gsize rows = block->starts[block->n_tiles] - block->starts[0];
  gsize n = lines_of (shape, rows / plan->output_width);
  gint64 y = (gint64)block->first.y * shape->stride_y - shape->pad_top;

  for (gsize i = 0; i < n; i++)
    copy_line (block->product, block->first.image, y + i, block->lines + i * lines_pitch (shape));
}

/* Where the inputs of the tile after tile t begin, NULL if t is the last. */
static const float *
next_rows (const Block *block, const EnsTile *tile, gsize t, guint first_tap)
{
  const guint taps = block->product->plan->taps;

  if (t + 1 == block->n_tiles)
    return NULL;
  return tile->rows[tile->n_rows * (taps - first_tap)
                    + first_tap * (block->starts[t + 2] - block->starts[t + 1])]
         + tile->offset;
}

/* All tiles of the block against one piece of one panel. */
static void
multiply_piece (const Block *block, EnsTile *tile, guint first_tap, const EnsFinish *finish,
                guint vectors)
{
  const EnsConvPlan *plan = block->product->plan;
  const gsize width = vectors * plan->kernels->lanes;
  const float **rows = block->rows;
  float *partial = block->partial;

  for (gsize t = 0; t < block->n_tiles; t++) {
    gsize start = block->starts[t], n = block->starts[t + 1] - start;
    EnsFinish at;

    tile->rows = rows + first_tap * n;
    tile->n_rows = n;
    tile->partial = partial;
    ens_tile_read_ahead (tile, width, t, block->n_tiles, next_rows (block, tile, t, first_tap));
    if (tile->last) {
      at = ens_finish_at (finish, start, 0);
      tile->finish = &at;
    }
    plan->kernels->tiles[vectors - 1][n - 1](tile);
    rows += n * plan->taps;
    partial += n * width;
  }
}

static void
multiply_panel (const Block *block, guint panel)
{
  const Product *product = block->product;
  const EnsConvPlan *plan = product->plan;
  const guint filters = plan->shape.filters / plan->shape.groups;
  const guint column = panel * panel_width (plan);
  const guint columns = MIN (filters - column, panel_width (plan));
  const guint vectors = columns <= plan->kernels->lanes ? 1 : 2;
  const gsize width = vectors * plan->kernels->lanes;
  const float *packed = product->arguments->packed + block->group * product->panels_pitch
                        + (gsize)column * plan->taps * plan->depth;
  EnsFinish finish = ens_finish_at (&product->finish, 0, block->group * filters + column);
  EnsTile tile = {.columns = columns};

  for (guint tap = 0; tap < plan->taps; tap += plan->taps_block)
    for (guint k = 0; k < plan->depth; k += plan->depth_block) {
      tile.taps = MIN (plan->taps_block, plan->taps - tap);
      tile.depth = MIN (plan->depth_block, plan->depth - k);
      tile.offset = (gsize)block->group * plan->depth + k;
      tile.panel = packed + ((gsize)tap * plan->depth + k) * width;
      tile.first = tap == 0 && k == 0;
      tile.last = tap + tile.taps == plan->taps && k + tile.depth == plan->depth;
      multiply_piece (block, &tile, tap, &finish, vectors);
    }
}

static gsize
pointers_size (const EnsConvPlan *plan)
{
  gsize pointers = max_block_tiles (plan) * plan->kernels->tile_rows * plan->taps;

  return ens_round_up (pointers * sizeof (float *) / sizeof (float), ENS_MAX_LANES);
}

static gsize
starts_size (const EnsConvPlan *plan)
{
  return ens_round_up ((max_block_tiles (plan) + 1) * sizeof (gsize) / sizeof (float),
                       ENS_MAX_LANES);
}

static gsize
partial_size (const EnsConvPlan *plan)
{
  return max_block_tiles (plan) * plan->kernels->tile_rows * panel_width (plan);
}

static void
run_product_task (gpointer data, guint task, guint worker)
{
  const Product *product = data;
  const EnsConvPlan *plan = product->plan;
  const guint panels = group_panels (plan);
  guint columns = task % plan->column_blocks;
  guint row_block = task / plan->column_blocks % plan->row_blocks;
  float *starts = product->workers + worker * plan->worker_size;
  float *rows = starts + starts_size (plan), *partial = rows + pointers_size (plan);
  gsize first = ens_part (plan->tiles, plan->row_blocks, row_block);
  Block block = {
      .product = product,
      .starts = (gsize *)starts,
      .rows = (const float **)rows,
      .partial = partial,
      .lines = partial + partial_size (plan),
      .first_tile = first,
      .n_tiles = ens_part (plan->tiles, plan->row_blocks, row_block + 1) - first,
      .first = position_of (plan, tile_start (plan, first)),
      .group = task / plan->column_blocks / plan->row_blocks,
  };

  find_tiles (&block);
  if (plan->algorithm == ENS_CONV_ROWS)
    copy_lines (&block);
  point_block (&block);
  for (guint p = ens_part (panels, plan->column_blocks, columns);
       p < ens_part (panels, plan->column_blocks, columns + 1)
       && !ens_thread_pool_is_cancelled (product->pool);
       p++)
    multiply_panel (&block, p);
}

static void
run_product (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  const EnsConvShape *shape = &plan->shape;
  Product product = {
      .plan = plan,
      .arguments = arguments,
      .finish = ens_finish_new (arguments->epilogue, arguments->output, arguments->output_pitch),
      .zeroes = arguments->scratch,
      .workers = arguments->scratch + plan->shared_size,
      .panels_pitch = ens_panels_size (plan->kernels, shape->filters / shape->groups,
                                       (gsize)plan->taps * plan->depth),
      .pool = pool,
  };

  memset (arguments->scratch, 0, plan->shared_size * sizeof (float));
  ens_thread_pool_run (pool, plan->row_blocks * plan->column_blocks * shape->groups,
                       run_product_task, &product);
}

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvWeights *weights;
  float *packed;
} Packing;

/* A tap's rows of one panel. */
static void
pack_tap (gpointer data, guint task, guint worker)
{
  const Packing *packing = data;
  const EnsConvPlan *plan = packing->plan;
  const EnsConvShape *shape = &plan->shape;
  const EnsConvWeights *weights = packing->weights;
  const guint taps = shape->kernel_height * shape->kernel_width, tap = task % taps;
  const guint panel = task / taps % group_panels (plan), group = task / taps / group_panels (plan);
  const guint filters = shape->filters / shape->groups, column = panel * panel_width (plan);
  const guint width = ens_panel_width (plan->kernels, filters - column);
  const gsize channels = shape->channels / shape->groups, depth = taps * channels;
  EnsPanelSource source = {.from = weights->from + group * weights->group + column * weights->filter
                                   + tap * weights->tap,
                           .k_pitch = weights->channel,
                           .column_pitch = weights->filter,
                           .depth = channels,
                           .columns = MIN (filters - column, width)};

  ens_panel_pack (&source, width,
                  packing->packed + group * ens_panels_size (plan->kernels, filters, depth)
                      + column * depth + tap * channels * width);
}

static void
pack_product (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
              EnsThreadPool *pool)
{
  Packing packing = {plan, weights, packed};

  ens_thread_pool_run (pool,
                       plan->shape.groups * group_panels (plan) * plan->shape.kernel_height
                           * plan->shape.kernel_width,
                       pack_tap, &packing);
}

/* How much of the inner dimension is summed at a time. */
static void
plan_depth (EnsConvPlan *plan)
{
  guint blocks = ens_divide_up (plan->depth, DEPTH_BLOCK);

  plan->depth_block = ens_divide_up (plan->depth, blocks);
  plan->taps_block = blocks > 1 ? 1 : MAX (DEPTH_BLOCK / plan->depth, 1);
}

/* Enough tasks for the threads: first from rows, then from columns. */
static void
plan_tasks (EnsConvPlan *plan, gsize block_tiles)
{
  const gsize wanted = plan->n_threads > 1 ? ENS_TASKS_PER_THREAD * plan->n_threads : 1;
  gsize tasks;

  plan->row_blocks = ens_divide_up (plan->tiles, block_tiles);
  if (plan->row_blocks * plan->shape.groups < wanted)
    plan->row_blocks = MAX (plan->row_blocks, MIN (ens_divide_up (wanted, plan->shape.groups),
                                                   ens_divide_up (plan->tiles, 4)));
  tasks = (gsize)plan->row_blocks * plan->shape.groups;
  plan->column_blocks = CLAMP (ens_divide_up (wanted, tasks), 1, group_panels (plan));
}

static void
plan_sizes (EnsConvPlan *plan)
{
  plan->packed_size = plan->shape.groups
                      * ens_panels_size (plan->kernels, plan->shape.filters / plan->shape.groups,
                                         (gsize)plan->taps * plan->depth);
  plan->shared_size = ens_round_up (plan->shape.channels, ENS_MAX_LANES);
  plan->worker_size = starts_size (plan) + pointers_size (plan) + partial_size (plan);
}

static gboolean
plan_indirect (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;
  const guint tile_rows = plan->kernels->tile_rows;
  gsize input_of_row;

  plan->taps = shape->kernel_height * shape->kernel_width;
  plan->depth = shape->channels / shape->groups;
  plan->rows = (gsize)shape->batch * plan->output_height * plan->output_width;
  plan->tiles = ens_divide_up (plan->rows, tile_rows);
  plan_depth (plan);
  /* Neighbouring pixels share most of their taps. */
  input_of_row = (gsize)plan->depth * MIN (plan->taps, 2 * shape->stride_y * shape->stride_x);
  plan_tasks (plan, CLAMP (BLOCK_INPUT / (input_of_row * tile_rows),
                           ens_divide_up (MIN_BLOCK_ROWS, tile_rows), MAX_BLOCK_TILES));
  plan_sizes (plan);
  return TRUE;
}

static gboolean
plan_gemm (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;

  if (shape->kernel_height != 1 || shape->kernel_width != 1 || shape->stride_y != 1
      || shape->stride_x != 1 || plan->output_height != shape->height
      || plan->output_width != shape->width)
    return FALSE;
  return plan_indirect (plan);
}

/* Blocks are whole output rows of one image, so that their lines are contiguous. */
static gboolean
plan_rows (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;
  const guint tile_rows = plan->kernels->tile_rows;
  guint lines, row_tiles = ens_divide_up (plan->output_width, tile_rows);

  if (shape->groups != 1 || shape->dilation_x != 1 || shape->channels > MAX_ROWS_CHANNELS)
    return FALSE;
  plan->taps = shape->kernel_height;
  plan->depth = shape->kernel_width * shape->channels;
  plan->rows = (gsize)shape->batch * plan->output_height * plan->output_width;
  plan_depth (plan);
  plan->tiles = (gsize)shape->batch * plan->output_height * row_tiles;
  lines = ens_divide_up (MAX_BLOCK_TILES, row_tiles);
  while (plan->output_height % lines != 0)
    lines--;
  plan->row_blocks = (gsize)shape->batch * plan->output_height / lines;
  plan->column_blocks = 1;
  plan_sizes (plan);
  plan->worker_size += ens_round_up (lines_of (shape, lines) * lines_pitch (shape), ENS_MAX_LANES);
  return TRUE;
}

static gboolean
always (const EnsConvPlan *plan)
{
  return TRUE;
}

const EnsConvMethod ens_conv_gemm = {
    .name = "gemm",
    .pack_kind = ENS_PACK_PANELS,
    .plan = plan_gemm,
    .worthwhile = always,
    .pack = pack_product,
    .run = run_product,
};

const EnsConvMethod ens_conv_indirect = {
    .name = "indirect",
    .pack_kind = ENS_PACK_PANELS,
    .plan = plan_indirect,
    .worthwhile = always,
    .pack = pack_product,
    .run = run_product,
};

const EnsConvMethod ens_conv_rows = {
    .name = "rows",
    .pack_kind = ENS_PACK_PANELS,
    .plan = plan_rows,
    .worthwhile = always,
    .pack = pack_product,
    .run = run_product,
};
