/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: whatever GStreamer plays, picture by picture. */
#pragma once

#include "vision/frame-source.h"

G_BEGIN_DECLS

/* path: a file or a URI. (transfer full) */
EnsFrameSource *gst_ensemble_video_open (const char *path, GError **error);

G_END_DECLS
