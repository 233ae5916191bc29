/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/yolo-files.h"

#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/lines.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"
#include "dataset/yolo-names.h"

#define LABELS "labels"
#define ENDING ".txt"

double *
ens_yolo_read_numbers (const char *line, guint *n)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t\r", -1);
  double *numbers = g_new (double, g_strv_length (words) + 1);

  *n = 0;
  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      numbers[(*n)++] = ens_boxes_number (words[i]);
  return numbers;
}

static gboolean
is_data_yaml (const char *path)
{
  return (g_str_has_suffix (path, ".yaml") || g_str_has_suffix (path, ".yml"))
         && ens_yolo_is_yaml (path);
}

gboolean
ens_yolo_is_obj_data (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return strcmp (name, "obj.data") == 0;
}

gboolean
ens_yolo_is_names_file (const char *path)
{
  static const char *const names[] = {"obj.names", "classes.txt", "_darknet.labels", "labels.txt"};
  g_autofree char *name = g_path_get_basename (path);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0)
      return TRUE;
  return g_str_has_suffix (name, ".names");
}

/* Whether a text has a label in its first line. */
gboolean
ens_yolo_is_labels (const char *path)
{
  g_autoptr (GBytes) text = g_str_has_suffix (path, ENDING) ? ens_file_map_text (path, NULL) : NULL;
  g_autofree double *numbers = NULL;
  g_auto (EnsLines) lines;
  const char *line;
  guint n;

  ens_lines_init (&lines, text);
  line = ens_lines_next (&lines);
  if (line == NULL)
    return FALSE;
  numbers = ens_yolo_read_numbers (line, &n);
  for (guint i = 0; i < n; i++)
    if (!isfinite (numbers[i]))
      return FALSE;
  return n >= ENS_YOLO_BOX_NUMBERS;
}

/* A file of labels in a folder called labels, in capitals or not, or below. (transfer full) */
static char *
find_in_labels (const char *folder, const EnsListing *listing)
{
  char *found = NULL;

  for (guint i = 0; found == NULL && i < listing->folders->len; i++)
    if (g_ascii_strcasecmp (listing->folders->pdata[i], LABELS) == 0) {
      g_autofree char *path = g_build_filename (folder, listing->folders->pdata[i], NULL);

      found = ens_listing_find (path, ens_yolo_is_labels, 1);
    }
  return found;
}

/* A file of labels in …/labels, …/labels/SPLIT, or beside a picture. (transfer full) */
static char *
find_labelled (const char *folder)
{
  g_auto (EnsListing) listing = {0};
  char *found;

  if (!ens_listing_read (&listing, folder, NULL))
    return NULL;
  found = find_in_labels (folder, &listing);
  if (found == NULL)
    found = ens_listing_find (folder, ens_yolo_is_labels, 0);
  for (guint i = 0; found == NULL && i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);
    g_auto (EnsListing) inner = {0};

    if (ens_listing_read (&inner, path, NULL))
      found = find_in_labels (path, &inner);
    if (found == NULL)
      found = ens_listing_find (path, ens_yolo_is_labels, 0);
  }
  return found;
}

/* What the pictures of a set with data.yaml are labelled by. */
typedef struct {
  const EnsYoloNames *names;
  gboolean texts, folders;
} Labelling;

static void
look_at (const char *path, gpointer data)
{
  Labelling *labelling = data;
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (folder);
  const GPtrArray *names = labelling->names->names;

  labelling->texts = labelling->texts || ens_yolo_is_labels (path);
  for (guint i = 0; !labelling->folders && ens_picture_has_name (path) && i < names->len; i++)
    labelling->folders = g_strcmp0 (names->pdata[i], name) == 0;
}

/* Whether the folders of pictures are called like data.yaml's classes, and there are no labels:
 * Ultralytics' sets for classification have such a file, too. */
static gboolean
is_of_folders (const char *folder, const char *yaml)
{
  g_autoptr (GBytes) text = ens_file_map_text (yaml, NULL);
  g_auto (EnsYoloNames) names = {0};
  Labelling labelling = {.names = &names};

  ens_yolo_names_init (&names);
  if (text == NULL || !ens_yolo_read_yaml (&names, yaml, text, NULL))
    return FALSE;
  ens_listing_foreach (folder, look_at, &labelling);
  return labelling.folders && !labelling.texts;
}

char *
ens_yolo_find (const char *folder)
{
  g_autofree char *yaml = ens_listing_find (folder, is_data_yaml, 1);
  char *found;

  if (yaml != NULL)
    return is_of_folders (folder, yaml) ? NULL : g_steal_pointer (&yaml);
  found = ens_listing_find (folder, ens_yolo_is_obj_data, 1);
  return found != NULL ? found : find_labelled (folder);
}
