/* Rectangles of a frame, scaled and mapped to other colours. */
#pragma once

#include "vision/colour.h"

typedef struct {
  const EnsFrame *frame;
  const EnsRect *rects;
  guint n_rects;
  guint width, height; /* of each output */
  const EnsColourMap *map;
  float *out; /* n_rects × height × width × map->n_outputs */
} EnsSampling;

void ens_sampling_run (const EnsSampling *sampling, EnsPool *pool);
