/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/picture-index.h"

#include <string.h>

#include "dataset/boxes-private.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"

/* Names with and without their ending → path; "" where there are several. */
struct _EnsPictureIndex {
  char *folder;
  GStringChunk *texts; /* what keys and paths are */
  GHashTable *by_path, *by_name;
};

char *
ens_name_normalise (const char *name)
{
  char *normal =
      g_str_is_ascii (name) ? g_strdup (name) : g_utf8_normalize (name, -1, G_NORMALIZE_NFC);

  return normal != NULL ? normal : g_utf8_make_valid (name, -1);
}

/* (transfer full) */
static char *
strip_ending (const char *name)
{
  const char *dot = strrchr (name, '.');

  return dot != NULL && strchr (dot, G_DIR_SEPARATOR) == NULL
             ? g_strndup (name, (gsize)(dot - name))
             : g_strdup (name);
}

static void
add_key (EnsPictureIndex *index, GHashTable *table, const char *key, const char *path)
{
  if (g_hash_table_contains (table, key))
    g_hash_table_insert (table, (gpointer)key, (gpointer) "");
  else
    g_hash_table_insert (table, g_string_chunk_insert (index->texts, key), (gpointer)path);
}

static void
add_keys (EnsPictureIndex *index, GHashTable *table, const char *key, const char *path)
{
  g_autofree char *stripped = strip_ending (key);

  add_key (index, table, key, path);
  add_key (index, table, stripped, path);
}

static void
add_picture (const char *path, gpointer data)
{
  EnsPictureIndex *index = data;
  g_autofree char *relative = ens_name_normalise (path + strlen (index->folder) + 1);
  g_autofree char *name = g_path_get_basename (relative);
  const char *kept;

  if (!ens_picture_has_name (name))
    return;
  kept = g_string_chunk_insert (index->texts, path);
  add_keys (index, index->by_path, relative, kept);
  add_keys (index, index->by_name, name, kept);
}

EnsPictureIndex *
ens_picture_index_new (const char *folder)
{
  EnsPictureIndex *index = g_new (EnsPictureIndex, 1);
  gsize length = strlen (folder);

  while (length > 1 && folder[length - 1] == G_DIR_SEPARATOR)
    length--;
  index->folder = g_strndup (folder, length);
  index->texts = g_string_chunk_new (1 << 16);
  index->by_path = g_hash_table_new (g_str_hash, g_str_equal);
  index->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  ens_listing_foreach (index->folder, add_picture, index);
  return index;
}

void
ens_picture_index_free (EnsPictureIndex *index)
{
  if (index == NULL)
    return;
  g_hash_table_unref (index->by_path);
  g_hash_table_unref (index->by_name);
  g_string_chunk_free (index->texts);
  g_free (index->folder);
  g_free (index);
}

/* NULL for several, too. */
static const char *
look_up (GHashTable *table, const char *key)
{
  const char *path = g_hash_table_lookup (table, key);

  return path != NULL && *path != '\0' ? path : NULL;
}

/* Whether a name is as keys are: lists have millions, which need not be rewritten. */
static gboolean
is_plain (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && g_str_is_ascii (name) && strchr (name, '\\') == NULL
         && strstr (name, "//") == NULL && strstr (name, "./") == NULL && name[0] != '/'
         && strchr ("/.", name[length - 1]) == NULL;
}

/* A name as keys are: no “.” and no backslashes. (transfer full) */
static char *
clean (const char *name)
{
  g_autofree char *slashes = g_strdelimit (ens_name_normalise (name), "\\", '/');
  g_auto (GStrv) parts = g_strsplit (slashes, "/", -1);
  g_autoptr (GString) key = g_string_new (NULL);

  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0' && strcmp (parts[i], ".") != 0)
      g_string_append_printf (key, "%s%s", key->len > 0 ? G_DIR_SEPARATOR_S : "", parts[i]);
  return g_string_free (g_steal_pointer (&key), FALSE);
}

const char *
ens_picture_index_find (const EnsPictureIndex *index, const char *inside, const char *name)
{
  g_autofree char *cleaned = is_plain (name) ? NULL : clean (name);
  const char *end = cleaned != NULL ? cleaned : name;
  g_autofree char *key =
      *inside != '\0' && *end != '\0' ? g_strconcat (inside, G_DIR_SEPARATOR_S, end, NULL) : NULL;

  if (!ens_boxes_name_is_inside (name))
    return NULL;
  return look_up (index->by_path, key != NULL ? key : *end != '\0' ? end : inside);
}

gboolean
ens_picture_index_has (const EnsPictureIndex *index, const char *name, const char **only)
{
  g_autofree char *cleaned = is_plain (name) ? NULL : clean (name);
  const char *whole = cleaned != NULL ? cleaned : name, *slash = strrchr (whole, G_DIR_SEPARATOR);
  const char *path = ens_boxes_name_is_inside (name)
                         ? g_hash_table_lookup (index->by_name, slash != NULL ? slash + 1 : whole)
                         : NULL;

  *only = path != NULL && *path != '\0' ? path : NULL;
  return path != NULL;
}

const char *
ens_picture_index_find_anywhere (const EnsPictureIndex *index, const char *name)
{
  const char *only;

  ens_picture_index_has (index, name, &only);
  return only;
}
