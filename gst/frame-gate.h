/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: which frames are analysed. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Frames whose times follow each other: of one source, until time jumps. */
typedef struct {
  GstClockTime start; /* running time at which the period that runs has begun */
  guint64 used;       /* number of its latest frame; 0: free */
} GstEnsembleTimeline;

#define GST_ENSEMBLE_TIMELINES 4

/* Zero-initialise, and again after a flush: the next frame is then due. */
typedef struct {
  gboolean started;
  guint frames;     /* since the last frame that was due */
  guint64 n_frames; /* that have been asked for */
  GstEnsembleTimeline timelines[GST_ENSEMBLE_TIMELINES];
  struct {
    GstEnsembleTimeline *timeline; /* where the period goes on if it is taken; NULL: nowhere */
    GstClockTime running_time, period;
  } asked; /* for the latest frame */
} GstEnsembleFrameGate;

/* Asks for every frame once, in any order. A frame is due when `interval` frames (1: every frame)
 * and `period` nanoseconds (0: any) have gone by since the last one that was taken. Periods are
 * kept on a grid, so that they are right on average although frames seldom fall on it. A time
 * before the period that runs, as of B-frames, is in it; one that is farther back than a period is
 * a jump, and due. Where sources take turns, as behind input-selector or funnel, each has its own
 * periods, as long as each has one of the latest frames. Frames without a running time
 * (GST_CLOCK_TIME_NONE) are counted alone. */
gboolean gst_ensemble_frame_gate_due (GstEnsembleFrameGate *gate, GstClockTime running_time,
                                      guint interval, GstClockTime period);
/* The frame that was asked for is the sample. If it is not taken, the next one is due. */
void gst_ensemble_frame_gate_take (GstEnsembleFrameGate *gate);

G_END_DECLS
