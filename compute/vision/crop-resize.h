/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rectangles of a frame, scaled and mapped to other colours. */
#pragma once

#include "vision/colour.h"
#include "vision/filter.h"

typedef struct {
  const EnsFrame *frame;
  const EnsRect *rects;
  guint n_rects;
  guint width, height; /* of each output */
  const EnsColourMap *map;
  float *out; /* n_rects × height × width × map->n_outputs */
} EnsCropResize;

void ens_crop_resize_run (const EnsCropResize *resize, EnsThreadPool *pool);

/* Which samples of a plane a rectangle takes, at least one along each axis. shift: the plane's, as
 * of EnsPlaneLayout. */
void ens_crop_resize_place (const EnsFrame *frame, const EnsRect *rect, guint shift,
                            EnsFilterSpan *x, EnsFilterSpan *y);
