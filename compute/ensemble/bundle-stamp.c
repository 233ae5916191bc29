/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a bundle on disk is still the one that was read. */
#include <glib/gstdio.h>
#include <string.h>

#include "ensemble/bundle-private.h"
#include "ensemble/style.h"

static void
add_file (GString *stamp, const EnsBundle *bundle, const char *file)
{
  g_autofree char *path = g_build_filename (bundle->folder, file, NULL);
  GStatBuf status = {0};

  g_stat (path, &status);
  g_string_append_printf (stamp,
                          "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT ".%09ld ",
                          (guint64)status.st_dev, (guint64)status.st_ino, (gint64)status.st_size,
                          (gint64)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
ens_bundle_list_files (const EnsBundle *bundle, const char *folder)
{
  g_autofree char *path = g_build_filename (bundle->folder, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* Reports, notes, tables and copies that editors leave change nothing. */
static gboolean
may_be_read (const char *path)
{
  static const char *const others[] = {".html", ".json", ".txt", ".md",  ".log",
                                       ".csv",  ".out",  ".py",  ".png", "~"};

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (g_str_has_suffix (path, others[i]))
      return FALSE;
  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

/* Files in a folder of the bundle, "." for its own: no list has styles, and weights that lie beside
 * a network. */
static void
add_files (GString *stamp, const EnsBundle *bundle, const char *folder)
{
  g_autoptr (GPtrArray) files = ens_bundle_list_files (bundle, folder);

  for (guint i = 0; i < files->len; i++) {
    const char *file = g_ptr_array_index (files, i);
    g_autofree char *name = g_build_filename (folder, file, NULL);
    g_autofree char *path = g_build_filename (bundle->folder, name, NULL);

    if (*file != '.' && may_be_read (path))
      add_file (stamp, bundle, name);
  }
}

/* Weights lie in the folder of their network. */
static void
add_weights (GString *stamp, const EnsBundle *bundle)
{
  g_autoptr (GHashTable) folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint n = 0; n < bundle->n_networks; n++) {
    char *folder = g_path_get_dirname (bundle->networks[n].network);

    if (g_hash_table_add (folders, folder))
      add_files (stamp, bundle, folder);
  }
}

char *
ens_bundle_stamp (const EnsBundle *bundle)
{
  GString *stamp = g_string_new (NULL);

  add_file (stamp, bundle, ENS_BUNDLE_FILE);
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    add_file (stamp, bundle, network->network);
    add_file (stamp, bundle, network->classifier);
    if (network->window_classifier != NULL)
      add_file (stamp, bundle, network->window_classifier);
  }
  if (bundle->gate != NULL)
    add_file (stamp, bundle, bundle->gate->file);
  add_weights (stamp, bundle);
  add_files (stamp, bundle, ENS_STYLE_FOLDER);
  return g_string_free (stamp, FALSE);
}
