/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define GST_USE_UNSTABLE_API
#include "latency-tracer.h"

#include <gst/gsttracer.h>

typedef struct {
  GstTracer parent;
} GstEnsembleLatencyTracer;

typedef struct {
  GstTracerClass parent;
} GstEnsembleLatencyTracerClass;

GType gst_ensemble_latency_tracer_get_type (void);
G_DEFINE_TYPE (GstEnsembleLatencyTracer, gst_ensemble_latency_tracer, GST_TYPE_TRACER)

/* How GStreamer knows it; made with the first tracer, and kept as GStreamer keeps tracers. */
static GstTracerRecord *record;

/* (transfer full) */
static GstStructure *
describe_value (const char *description)
{
  return gst_structure_new ("value", "type", G_TYPE_GTYPE, G_TYPE_INT64, "description",
                            G_TYPE_STRING, description, "flags", GST_TYPE_TRACER_VALUE_FLAGS,
                            GST_TRACER_VALUE_FLAGS_AGGREGATED, NULL);
}

/* (transfer full) */
static GstTracerRecord *
make_record (void)
{
  GstStructure *scope =
      gst_structure_new ("scope", "type", G_TYPE_GTYPE, G_TYPE_STRING, "related-to",
                         GST_TYPE_TRACER_VALUE_SCOPE, GST_TRACER_VALUE_SCOPE_ELEMENT, NULL);

  return gst_tracer_record_new (
      "ensemble-latency.class", "element", GST_TYPE_STRUCTURE, scope, "windows", GST_TYPE_STRUCTURE,
      describe_value ("selective search, ns"), "prepare", GST_TYPE_STRUCTURE,
      describe_value ("preprocessing, ns"), "networks", GST_TYPE_STRUCTURE,
      describe_value ("networks and classifiers, ns"), "total", GST_TYPE_STRUCTURE,
      describe_value ("all of the analysis, ns"), "waiting", GST_TYPE_STRUCTURE,
      describe_value ("before the analysis began, ns"), "latency", GST_TYPE_STRUCTURE,
      describe_value ("from the frame's arrival to its result, ns"), "cpu", GST_TYPE_STRUCTURE,
      describe_value ("processor time of all threads, ns"), NULL);
}

static void
gst_ensemble_latency_tracer_class_init (GstEnsembleLatencyTracerClass *klass)
{
}

static void
gst_ensemble_latency_tracer_init (GstEnsembleLatencyTracer *self)
{
  if (g_once_init_enter (&record))
    g_once_init_leave (&record, make_record ());
}

gboolean
gst_ensemble_latency_tracer_register (GstPlugin *plugin)
{
  return gst_tracer_register (plugin, "ensemblelatency", gst_ensemble_latency_tracer_get_type ());
}

void
gst_ensemble_latency_trace (GstObject *element, const EnsResult *result, gint64 latency)
{
  const EnsTimings *timings = &result->timings;
  GstTracerRecord *active = g_atomic_pointer_get (&record);

  if (active != NULL)
    gst_tracer_record_log (active, GST_OBJECT_NAME (element), timings->windows, timings->prepare,
                           timings->networks, timings->total, MAX (latency - timings->total, 0),
                           latency, timings->cpu);
}
