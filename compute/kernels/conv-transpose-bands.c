/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: transposed convolution by bands of output rows.
 *
 * Input pixel i adds its products with tap t of each filter to output pixel
 * i · stride + t · dilation − pad. All products of the input rows that reach a band are computed as
 * one matrix product and then summed up by output pixel, so that the order of additions is fixed
 * (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016). A task is a
 * band of one image and group. */
#include <string.h>

#include "base/simd.h"
#include "kernels/conv-transpose-private.h"

/* Products of a band are to stay in the second-level cache, or nearly. */
#define BAND_FLOATS (256 * 1024)

typedef struct {
  const EnsConvTransposePlan *plan;
  const EnsConvTransposeArguments *arguments;
  guint image, group;
  guint first_output, first_input; /* rows */
  const float *products;           /* of input rows from first_input on */
} Band;

/* The input position whose tap writes to an output position, or −1. */
static gint64
find_source (gint64 position, guint offset, guint pad, guint stride, guint size)
{
  gint64 from = position + pad - offset;

  if (from < 0 || from % stride != 0)
    return -1;
  from /= stride;
  return from < size ? from : -1;
}

static guint
group_channels (const EnsConvTransposePlan *plan)
{
  return plan->conv.channels / plan->conv.groups;
}

ENS_CLONES static void
add_row (const float *from, float *to, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] += from[i];
}

/* Adds what one row of taps contributes to a row of the output. */
static void
add_tap_row (const Band *band, const float *products, guint tap_row, float *output)
{
  const EnsConvTransposePlan *plan = band->plan;
  const EnsConvShape *conv = &plan->conv;
  const guint n = group_channels (plan);

  for (guint x = 0; x < conv->width; x++)
    for (guint tap = 0; tap < conv->kernel_width; tap++) {
      gint64 from =
          find_source (x, tap * conv->dilation_x, conv->pad_left, conv->stride_x, plan->width);

      if (from >= 0)
        add_row (products + (gsize)from * plan->products
                     + ((gsize)tap_row * conv->kernel_width + tap) * n,
                 output + (gsize)x * band->arguments->output_pitch, n);
    }
}

static void
sum_row (const Band *band, guint y)
{
  const EnsConvTransposePlan *plan = band->plan;
  const EnsConvTransposeArguments *arguments = band->arguments;
  const EnsConvShape *conv = &plan->conv;
  const guint n = group_channels (plan), channel = band->group * n;
  float *output = arguments->output
                  + ((gsize)band->image * conv->height + y) * conv->width * arguments->output_pitch
                  + channel;

  for (guint x = 0; x < conv->width; x++)
    if (arguments->bias != NULL)
      memcpy (output + x * arguments->output_pitch, arguments->bias + channel, n * sizeof *output);
    else
      memset (output + x * arguments->output_pitch, 0, n * sizeof *output);
  for (guint tap = 0; tap < conv->kernel_height; tap++) {
    gint64 from =
        find_source (y, tap * conv->dilation_y, conv->pad_top, conv->stride_y, plan->height);

    if (from >= 0)
      add_tap_row (
          band, band->products + (gsize)(from - band->first_input) * plan->width * plan->products,
          tap, output);
  }
}

/* The first input row of a band: the first one that reaches it, or earlier ones at the end, so that
 * all bands have the same number. */
static guint
find_first_input (const EnsConvTransposePlan *plan, guint output_row)
{
  const EnsConvShape *conv = &plan->conv;
  gint64 from =
      (gint64)output_row + conv->pad_top - (conv->kernel_height - 1) * (gint64)conv->dilation_y;

  from = from > 0 ? (from + conv->stride_y - 1) / conv->stride_y : 0;
  return MIN (from, plan->height - plan->band_input);
}

static gsize
products_size (const EnsConvTransposePlan *plan)
{
  return ens_round_up ((gsize)plan->band_input * plan->width * plan->products, ENS_MAX_LANES);
}

static void
multiply_band (const Band *band, float *scratch)
{
  const EnsConvTransposePlan *plan = band->plan;
  const EnsConvTransposeArguments *arguments = band->arguments;
  const gsize pixel = ((gsize)band->image * plan->height + band->first_input) * plan->width;

  ens_gemm_run (&plan->gemm,
                &(EnsConvArguments) {
                    .packed = arguments->packed + band->group * plan->group_size,
                    .input = arguments->input + pixel * arguments->input_pitch
                             + band->group * (plan->conv.filters / plan->conv.groups),
                    .input_pitch = arguments->input_pitch,
                    .output = scratch,
                    .output_pitch = plan->products,
                    .scratch = scratch + products_size (plan),
                },
                NULL);
}

