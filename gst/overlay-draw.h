/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: text and boxes as rectangles of GStreamer's overlay composition. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Colours are 0xAARRGGBB, as videotestsrc's and textoverlay's are. */
typedef struct {
  const char *font;   /* family, and style if any: Pango's description without a size */
  double text_size;   /* of an em, in pixels */
  double padding;     /* around text, in em */
  guint32 text;       /* colour of text */
  guint32 background; /* colour behind it */
} OverlayStyle;

/* One row of the panel of labels. */
typedef struct {
  const char *text, *value; /* at the left, cut where room is short; at the right */
  double share;             /* length of the bar below, of the row: in [0, 1]; < 0: no bar */
  guint32 colour;           /* of the bar */
  gboolean dimmed;          /* for what does not count */
} OverlayRow;

/* Rows one below the other on a background, at most max_width × max_height pixels: rows for which
 * there is no room are counted in a last one. The rectangle is at (0, 0); (transfer full)
 * (nullable): NULL where not even one row fits. Any thread. */
GstVideoOverlayRectangle *overlay_draw_panel (const OverlayStyle *style, const OverlayRow *rows,
                                              guint n_rows, guint max_width, guint max_height);

/* A colour's rectangle of width × height pixels at (x, y) with a dark rim of `rim` pixels, which
 * shows it on any background. (transfer full) (nullable): NULL where it is empty. Any thread. */
GstVideoOverlayRectangle *overlay_draw_bar (guint32 colour, gint x, gint y, guint width,
                                            guint height, guint rim);

/* Moves a rectangle. */
void overlay_move (GstVideoOverlayRectangle *rectangle, gint x, gint y);

G_END_DECLS
