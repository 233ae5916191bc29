/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the tracer ensemblelatency, which logs what each stage of every analysis took. */
#pragma once

#include <ensemble/result.h>
#include <gst/gst.h>

G_BEGIN_DECLS

gboolean gst_ensemble_latency_tracer_register (GstPlugin *plugin);

/* Logs an analysis if the tracer is active. latency: nanoseconds from the frame's arrival to its
 * result. Any thread. */
void gst_ensemble_latency_trace (GstObject *element, const EnsResult *result, gint64 latency);

G_END_DECLS
