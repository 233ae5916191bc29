/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: WebP, by libwebp. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* The picture, or an animation's first one on its canvas, not turned. path: for messages. (transfer
 * full) */
GstBuffer *gst_ensemble_webp_decode (GBytes *file, const char *path, GstVideoInfo *info,
                                     GError **error);

G_END_DECLS
