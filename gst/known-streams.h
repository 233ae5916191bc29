/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: which streams a pad has had lately. Elements that merge several, as funnel and
 * input-selector do, announce the stream again whenever another one's turn comes. */
#pragma once

#include <gst/gst.h>

#include "frame-gate.h"

G_BEGIN_DECLS

/* Zero-initialise. The latest first; NULL: none. */
typedef struct {
  char *ids[GST_ENSEMBLE_TIMELINES];
} GstEnsembleKnownStreams;

/* A stream begins, or goes on: whether it is one of the latest. */
gboolean gst_ensemble_known_streams_add (GstEnsembleKnownStreams *streams, const char *id);
/* They have ended: whatever begins is another. */
void gst_ensemble_known_streams_clear (GstEnsembleKnownStreams *streams);

G_END_DECLS
