/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built where GStreamer has no analytics library. */
#include "analytics.h"

void
gst_ensemble_add_analytics (GstBuffer *buffer, const EnsResult *result, guint width, guint height)
{
}

void
gst_ensemble_read_analytics (GstBuffer *buffer, GstEnsembleTakeRegion take, gpointer data)
{
}
