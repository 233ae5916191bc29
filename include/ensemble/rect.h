/* gst-ensemble: rectangles and windows on a frame. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A rectangle in normalised coordinates: (0, 0) is the frame's upper left corner, (1, 1) its lower
 * right. Edges may lie between pixels. */
typedef struct {
  float x, y, width, height;
} EnsRect;

#define ENS_RECT_WHOLE ((EnsRect) {0, 0, 1, 1})

/* Where an object may be. */
typedef struct {
  EnsRect rect;
  float score; /* of the ranking; comparable within one frame only */
} EnsWindow;

G_END_DECLS
