/* gst-ensemble: where the classes are.
 *
 * The window in which a present class was surest becomes a GstVideoRegionOfInterestMeta, which
 * other plug-ins know how to draw, crop and encode. */
#pragma once

#include <ensemble/result.h>
#include <gst/ensemble/ensemble-prelude.h>

G_BEGIN_DECLS

/* Attaches one region per class that is present and has a window, in pixels of a width × height
 * frame, and returns how many. roi_type is the class. The parameters are a structure "detection" as
 * DL Streamer writes it: label s, label_id i, confidence d, x_min, x_max, y_min, y_max d in [0, 1].
 * videoconvert and videoscale keep regions but lose their parameters; the GstEnsembleMeta stays
 * whole. The buffer must be writable; its memory need not. */
GST_ENSEMBLE_API
guint gst_buffer_add_ensemble_regions (GstBuffer *buffer, const EnsResult *result, guint width,
                                       guint height);

G_END_DECLS
