/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: rectangles and windows on a frame. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EnsRect:
 * @x: left edge
 * @y: upper edge
 * @width: from the left edge to the right one
 * @height: from the upper edge to the lower one
 *
 * A rectangle in normalised coordinates: (0, 0) is the frame's upper left corner, (1, 1) its lower
 * right. Edges may lie between pixels.
 *
 * Since: 0.1
 */
typedef struct {
  float x, y, width, height;
} EnsRect;

/* C++ has no compound literals. */
#ifdef __cplusplus
#define ENS_RECT_WHOLE (EnsRect {0, 0, 1, 1})
#else
#define ENS_RECT_WHOLE ((EnsRect) {0, 0, 1, 1})
#endif

/**
 * EnsWindow:
 * @rect: its place
 * @score: of the ranking; comparable within one frame only
 *
 * Where an object may be.
 *
 * Since: 0.1
 */
typedef struct {
  EnsRect rect;
  float score;
} EnsWindow;

G_END_DECLS
