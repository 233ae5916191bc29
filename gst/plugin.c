/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/ensemble/ensemble.h>

#include "ensemble-classify.h"
#include "ensemble-overlay.h"
#include "ensemble-publish.h"
#include "latency-tracer.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  /* Python looks the metadata up by name, and so may do it before any buffer carries it. */
  gst_ensemble_meta_get_info ();
  return gst_element_register (plugin, "ensembleclassify", GST_RANK_NONE,
                               GST_TYPE_ENSEMBLE_CLASSIFY)
         && gst_element_register (plugin, "ensembleoverlay", GST_RANK_NONE,
                                  GST_TYPE_ENSEMBLE_OVERLAY)
         && gst_element_register (plugin, "ensemblepublish", GST_RANK_NONE,
                                  GST_TYPE_ENSEMBLE_PUBLISH)
         && gst_ensemble_latency_tracer_register (plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ensemble,
                   "Tags video with ensembles of neural networks", plugin_init, PACKAGE_VERSION,
                   "LGPL", PACKAGE, PACKAGE_ORIGIN)
