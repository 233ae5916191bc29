/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/block-means.h"

#include <string.h>

#include "base/simd.h"
#include "vision/pixel-layout.h"

/* Adds up to ENS_BLOCK_SIDE rows, byte by byte. */
ENS_CLONES
static void
add_rows (const guint8 *from, gsize stride, guint n_rows, gsize n_bytes, guint16 *sums)
{
  memset (sums, 0, n_bytes * sizeof *sums);
  for (guint y = 0; y < n_rows; y++, from += stride)
    for (gsize i = 0; i < n_bytes; i++)
      sums[i] = (guint16)(sums[i] + from[i]);
}

/* The mean of n samples, rounded. */
static guint16
get_mean (guint sum, guint n)
{
  return (guint16)((sum * ENS_BLOCK_UNIT + n / 2) / n);
}

/* One channel of one row of blocks, from the sums of its samples' rows. */
static void
average (const guint16 *sums, guint width, guint n_rows, const EnsBlockMeans *blocks,
         guint16 *means)
{
  for (guint b = 0; b < blocks->columns; b++) {
    guint n = MIN (width - b * ENS_BLOCK_SIDE, ENS_BLOCK_SIDE), sum = 0;
    const guint16 *first = &sums[(gsize)b * ENS_BLOCK_SIDE * blocks->channels];

    for (guint i = 0; i < n; i++)
      sum += first[i * blocks->channels];
    means[b * blocks->channels] = get_mean (sum, n * n_rows);
  }
}

/* Whether a channel, counted over all planes, is a component of the colour model. */
static gboolean
is_component (const EnsPixelsLayout *layout, guint channel)
{
  for (guint i = 0; i < G_N_ELEMENTS (layout->components); i++)
    if (layout->components[i] == channel)
      return TRUE;
  return FALSE;
}

static void
resize (EnsBlockMeans *blocks, guint width, guint height, guint channels)
{
  blocks->columns = (width + ENS_BLOCK_SIDE - 1) / ENS_BLOCK_SIDE;
  blocks->rows = (height + ENS_BLOCK_SIDE - 1) / ENS_BLOCK_SIDE;
  blocks->channels = channels;
  blocks->means =
      g_renew (guint16, blocks->means, (gsize)blocks->columns * blocks->rows * channels);
}

void
ens_block_means_run (const EnsFrame *frame, guint plane, EnsBlockMeans *blocks)
{
  const EnsPixelsLayout *layout = &ens_pixels_layouts[frame->pixels];
  const guint channels = layout->planes[plane].channels, shift = layout->planes[plane].shift;
  const guint width = ens_plane_size (frame->width, shift);
  const guint height = ens_plane_size (frame->height, shift);
  const gsize n_bytes = (gsize)width * channels;
  g_autofree guint16 *sums = g_new (guint16, n_bytes);
  guint first_channel = 0;

  for (guint p = 0; p < plane; p++)
    first_channel += layout->planes[p].channels;
  resize (blocks, width, height, channels);
  for (guint row = 0; row < blocks->rows; row++) {
    guint y = row * ENS_BLOCK_SIDE, n_rows = MIN (height - y, ENS_BLOCK_SIDE);
    guint16 *means = &blocks->means[(gsize)row * blocks->columns * channels];

    add_rows (frame->planes[plane] + y * frame->strides[plane], frame->strides[plane], n_rows,
              n_bytes, sums);
    memset (means, 0, (gsize)blocks->columns * channels * sizeof *means);
    for (guint c = 0; c < channels; c++)
      if (is_component (layout, first_channel + c))
        average (&sums[c], width, n_rows, blocks, &means[c]);
  }
}

void
ens_block_means_clear (EnsBlockMeans *blocks)
{
  g_clear_pointer (&blocks->means, g_free);
  *blocks = (EnsBlockMeans) {0};
}
