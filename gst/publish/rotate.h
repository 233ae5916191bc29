/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: files that are renamed before they grow too large or too old. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Renames PATH.1 to PATH.2 and so on, and PATH to PATH.1; what was PATH.keep goes. `file`, open,
 * is what the caller took PATH for. Where several processes write to PATH, one of them renames:
 * the others find PATH another file afterwards. FALSE: nothing was renamed. */
gboolean publish_rotate (const char *path, int file, guint keep);

/* Whether PATH still is the file that is open as `file`. */
gboolean publish_is_file (const char *path, int file);

G_END_DECLS
