/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sampling rectangles of any shape into pictures of a given one. */
#pragma once

#include "vision/frame.h"

typedef struct {
  EnsFraming framing;
  float crop;          /* of ENS_FRAMING_CROP, in (0, 1] */
  guint width, height; /* of the pictures */
  const EnsNormalise *normalise;
} EnsFramedResize;

/* The rectangles that end up in whole pictures, NULL if pictures have bars. (transfer full) */
EnsRect *ens_framing_get_rects (const EnsFrame *frame, const EnsRect *rects, guint n_rects,
                                const EnsFramedResize *resize);

/* As ens_frame_resize (), but what of a rectangle goes where in its picture is for the framing to
 * say. Bars of a letterbox are 0, which is the mean. */
void ens_frame_resize_framed (const EnsFrame *frame, const EnsRect *rects, guint n_rects,
                              const EnsFramedResize *resize, EnsThreadPool *pool, float *out);
