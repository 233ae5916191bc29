/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: which frames are analysed. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Zero-initialise, and again after a flush: the next frame is then due. */
typedef struct {
  gboolean started;
  guint frames;     /* since the last frame that was due */
  GstClockTime due; /* running time at which the period ends; NONE if it is not known */
} GstEnsembleFrameGate;

/* Asks for every frame once, in order. A frame is due when `interval` frames (1: every frame) and
 * `period` nanoseconds (0: any) have gone by since the last one that was due. Periods are kept on a
 * grid, so that they are right on average although frames seldom fall on it. Frames without a
 * running time (GST_CLOCK_TIME_NONE) are counted alone. */
gboolean gst_ensemble_frame_gate_due (GstEnsembleFrameGate *gate, GstClockTime running_time,
                                      guint interval, GstClockTime period);

G_END_DECLS
