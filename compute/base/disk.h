/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much room the disk of a folder has. Any thread; a file system that doesn't answer, such as
 * one of a network, is waited for. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that this user may still write where the path is or, if it isn't there yet, where the
 * nearest folder above it is. 0 also if no file can be made, for want of inodes. G_MAXUINT64: that
 * can't be found out. */
guint64 ens_disk_get_free (const char *path);

/* How many bytes would have to be freed for `reserve` bytes to be free; 0: none. An eighth more is
 * asked for where bytes were missing before, so that what stops for want of room doesn't go on and
 * stop again all the time. A reserve of 0 is always there. */
guint64 ens_disk_get_missing (const char *path, guint64 reserve, gboolean was_missing);

G_END_DECLS
