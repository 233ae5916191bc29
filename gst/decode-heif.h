/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: HEIC and AVIF, by libheif. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* The file's primary picture, upright: what the file says of turning and mirroring is done. A
 * picture of more than `max_pixels` pixels is an error before it is decoded. path: for messages.
 * Without libheif every file is an error that says so. (transfer full) */
GstBuffer *gst_ensemble_heif_decode (GBytes *file, const char *path, guint64 max_pixels,
                                     GstVideoInfo *info, GError **error);

G_END_DECLS
