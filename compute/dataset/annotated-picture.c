/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of annotations that are a file for each. */
#include <string.h>

#include "dataset/boxes-private.h"
#include "dataset/picture-names.h"

char *
ens_boxes_exchange_folder (const char *inside, const char *other)
{
  static const char *const folders[] = {"annotations", "xmls", "labels", "jsons", "json", NULL};
  g_auto (GStrv) parts = g_strsplit (inside, G_DIR_SEPARATOR_S, -1);

  for (guint i = g_strv_length (parts); i-- > 0;) {
    g_autofree char *lower = g_ascii_strdown (parts[i], -1);

    if (g_strv_contains (folders, lower)) {
      g_free (parts[i]);
      parts[i] = g_strdup (other);
      return g_strjoinv (G_DIR_SEPARATOR_S, parts);
    }
  }
  return NULL;
}

/* Of a name that may lack its ending. (transfer none) */
static const char *
find_picture (EnsBoxesReading *reading, const char *annotation, const char *name)
{
  static const char *const folders[] = {"JPEGImages", "images", "Images"};
  const EnsPictureIndex *index = ens_boxes_reading_index (reading);
  g_autofree char *inside = ens_boxes_inside (reading->folder, annotation);
  const char *path = NULL;

  for (guint i = 0; path == NULL && i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *beside = ens_boxes_exchange_folder (inside, folders[i]);

    path = beside != NULL ? ens_picture_index_find (index, beside, name) : NULL;
  }
  if (path == NULL)
    path = ens_picture_index_find (index, inside, name);
  return path != NULL ? path : ens_picture_index_find_anywhere (index, name);
}

const char *
ens_boxes_find_annotated (EnsBoxesReading *reading, const char *annotation, const char *name)
{
  g_autofree char *stem = ens_picture_stem (annotation);
  const char *path = find_picture (reading, annotation, stem);

  return path == NULL && name != NULL ? find_picture (reading, annotation, name) : path;
}
