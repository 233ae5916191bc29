/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: pictures to stills, through GStreamer's encoders. */
#pragma once

#include "vision/picture.h"

G_BEGIN_DECLS

/* Encodes a picture of RGB or GRAY8. media_type: "image/png" or "image/jpeg". gst_init () must have
 * been called. (transfer full) */
GBytes *gst_ensemble_encode_still (EnsPicture *picture, const char *media_type, GError **error);

G_END_DECLS
