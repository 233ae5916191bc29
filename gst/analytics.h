/* gst-ensemble: results in GStreamer's own analytics metadata (GStreamer 1.24). */
#pragma once

#include <gst/gst.h>

#include <ensemble/result.h>

G_BEGIN_DECLS

/* Adds one GstAnalyticsClsMtd with all classes, the most probable first, that stands for the whole
 * frame: no other metadata contains it. Does nothing when built against an older GStreamer. The
 * buffer must be writable; its memory need not. */
void gst_ensemble_add_analytics (GstBuffer *buffer, const EnsResult *result);

G_END_DECLS
