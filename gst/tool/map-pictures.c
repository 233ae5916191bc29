/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "map-pictures.h"

#include <string.h>

#include "base/files.h"
#include "encode-still.h"
#include "ensemble/map-picture.h"

/* Pixels of the longer side: small beside the frame, large beside any map. */
#define LONGER_SIDE 256

struct _ToolMapPictures {
  char *folder;
  GHashTable *names; /* path → name of its pictures */
  GHashTable *taken; /* names */
};

ToolMapPictures *
tool_map_pictures_new (const char *folder, GError **error)
{
  ToolMapPictures *pictures;

  if (!ens_folder_make (folder, error))
    return NULL;
  pictures = g_new0 (ToolMapPictures, 1);
  pictures->folder = g_strdup (folder);
  pictures->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  pictures->taken = g_hash_table_new (g_str_hash, g_str_equal);
  return pictures;
}

void
tool_map_pictures_free (ToolMapPictures *pictures)
{
  if (pictures == NULL)
    return;
  g_hash_table_unref (pictures->taken);
  g_hash_table_unref (pictures->names);
  g_free (pictures->folder);
  g_free (pictures);
}

static const char *
choose_name (ToolMapPictures *pictures, const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *ending = strrchr (base, '.'), *name;

  if (ending != NULL && ending != base)
    *ending = 0;
  name = g_strdup (base);
  for (guint i = 2; g_hash_table_contains (pictures->taken, name); i++) {
    g_free (name);
    name = g_strdup_printf ("%s-%u", base, i);
  }
  g_hash_table_insert (pictures->names, g_strdup (path), name);
  g_hash_table_add (pictures->taken, name);
  return name;
}

/* (transfer full) */
static char *
make_path (const ToolMapPictures *pictures, const char *name, const EnsResult *result,
           const char *class_name)
{
  g_autofree char *class_part = g_strdelimit (g_strdup (class_name), G_DIR_SEPARATOR_S, '_');
  g_autofree char *file = NULL;

  if (result->pts == G_MAXUINT64)
    file = g_strdup_printf ("%s-%s.png", name, class_part);
  else
    file = g_strdup_printf ("%s-%08.3f-%s.png", name, (double)result->pts / 1e9, class_part);
  return g_build_filename (pictures->folder, file, NULL);
}

static gboolean
write_picture (const EnsResult *result, guint class_index, const char *path, GError **error)
{
  g_autoptr (EnsPicture) picture = ens_map_picture_new (result, class_index, LONGER_SIDE);
  g_autoptr (GBytes) png = gst_ensemble_encode_still (picture, "image/png", error);
  gsize size;
  const char *bytes;

  if (png == NULL)
    return FALSE;
  bytes = g_bytes_get_data (png, &size);
  return ens_file_write (path, bytes, size, ENS_FILE_USUAL, error);
}

gboolean
tool_map_pictures_write (ToolMapPictures *pictures, const char *path, const EnsResult *result,
                         GError **error)
{
  const char *name = g_hash_table_lookup (pictures->names, path);

  if (name == NULL)
    name = choose_name (pictures, path);
  for (guint c = 0; c < result->n_classes; c++) {
    g_autofree char *file = make_path (pictures, name, result, result->classes[c].name);

    if (!write_picture (result, c, file, error))
      return FALSE;
  }
  return TRUE;
}
