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
} EnsSampling;

void ens_sampling_run (const EnsSampling *sampling, EnsPool *pool);

/* Which samples of a plane a rectangle takes, at least one along each axis. shift: the plane's, as
 * of EnsPlaneLayout. */
void ens_sampling_place (const EnsFrame *frame, const EnsRect *rect, guint shift, EnsFilterSpan *x,
                         EnsFilterSpan *y);
