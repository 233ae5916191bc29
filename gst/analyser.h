/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: analyses frames in a thread of its own.
 *
 * It holds at most two frames: the one being analysed and the newest one that waits. They are
 * copies, or buffers in DMABufs, which it lets go as soon as it can. A frame submitted while
 * another waits takes its place: submitting never blocks, gst_ensemble_analyser_wait () does. Any
 * thread may call any function. */
#pragma once

#include <gst/gst.h>

#include "classify-pace.h"
#include "ensemble/ensemble.h"
#include "collector.h"
#include "state-events.h"
#include "tags.h"
#include "upstream-regions.h"
#include "vision/picture.h"

G_BEGIN_DECLS

/* What the user has set in place of the bundle's values; ENS_ANALYSE_DEFAULTS says which values
 * mean the bundle's. */
typedef struct {
  gint windows;
  guint scales[ENS_MAX_SCALES]; /* ascending */
  guint n_scales;               /* 0: the bundle's */
  float threshold;
  EnsSubImagesMode sub_images;
  guint max_sub_images;
  gboolean gate;
  guint top_k;           /* classes that a result keeps; 0: all */
  EnsRect crop;          /* the part of the frame that is analysed; width 0: all of it */
  float tile_tolerance;  /* of still sub-images, grey levels; negative: none are reused */
  const char *embedding; /* name of a network, interned; NULL: none */
  guint batch_size;      /* frames of several elements in one run of a network; 1: none */
  GstClockTime batch_timeout;
  EnsTimeOverrides time;
  GstEnsemblePaceSettings pace;
} GstEnsembleSettings;

/* Counted since the start; times in nanoseconds. */
typedef struct {
  guint64 analysed, skipped, failed;
  guint64 reused;   /* sub-images that were still */
  guint64 batched;  /* frames that have shared a run of a network */
  guint64 ran;      /* frames that needed a run of one */
  double sum_batch; /* of their ens_analysis_get_batch () */
  EnsTimings last, sum;
  GstEnsemblePaceStats pace;
  gint64 last_latency, sum_latency; /* from submission to result */
  gint64 last_planning;             /* of it */
} GstEnsembleAnalyserStats;

typedef struct _GstEnsembleAnalyser GstEnsembleAnalyser;

/* owner: the element, which the log names. state_events: which get all results; outlives the
 * analyser. */
GstEnsembleAnalyser *gst_ensemble_analyser_new (GstObject *owner,
                                                GstEnsembleStateEvents *state_events);
/* Must have been stopped. */
void gst_ensemble_analyser_free (GstEnsembleAnalyser *analyser);

void gst_ensemble_analyser_start (GstEnsembleAnalyser *analyser, EnsEnsemble *ensemble);
/* Drops what waits, cancels the analysis that runs and returns when its thread has ended, which
 * takes as long as a task of an operator. */
void gst_ensemble_analyser_stop (GstEnsembleAnalyser *analyser);

/* A picture whose memory may be used again, or NULL: for gst_ensemble_copy_frame (). */
EnsPicture *gst_ensemble_analyser_take_spare (GstEnsembleAnalyser *analyser);

/* One of so many due frames is to be submitted: more under load. */
guint gst_ensemble_analyser_get_frames (GstEnsembleAnalyser *analyser);

/* What frames are adapted by from now on, also one that waits; of the ensemble's device. NULL:
 * none. Returns what they were, to be let go where nobody waits for the lock that is held.
 * (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
EnsStyle *gst_ensemble_analyser_set_style (GstEnsembleAnalyser *analyser, EnsStyle *style);

/* What frames and results are offered to from now on. NULL: nothing. (transfer full) */
void gst_ensemble_analyser_set_collector (GstEnsembleAnalyser *analyser,
                                          GstEnsembleCollector *collector);
/* What frames are analysed by from the next one on, also one that waits, and the style that goes
 * with it. Returns the style before, as above. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
EnsStyle *gst_ensemble_analyser_set_ensemble (GstEnsembleAnalyser *analyser, EnsEnsemble *ensemble,
                                              EnsStyle *style);
/* Analyses a grey picture like the latest frame, on the thread that asks: what has to be planned
 * for such frames then is, or can't be. TRUE if there has been no frame. */
gboolean gst_ensemble_analyser_try (GstEnsembleAnalyser *analyser, EnsEnsemble *ensemble,
                                    EnsStyle *style, GError **error);

/* Takes the place of the frame that waits, if one does. Returns a ticket to wait with. picture:
 * (transfer full), held by nobody else. regions: (transfer full), which are classified instead of
 * region proposals; NULL: none are given. */
guint64 gst_ensemble_analyser_submit (GstEnsembleAnalyser *analyser, EnsPicture *picture,
                                      GstEnsembleRegions *regions, GstClockTime running_time,
                                      const GstEnsembleSettings *settings);
typedef enum {
  GST_ENSEMBLE_ANALYSED, /* its result is the latest */
  GST_ENSEMBLE_FAILED,
  GST_ENSEMBLE_DROPPED, /* a flush or a later frame came between */
} GstEnsembleOutcome;

/* Waits for that frame's analysis. */
GstEnsembleOutcome gst_ensemble_analyser_wait (GstEnsembleAnalyser *analyser, guint64 ticket);

/* The frame of these times looks like the one that was submitted last: the states of classes follow
 * as if it had been analysed with the latest result; while a frame waits or is analysed they stay.
 * FALSE if there is neither, because what was submitted has been dropped or has failed, or if it is
 * worth another analysis, because less was looked at than may be now. */
gboolean gst_ensemble_analyser_confirm (GstEnsembleAnalyser *analyser, GstClockTime running_time,
                                        GstClockTime pts, const GstEnsembleSettings *settings);

/* The newest result, or NULL if there is none yet. (transfer full) */
GstEnsembleTags *gst_ensemble_analyser_get_latest (GstEnsembleAnalyser *analyser);
/* Counts a frame that could not be analysed. error: (transfer full). */
void gst_ensemble_analyser_add_failure (GstEnsembleAnalyser *analyser, GError *error);
/* How many frames could not be analysed so far; *error: the latest reason, or NULL if it has been
 * taken. */
guint64 gst_ensemble_analyser_take_failure (GstEnsembleAnalyser *analyser, GError **error);

/* Drops the frame that waits. */
void gst_ensemble_analyser_cancel (GstEnsembleAnalyser *analyser);
/* Drops the frame that waits and the latest result, cancels the analysis that runs, and lets
 * waiting callers go. Waits for nothing. */
void gst_ensemble_analyser_discard (GstEnsembleAnalyser *analyser);
/* TRUE: discards, and drops what is submitted until FALSE. */
void gst_ensemble_analyser_set_flushing (GstEnsembleAnalyser *analyser, gboolean flushing);

void gst_ensemble_analyser_get_stats (GstEnsembleAnalyser *analyser,
                                      GstEnsembleAnalyserStats *stats);

G_END_DECLS
