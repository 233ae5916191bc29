/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the element ensembleoverlay. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_ENSEMBLE_OVERLAY (gst_ensemble_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstEnsembleOverlay, gst_ensemble_overlay, GST, ENSEMBLE_OVERLAY,
                      GstBaseTransform)

G_END_DECLS
