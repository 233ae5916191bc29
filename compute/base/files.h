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

/* Whether a file is on the disk, whatever happens to the machine, when it has been written. */
typedef enum {
  ENS_FILE_USUAL,
  ENS_FILE_DURABLE, /* for what took long to make */
} EnsFileWrite;

/* Writes all of a file, or leaves it as it was: at any moment others see either. A link is replaced
 * by the file; what is no file, such as a device, is refused. The error's message says the path,
 * the reason and what to do about it. */
gboolean ens_file_write (const char *path, gconstpointer bytes, gsize size, EnsFileWrite how,
                         GError **error);

/* FALSE with the same error where there is something that is no file, before hours are spent on
 * what is to be written. */
gboolean ens_file_check_write (const char *path, GError **error);

/* Makes a folder, and those above it, if it is not there. The error as that of
 * ens_file_write (). */
gboolean ens_folder_make (const char *path, GError **error);

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
