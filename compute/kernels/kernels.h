/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: the table of one instruction set level. Internal to compute/kernels.
 *
 * Everything here works on whole rows, tiles or pixels of channels; sizes are floats. No function
 * reads or writes outside what its arguments name, except where padding is asked for. */
#pragma once

#include <glib.h>

#include "kernels/epilogue.h"
#include "kernels/level.h"
#include "kernels/pooling.h"
#include "kernels/softmax.h"

G_BEGIN_DECLS

#define ENS_MAX_TILE_ROWS 16
#define ENS_MAX_LANES 16
#define ENS_ALIGNMENT 64 /* bytes; a cache line and the widest vector */

/* An epilogue at a place: where a rectangle of finished values goes, and what finishing means. */
typedef struct {
  float *output;
  gsize output_pitch;
  const float *bias;     /* of the first column, or NULL */
  const float *residual; /* of the first value, or NULL */
  gsize residual_pitch;
  float low, high;     /* every value is clipped to these first */
  EnsActivation curve; /* what clipping alone can't do, or ENS_ACTIVATION_NONE */
  float alpha, beta;
} EnsFinish;

/* One tile of an indirect matrix product (Dukhan, "The Indirect Convolution Algorithm", 2019):
 *
 *   sum[i][j] = partial[i][j] + Σ_t Σ_k rows[t][i][offset + k] · panel[t · depth + k][j]
 *
 * for i in [0, n_rows), j in [0, panel width). */
typedef struct {
  const float *const *rows; /* [taps][n_rows]: pixels of the input, or zeroes */
  guint n_rows;             /* 1 … tile_rows */
  guint taps;
  gsize offset, depth;
  const float *panel;      /* [taps · depth][lanes · vectors], 64-byte aligned */
  const float *ahead;      /* wanted next: brought into the cache, … */
  gsize ahead_step;        /* … a line per step of the inner dimension, so many floats apart */
  float *partial;          /* [n_rows][2 · lanes] */
  gboolean first, last;    /* first: partial is not read; last: it is not written, but … */
  guint columns;           /* … this many columns of the sum … */
  const EnsFinish *finish; /* … are finished */
} EnsTile;

typedef void (*EnsTileFunc) (const EnsTile *tile);

/* One tile of a product whose inner dimension is the outermost in memory:
 *
 *   sums[i][j] (+)= Σ_k a[k][a_offset + i] · b[k][b_offset + j]
 *
 * for i in [0, rows), j in [0, columns), the function telling the number of rows. */
typedef struct {
  const float *const *a, *const *b; /* [depth] */
  gsize a_offset, b_offset;
  guint depth, columns;
  gboolean first; /* sums are written, not added to */
  float *sums;
  gsize pitch;
} EnsOuterTile;

typedef void (*EnsOuterFunc) (const EnsOuterTile *tile);

/* A block of tiles of a 3×3 convolution in the Winograd domain. `size` is 4 for F(2×2), 6 for
 * F(4×4); a plane holds one of the size² frequencies. */
typedef struct {
  const float *const *pixels; /* [size²] of the tile's input pixels, or zeroes */
  guint channels;
  float *frequencies; /* of the tile: frequency f at frequencies + f · plane */
  gsize plane;
} EnsWinogradInput;

typedef struct {
  const float *frequencies;
  gsize plane;
  guint columns;       /* channels */
  guint height, width; /* pixels wanted, ≤ size − 2 */
  gsize output_row;    /* floats from one row of pixels to the next */
  gsize residual_row;
  const EnsFinish *finish; /* of the tile's first pixel */
} EnsWinogradOutput;

/* G g Gᵀ of so many weights side by side, a multiple of the level's lanes. */
typedef struct {
  const float *taps; /* tap t at taps + t · step */
  gsize step;
  guint n;
  float *frequencies; /* frequency f at frequencies + f · plane */
  gsize plane;
} EnsWinogradWeights;

