/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: how much of a frame has changed, measured on means over blocks of 8×8 samples: they
 * hardly see noise, and are a 64th of the frame. */
#pragma once

#include "vision/frame.h"

G_BEGIN_DECLS

#define ENS_BLOCK_SIDE 8

/* Means are in 1/16 of a grey level. */
#define ENS_BLOCK_UNIT 16
#define ENS_BLOCK_MAX (255 * ENS_BLOCK_UNIT)

/* Of one plane: rows × columns × channels means, channels as the plane's bytes interleave them. The
 * last row and column may be of fewer samples. Bytes that a format ignores have 0. */
typedef struct {
  guint columns, rows, channels;
  guint16 *means;
} EnsBlockMeans;

/* blocks: zeros, or of a frame before, whose memory is used again. Integer arithmetic: the same
 * samples give the same means. */
void ens_block_means_run (const EnsFrame *frame, guint plane, EnsBlockMeans *blocks);
void ens_block_means_clear (EnsBlockMeans *blocks);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBlockMeans, ens_block_means_clear)

static inline gboolean
ens_block_means_match (const EnsBlockMeans *a, const EnsBlockMeans *b)
{
  return a->columns == b->columns && a->rows == b->rows && a->channels == b->channels;
}

/* The largest difference of a block's channels between two matching sets. */
static inline guint
ens_block_means_difference (const EnsBlockMeans *a, const EnsBlockMeans *b, gsize block)
{
  const guint16 *first = &a->means[block * a->channels];
  const guint16 *second = &b->means[block * b->channels];
  gint largest = 0;

  for (guint c = 0; c < a->channels; c++)
    largest = MAX (largest, ABS ((gint)first[c] - (gint)second[c]));
  return (guint)largest;
}

G_END_DECLS