typedef struct {
  const EnsConvTransposePlan *plan;
  const EnsConvTransposeArguments *arguments;
} Job;

static void
run_band (gpointer data, guint task, guint worker)
{
  const Job *job = data;
  const EnsConvTransposePlan *plan = job->plan;
  const guint groups = plan->conv.groups;
  float *scratch = job->arguments->scratch + worker * plan->worker_size;
  Band band = {.plan = plan,
               .arguments = job->arguments,
               .image = task / groups / plan->bands,
               .group = task % groups,
               .first_output = task / groups % plan->bands * plan->band_output,
               .products = scratch};
  const guint end = MIN (band.first_output + plan->band_output, plan->conv.height);

  band.first_input = find_first_input (plan, band.first_output);
  multiply_band (&band, scratch);
  for (guint y = band.first_output; y < end; y++)
    sum_row (&band, y);
}

void
ens_conv_transpose_run_bands (const EnsConvTransposePlan *plan,
                              const EnsConvTransposeArguments *arguments, EnsThreadPool *pool)
{
  Job job = {plan, arguments};

  ens_thread_pool_run (pool, plan->conv.batch * plan->bands * plan->conv.groups, run_band, &job);
}

/* As many input rows as any band of so many output rows needs. */
static guint
count_input_rows (const EnsConvTransposePlan *plan, guint output_rows)
{
  const guint reach = (plan->conv.kernel_height - 1) * plan->conv.dilation_y;

  return MIN ((output_rows - 1 + reach) / plan->conv.stride_y + 1, plan->height);
}

/* Bands that fit the cache; and for a few images enough of them for the threads. */
static void
choose_bands (EnsConvTransposePlan *plan, guint n_threads)
{
  const guint wanted = n_threads > 1 ? ENS_TASKS_PER_THREAD * n_threads : 1;
  const gsize row = (gsize)plan->width * plan->products;
  guint rows = plan->conv.height;

  while (rows > 4 * plan->conv.stride_y
         && (count_input_rows (plan, rows) * row > BAND_FLOATS
             || plan->conv.batch * plan->conv.groups * ens_divide_up (plan->conv.height, rows)
                    < wanted))
    rows = (rows + 1) / 2;
  plan->band_output = rows;
  plan->band_input = count_input_rows (plan, rows);
  plan->bands = ens_divide_up (plan->conv.height, rows);
}

void
ens_conv_transpose_plan_bands (EnsConvTransposePlan *plan, guint n_threads)
{
  const EnsConvShape *conv = &plan->conv;
  EnsGemmShape shape;

  plan->method = ENS_CONV_TRANSPOSE_BANDS;
  plan->name = "bands";
  plan->kind = "conv-transpose/bands";
  plan->products = conv->kernel_height * conv->kernel_width * group_channels (plan);
  choose_bands (plan, n_threads);
  shape = (EnsGemmShape) {.rows = plan->band_input * plan->width,
                          .inner = conv->filters / conv->groups,
                          .columns = plan->products};
  ens_gemm_plan (&plan->gemm, &shape, plan->kernels, 1);
  plan->group_size = ens_round_up (plan->gemm.packed_size, ENS_MAX_LANES);
  plan->packed_size = conv->groups * plan->group_size;
  plan->worker_size = products_size (plan) + ens_round_up (plan->gemm.scratch_size, ENS_MAX_LANES);
  plan->scratch_size = n_threads * plan->worker_size;
}

void
ens_conv_transpose_pack_bands (const EnsConvTransposePlan *plan, const float *weights,
                               float *packed, EnsThreadPool *pool)
{
  const EnsConvShape *conv = &plan->conv;

  for (guint g = 0; g < conv->groups; g++)
    ens_gemm_pack (&plan->gemm, ENS_GEMM_INNER_FIRST,
                   weights + (gsize)g * (conv->filters / conv->groups) * plan->products,
                   plan->products, packed + g * plan->group_size, pool);
}
