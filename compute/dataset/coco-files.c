/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files of a folder are COCO's annotations. */
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"
#include "dataset/boxes-coco.h"
#include "dataset/coco-scan.h"
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

/* set: the set's own folder, whose name says nothing; NULL: there is none. */
static gint
find_split (const char *path, const char *set)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *folder_name = g_path_get_basename (folder);
  EnsSplit split;

  if (ens_split_find (name, &split))
    return split;
  if (set != NULL)
    return ens_boxes_find_split (set, path);
  return ens_split_find (folder_name, &split) ? (gint)split : ENS_SPLIT_UNSAID;
}

static gboolean
is_instances (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return g_str_has_prefix (name, INSTANCES);
}

static gboolean
has_ending (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return g_str_has_suffix (lower, ".json");
}

/* Whether it is another layout's JSON, whatever the file is called. */
static gboolean
is_list (const char *path)
{
  g_autoptr (GMappedFile) file = ens_file_map (path, NULL);
  gsize length = file != NULL ? g_mapped_file_get_length (file) : 0;
  EnsJsonScan scan;
  gboolean list;

  if (length == 0)
    return FALSE;
  ens_json_scan_init (&scan, path, g_mapped_file_get_contents (file), length);
  list = ens_json_scan_peek (&scan) == '[';
  ens_json_scan_finish (&scan, NULL);
  return list;
}

/* By where a file lies or what it is called, whatever it says; or by what it says. */
static gboolean
is_annotations (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *folder_name = g_path_get_basename (folder);

  return has_ending (name)
         && (strcmp (folder_name, ANNOTATIONS) == 0 || g_str_has_prefix (name, INSTANCES)
             || strstr (name, "coco") != NULL || ens_coco_is_likely (path))
         && !is_list (path);
}

/* path: (transfer full) */
static void
add_file (GPtrArray *files, char *path, gint split)
{
  EnsCocoFile *file = g_new (EnsCocoFile, 1);

  *file = (EnsCocoFile) {path, split};
  g_ptr_array_add (files, file);
}

static void
add_annotations (const char *path, gpointer data)
{
  if (is_annotations (path))
    add_file (data, g_strdup (path), ENS_SPLIT_UNSAID);
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

  ens_listing_foreach (folder, add_annotations, files);
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

/* The files' pictures, one after the other. Beside COCO's lie files that have pictures but no
 * categories, such as captions: without other ones the first of them is an error. */
static gboolean
load_files (EnsBoxesReading *reading, const GPtrArray *files, GPtrArray *images, GError **error)
{
  g_autoptr (GError) first = NULL;
  gboolean any = FALSE;

  for (guint i = 0; i < files->len; i++) {
    g_autoptr (GError) failure = NULL;

    if (ens_coco_load (reading, files->pdata[i], images, &failure)) {
      any = TRUE;
    } else if (!g_error_matches (failure, ENS_ERROR, ENS_ERROR_UNSUPPORTED)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    } else {
      ens_boxes_reading_note (reading, "left out %s", failure->message);
      if (first == NULL)
        first = g_steal_pointer (&failure);
    }
  }
  if (!any && first != NULL)
    g_propagate_error (error, g_steal_pointer (&first));
  return any;
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
  return load_files (reading, files, images, error) ? g_steal_pointer (&images) : NULL;
}

const EnsBoxesLayout ens_boxes_coco = {"COCO", find_coco, load_coco};
