/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: 1×1 convolution by OpenBLAS, for processors that have wider vectors than
 * the baseline kernels use, and kernels of ours for no higher level.
 *
 * Weights stay as they are: OpenBLAS packs both factors at every call. A task is a tile of output
 * pixels and filters, summed in scratch memory and finished from there. */
#include "kernels/conv-method.h"

#include "kernels/blas.h"

/* With fewer pixels, packing the weights at every call costs more than wider vectors gain; with
 * fewer channels or filters, packing the pixels does. From there on OpenBLAS 0.3.21 with its
 * kernels for Sandy Bridge is 1.2 to 2.6 times as fast as the baseline kernels (1×1 layers of
 * ResNet-50, MobileNet and SqueezeNet, one core of a Zen 4). With its kernels for processors
 * without AVX it is mostly slower: 0.65 to 1.08 times as fast. */
#define MIN_ROWS 48
#define MIN_DEPTH 32
#define MIN_FILTERS 24

typedef struct {
  const EnsConvPlan *plan;
  const EnsConvArguments *arguments;
  EnsFinish finish;
} Product;

static gboolean
plan_blas (EnsConvPlan *plan)
{
  const EnsConvShape *shape = &plan->shape;

  if (shape->groups != 1 || shape->kernel_height != 1 || shape->kernel_width != 1
      || shape->stride_y != 1 || shape->stride_x != 1 || plan->output_height != shape->height
      || plan->output_width != shape->width)
    return FALSE;
  plan->depth = shape->channels;
  plan->rows = (gsize)shape->batch * plan->output_height * plan->output_width;
  plan->row_blocks = ens_divide_up (plan->rows, ENS_BLAS_TILE);
  plan->column_blocks = ens_divide_up (shape->filters, ENS_BLAS_TILE);
  plan->packed_size = (gsize)shape->filters * plan->depth;
  plan->worker_size = (gsize)ENS_BLAS_TILE * ENS_BLAS_TILE;
  return TRUE;
}

/* Vectors of AVX without the fused additions that level avx2 needs. Of other processors than x86
 * it is not measured. */
static gboolean
is_worthwhile (const EnsConvPlan *plan)
{
#ifdef __x86_64__
  return plan->kernels == &ens_kernels_baseline && plan->rows >= MIN_ROWS
         && plan->depth >= MIN_DEPTH && plan->shape.filters >= MIN_FILTERS
         && __builtin_cpu_supports ("avx");
#else
  return FALSE;
#endif
}

static void
pack_blas (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
           EnsThreadPool *pool)
{
  for (guint f = 0; f < plan->shape.filters; f++)
    for (guint c = 0; c < plan->depth; c++)
      *packed++ = weights->from[f * weights->filter + c * weights->channel];
}

static void
run_task (gpointer data, guint task, guint worker)
{
  const Product *product = data;
  const EnsConvPlan *plan = product->plan;
  const EnsConvArguments *arguments = product->arguments;
  const gsize row = (gsize)(task / plan->column_blocks) * ENS_BLAS_TILE;
  const guint column = task % plan->column_blocks * ENS_BLAS_TILE;
  EnsFinish finish = ens_finish_at (&product->finish, row, column);
  EnsBlasProduct tile = {
      .rows = MIN (plan->rows - row, ENS_BLAS_TILE),
      .inner = plan->depth,
      .columns = MIN (plan->shape.filters - column, ENS_BLAS_TILE),
      .a = arguments->input + row * arguments->input_pitch,
      .a_pitch = arguments->input_pitch,
      .b = arguments->packed + (gsize)column * plan->depth,
      .b_pitch = plan->depth,
      .c = arguments->scratch + worker * plan->worker_size,
      .c_pitch = ENS_BLAS_TILE,
  };

  ens_blas_multiply_tile (&tile);
  plan->kernels->finish (tile.c, tile.c_pitch, tile.rows, tile.columns, &finish);
}

static void
run_blas (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool)
{
  Product product = {
      .plan = plan,
      .arguments = arguments,
      .finish = ens_finish_new (arguments->epilogue, arguments->output, arguments->output_pitch),
  };

  ens_thread_pool_run (pool, plan->row_blocks * plan->column_blocks, run_task, &product);
}

const EnsConvMethod ens_conv_blas = {
    .name = "blas",
    .pack_kind = ENS_PACK_PLAIN,
    .plan = plan_blas,
    .worthwhile = is_worthwhile,
    .pack = pack_blas,
    .run = run_blas,
};
