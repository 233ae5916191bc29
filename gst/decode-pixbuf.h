/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: pictures by gdk-pixbuf: BMP, GIF, TIFF, PNM, and what GStreamer's decoders of JPEG
 * and PNG don't read. GStreamer's own gdkpixbufdec passes on what was decoded of a damaged file. */
#pragma once

#include "picture-header.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

/* The picture, not turned, but see gst_ensemble_pixbuf_turn (). path: for messages. (transfer full)
 */
GstBuffer *gst_ensemble_pixbuf_decode (GBytes *file, const char *path,
                                       GstEnsembleStillFormat format, GstVideoInfo *info,
                                       GError **error);

/* What is left to do of an orientation: libtiff does a part of it. */
guint gst_ensemble_pixbuf_turn (GstEnsembleStillFormat format, guint orientation);

G_END_DECLS
