/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames seen through any affine map. */
#pragma once

#include "vision/frame.h"

/* x = x[0] u + x[1] v + x[2], and y likewise. */
typedef struct {
  double x[3], y[3];
} EnsAffine;

typedef struct {
  const EnsFrame *frame;
  guint width, height; /* of the output */
  const EnsNormalise *normalise;
  const float *beyond; /* what lies beyond the frame, one normalised value for each channel */
} EnsWarp;

/* Writes height × width × channels floats of a rectangle of the frame, by ens_frame_resize (). It
 * may reach beyond the frame: pixels that don't lie wholly inside are `beyond`. */
void ens_warp_rect (const EnsWarp *warp, const EnsRect *rect, float *out);
/* The same through a map from the output's coordinates to the frame's, both 0 … 1. Pixels on the
 * frame's border are blended with `beyond`. */
void ens_warp_affine (const EnsWarp *warp, const EnsAffine *affine, float *out);
