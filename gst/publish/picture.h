/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: pictures of events. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A JPEG of the frame, scaled down where it is large. GST_CORE_ERROR_MISSING_PLUGIN: there is no
 * encoder. (transfer full) */
GBytes *publish_picture_encode (GstSample *sample, GError **error);

G_END_DECLS
