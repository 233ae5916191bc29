/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/labels.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "dataset/dataset.h"

#define PICTURE_ENDING ".jpg"
#define SIDECAR_ENDING ".json"

/* The name of a file or folder and nothing else: no path, nothing hidden. */
static gboolean
is_name (const char *name)
{
  return *name != '\0' && *name != '.' && strchr (name, G_DIR_SEPARATOR) == NULL
         && g_utf8_validate (name, -1, NULL);
}

static gboolean
is_picture (const char *name)
{
  return is_name (name) && g_str_has_suffix (name, PICTURE_ENDING);
}

static gboolean
fail (GError **error, EnsErrorCode code, const char *what, const char *name)
{
  g_set_error (error, ENS_ERROR, code, "“%s”: %s", name, what);
  return FALSE;
}

/* ---- What is there ---- */

static int
compare_newest_first (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)b, *(char *const *)a);
}

/* Names begin with the time, so that they sort by it. (transfer full) */
static GPtrArray *
list_pictures (const char *folder)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (is_picture (name))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_newest_first);
  return names;
}

/* TIME-REASON-CLASS.jpg, as the collector names them; other names have neither. */
static void
write_picture (const char *name, EnsJson *json)
{
  g_autofree char *stem = g_strndup (name, strlen (name) - strlen (PICTURE_ENDING));
  g_auto (GStrv) parts = g_strsplit (stem, "-", 3);
  const gboolean known = g_strv_length (parts) == 3;

  ens_json_open_object (json, NULL, ENS_JSON_FLAT);
  ens_json_string (json, "picture", name);
  ens_json_string (json, "time", known ? parts[0] : NULL);
  ens_json_string (json, "reason", known ? parts[1] : NULL);
  ens_json_string (json, "class", known ? parts[2] : NULL);
  ens_json_close (json);
}

guint
watch_labels_write (const WatchLabels *labels, guint most, EnsJson *json)
{
  g_autoptr (GPtrArray) names = list_pictures (labels->collected);

  for (guint i = 0; i < MIN (most, names->len); i++)
    write_picture (g_ptr_array_index (names, i), json);
  return names->len;
}

char *
watch_labels_find (const WatchLabels *labels, const char *picture, GError **error)
{
  g_autofree char *path = NULL;

  if (is_picture (picture)) {
    path = g_build_filename (labels->collected, picture, NULL);
    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return g_steal_pointer (&path);
  }
  fail (error, ENS_ERROR_FILE, "there is no such picture; it may have made room for others",
        picture);
  return NULL;
}

/* ---- The data set ---- */

/* A data set may be divided; labelled frames are for training then. (transfer full) */
static char *
find_training_folder (const char *dataset)
{
  g_autoptr (GPtrArray) divided = ens_dataset_find_split (dataset, ENS_SPLIT_TRAIN);

  return g_strdup (divided->len > 0 ? g_ptr_array_index (divided, 0) : dataset);
}

/* A data set that isn't divided can't have a class that is called like a split. */
static gboolean
can_be_class (const WatchLabels *labels, const char *training, const char *name)
{
  EnsSplit split;

  return is_name (name)
         && (strcmp (training, labels->dataset) != 0 || !ens_split_find (name, &split));
}

static void
add_folders (const char *path, GHashTable *names)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *folder = g_build_filename (path, name, NULL);

    if (is_name (name) && g_file_test (folder, G_FILE_TEST_IS_DIR))
      g_hash_table_add (names, g_strdup (name));
  }
}

char **
watch_labels_list_classes (const WatchLabels *labels, const char *const *classes)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *folder = find_training_folder (labels->dataset);
  GStrvBuilder *list = g_strv_builder_new ();
  g_autoptr (GList) sorted = NULL;
  char **strings;

  add_folders (folder, names);
  for (guint i = 0; classes[i] != NULL; i++)
    if (is_name (classes[i]))
      g_hash_table_add (names, g_strdup (classes[i]));
  g_hash_table_remove (names, WATCH_NO_CLASS);
  sorted = g_list_sort (g_hash_table_get_keys (names), (GCompareFunc)strcmp);
  for (const GList *link = sorted; link != NULL; link = link->next)
    g_strv_builder_add (list, link->data);
  strings = g_strv_builder_end (list);
  g_strv_builder_unref (list);
  return strings;
}

/* ---- Labelling ---- */

/* Also to another file system. */
static gboolean
move (const char *from, const char *to, GError **error)
{
  g_autoptr (GFile) source = g_file_new_for_path (from);
  g_autoptr (GFile) destination = g_file_new_for_path (to);
  g_autoptr (GError) reason = NULL;

  if (g_file_move (source, destination, G_FILE_COPY_NONE, NULL, NULL, NULL, &reason))
    return TRUE;
  return fail (error, ENS_ERROR_FILE, reason->message, to);
}

/* (transfer full) */
static char *
place_in_dataset (const WatchLabels *labels, const char *picture, const char *class_name,
                  GError **error)
{
  g_autofree char *training = find_training_folder (labels->dataset);

  if (can_be_class (labels, training, class_name) && is_picture (picture))
    return g_build_filename (training, class_name, picture, NULL);
  fail (error, ENS_ERROR_FORMAT, "can't be the name of a class's folder", class_name);
  return NULL;
}

gboolean
watch_labels_set (const WatchLabels *labels, const char *picture, const char *class_name,
                  GError **error)
{
  g_autofree char *from = watch_labels_find (labels, picture, error);
  g_autofree char *to = from ? place_in_dataset (labels, picture, class_name, error) : NULL;
  g_autofree char *folder = NULL;

  if (to == NULL)
    return FALSE;
  folder = g_path_get_dirname (to);
  if (g_mkdir_with_parents (folder, 0777) != 0)
    return fail (error, ENS_ERROR_FILE, "can't make this folder", folder);
  return move (from, to, error);
}

gboolean
watch_labels_unset (const WatchLabels *labels, const char *picture, const char *class_name,
                    GError **error)
{
  g_autofree char *from = place_in_dataset (labels, picture, class_name, error);
  g_autofree char *to = NULL, *folder = NULL;

  if (from == NULL)
    return FALSE;
  to = g_build_filename (labels->collected, picture, NULL);
  if (!move (from, to, error))
    return FALSE;
  /* A class without pictures can't be trained. The folder stays if there are others. */
  folder = g_path_get_dirname (from);
  g_rmdir (folder);
  return TRUE;
}

gboolean
watch_labels_discard (const WatchLabels *labels, const char *picture, GError **error)
{
  g_autofree char *path = watch_labels_find (labels, picture, error);
  g_autofree char *stem = NULL, *sidecar = NULL;

  if (path == NULL)
    return FALSE;
  stem = g_strndup (path, strlen (path) - strlen (PICTURE_ENDING));
  sidecar = g_strconcat (stem, SIDECAR_ENDING, NULL);
  g_remove (sidecar);
  return g_remove (path) == 0 || fail (error, ENS_ERROR_FILE, "can't be removed", path);
}
