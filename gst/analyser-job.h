/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: one frame that is analysed, and by what. */
#pragma once

#include "analyser.h"

G_BEGIN_DECLS

typedef struct {
  EnsPicture *picture; /* NULL: no job */
  GstEnsembleRegions *regions;
  guint64 ticket;
  GstClockTime running_time;
  guint stretch; /* of the stream, as state events count them */
  GstEnsembleSettings settings;
  gint64 submitted; /* g_get_monotonic_time () */
} GstEnsembleJob;

/* What an analysis has beside its job. */
typedef struct {
  EnsStyle *style;                 /* NULL: none */
  GstEnsembleCollector *collector; /* NULL: none */
  GCancellable *cancellable;
  GstEnsemblePace *pace; /* not owned; NULL: no budget */
} GstEnsembleJobContext;

void gst_ensemble_job_context_clear (GstEnsembleJobContext *context);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstEnsembleJobContext, gst_ensemble_job_context_clear)

/* With the job's settings and regions, within the budget that keeps pace. (transfer full) */
EnsResult *gst_ensemble_job_analyse (const GstEnsembleJob *job, EnsAnalysis *analysis,
                                     const GstEnsembleJobContext *context, GError **error);

G_END_DECLS
