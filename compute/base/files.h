/* What GLib's file functions lack. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Removes a file, or a folder with all that is in it; links are removed, not followed. What can't
 * be removed stays, silently. */
void ens_remove_tree (const char *path);

G_END_DECLS
