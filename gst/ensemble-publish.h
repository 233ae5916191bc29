/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the element ensemblepublish. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_ENSEMBLE_PUBLISH (gst_ensemble_publish_get_type ())
G_DECLARE_FINAL_TYPE (GstEnsemblePublish, gst_ensemble_publish, GST, ENSEMBLE_PUBLISH,
                      GstBaseTransform)

G_END_DECLS
