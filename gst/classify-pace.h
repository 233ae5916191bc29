/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: how much of each frame of a stream is looked at, so that results keep pace with it:
 * within a budget of processor time, and under load within one of latency. It posts what it has cut
 * and which results were missed. One thread analyses, and calls gst_ensemble_pace_limit () and
 * gst_ensemble_pace_finish (); any may call the others, which never wait for it. No lock is held
 * while a message is posted. */
#pragma once

#include <gst/gst.h>

#include "ensemble/frame-cost.h"

G_BEGIN_DECLS

/* cpu-budget: what the period leaves, and everything the bundle says. */
#define GST_ENSEMBLE_CPU_BUDGET_AUTO (-1)
#define GST_ENSEMBLE_CPU_BUDGET_NONE 0

typedef struct {
  gint64 cpu_budget;           /* nanoseconds for a frame, or one of the above */
  GstClockTime latency_budget; /* 0: none */
  GstClockTime period;         /* in which a result is wanted; 0: nobody waits for it */
  guint frames;                /* under load a result is wanted in so many periods; 0: in one */
  gboolean strict;             /* every due frame is wanted, not only one in a period */
} GstEnsemblePaceSettings;

typedef struct {
  guint64 missed; /* results, since the start */
  guint64 cut;    /* results for which less was looked at */
  EnsCut now;     /* what is left out at present */
} GstEnsemblePaceStats;

typedef struct _GstEnsemblePace GstEnsemblePace;

/* owner: the element that posts; it outlives the pace. */
GstEnsemblePace *gst_ensemble_pace_new (GstObject *owner);
void gst_ensemble_pace_free (GstEnsemblePace *pace);
/* A stream starts. */
void gst_ensemble_pace_reset (GstEnsemblePace *pace);

/* One of so many due frames is to be analysed. */
guint gst_ensemble_pace_get_frames (GstEnsemblePace *pace);
/* The options for a frame that is about to be analysed, and what they leave out of the settings'.
 */
EnsAnalyseOptions gst_ensemble_pace_limit (GstEnsemblePace *pace, const EnsFrameSettings *frame,
                                           const GstEnsemblePaceSettings *settings, EnsCut *cut);
/* Whether a frame that looks like the last one is to be analysed all the same: less of that was
 * looked at because costs were a guess, or, which is so for some of the frames, because of load,
 * which may be over. cut: what was left out; NULL: nothing. */
gboolean gst_ensemble_pace_wants_again (GstEnsemblePace *pace, const EnsCut *cut);
/* It was analysed, `latency` nanoseconds after it came, of which so many went into planning: they
 * say nothing of the next frames. */
void gst_ensemble_pace_finish (GstEnsemblePace *pace, const EnsResult *result, gint64 latency,
                               gint64 planning);
/* A due frame was replaced by a newer one before its turn came. It counts with the next result. */
void gst_ensemble_pace_skip (GstEnsemblePace *pace, const GstEnsemblePaceSettings *settings);

void gst_ensemble_pace_get_stats (GstEnsemblePace *pace, GstEnsemblePaceStats *stats);

G_END_DECLS
