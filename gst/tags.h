/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a result and what buffers need of it. */
#pragma once

#include <ensemble/result.h>
#include <gst/gst.h>

#include "state-events.h"

G_BEGIN_DECLS

/* A result ready to be attached. Shared, immutable. */
typedef struct {
  EnsResult *result;
  GstStructure *structure;   /* gst_ensemble_structure_new () */
  GstClockTime running_time; /* of the frame that was analysed */
  EnsResult *whole;          /* with all classes, however many are kept */
  guint stretch;             /* of the stream, as state events count them */
  guint64 ticket;            /* of that frame */
  gint64 submitted;          /* when that frame came, g_get_monotonic_time () */
} GstEnsembleTags;

/* With the top_k likeliest classes of the result, all if that is 0; origin: of its frame, that is
 * what has nothing to do with the result. (transfer full) */
GstEnsembleTags *gst_ensemble_tags_new (EnsResult *result, guint top_k,
                                        const GstEnsembleTags *origin);
GstEnsembleTags *gst_ensemble_tags_ref (GstEnsembleTags *tags);
void gst_ensemble_tags_unref (GstEnsembleTags *tags);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEnsembleTags, gst_ensemble_tags_unref)

/* A frame that looks like the one that was analysed. */
typedef struct {
  GstClockTime running_time, pts;
  const EnsTimeOverrides *time;
  guint top_k;
} GstEnsembleRepeat;

/* Lets states follow as if that frame had been analysed, with the same result. Returns what it then
 * is, or NULL unless a state has changed. (transfer full) */
GstEnsembleTags *gst_ensemble_tags_repeat (const GstEnsembleTags *tags,
                                           GstEnsembleStateEvents *state_events,
                                           const GstEnsembleRepeat *frame);

G_END_DECLS
