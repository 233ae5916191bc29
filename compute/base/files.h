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

G_END_DECLS
