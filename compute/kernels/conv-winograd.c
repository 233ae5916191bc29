/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: 3×3 convolution of stride 1 in the Winograd domain.
 *
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015. The output is cut into
 * tiles of 4×4 (or 2×2) pixels. Bᵀ d B of all tiles of a block gives 36 (or 16) matrices, one per
 * frequency, of tiles × channels; each is multiplied by that frequency's weights G g Gᵀ; Aᵀ m A of
 * the products gives pixels. One panel of filters goes through products and output transform at a
 * time, so that the products stay in the second-level cache. */
#include "kernels/conv-method.h"

#include <string.h>

/* Inner dimension summed at a time. */
#define DEPTH_BLOCK 256
/* Tiles of a block that one thread works on, and of one that all threads share. Enough for each
 * piece of the weights to be used several times while it is in the first-level cache. */
#define BLOCK_TILES 42
#define SHARED_BLOCK_TILES 224
#define PANELS_OF_TASK 4

/* Tiles [first, first + n) in the Winograd domain: a plane per frequency. */
typedef struct {
  gsize first, n;
  float *frequencies; /* [size²] planes of [n][channels, rounded up] */
  gsize frequency_plane;
  float *products; /* [size²] planes of [panels][n][panel width] */
  gsize product_plane;
} Block;

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvArguments *arguments;
  EnsFinish finish;
  const float *zeroes;
  float *blocks;         /* memory of the first block */
  const Block *block;    /* the one that all threads work on, if they do */
  guint frequency_tasks; /* parts of its products of one frequency */
  EnsThreadPool *pool;
} Winograd;

static guint
size_of (const EnsConvPlan *plan)
{
  return plan->algorithm == ENS_CONV_WINOGRAD_4 ? 6 : 4;
}

static guint
panel_width (const EnsConvPlan *plan)
{
  return 2 * plan->kernels->lanes;
}

static guint
panels_of (const EnsConvPlan *plan)
{
  return ens_divide_up (plan->shape.filters, panel_width (plan));
}

static gsize
input_pitch (const EnsConvPlan *plan)
{
  return ens_round_up (plan->shape.channels, plan->kernels->lanes);
}

/* A cache line more than the values need: planes a power of two apart would share cache sets. */
static gsize
plane_size (gsize tiles, gsize pitch)
{
  return ens_round_up (tiles * pitch, ENS_MAX_LANES) + ENS_MAX_LANES;
}

static gsize
frequencies_size (const EnsConvPlan *plan, gsize tiles)
{
  return size_of (plan) * size_of (plan) * plane_size (tiles, input_pitch (plan));
}

static gsize
products_size (const EnsConvPlan *plan, gsize tiles)
{
  return size_of (plan) * size_of (plan)
         * plane_size (tiles, panels_of (plan) * panel_width (plan));
}

static Block
block_new (const EnsConvPlan *plan, gsize from, gsize to, float *memory)
{
  return (Block) {
      .first = from,
      .n = to - from,
      .frequencies = memory,
      .frequency_plane = plane_size (to - from, input_pitch (plan)),
      .products = memory + frequencies_size (plan, to - from),
      .product_plane = plane_size (to - from, panels_of (plan) * panel_width (plan)),
  };
}

/* An output tile's place. */
typedef struct {
  guint image, y, x; /* of its first output pixel */
} Position;

static Position
position_of (const EnsConvPlan *plan, gsize tile)
{
  const guint step = size_of (plan) - 2;
  const guint across = ens_divide_up (plan->output_width, step);
  const guint down = ens_divide_up (plan->output_height, step);

  return (Position) {
      .image = tile / across / down,
      .y = tile / across % down * step,
      .x = tile % across * step,
  };
}

static void
point_pixels (const Winograd *winograd, gsize tile, const float **pixels)
{
  const EnsConvPlan *plan = winograd->plan;
  const EnsConvShape *shape = &plan->shape;
  const gsize pitch = winograd->arguments->input_pitch;
  const guint size = size_of (plan);
  Position position = position_of (plan, tile);
  const float *image =
      winograd->arguments->input + (gsize)position.image * shape->height * shape->width * pitch;

  for (guint i = 0; i < size; i++) {
    gint64 y = (gint64)position.y + i - shape->pad_top;

    for (guint j = 0; j < size; j++) {
      gint64 x = (gint64)position.x + j - shape->pad_left;
      gboolean inside = y >= 0 && y < shape->height && x >= 0 && x < shape->width;

      *pixels++ = inside ? image + (y * shape->width + x) * pitch : winograd->zeroes;
    }
  }
}

