/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: rectangles in pixels. */
#pragma once

#include <gst/video/video.h>

#include <ensemble/rect.h>

G_BEGIN_DECLS

/* Cut to a frame of width × height pixels; edges go to the nearest pixel's. */
static inline GstVideoRectangle
gst_ensemble_rect_to_pixels (const EnsRect *rect, guint width, guint height)
{
  gint left = CLAMP (rect->x, 0, 1) * width + 0.5f;
  gint top = CLAMP (rect->y, 0, 1) * height + 0.5f;
  gint right = CLAMP (rect->x + rect->width, 0, 1) * width + 0.5f;
  gint bottom = CLAMP (rect->y + rect->height, 0, 1) * height + 0.5f;

  return (GstVideoRectangle) {left, top, right - left, bottom - top};
}

G_END_DECLS
