/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: how large pictures may be. A few kilobytes can say that they are gigabytes: sizes
 * are looked at before anything is decoded. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Pixels, where nothing else is said: photographs of 108 megapixels have fewer. */
#define GST_ENSEMBLE_MAX_PIXELS 128000000

/* What the environment's ENSEMBLE_MAX_PIXELS says, in pixels, else the default. */
guint64 gst_ensemble_get_max_pixels (void);

/* FALSE with the figures and what to do if the picture is larger, or longer than frames can be. */
gboolean gst_ensemble_check_picture_size (const char *path, guint64 width, guint64 height,
                                          guint64 max_pixels, GError **error);

G_END_DECLS