/* Bᵀ d B of tiles [from, to). */
static void
transform_input (const Winograd *winograd, const Block *block, gsize from, gsize to)
{
  const EnsConvPlan *plan = winograd->plan;
  const float *pixels[36];
  EnsWinogradInput input = {
      .pixels = pixels,
      .channels = plan->shape.channels,
      .plane = block->frequency_plane,
  };

  for (gsize t = from; t < to; t++) {
    point_pixels (winograd, t, pixels);
    input.frequencies = block->frequencies + (t - block->first) * input_pitch (plan);
    if (plan->algorithm == ENS_CONV_WINOGRAD_4)
      plan->kernels->winograd_4_input (&input);
    else
      plan->kernels->winograd_2_input (&input);
  }
}

/* One frequency of all the block's tiles times the piece of a panel that tile->panel is. */
static void
multiply_piece (const EnsConvPlan *plan, const Block *block, EnsTile tile, const float *frequency,
                float *products, guint vectors)
{
  const gsize pitch = input_pitch (plan), width = vectors * plan->kernels->lanes;
  const gsize n_tiles = ens_divide_up (block->n, plan->kernels->tile_rows);
  const float *rows[ENS_MAX_TILE_ROWS];

  tile.rows = rows;
  for (gsize i = 0; i < n_tiles; i++) {
    gsize start = ens_part (block->n, n_tiles, i), end = ens_part (block->n, n_tiles, i + 1);

    for (gsize r = start; r < end; r++)
      rows[r - start] = frequency + r * pitch;
    tile.n_rows = end - start;
    tile.partial = products + start * width;
    ens_tile_read_ahead (&tile, width, i, n_tiles,
                         end < block->n ? frequency + end * pitch + tile.offset : NULL);
    plan->kernels->tiles[vectors - 1][end - start - 1](&tile);
  }
}

/* The product of frequency f of the block's tiles with panels [from, to). */
static void
multiply_panels (const Winograd *winograd, const Block *block, guint f, guint from, guint to)
{
  const EnsConvPlan *plan = winograd->plan;
  const gsize frequency_size = ens_panels_size (plan->kernels, plan->shape.filters, plan->depth);
  const float *frequency = block->frequencies + f * block->frequency_plane;
  EnsTile tile = {.taps = 1};

  for (guint panel = from; panel < to; panel++) {
    guint column = panel * panel_width (plan);
    guint vectors = plan->shape.filters - column <= plan->kernels->lanes ? 1 : 2;
    gsize width = vectors * plan->kernels->lanes;
    const float *packed =
        winograd->arguments->packed + f * frequency_size + (gsize)column * plan->depth;
    float *products =
        block->products + f * block->product_plane + panel * block->n * panel_width (plan);

    for (guint k = 0; k < plan->depth; k += plan->depth_block) {
      tile.offset = k;
      tile.depth = MIN (plan->depth_block, plan->depth - k);
      tile.panel = packed + k * width;
      tile.first = k == 0;
      multiply_piece (plan, block, tile, frequency, products, vectors);
    }
  }
}

/* Aᵀ m A of one tile and panel. */
static void
transform_panel (const Winograd *winograd, const Block *block, gsize tile, guint panel)
{
  const EnsConvPlan *plan = winograd->plan;
  const guint step = size_of (plan) - 2;
  const guint column = panel * panel_width (plan);
  const guint columns = MIN (plan->shape.filters - column, panel_width (plan));
  const gsize width = columns <= plan->kernels->lanes ? plan->kernels->lanes : panel_width (plan);
  Position position = position_of (plan, tile);
  gsize pixel =
      ((gsize)position.image * plan->output_height + position.y) * plan->output_width + position.x;
  EnsFinish finish = ens_finish_at (&winograd->finish, pixel, column);
  EnsWinogradOutput output = {
      .frequencies =
          block->products + panel * block->n * panel_width (plan) + (tile - block->first) * width,
      .plane = block->product_plane,
      .columns = columns,
      .height = MIN (step, plan->output_height - position.y),
      .width = MIN (step, plan->output_width - position.x),
      .output_row = plan->output_width * finish.output_pitch,
      .residual_row = plan->output_width * finish.residual_pitch,
      .finish = &finish,
  };

  if (plan->algorithm == ENS_CONV_WINOGRAD_4)
    plan->kernels->winograd_4_output (&output);
  else
    plan->kernels->winograd_2_output (&output);
}

