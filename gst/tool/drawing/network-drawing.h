/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network as a picture: layers from top to bottom, with shapes and cost. */
#pragma once

#include "graph/graph.h"

typedef struct {
  const EnsGraph *graph; /* its shapes have been inferred */
  const char *title;     /* any text */
  /* Of values that can be tapped for features, up to a NULL. */
  const char *const *taps;
} NetworkDrawing;

/* An SVG that needs no other file, for light and dark backgrounds. The same network gives the same
 * text. (transfer full) */
char *network_draw (const NetworkDrawing *drawing);
