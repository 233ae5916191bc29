/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in files beside the model.
 *
 * Source: https://github.com/onnx/onnx/blob/main/docs/ExternalData.md */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "onnx/onnx-private.h"

/* How often the bytes of external files may be read over. */
#define MAX_REREAD 4

struct _EnsOnnxFiles {
  char *folder;      /* without symbolic links, or NULL */
  char *origin;      /* where the model lies that a link in the folder leads to, or NULL */
  GHashTable *files; /* location → GMappedFile */
  const Onnx__ModelProto *model; /* or NULL */
  gsize n_mapped;                /* bytes of all files */
  gsize n_read;                  /* bytes that tensors took */
};

/* The folder of the file that a path leads to by links. (transfer full) */
static char *
find_origin (const char *path)
{
  char *real = path != NULL ? realpath (path, NULL) : NULL;
  char *folder = real != NULL ? g_path_get_dirname (real) : NULL;

  free (real);
  return folder;
}

EnsOnnxFiles *
ens_onnx_files_new (const char *folder, const char *named)
{
  EnsOnnxFiles *files = g_new0 (EnsOnnxFiles, 1);

  files->origin = find_origin (named);

  files->folder = folder != NULL ? realpath (folder, NULL) : NULL;
  files->files =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_mapped_file_unref);
  return files;
}

void
ens_onnx_files_free (EnsOnnxFiles *files)
{
  free (files->folder);
  g_free (files->origin);
  g_hash_table_unref (files->files);
  g_free (files);
}

void
ens_onnx_files_set_model (EnsOnnxFiles *files, const Onnx__ModelProto *model)
{
  files->model = model;
}

gsize
ens_onnx_files_size (const EnsOnnxFiles *files)
{
  return files->n_mapped;
}

/* What a tensor says of the place of its contents. */
typedef struct {
  const char *location;
  guint64 offset, length;
  gboolean has_length;
} Place;

static gboolean
read_number (const char *text, const char *key, const char *what, guint64 *number, GError **error)
{
  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, number, NULL))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: external data's %s is “%s”, not a number",
               what, key, text);
  return FALSE;
}

static gboolean
read_place (const Onnx__TensorProto *proto, const char *what, Place *place, GError **error)
{
  for (gsize i = 0; i < proto->n_external_data; i++) {
    const char *key = ens_onnx_text (proto->external_data[i]->key);
    const char *value = ens_onnx_text (proto->external_data[i]->value);

    if (strcmp (key, "location") == 0)
      place->location = value;
    else if (strcmp (key, "offset") == 0) {
      if (!read_number (value, key, what, &place->offset, error))
        return FALSE;
    } else if (strcmp (key, "length") == 0) {
      if (!read_number (value, key, what, &place->length, error))
        return FALSE;
      place->has_length = TRUE;
    }
  }
  if (place->location != NULL && *place->location != '\0')
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: external data without a location", what);
  return FALSE;
}

const char *
ens_onnx_tensor_location (const Onnx__TensorProto *proto)
{
  for (gsize i = 0; i < proto->n_external_data; i++)
    if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
        && strcmp (ens_onnx_text (proto->external_data[i]->key), "location") == 0)
      return ens_onnx_text (proto->external_data[i]->value);
  return NULL;
}

static gboolean
leaves_folder (const char *location)
{
  g_auto (GStrv) components = g_strsplit (location, G_DIR_SEPARATOR_S, -1);

  return g_path_is_absolute (location) || g_strv_contains ((const char *const *)components, "..");
}

static gboolean
contains (const char *folder, const char *path)
{
  gsize length = strlen (folder);

  return g_str_has_prefix (path, folder)
         && (path[length] == G_DIR_SEPARATOR || folder[length - 1] == G_DIR_SEPARATOR);
}

static gboolean
fail_outside (const char *location, const char *what, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s lies in the file “%s”, which is outside the model's folder", what, location);
  return FALSE;
}

/* Without symbolic links, which may lead out of the folder of a model that the user has named:
 * hubs' caches consist of links. NULL, and *number says why: there is no such file. (transfer full,
 * g_free) */