/* Many tiles: a task is a block, from input to output. */
static void
run_block (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;
  const EnsConvPlan *plan = winograd->plan;
  const guint frequencies = size_of (plan) * size_of (plan), panels = panels_of (plan);
  gsize from = ens_part (plan->rows, plan->row_blocks, task);
  gsize to = ens_part (plan->rows, plan->row_blocks, task + 1);
  Block block = block_new (plan, from, to, winograd->blocks + worker * plan->worker_size);

  transform_input (winograd, &block, from, to);
  for (guint f = 0; f < frequencies && !ens_thread_pool_is_cancelled (winograd->pool); f++)
    multiply_panels (winograd, &block, f, 0, panels);
  for (gsize t = from; t < to && !ens_thread_pool_is_cancelled (winograd->pool); t++)
    for (guint p = 0; p < panels; p++)
      transform_panel (winograd, &block, t, p);
}

/* Few tiles: all threads work on one block, first on its input, a task being a tile … */
static void
run_input (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;
  const Block *block = winograd->block;

  transform_input (winograd, block, block->first + task, block->first + task + 1);
}

/* … then on the products, a task being some panels of one frequency … */
static void
run_products (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;
  const guint panels = panels_of (winograd->plan), parts = winograd->frequency_tasks;

  multiply_panels (winograd, winograd->block, task / parts, ens_part (panels, parts, task % parts),
                   ens_part (panels, parts, task % parts + 1));
}

/* … then on the output, a task being a tile. */
static void
run_output (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;

  for (guint p = 0; p < panels_of (winograd->plan); p++)
    transform_panel (winograd, winograd->block, winograd->block->first + task, p);
}

static void
run_shared (Winograd *winograd, EnsThreadPool *pool)
{
  const EnsConvPlan *plan = winograd->plan;
  const guint frequencies = size_of (plan) * size_of (plan);

  for (guint b = 0; b < plan->row_blocks; b++) {
    Block block = block_new (plan, ens_part (plan->rows, plan->row_blocks, b),
                             ens_part (plan->rows, plan->row_blocks, b + 1), winograd->blocks);

    winograd->block = &block;
    ens_thread_pool_run (pool, block.n, run_input, winograd);
    ens_thread_pool_run (pool, frequencies * winograd->frequency_tasks, run_products, winograd);
    ens_thread_pool_run (pool, block.n, run_output, winograd);
  }
}

static void
run_winograd (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  gsize zeroes = ens_round_up (plan->shape.channels, ENS_MAX_LANES);
  Winograd winograd = {
      .plan = plan,
      .arguments = arguments,
      .finish = ens_finish_new (arguments->epilogue, arguments->output, arguments->output_pitch),
      .zeroes = arguments->scratch,
      .blocks = arguments->scratch + zeroes,
      .frequency_tasks = ens_divide_up (panels_of (plan), PANELS_OF_TASK),
      .pool = pool,
  };

  memset (arguments->scratch, 0, zeroes * sizeof (float));
  if (plan->worker_size > 0)
    ens_thread_pool_run (pool, plan->row_blocks, run_block, &winograd);
  else
    run_shared (&winograd, pool);
}

static gsize
block_size (const EnsConvPlan *plan)
{
  gsize tiles = ens_divide_up (plan->rows, plan->row_blocks);

  return frequencies_size (plan, tiles) + products_size (plan, tiles);
}

/* One block per task if that gives the threads enough of them; else blocks that they share. */
static void
plan_blocks (EnsConvPlan *plan)
{
  plan->row_blocks = ens_divide_up (plan->rows, BLOCK_TILES);
  plan->shared_size = ens_round_up (plan->shape.channels, ENS_MAX_LANES);
  if (plan->n_threads == 1 || plan->row_blocks >= ENS_TASKS_PER_THREAD * plan->n_threads) {
    plan->worker_size = block_size (plan);
  } else {
    plan->row_blocks = ens_divide_up (plan->rows, SHARED_BLOCK_TILES);
    plan->shared_size += block_size (plan);
  }
}

static gboolean
plan_winograd (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;
  const guint size = size_of (plan), step = size - 2;

  if (shape->kernel_height != 3 || shape->kernel_width != 3 || shape->stride_y != 1
      || shape->stride_x != 1 || shape->dilation_y != 1 || shape->dilation_x != 1
      || shape->groups != 1)
    return FALSE;
  plan->taps = 1;
  plan->depth = shape->channels;
  plan->depth_block = ens_divide_up (plan->depth, ens_divide_up (plan->depth, DEPTH_BLOCK));
  plan->rows = (gsize)shape->batch * ens_divide_up (plan->output_height, step)
               * ens_divide_up (plan->output_width, step);
  plan->packed_size = size * size * ens_panels_size (plan->kernels, shape->filters, plan->depth);
  plan_blocks (plan);
  return TRUE;
}

