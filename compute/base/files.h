/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GLib's file functions lack. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Removes a file, or a folder with all that is in it; links are removed, not followed. What can't
 * be removed stays, silently. */
void ens_remove_tree (const char *path);

/* What to do about an error of writing, beginning with "; ", or "" if there is nothing to say. */
const char *ens_write_advice (int error_number);

/* What stands in for a file that was never fetched, with what to do about it: a Git LFS pointer, a
 * web page. NULL if the first bytes are neither's. */
const char *ens_find_stand_in (gconstpointer bytes, gsize size);

/* Maps a regular file, or one that a link leads to. Folders, pipes, sockets and devices are refused
 * without waiting for anybody at their other end. The error's message is the reason alone: the
 * caller knows what was being read. (transfer full) */
GMappedFile *ens_file_map (const char *path, GError **error);

/* A copy of a file's bytes, ended by a zero that *size does not count. As ens_file_map ().
 * (transfer full) */
char *ens_file_read (const char *path, gsize *size, GError **error);

/* A file's text in UTF-8 without a byte order mark, with no zero at its end. UTF-16 is converted;
 * so is, of XML, the encoding that its declaration names; else nothing is copied. As ens_file_map
 * (). (transfer full) */
GBytes *ens_file_map_text (const char *path, GError **error);

/* A copy of that, ended by a zero that *length, which may be NULL, does not count. (transfer full)
 */
char *ens_file_read_text (const char *path, gsize *length, GError **error);

G_END_DECLS
