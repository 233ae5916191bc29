/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small pictures inside a page. */
#pragma once

#include "vision/picture.h"

/* A picture whose longer side is at most `side`, as the text of a data: URI. Its size goes to
 * *width and *height. NULL if GStreamer can't encode JPEG. (transfer full) */
char *thumbnail_new (const EnsFrame *frame, guint side, EnsThreadPool *pool, guint *width,
                     guint *height, GError **error);
