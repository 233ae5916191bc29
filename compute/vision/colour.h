/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colour conversions as affine maps. */
#pragma once

#include "vision/frame.h"

/* From a frame's three components v (those of its colour model, 0 ... 255 as stored):
 * out[c] = (clamp (matrix[c] · (v, 1), 0, 255) - mean[c]) * scale[c]. */
typedef struct {
  guint n_outputs;
  float matrix[3][4];
  float mean[3], scale[3];
} EnsColourMap;

/* To what a network wants. */
void ens_colour_map_init (EnsColourMap *map, const EnsFrame *frame, const EnsNormalise *normalise);
/* To full-range Y'CbCr, 0 ... 255: of NV12 and I420 their own, of RGB that of BT.601. */
void ens_colour_map_init_ycbcr (EnsColourMap *map, const EnsFrame *frame);

/* By how much a frame's components change, as stored, when R, G and B change by 1 of 255. Of a gray
 * frame, the first row counts. */
void ens_colour_get_changes (const EnsFrame *frame, float matrix[3][3]);
