/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: results in GStreamer's own analytics metadata (GStreamer 1.24). */
#pragma once

#include <gst/gst.h>

#include <ensemble/result.h>

G_BEGIN_DECLS

/* Adds to the buffer's GstAnalyticsRelationMeta, or to a new one:
 *
 * - a GstAnalyticsClsMtd with all classes, which stands for the whole frame: no other metadata
 *   contains it;
 * - for each class that is present and has a window, a GstAnalyticsODMtd of that class in pixels of
 *   a width × height frame, with P3 as its confidence, that contains
 * (GST_ANALYTICS_REL_TYPE_CONTAIN) a GstAnalyticsClsMtd with all classes' probabilities in the
 * window.
 *
 * Classes are sorted, the most probable first. Does nothing when built against an older GStreamer.
 * The buffer must be writable; its memory need not. */
void gst_ensemble_add_analytics (GstBuffer *buffer, const EnsResult *result, guint width,
                                 guint height);

/* A region that an element upstream has attached, in pixels. type: interned, or NULL; id: -1 if it
 * has none. */
typedef struct {
  double x, y, width, height;
  const char *type;
  gint id;
} GstEnsembleUpstreamRegion;

typedef void (*GstEnsembleTakeRegion) (const GstEnsembleUpstreamRegion *region, gpointer data);

/* Calls take () with each GstAnalyticsODMtd of the buffer that no ensemble has added. Does nothing
 * when built against an older GStreamer. */
void gst_ensemble_read_analytics (GstBuffer *buffer, GstEnsembleTakeRegion take, gpointer data);

G_END_DECLS
