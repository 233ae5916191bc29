/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/listing.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

gint
ens_listing_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

void
ens_listing_clear (EnsListing *listing)
{
  g_clear_pointer (&listing->folders, g_ptr_array_unref);
  g_clear_pointer (&listing->files, g_ptr_array_unref);
  g_clear_pointer (&listing->hidden, g_ptr_array_unref);
  g_clear_pointer (&listing->others, g_ptr_array_unref);
}

/* Which of the lists a name belongs to. */
static GPtrArray *
choose_list (const EnsListing *listing, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  GStatBuf status;

  if (name[0] == '.')
    return listing->hidden;
  if (g_stat (path, &status) != 0)
    return listing->others;
  return S_ISDIR (status.st_mode)   ? listing->folders
         : S_ISREG (status.st_mode) ? listing->files
                                    : listing->others;
}

gboolean
ens_listing_read (EnsListing *listing, const char *folder, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &reason);
  GPtrArray **const lists[] = {&listing->folders, &listing->files, &listing->hidden,
                               &listing->others};
  const char *name;

  if (dir == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read this folder: %s", folder,
                 reason->message);
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    *lists[i] = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (choose_list (listing, folder, name), g_strdup (name));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_ptr_array_sort (*lists[i], ens_listing_compare);
  return TRUE;
}

gboolean
ens_trail_enter (EnsTrail *trail, const EnsTrail *above, const char *folder)
{
  GStatBuf status;

  *trail = (EnsTrail) {.above = above, .depth = above != NULL ? above->depth + 1 : 0};
  if (g_stat (folder, &status) == 0) {
    trail->device = (guint64)status.st_dev;
    trail->inode = (guint64)status.st_ino;
  }
  for (; above != NULL; above = above->above)
    if (above->device == trail->device && above->inode == trail->inode)
      return FALSE;
  return trail->depth <= ENS_LISTING_DEPTH;
}

static void
walk (const char *folder, const EnsTrail *above, EnsListingEach each, gpointer data)
{
  g_auto (EnsListing) listing = {0};
  EnsTrail trail;

  if (!ens_trail_enter (&trail, above, folder) || !ens_listing_read (&listing, folder, NULL))
    return;
  for (guint i = 0; i < listing.files->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.files->pdata[i], NULL);

    each (path, data);
  }
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);

    walk (path, &trail, each, data);
  }
}

void
ens_listing_foreach (const char *folder, EnsListingEach each, gpointer data)
{
  walk (folder, NULL, each, data);
}

static char *
find (const char *folder, const EnsTrail *above, EnsListingFits fits, guint depth)
{
  g_auto (EnsListing) listing = {0};
  char *found = NULL;
  EnsTrail trail;

  if (!ens_trail_enter (&trail, above, folder) || !ens_listing_read (&listing, folder, NULL))
    return NULL;
  for (guint i = 0; i < listing.files->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.files->pdata[i], NULL);

    if (fits (path))
      return g_steal_pointer (&path);
  }
  for (guint i = 0; depth > 0 && found == NULL && i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);

    found = find (path, &trail, fits, depth - 1);
  }
  return found;
}

char *
ens_listing_find (const char *folder, EnsListingFits fits, guint depth)
{
  return find (folder, NULL, fits, depth);
}