/* Part of a row of output pixels of a convolution whose groups have `group` inputs and as many
 * outputs: 1, or a power of two that is less than the lanes of a level with at least 8. */
typedef struct {
  const float *input;   /* first tap of the first pixel */
  gsize row;            /* floats from one tap to the one below */
  gsize column;         /* … to the one to its right */
  gsize step;           /* … from one output pixel's input to the next one's */
  const float *weights; /* of the first tap: [tap][input of the group][channels] */
  gsize weights_row;    /* floats from one tap's to those of the tap below */
  gsize weights_pitch;  /* … from one input's to the next one's */
  guint taps_y, taps_x; /* those inside the input */
  guint pixels, channels, group;
  const EnsFinish *finish;
} EnsDepthwiseRow;

/* What a row of output pixels adds to the gradient of a depthwise convolution's weights:
 * sums[ty][tx][c] += Σ gradient[pixel][c] · input[pixel · step + ty · row + tx · column][c]. */
typedef struct {
  const float *input; /* first tap of the first pixel */
  gsize row, column, step;
  const float *gradient; /* of the first pixel */
  gsize gradient_pitch;
  guint taps_y, taps_x; /* those inside the input */
  guint pixels, channels;
  float *sums;     /* of the first tap */
  gsize sums_row;  /* floats from one tap's to those of the tap below */
  gsize sums_step; /* … of the tap to its right */
} EnsDepthwiseGradientRow;

/* One output pixel of a pooling window that is clipped to the input. */
typedef struct {
  const float *input;
  gsize row, column;
  guint taps_y, taps_x;
  guint channels;
  float scale; /* of the sum; not used for the maximum */
  float *output;
} EnsPoolingWindow;

/* One output pixel of a pooling by maximum, on the way back: its gradient is added where the
 * window's input first equals the maximum. */
typedef struct {
  const float *input, *maximum, *gradient;
  gsize row, column;
  float *input_gradient;
  gsize gradient_row, gradient_column;
  guint taps_y, taps_x;
  guint channels;
} EnsPoolingGradientWindow;

struct _EnsKernels {
  const char *name;
  guint lanes;                  /* floats in a vector */
  guint tile_rows;              /* rows of the largest tile; a full panel is 2 · lanes wide */
  const EnsTileFunc *tiles[2];  /* [vectors − 1][n_rows − 1] */
  const EnsOuterFunc *outer[2]; /* the same */

  void (*winograd_2_weights) (const EnsWinogradWeights *weights);
  void (*winograd_2_input) (const EnsWinogradInput *input);
  void (*winograd_2_output) (const EnsWinogradOutput *output);
  void (*winograd_4_weights) (const EnsWinogradWeights *weights);
  void (*winograd_4_input) (const EnsWinogradInput *input);
  void (*winograd_4_output) (const EnsWinogradOutput *output);

  void (*depthwise) (const EnsDepthwiseRow *row);
  void (*depthwise_gradient) (const EnsDepthwiseGradientRow *row);
  void (*max_window) (const EnsPoolingWindow *window);
  void (*sum_window) (const EnsPoolingWindow *window);
  void (*max_gradient_window) (const EnsPoolingGradientWindow *window);

  /* values: pixels × columns at the given pitch; they are finished into finish->output. */
  void (*finish) (const float *values, gsize pitch, gsize pixels, guint columns,
                  const EnsFinish *finish);

  /* Makes a row's values exponentials; returns one over their sum. */
  float (*softmax) (const EnsSoftmaxRow *row);

  /* Runs rounds of operations on registers, flops_per_round each; the result is of no use. */
  float (*multiply_add) (guint64 rounds);
  guint flops_per_round;
};

extern const EnsKernels ens_kernels_baseline;
#ifdef __x86_64__
extern const EnsKernels ens_kernels_avx2;
extern const EnsKernels ens_kernels_avx512;
#endif

G_END_DECLS
