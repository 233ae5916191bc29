/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: whatever GStreamer plays, picture by picture. */
#pragma once

#include "vision/frame-source.h"

G_BEGIN_DECLS

/* A file. Only what it holds is decoded: playlists, which name other files or addresses, are
 * refused, also inside of other formats. Pictures of more than `max_pixels` pixels are an error.
 * (transfer full) */
EnsFrameSource *gst_ensemble_video_open (const char *path, guint64 max_pixels, GError **error);

/* What is behind a URI that the user gave, playlists too. (transfer full) */
EnsFrameSource *gst_ensemble_stream_open (const char *uri, guint64 max_pixels, GError **error);

G_END_DECLS
