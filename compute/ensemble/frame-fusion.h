/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What networks have found in a frame becomes its result: the averages over networks (M1.6), the
 * largest probability over windows (M1.7), their fusion (M1.8), the largest over the map (M1.9),
 * and the gate (M2). Paragraph numbers in brackets are those of the source that analyse.c names. */
#pragma once

#include "ensemble/still-tiles.h"

typedef struct {
  const EnsBundle *bundle;
  const EnsAnalyseOptions *options;
  const EnsSubImages *sub_images;
  const EnsTileValues *values;
  EnsResult *result; /* with its windows, and its map if it has one */
} EnsFrameFusion;

/* Fills the result's probabilities and classes in. Where the pool is cancelled the result is not
 * complete. */
void ens_frame_fuse (const EnsFrameFusion *frame, EnsThreadPool *pool);