static char *
find_path (const EnsOnnxFiles *files, const char *location, int *number)
{
  g_autofree char *path = g_build_filename (files->folder, location, NULL);
  g_autofree char *beside = NULL;
  char *resolved = realpath (path, NULL);

  *number = errno;
  if (resolved != NULL || files->origin == NULL)
    return resolved;
  beside = g_build_filename (files->origin, location, NULL);
  return realpath (beside, NULL);
}

gboolean
ens_onnx_files_is_missing (EnsOnnxFiles *files, const char *location)
{
  g_autofree char *resolved = NULL;
  int number;

  if (files->folder == NULL || leaves_folder (location))
    return FALSE;
  resolved = find_path (files, location, &number);
  return resolved == NULL;
}

static void
fail_missing (EnsOnnxFiles *files, const char *location, int number, const char *what,
              GError **error)
{
  g_autofree char *path = g_build_filename (files->folder, location, NULL);
  g_autofree char *advice = ens_onnx_describe_missing_files (files, files->model);

  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s lies in the file “%s”: %s; %s", what, path,
               g_strerror (number), advice);
}

/* The file's path. (transfer full, g_free) */
static char *
resolve (EnsOnnxFiles *files, const char *location, const char *what, GError **error)
{
  g_autofree char *resolved = NULL;
  int number;

  if (files->folder == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 "%s lies in the file “%s”, but the model has no folder", what, location);
    return NULL;
  }
  if (leaves_folder (location)) {
    fail_outside (location, what, error);
    return NULL;
  }
  resolved = find_path (files, location, &number);
  if (resolved == NULL)
    fail_missing (files, location, number, what, error);
  else if (files->origin != NULL || contains (files->folder, resolved))
    return g_steal_pointer (&resolved);
  else
    fail_outside (location, what, error);
  return NULL;
}

static GMappedFile *
map_file (EnsOnnxFiles *files, const char *location, const char *what, GError **error)
{
  GMappedFile *file = g_hash_table_lookup (files->files, location);
  g_autofree char *path = NULL;
  g_autoptr (GError) reason = NULL;

  if (file != NULL)
    return file;
  path = resolve (files, location, what, error);
  if (path == NULL)
    return NULL;
  file = ens_file_map (path, &reason);
  if (file == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s lies in the file “%s”: %s", what, location,
                 reason->message);
    return NULL;
  }
  g_hash_table_insert (files->files, g_strdup (location), file);
  files->n_mapped += g_mapped_file_get_length (file);
  return file;
}

/* Tensors may share contents, but a few bytes must not become gigabytes. */
static gboolean
count_bytes (EnsOnnxFiles *files, const char *what, gsize size, GError **error)
{
  files->n_read += size;
  if (files->n_read <= MAX_REREAD * files->n_mapped)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "%s: tensors with external data take more than %d times the %" G_GSIZE_FORMAT
               " bytes of their files",
               what, MAX_REREAD, files->n_mapped);
  return FALSE;
}

const guint8 *
ens_onnx_files_find (EnsOnnxFiles *files, const Onnx__TensorProto *proto, const char *what,
                     gsize size, GError **error)
{
  Place place = {0};
  GMappedFile *file;
  gsize file_size;

  if (!read_place (proto, what, &place, error))
    return NULL;
  if (place.has_length && place.length != size) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s needs %" G_GSIZE_FORMAT
                 " bytes, but says its external data has %" G_GUINT64_FORMAT,
                 what, size, place.length);
    return NULL;
  }
  file = map_file (files, place.location, what, error);
  if (file == NULL)
    return NULL;
  file_size = g_mapped_file_get_length (file);
  if (place.offset > file_size || size > file_size - place.offset) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s needs %" G_GSIZE_FORMAT " bytes from byte %" G_GUINT64_FORMAT
                 " on of the file “%s”, which has %" G_GSIZE_FORMAT,
                 what, size, place.offset, place.location, file_size);
    return NULL;
  }
  if (!count_bytes (files, what, size, error))
    return NULL;
  return (const guint8 *)g_mapped_file_get_contents (file) + place.offset;
}
