/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what an overlay shows of results, and where on the frame. */
#pragma once

#include <ensemble/result.h>

#include "overlay-draw.h"

G_BEGIN_DECLS

typedef enum {
  OVERLAY_TOP_LEFT,
  OVERLAY_TOP_RIGHT,
  OVERLAY_BOTTOM_LEFT,
  OVERLAY_BOTTOM_RIGHT,
} OverlayCorner;

typedef struct {
  gboolean labels, bars, windows, withheld, age;
  float threshold;  /* classes from this P on are shown; < 0: those that are present */
  guint max_labels; /* 0: as many as there is room for */
  OverlayCorner corner;
  char *font;
  double text_scale; /* 1: text size follows the frame's */
  guint32 text, background;
} OverlayOptions;

/* A result on a frame. */
typedef struct {
  const EnsResult *result;
  GstClockTime age; /* since the frame that was classified; GST_CLOCK_TIME_NONE: unknown */
} OverlayResult;

/* The age in words, in steps as coarse as people read: "0.4 s ago"; NULL below 0.1 s and if it is
 * unknown. (transfer full) */
char *overlay_age_text (GstClockTime age);

/* Labels with probability bars in a corner, the age of the result below or above them, and the best
 * windows of the classes that are shown, for a frame of width × height pixels. (transfer full)
 * (nullable): NULL where there is nothing to show. Any thread. */
GstVideoOverlayComposition *overlay_scene_new (const OverlayOptions *options,
                                               const OverlayResult *results, guint n_results,
                                               guint width, guint height);

G_END_DECLS