/* Channels whose weights are transformed together. */
#define PACKED_CHANNELS 16

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvWeights *weights;
  float *packed;
} Packing;

/* Some channels of one panel. */
static void
pack_part (gpointer data, guint task, guint worker)
{
  const Packing *packing = data;
  const EnsConvPlan *plan = packing->plan;
  const EnsConvWeights *weights = packing->weights;
  const guint parts = ens_divide_up (plan->depth, PACKED_CHANNELS);
  const guint column = task / parts * panel_width (plan), filters = plan->shape.filters;
  const guint width = ens_panel_width (plan->kernels, filters - column);
  const guint channel = task % parts * PACKED_CHANNELS;
  const guint channels = MIN (plan->depth - channel, PACKED_CHANNELS);
  float taps[9][PACKED_CHANNELS * 2 * ENS_MAX_LANES] __attribute__ ((aligned (ENS_ALIGNMENT)));
  EnsWinogradWeights transform = {
      .taps = taps[0],
      .step = G_N_ELEMENTS (taps[0]),
      .n = channels * width,
      .frequencies = packing->packed + (gsize)column * plan->depth + (gsize)channel * width,
      .plane = ens_panels_size (plan->kernels, filters, plan->depth),
  };

  for (guint t = 0; t < 9; t++) {
    EnsPanelSource source = {.from = weights->from + t * weights->tap + column * weights->filter
                                     + channel * weights->channel,
                             .k_pitch = weights->channel,
                             .column_pitch = weights->filter,
                             .depth = channels,
                             .columns = MIN (filters - column, width)};

    ens_panel_pack (&source, width, taps[t]);
  }
  if (plan->algorithm == ENS_CONV_WINOGRAD_4)
    plan->kernels->winograd_4_weights (&transform);
  else
    plan->kernels->winograd_2_weights (&transform);
}

/* packed: per frequency, panels as ens_panel_pack () makes them. */
static void
pack_winograd (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
               EnsThreadPool *pool)
{
  Packing packing = {plan, weights, packed};

  ens_thread_pool_run (pool, panels_of (plan) * ens_divide_up (plan->depth, PACKED_CHANNELS),
                       pack_part, &packing);
}

/* What an algorithm costs per channel and filter, in multiplications by one weight. Fewer rows than
 * MIN_ROWS cost no less: reading the weights from memory takes longer. Transforming a tile costs
 * `input` per channel and `output` per filter. */
#define MIN_ROWS 16
/* What it costs to pack a weight that changes, in the same measure. */
#define PACKING_ROWS 32

static double
product_cost (const EnsConvPlan *plan, gsize rows, guint taps)
{
  return (double)(MAX (rows, MIN_ROWS) + (plan->shape.repacked ? PACKING_ROWS : 0)) * taps;
}

static double
winograd_cost (const EnsConvPlan *plan, guint size, double input, double output)
{
  const EnsConvShape *shape = &plan->shape;
  gsize tiles = (gsize)shape->batch * ens_divide_up (plan->output_height, size - 2)
                * ens_divide_up (plan->output_width, size - 2);

  return product_cost (plan, tiles, size * size)
         + tiles
               * (input / ens_round_up (shape->filters, plan->kernels->lanes)
                  + output / shape->channels);
}

static double
direct_cost (const EnsConvPlan *plan)
{
  return product_cost (plan, (gsize)plan->shape.batch * plan->output_height * plan->output_width,
                       9);
}

/* The transforms are measured: per tile 12 cycles for an input and 10 for an output channel with
 * the larger tile, in which 32 multiplications a cycle could be done. */
static gboolean
winograd_4_worthwhile (const EnsConvPlan *plan)
{
  double cost = winograd_cost (plan, 6, 384, 320);

  return cost < direct_cost (plan) && cost < winograd_cost (plan, 4, 160, 130);
}

static gboolean
winograd_2_worthwhile (const EnsConvPlan *plan)
{
  return winograd_cost (plan, 4, 160, 130) < direct_cost (plan);
}

const EnsConvMethod ens_conv_winograd_2 = {
    .name = "winograd 2×2",
    .pack_kind = ENS_PACK_WINOGRAD_2,
    .plan = plan_winograd,
    .worthwhile = winograd_2_worthwhile,
    .pack = pack_winograd,
    .run = run_winograd,
};

const EnsConvMethod ens_conv_winograd_4 = {
    .name = "winograd 4×4",
    .pack_kind = ENS_PACK_WINOGRAD_4,
    .plan = plan_winograd,
    .worthwhile = winograd_4_worthwhile,
    .pack = pack_winograd,
    .run = run_winograd,
};
