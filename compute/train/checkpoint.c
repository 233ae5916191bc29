/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file: a line that names the format, the SHA-256 of all that follows, a GVariant. */
#include "train/checkpoint.h"

#include <string.h>

#include "base/fail.h"
#include "base/files.h"

#define MAGIC "ENSEMBLE-TRAIN1\n"
#define CONFIGURATION "configuration"

enum { MAGIC_SIZE = sizeof MAGIC - 1, HASH_SIZE = 32, HEADER_SIZE = MAGIC_SIZE + HASH_SIZE };

struct _EnsCheckpoint {
  GVariantDict values;
  char *path; /* of one that was read, for messages */
};

/* (transfer full) */
static EnsCheckpoint *
new_checkpoint (GVariant *values)
{
  EnsCheckpoint *checkpoint = g_new0 (EnsCheckpoint, 1);

  g_variant_dict_init (&checkpoint->values, values);
  return checkpoint;
}

EnsCheckpoint *
ens_checkpoint_new (const char *configuration)
{
  EnsCheckpoint *checkpoint = new_checkpoint (NULL);

  g_variant_dict_insert (&checkpoint->values, CONFIGURATION, "s", configuration);
  return checkpoint;
}

void
ens_checkpoint_free (EnsCheckpoint *checkpoint)
{
  g_variant_dict_clear (&checkpoint->values);
  g_free (checkpoint->path);
  g_free (checkpoint);
}

void
ens_checkpoint_add_floats (EnsCheckpoint *checkpoint, const char *name, const float *values,
                           gsize n)
{
  g_variant_dict_insert_value (
      &checkpoint->values, name,
      g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, values, n * sizeof *values, 1));
}

void
ens_checkpoint_add_integer (EnsCheckpoint *checkpoint, const char *name, guint64 value)
{
  g_variant_dict_insert (&checkpoint->values, name, "t", value);
}

void
ens_checkpoint_add_double (EnsCheckpoint *checkpoint, const char *name, double value)
{
  g_variant_dict_insert (&checkpoint->values, name, "d", value);
}

/* -- writing -- */

static void
hash (gconstpointer data, gsize size, guint8 digest[HASH_SIZE])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize digest_size = HASH_SIZE;

  g_checksum_update (checksum, data, (gssize)size);
  g_checksum_get_digest (checksum, digest, &digest_size);
}

/* A copy, because GLib ends a dictionary with its conversion. */
static GVariant *
collect_values (const EnsCheckpoint *checkpoint)
{
  EnsCheckpoint *mutable = (EnsCheckpoint *)checkpoint;
  GVariant *values = g_variant_ref_sink (g_variant_dict_end (&mutable->values));

  g_variant_dict_init (&mutable->values, values);
  return values;
}

gboolean
ens_checkpoint_write (const EnsCheckpoint *checkpoint, const char *path, GError **error)
{
  g_autoptr (GVariant) values = collect_values (checkpoint);
  gsize size = g_variant_get_size (values);
  g_autofree char *file = g_malloc (HEADER_SIZE + size);

  memcpy (file, MAGIC, MAGIC_SIZE);
  g_variant_store (values, file + HEADER_SIZE);
  hash (file + HEADER_SIZE, size, (guint8 *)file + MAGIC_SIZE);
  return ens_file_write (path, file, HEADER_SIZE + size, ENS_FILE_DURABLE, error);
}

/* -- reading -- */

/* NULL if it is damaged. (transfer full) */
static GVariant *
parse (const char *file, gsize size, const char *path, GError **error)
{
  guint8 digest[HASH_SIZE];
  g_autoptr (GBytes) bytes = NULL;

  if (size < HEADER_SIZE || memcmp (file, MAGIC, MAGIC_SIZE) != 0) {
    ens_fail (error, ENS_ERROR_FORMAT, path, "is no checkpoint of a training");
    return NULL;
  }
  hash (file + HEADER_SIZE, size - HEADER_SIZE, digest);
  if (memcmp (file + MAGIC_SIZE, digest, HASH_SIZE) != 0) {
    ens_fail (error, ENS_ERROR_FORMAT, path,
              "the checkpoint is damaged: its checksum differs; remove it to begin again");
    return NULL;
  }
  bytes = g_bytes_new (file + HEADER_SIZE, size - HEADER_SIZE);
  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
}

EnsCheckpoint *
ens_checkpoint_read (const char *path, const char *configuration, GError **error)
{
  gsize size;
  g_autoptr (GError) reason = NULL;
  g_autofree char *file = ens_file_read (path, &size, &reason);
  g_autoptr (GVariant) values = NULL;
  g_autoptr (EnsCheckpoint) checkpoint = NULL;
  const char *found;

  if (file == NULL) {
    ens_fail (error, ENS_ERROR_FILE, path, "can't read the checkpoint: %s", reason->message);
    return NULL;
  }
  values = parse (file, size, path, error);
  if (values == NULL)
    return NULL;
  checkpoint = new_checkpoint (values);
  checkpoint->path = g_strdup (path);
  if (!g_variant_dict_lookup (&checkpoint->values, CONFIGURATION, "&s", &found)
      || strcmp (found, configuration) != 0) {
    ens_fail (error, ENS_ERROR_DATA, path,
              "the checkpoint is of a training with other settings, pictures or networks; give "
              "those, or remove it to begin again");
    return NULL;
  }
  return g_steal_pointer (&checkpoint);
}

static gboolean
fail_value (const EnsCheckpoint *checkpoint, const char *name, GError **error)
{
  return ens_fail (error, ENS_ERROR_FORMAT,
                   checkpoint->path != NULL ? checkpoint->path : "checkpoint",
                   "has no “%s” of the expected kind and size; remove it to begin again", name);
}

static GVariantDict *
get_values (const EnsCheckpoint *checkpoint)
{
  return &((EnsCheckpoint *)checkpoint)->values;
}

gboolean
ens_checkpoint_get_floats (const EnsCheckpoint *checkpoint, const char *name, float *values,
                           gsize n, GError **error)
{
  g_autoptr (GVariant) value =
      g_variant_dict_lookup_value (get_values (checkpoint), name, G_VARIANT_TYPE_BYTESTRING);

  if (value == NULL || g_variant_get_size (value) != n * sizeof *values)
    return fail_value (checkpoint, name, error);
  if (n > 0)
    memcpy (values, g_variant_get_data (value), n * sizeof *values);
  return TRUE;
}

gboolean
ens_checkpoint_get_integer (const EnsCheckpoint *checkpoint, const char *name, guint64 *value,
                            GError **error)
{
  return g_variant_dict_lookup (get_values (checkpoint), name, "t", value)
         || fail_value (checkpoint, name, error);
}

gboolean
ens_checkpoint_get_double (const EnsCheckpoint *checkpoint, const char *name, double *value,
                           GError **error)
{
  return g_variant_dict_lookup (get_values (checkpoint), name, "d", value)
         || fail_value (checkpoint, name, error);
}
