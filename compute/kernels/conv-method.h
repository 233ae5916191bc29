/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: what a convolution algorithm is. Internal to compute/kernels. */
#pragma once

#include "kernels/conv.h"
#include "kernels/kernels.h"

G_BEGIN_DECLS

typedef struct {
  const char *name;
  EnsPackKind pack_kind;
  /* Fills in the plan's sizes; shape, kernels, n_threads and output sizes are set. FALSE if this
   * algorithm can't compute the shape. */
  gboolean (*plan) (EnsConvPlan *plan);
  /* Whether it is the fastest for a shape that it can compute, if those before it in conv.c's list
   * are not. Must not look at n_threads: results would depend on it. */
  gboolean (*worthwhile) (const EnsConvPlan *plan);
  void (*pack) (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
                EnsThreadPool *pool);
  void (*run) (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool);
} EnsConvMethod;

extern const EnsConvMethod ens_conv_gemm, ens_conv_indirect, ens_conv_rows;
extern const EnsConvMethod ens_conv_winograd_2, ens_conv_winograd_4;
extern const EnsConvMethod ens_conv_depthwise, ens_conv_grouped, ens_conv_blas;

/* Tasks per thread that a plan aims at, so that a thread that is held up holds up little. */
#define ENS_TASKS_PER_THREAD 4

static inline gsize
ens_round_up (gsize n, gsize multiple)
{
  return (n + multiple - 1) / multiple * multiple;
}

static inline gsize
ens_divide_up (gsize n, gsize by)
{
  return (n + by - 1) / by;
}

/* Where part i begins when n things are cut into equal parts. */
static inline gsize
ens_part (gsize n, gsize parts, gsize i)
{
  return n * i / parts;
}

/* The epilogue of an output that begins `channel` channels into its pixels; epilogue may be NULL.
 */
EnsFinish ens_finish_new (const EnsEpilogue *epilogue, float *output, gsize output_pitch);
/* The same finish `pixels` pixels and `channels` channels on. */
static inline EnsFinish
ens_finish_at (const EnsFinish *finish, gsize pixels, gsize channels)
{
  EnsFinish moved = *finish;

  moved.output += pixels * finish->output_pitch + channels;
  if (finish->bias != NULL)
    moved.bias += channels;
  if (finish->residual != NULL)
    moved.residual += pixels * finish->residual_pitch + channels;
  return moved;
}

/* Chooses what tile i of n brings into the cache while it is computed. The first ones share the
 * piece of panel after tile->panel: weights lie in memory in the order in which they are used, and
 * with small batches come from main memory each time. The others take the inputs of the next tile,
 * which begin at next_rows, NULL for the last. A tile alone takes nothing: it reads as fast as the
 * processor fetches ahead by itself, whom a second stream only disturbs. */
static inline void
ens_tile_read_ahead (EnsTile *tile, gsize width, gsize i, gsize n, const float *next_rows)
{
  const gsize line = ENS_ALIGNMENT / sizeof (float), lines = MAX (width / line, 1);
  const gsize steps = tile->taps * tile->depth;

  if (i < lines && n >= lines) {
    tile->ahead = tile->panel + steps * width + i * steps * line;
    tile->ahead_step = line;
  } else {
    tile->ahead = next_rows != NULL ? next_rows : tile->panel;
    tile->ahead_step = next_rows != NULL ? line : 0;
  }
}

/* Floats that `columns` columns take in panels of the given depth. */
gsize ens_panels_size (const EnsKernels *kernels, guint columns, gsize depth);
/* Floats of a row of the panel that begins with the first of so many columns. */
guint ens_panel_width (const EnsKernels *kernels, guint columns);

/* How values [k][column] of a panel are reached: from + k · k_pitch + column · column_pitch. */
typedef struct {
  const float *from;
  gssize k_pitch, column_pitch;
  gsize depth;
  guint columns; /* as many as the panel is wide, or fewer: zeroes stand in for the rest */
} EnsPanelSource;

void ens_panel_pack (const EnsPanelSource *source, guint width, float *packed);

G_END_DECLS
