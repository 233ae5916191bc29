/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the latency that is reported, from the time that analyses have lately taken.
 *
 * Every change makes the pipeline set its latency again, so it seldom changes: it is reported with
 * room to grow, and falls only when it has been far too much for some seconds and some analyses. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Zero-initialise. */
typedef struct {
  GstClockTime reported;
  GstClockTime longest[2]; /* in the span that runs, and in the one before */
  gint64 began;            /* of the span that runs, microseconds */
  guint n;                 /* analyses in it */
} GstEnsembleLatencyWindow;

/* now: g_get_monotonic_time (). TRUE if `reported` has changed. */
gboolean gst_ensemble_latency_window_add (GstEnsembleLatencyWindow *window, GstClockTime taken,
                                          gint64 now);

G_END_DECLS
