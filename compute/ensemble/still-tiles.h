/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sub-images (tiles) that have not changed since the frame before keep their windows and
 * probabilities. Those of unchanged pixels are the same bits that an analysis would give. */
#pragma once

#include "ensemble/frame-windows.h"

/* What a frame's analysis has computed, before fusion: networks × sub-images × classes, networks
 * that take windows × windows × classes, and the gate's similarities, NULL without a gate. */
typedef struct {
  guint n_networks, n_window_networks, n_classes;
  EnsFrameWindows *windows;
  float *probabilities, *window_values, *similarities, *window_similarities;
} EnsTileValues;

void ens_tile_values_clear (EnsTileValues *values);

/* Probabilities of one network on all sub-images. */
static inline float *
ens_tile_values_get (const EnsTileValues *values, guint network)
{
  return &values->probabilities[(gsize)network * values->windows->n_sub_images * values->n_classes];
}

/* Of one stream. One thread at a time. */
typedef struct _EnsStillTiles EnsStillTiles;

EnsStillTiles *ens_still_tiles_new (void);
void ens_still_tiles_free (EnsStillTiles *tiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsStillTiles, ens_still_tiles_free)

/* Which sub-images are still, one flag each; none if options say so, or anything but pixels has
 * changed: geometry, format, scales, style; none of a frame in DMABufs. With a style all are, or
 * none, because each of its pixels may depend on all of the frame. Valid until the next call. */
const gboolean *ens_still_tiles_find (EnsStillTiles *tiles, const EnsFrame *frame,
                                      const EnsSubImages *sub_images,
                                      const EnsAnalyseOptions *options);

/* The windows of the frame before. */
const EnsFrameWindows *ens_still_tiles_get_windows (const EnsStillTiles *tiles);
/* Copies what still sub-images have; of their windows if these are the frame before's. */
void ens_still_tiles_restore (const EnsStillTiles *tiles, EnsTileValues *values,
                              gboolean with_windows);
/* The frame of the latest ens_still_tiles_find () has been analysed. Takes what `values` holds. */
void ens_still_tiles_keep (EnsStillTiles *tiles, const EnsFrame *frame, EnsTileValues *values);
