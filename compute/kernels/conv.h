/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: convolution, planned once and run many times.
 *
 * Activations are NHWC with a pitch: pixel (n, y, x) starts ((n · height + y) · width + x) · pitch
 * floats after the first one and has `channels` floats; pitch ≥ channels, so that inputs and
 * outputs can be slices of a concatenation. What lies between the pixels is neither read nor
 * written.
 *
 * Use:
 *
 *   EnsConvPlan plan;
 *   ens_conv_plan (&plan, &shape, ens_kernels_get (), n_threads);
 *   packed = …plan.packed_size floats…, scratch = …plan.scratch_size floats…
 *   ens_conv_pack (&plan, &weights, packed, pool);
 *   ens_conv_run (&plan, &arguments, pool);        any number of times
 *
 * Large batches are best run a few images at a time, as many as leave a layer's input and output in
 * the last-level cache; only fully connected layers gain from all images at once, by reading their
 * weights but once.
 *
 * A plan holds no memory and is never changed by running it: threads may share one, each with its
 * own scratch. The result does not depend on the number of threads. */
#pragma once

#include <glib.h>

#include "base/thread-pool.h"
#include "kernels/epilogue.h"
#include "kernels/level.h"

G_BEGIN_DECLS

/* Counts are ≥ 1, pads ≥ 0; groups divides channels and filters; the padded input is at least as
 * large as the dilated kernel. */
typedef struct {
  guint batch, height, width, channels; /* of the input */
  guint filters;                        /* channels of the output */
  guint kernel_height, kernel_width;
  guint stride_y, stride_x;
  guint dilation_y, dilation_x;
  guint pad_top, pad_left, pad_bottom, pad_right;
  guint groups;
  gboolean repacked; /* weights are packed before each run, because they change */
} EnsConvShape;

guint ens_conv_output_height (const EnsConvShape *shape);
guint ens_conv_output_width (const EnsConvShape *shape);
/* Multiplications and additions of the definition, whatever the algorithm does. */
double ens_conv_flops (const EnsConvShape *shape);

typedef enum {
  ENS_CONV_GEMM,       /* 1×1, stride 1, no padding: the input is the matrix */
  ENS_CONV_INDIRECT,   /* any: the matrix's rows are pointers to the input's pixels */
  ENS_CONV_ROWS,       /* few channels: pointers to rows of taps in a padded copy */
  ENS_CONV_WINOGRAD_2, /* F(2×2, 3×3) */
  ENS_CONV_WINOGRAD_4, /* F(4×4, 3×3) */
  ENS_CONV_DEPTHWISE,  /* groups == channels */
  ENS_CONV_GROUPED,    /* groups of 2, 4 or 8 channels with as many filters */
  ENS_CONV_BLAS,       /* as ENS_CONV_GEMM, by OpenBLAS */
  ENS_N_CONV_ALGORITHMS,
} EnsConvAlgorithm;

const char *ens_conv_algorithm_name (EnsConvAlgorithm algorithm);

/* How packed weights are laid out. Packed weights depend on the weights, this kind and the level
 * alone, not on batch, image size, strides, pads or threads: plans of the same weights and kind may
 * share them. */
typedef enum {
  ENS_PACK_PANELS,
  ENS_PACK_WINOGRAD_2,
  ENS_PACK_WINOGRAD_4,
  ENS_PACK_DEPTHWISE,
  ENS_PACK_PLAIN, /* as they are */
} EnsPackKind;

/* A short name, such as "panels", to key a cache of packed weights with. */
const char *ens_pack_kind_name (EnsPackKind kind);

typedef struct {
  EnsConvShape shape;
  EnsConvAlgorithm algorithm;
  EnsPackKind pack;
  gsize packed_size;  /* floats */
  gsize scratch_size; /* floats; 0: none is needed */
  guint n_threads;
  /*< private >*/
  const EnsKernels *kernels;
  guint output_height, output_width;
  guint taps, depth;               /* the product's inner dimension is taps · depth */
  guint taps_block, depth_block;   /* how much of it is summed at a time */
  gsize rows;                      /* of the product: pixels, or tiles for Winograd */
  gsize tiles;                     /* micro-kernel tiles that the rows are cut into */
  guint row_blocks, column_blocks; /* tasks */
  gsize shared_size, worker_size;  /* parts of scratch_size */
} EnsConvPlan;

/* Chooses the algorithm, from the shape and the level alone. Pools that run the plan may have up to
 * n_threads threads. */
void ens_conv_plan (EnsConvPlan *plan, const EnsConvShape *shape, const EnsKernels *kernels,
                    guint n_threads);

/* The same with a given algorithm. FALSE, and nothing planned, if it can't compute that shape. */
gboolean ens_conv_plan_algorithm (EnsConvPlan *plan, const EnsConvShape *shape,
                                  EnsConvAlgorithm algorithm, const EnsKernels *kernels,
                                  guint n_threads);

/* How weights lie in memory: that of a group's filter f, tap t and channel c is
 * from[group · g + filter · f + tap · t + channel · c]. */
typedef struct {
  const float *from;
  gssize group, filter, tap, channel;
} EnsConvWeights;

/* Dense [filters][kernel_height][kernel_width][channels / groups] (OHWI). */
EnsConvWeights ens_conv_weights (const EnsConvShape *shape, const float *weights);
/* The same of a convolution of which `shape` is the way back, from what was its output to what was
 * its input: channels and filters have changed places, and the kernel is turned by half a turn. */
EnsConvWeights ens_conv_weights_turned (const EnsConvShape *shape, const float *weights);

/* packed: plan->packed_size floats, 64-byte aligned. */
void ens_conv_pack (const EnsConvPlan *plan, const EnsConvWeights *weights, float *packed,
                    EnsThreadPool *pool);

typedef struct {
  const float *packed;
  const float *input;
  gsize input_pitch;
  float *output; /* must not overlap the input */
  gsize output_pitch;
  const EnsEpilogue *epilogue; /* NULL: none */
  float *scratch; /* plan->scratch_size floats, 64-byte aligned; contents don't matter */
} EnsConvArguments;

void ens_conv_run (const EnsConvPlan *plan, const EnsConvArguments *arguments, EnsThreadPool *pool);

G_END_DECLS
