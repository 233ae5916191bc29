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
/* Floats that the frequencies of a block may take: 768 KiB. */
#define BLOCK_FREQUENCIES 196608
#define MIN_BLOCK_TILES 2
#define MAX_BLOCK_TILES 8

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvArguments *arguments;
  EnsFinish finish;
  const float *zeroes;
  float *shared;  /* frequencies of all tiles, when the tasks share them */
  float *workers; /* scratch of worker 0 */
  gsize panel_size;
} Winograd;

/* The frequencies of tiles [first, first + n). */
typedef struct {
  float *frequencies; /* [size²] planes of [n][channels, rounded up] */
  gsize plane;
  gsize first, n;
} Block;

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
max_block_rows (const EnsConvPlan *plan)
{
  return ens_divide_up (plan->rows, plan->row_blocks);
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

static void
transform_input (const Winograd *winograd, const Block *block, gsize from, gsize to)
{
  const EnsConvPlan *plan = winograd->plan;
  const float *pixels[36];
  EnsWinogradInput input = {
      .pixels = pixels,
      .channels = plan->shape.channels,
      .plane = block->plane,
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

static void
transform_output (const Winograd *winograd, gsize tile, const float *products, gsize plane,
                  const EnsFinish *finish, guint columns)
{
  const EnsConvPlan *plan = winograd->plan;
  const guint step = size_of (plan) - 2;
  Position position = position_of (plan, tile);
  gsize pixel =
      ((gsize)position.image * plan->output_height + position.y) * plan->output_width + position.x;
  EnsFinish at = ens_finish_at (finish, pixel, 0);
  EnsWinogradOutput output = {
      .frequencies = products,
      .plane = plane,
      .columns = columns,
      .height = MIN (step, plan->output_height - position.y),
      .width = MIN (step, plan->output_width - position.x),
      .output_row = plan->output_width * at.output_pitch,
      .residual_row = plan->output_width * at.residual_pitch,
      .finish = &at,
  };

  if (plan->algorithm == ENS_CONV_WINOGRAD_4)
    plan->kernels->winograd_4_output (&output);
  else
    plan->kernels->winograd_2_output (&output);
}

/* The product of one frequency of tiles [from, to) with one panel. */
static void
multiply_frequency (const EnsConvPlan *plan, const Block *block, gsize from, gsize to,
                    guint vectors, EnsTile *tile, const float *frequency, float *products)
{
  const gsize pitch = input_pitch (plan), width = vectors * plan->kernels->lanes;
  const gsize n_tiles = ens_divide_up (to - from, plan->kernels->tile_rows);
  const float *rows[ENS_MAX_TILE_ROWS];

  for (gsize i = 0; i < n_tiles; i++) {
    gsize start = ens_part (to - from, n_tiles, i), end = ens_part (to - from, n_tiles, i + 1);

    for (gsize r = start; r < end; r++)
      rows[r - start] = frequency + (from - block->first + r) * pitch;
    tile->rows = rows;
    tile->n_rows = end - start;
    tile->partial = products + start * width;
    plan->kernels->tiles[vectors - 1][end - start - 1](tile);
  }
}

/* Tiles [from, to) of a block, filters of one panel: products and output transform. */
static void
multiply_panel (const Winograd *winograd, const Block *block, gsize from, gsize to, guint panel,
                float *products)
{
  const EnsConvPlan *plan = winograd->plan;
  const guint frequencies = size_of (plan) * size_of (plan);
  const guint column = panel * panel_width (plan);
  const guint columns = MIN (plan->shape.filters - column, panel_width (plan));
  const guint vectors = columns <= plan->kernels->lanes ? 1 : 2;
  const gsize width = vectors * plan->kernels->lanes;
  const gsize plane = plane_size (to - from, width);
  const float *packed = winograd->arguments->packed + panel * winograd->panel_size;
  EnsFinish finish = ens_finish_at (&winograd->finish, 0, column);
  EnsTile tile = {.taps = 1};

  for (guint f = 0; f < frequencies; f++, packed += plan->depth * width)
    for (guint k = 0; k < plan->depth; k += plan->depth_block) {
      tile.offset = k;
      tile.depth = MIN (plan->depth_block, plan->depth - k);
      tile.panel = packed + k * width;
      tile.first = k == 0;
      multiply_frequency (plan, block, from, to, vectors, &tile,
                          block->frequencies + f * block->plane, products + f * plane);
    }
  for (gsize t = from; t < to; t++)
    transform_output (winograd, t, products + (t - from) * width, plane, &finish, columns);
}

static gsize
frequencies_size (const EnsConvPlan *plan, gsize tiles)
{
  return size_of (plan) * size_of (plan) * plane_size (tiles, input_pitch (plan));
}

static gsize
products_size (const EnsConvPlan *plan)
{
  return size_of (plan) * size_of (plan) * plane_size (max_block_rows (plan), panel_width (plan));
}

/* Many tiles: a task is a block, from input to output. */
static void
run_block (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;
  const EnsConvPlan *plan = winograd->plan;
  float *products = winograd->workers + worker * plan->worker_size;
  gsize from = ens_part (plan->rows, plan->row_blocks, task);
  gsize to = ens_part (plan->rows, plan->row_blocks, task + 1);
  Block block = {
      .frequencies = products + products_size (plan),
      .plane = plane_size (to - from, input_pitch (plan)),
      .first = from,
      .n = to - from,
  };

  transform_input (winograd, &block, from, to);
  for (guint p = 0; p < panels_of (plan); p++)
    multiply_panel (winograd, &block, from, to, p, products);
}

static Block
shared_block (const Winograd *winograd)
{
  return (Block) {
      .frequencies = winograd->shared,
      .plane = plane_size (winograd->plan->rows, input_pitch (winograd->plan)),
      .n = winograd->plan->rows,
  };
}

/* Few tiles: first all inputs, a task being one tile … */
static void
run_input (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;
  Block block = shared_block (winograd);

  transform_input (winograd, &block, task, task + 1);
}

/* … then the products, a task being a block of tiles and a range of panels. */
static void
run_panels (gpointer data, guint task, guint worker)
{
  const Winograd *winograd = data;
  const EnsConvPlan *plan = winograd->plan;
  const guint panels = panels_of (plan), row_block = task / plan->column_blocks;
  const guint columns = task % plan->column_blocks;
  float *products = winograd->workers + worker * plan->worker_size;
  Block block = shared_block (winograd);

  for (guint p = ens_part (panels, plan->column_blocks, columns);
       p < ens_part (panels, plan->column_blocks, columns + 1); p++)
    multiply_panel (winograd, &block, ens_part (plan->rows, plan->row_blocks, row_block),
                    ens_part (plan->rows, plan->row_blocks, row_block + 1), p, products);
}

static void
run_winograd (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsPool *pool)
{
  gsize zeroes = ens_round_up (plan->shape.channels, ENS_MAX_LANES);
  gsize frequencies = size_of (plan) * size_of (plan);
  Winograd winograd = {
      .plan = plan,
      .arguments = arguments,
      .finish = ens_finish_new (arguments->epilogue, arguments->output, arguments->output_pitch),
      .zeroes = arguments->scratch,
      .shared = arguments->scratch + zeroes,
      .workers = arguments->scratch + plan->shared_size,
      .panel_size = frequencies * panel_width (plan) * plan->depth,
  };

  memset (arguments->scratch, 0, zeroes * sizeof (float));
  if (plan->column_blocks == 0) {
    ens_pool_run (pool, plan->row_blocks, run_block, &winograd);
    return;
  }
  ens_pool_run (pool, plan->rows, run_input, &winograd);
  ens_pool_run (pool, plan->row_blocks * plan->column_blocks, run_panels, &winograd);
}

static gboolean
plan_winograd (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;
  const guint size = size_of (plan), step = size - 2, tile_rows = plan->kernels->tile_rows;
  const gsize wanted = ENS_TASKS_PER_THREAD * plan->n_threads;
  gsize block_tiles;

  if (shape->kernel_height != 3 || shape->kernel_width != 3 || shape->stride_y != 1
      || shape->stride_x != 1 || shape->dilation_y != 1 || shape->dilation_x != 1
      || shape->groups != 1)
    return FALSE;
  plan->taps = 1;
  plan->depth = shape->channels;
  plan->depth_block = ens_divide_up (plan->depth, ens_divide_up (plan->depth, DEPTH_BLOCK));
  plan->rows = (gsize)shape->batch * ens_divide_up (plan->output_height, step)
               * ens_divide_up (plan->output_width, step);
  block_tiles = BLOCK_FREQUENCIES / ((gsize)size * size * tile_rows * input_pitch (plan));
  block_tiles = CLAMP (block_tiles, MIN_BLOCK_TILES, MAX_BLOCK_TILES);
  plan->row_blocks = ens_divide_up (plan->rows, block_tiles * tile_rows);
  plan->packed_size = size * size * ens_panels_size (plan->kernels, shape->filters, plan->depth);
  plan->shared_size = ens_round_up (shape->channels, ENS_MAX_LANES);
  plan->worker_size = products_size (plan);
  if (plan->n_threads == 1 || plan->row_blocks >= wanted) {
    plan->worker_size += frequencies_size (plan, max_block_rows (plan));
  } else {
    plan->column_blocks = MIN (ens_divide_up (wanted, plan->row_blocks), panels_of (plan));
    plan->shared_size += frequencies_size (plan, plan->rows);
  }
  return TRUE;
}

/* G g Gᵀ of one filter's channel; g's taps are `step` floats apart. */
static void
transform_weights (const float *g, gsize step, guint size, double *frequencies)
{
  static const double g_2[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
  static const double g_4[6][3] = {
      {1 / 4., 0, 0},
      {-1 / 6., -1 / 6., -1 / 6.},
      {-1 / 6., 1 / 6., -1 / 6.},
      {1 / 24., 1 / 12., 1 / 6.},
      {1 / 24., -1 / 12., 1 / 6.},
      {0, 0, 1},
  };
  const double (*m)[3] = size == 6 ? g_4 : g_2;

  for (guint i = 0; i < size; i++) {
    double line[3];

    for (guint x = 0; x < 3; x++)
      line[x] = m[i][0] * g[x * step] + m[i][1] * g[(3 + x) * step] + m[i][2] * g[(6 + x) * step];
    for (guint j = 0; j < size; j++)
      frequencies[i * size + j] = line[0] * m[j][0] + line[1] * m[j][1] + line[2] * m[j][2];
  }
}

/* packed: [panel][frequency][channel][width of the panel] */
static void
pack_winograd (const EnsConvPlan *plan, const float *weights, float *packed)
{
  const guint size = size_of (plan), filters = plan->shape.filters, depth = plan->depth;
  double frequencies[36];

  for (guint column = 0; column < filters; column += panel_width (plan)) {
    guint columns = MIN (filters - column, panel_width (plan));
    gsize width = columns <= plan->kernels->lanes ? plan->kernels->lanes : panel_width (plan);

    memset (packed, 0, size * size * depth * width * sizeof *packed);
    for (guint j = 0; j < columns; j++)
      for (guint k = 0; k < depth; k++) {
        transform_weights (weights + (column + j) * (gsize)9 * depth + k, depth, size, frequencies);
        for (guint f = 0; f < size * size; f++)
          packed[(f * (gsize)depth + k) * width + j] = frequencies[f];
      }
    packed += size * size * depth * width;
  }
}

static gboolean
winograd_4_worthwhile (const EnsConvPlan *plan)
{
  return plan->shape.channels >= 16 && plan->shape.filters >= 16;
}

static gboolean
winograd_2_worthwhile (const EnsConvPlan *plan)
{
  return FALSE;
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
