/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files of a folder are COCO's annotations. */
#include <string.h>

#include "dataset/boxes-coco.h"
#include "dataset/listing.h"

#define ANNOTATIONS "annotations"
#define INSTANCES "instances"

static void
coco_file_free (gpointer data)
{
  EnsCocoFile *file = data;

  g_free (file->path);
  g_free (file);
}

/* set: the set's own folder, whose name says nothing. */
static gint
find_split (const char *path, const char *set)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *folder_name = g_path_get_basename (folder);
  EnsSplit split;

  if (ens_split_find (name, &split)
      || (g_strcmp0 (folder, set) != 0 && ens_split_find (folder_name, &split)))
    return split;
  return ENS_SPLIT_UNSAID;
}

static gboolean
is_instances (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return g_str_has_prefix (name, INSTANCES);
}

static gboolean
is_annotations (const char *name, gboolean any_name)
{
  return g_str_has_suffix (name, ".json")
         && (any_name || g_str_has_prefix (name, INSTANCES) || strstr (name, "coco") != NULL);
}

/* path: (transfer full) */
static void
add_file (GPtrArray *files, char *path, gint split)
{
  EnsCocoFile *file = g_new (EnsCocoFile, 1);

  *file = (EnsCocoFile) {path, split};
  g_ptr_array_add (files, file);
}

/* Adds the folder's files of annotations and, if `folders` is not NULL, its folders to that. */
static void
list_folder (const char *folder, gboolean any_name, GPtrArray *files, GPtrArray *folders)
{
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, folder, NULL))
    return;
  for (guint i = 0; i < listing.files->len; i++)
    if (is_annotations (listing.files->pdata[i], any_name))
      add_file (files, g_build_filename (folder, listing.files->pdata[i], NULL), ENS_SPLIT_UNSAID);
  for (guint i = 0; folders != NULL && i < listing.folders->len; i++)
    g_ptr_array_add (folders, g_build_filename (folder, listing.folders->pdata[i], NULL));
}

static int
compare_files (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(EnsCocoFile *const *)a)->path, (*(EnsCocoFile *const *)b)->path);
}

/* Captions and key points lie beside the instances that they belong to. */
static void
keep_instances (GPtrArray *files)
{
  gboolean any = FALSE;

  for (guint i = 0; i < files->len; i++)
    any |= is_instances (((EnsCocoFile *)files->pdata[i])->path);
  for (guint i = files->len; any && i > 0; i--)
    if (!is_instances (((EnsCocoFile *)files->pdata[i - 1])->path))
      g_ptr_array_remove_index (files, i - 1);
}

GPtrArray *
ens_coco_list (const char *folder)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (coco_file_free);
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);

  list_folder (folder, FALSE, files, folders);
  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *name = g_path_get_basename (folders->pdata[i]);

    list_folder (folders->pdata[i], strcmp (name, ANNOTATIONS) == 0, files, NULL);
  }
  keep_instances (files);
  g_ptr_array_sort (files, compare_files);
  for (guint i = 0; i < files->len; i++) {
    EnsCocoFile *file = files->pdata[i];

    file->split = find_split (file->path, folder);
  }
  return files;
}

static char *
find_coco (const char *folder)
{
  g_autoptr (GPtrArray) files = ens_coco_list (folder);

  return files->len > 0 ? g_strdup (((const EnsCocoFile *)files->pdata[0])->path) : NULL;
}

/* A list of one file. */
static GPtrArray *
list_one (const char *path)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (coco_file_free);

  add_file (files, g_strdup (path), find_split (path, NULL));
  return files;
}

/* The folder of the set that a file of annotations belongs to. (transfer full) */
static char *
find_home (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (folder);

  return strcmp (name, ANNOTATIONS) == 0 ? g_path_get_dirname (folder) : g_steal_pointer (&folder);
}

static GPtrArray *
load_coco (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  gboolean single = !reading->whole;
  g_autoptr (GPtrArray) files = single ? list_one (evidence) : ens_coco_list (reading->folder);
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);

  if (single) {
    g_free (reading->folder);
    reading->folder = find_home (evidence);
  }
  for (guint i = 0; i < files->len; i++) {
    GPtrArray *more = ens_coco_load (reading, files->pdata[i], error);

    if (more == NULL)
      return NULL;
    g_ptr_array_extend_and_steal (images, more);
  }
  return g_steal_pointer (&images);
}

const EnsBoxesLayout ens_boxes_coco = {"COCO", find_coco, load_coco};
