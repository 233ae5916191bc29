/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/features.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

/* Bytes in this machine's order: the files are not meant to travel. Another order, or another
 * layout of records, is another magic. */
#define HEADER_MAGIC 0x31464e45U /* "ENF1" */
#define RECORD_MAGIC 0x52464e45U /* "ENFR" */

#define CHECKSUM_SIZE 8

typedef struct {
  guint32 magic, n_features, configuration_size;
} Header;

typedef struct {
  guint32 magic, n_rows;
  EnsImageKey key;
} RecordHead;

typedef struct {
  int file;
  guint64 offset; /* of the rows */
  guint n_rows;
} Record;

struct _EnsFeatureStore {
  char *path;
  int file;
  guint n_features;
  guint64 end; /* behind the last sound record */
  guint64 cut;
  GHashTable *records; /* EnsImageKey → Record */
  GArray *others;      /* int: files of other parts, to be read */
  char *part;          /* folder of the own part; NULL: there is none, or opening failed */
  guint64 start;       /* of the records */
};

EnsImageKey
ens_image_key (gconstpointer contents, gsize size)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  EnsImageKey key;
  gsize length = sizeof key.bytes;

  g_checksum_update (checksum, contents, (gssize)size);
  g_checksum_get_digest (checksum, key.bytes, &length);
  return key;
}

static guint
hash_key (gconstpointer key)
{
  guint hash;

  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (EnsImageKey)) == 0;
}

static gboolean
set_file_error (const EnsFeatureStore *store, const char *action, GError **error)
{
  int number = errno;

  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't %s: %s%s", store->path, action,
               g_strerror (number), ens_write_advice (number));
  return FALSE;
}

/* ---- Reading and writing all of a range ---- */

/* FALSE with errno 0 if the file ends before. */
static gboolean
read_range (int file, gpointer data, gsize size, guint64 offset)
{
  guint8 *bytes = data;

  while (size > 0) {
    gssize n = pread (file, bytes, size, (off_t)offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      errno = n == 0 ? 0 : errno;
      return FALSE;
    }
    bytes += n;
    offset += (guint64)n;
    size -= (gsize)n;
  }
  return TRUE;
}

static gboolean
write_range (int file, gconstpointer data, gsize size, guint64 offset)
{
  const guint8 *bytes = data;

  while (size > 0) {
    gssize n = pwrite (file, bytes, size, (off_t)offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    bytes += n;
    offset += (guint64)n;
    size -= (gsize)n;
  }
  return TRUE;
}

static void
append_checksum (GByteArray *bytes)
{
  EnsImageKey sum = ens_image_key (bytes->data, bytes->len);

  g_byte_array_append (bytes, sum.bytes, CHECKSUM_SIZE);
}

static gboolean
checksum_fits (const guint8 *bytes, gsize size)
{
  EnsImageKey sum = ens_image_key (bytes, size);

  return memcmp (sum.bytes, bytes + size, CHECKSUM_SIZE) == 0;
}

/* ---- Records in files ---- */

static gsize
rows_size (const EnsFeatureStore *store, guint n_rows)
{
  return (gsize)n_rows * store->n_features * sizeof (float);
}

static GByteArray *
make_header (const EnsFeatureStore *store, const char *configuration)
{
  GByteArray *bytes = g_byte_array_new ();
  Header header = {HEADER_MAGIC, store->n_features, (guint32)strlen (configuration)};

  g_byte_array_append (bytes, (const guint8 *)&header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *)configuration, header.configuration_size);
  append_checksum (bytes);
  return bytes;
}

/* A record of the same image that is known stays. */
static void
add_record (EnsFeatureStore *store, const EnsImageKey *key, const Record *record)
{
  if (!g_hash_table_contains (store->records, key))
    g_hash_table_insert (store->records, g_memdup2 (key, sizeof *key),
                         g_memdup2 (record, sizeof *record));
}

/* Reads the record at *end and moves that behind it; FALSE if there is no sound one. */
static gboolean
index_record (EnsFeatureStore *store, int file, guint64 file_size, guint64 *end)
{
  guint64 left = file_size - *end;
  g_autofree guint8 *bytes = NULL;
  RecordHead head;
  gsize size;

  if (left < sizeof head + CHECKSUM_SIZE || !read_range (file, &head, sizeof head, *end)
      || head.magic != RECORD_MAGIC || head.n_rows > left / (store->n_features * sizeof (float)))
    return FALSE;
  size = sizeof head + rows_size (store, head.n_rows);
  if (left < size + CHECKSUM_SIZE)
    return FALSE;
  bytes = g_malloc (size + CHECKSUM_SIZE);
  if (!read_range (file, bytes, size + CHECKSUM_SIZE, *end) || !checksum_fits (bytes, size))
    return FALSE;
  add_record (store, &head.key, &(Record) {file, *end + sizeof head, head.n_rows});
  *end += size + CHECKSUM_SIZE;
  return TRUE;
}

/* Finds all sound records, and returns where they end; 0: the file is of another configuration. */
static guint64
index_records (EnsFeatureStore *store, int file, guint64 file_size, const GByteArray *header)
{
  g_autofree guint8 *found = g_malloc (header->len);
  guint64 end = header->len;

  if (!read_range (file, found, header->len, 0) || memcmp (found, header->data, header->len) != 0)
    return 0;
  while (index_record (store, file, file_size, &end))
    ;
  return end;
}

/* Cuts off what is behind the sound records. */
static gboolean
index_file (EnsFeatureStore *store, const GByteArray *header, GError **error)
{
  struct stat status;
  guint64 size;

  if (fstat (store->file, &status) != 0)
    return set_file_error (store, "find its size", error);
  size = (guint64)status.st_size;
  store->end = index_records (store, store->file, size, header);
  store->cut = size - store->end;
  if (store->cut > 0 && ftruncate (store->file, (off_t)store->end) != 0)
    return set_file_error (store, "cut off a damaged end", error);
  if (store->end == 0) {
    if (!write_range (store->file, header->data, header->len, 0))
      return set_file_error (store, "write", error);
    store->end = header->len;
  }
  return TRUE;
}

/* ---- What others have written ---- */

/* Locked as far as its writer allows, so that nobody removes it. One without a record may not have
 * been locked by its writer yet, who is not to be kept from it. FALSE: it has nothing new. */
static gboolean
read_other (EnsFeatureStore *store, int file, const GByteArray *header)
{
  guint known = g_hash_table_size (store->records);
  struct stat status;

  if (fstat (file, &status) != 0 || status.st_size <= header->len)
    return FALSE;
  flock (file, LOCK_SH | LOCK_NB);
  index_records (store, file, (guint64)status.st_size, header);
  return g_hash_table_size (store->records) > known;
}

/* What has nothing new is neither kept open nor counts as used. */
static void
index_other (EnsFeatureStore *store, const char *path, const GByteArray *header)
{
  int file = strcmp (path, store->path) != 0 ? g_open (path, O_RDONLY | O_CLOEXEC, 0) : -1;

  if (file < 0)
    return;
  if (read_other (store, file, header)) {
    futimens (file, NULL);
    g_array_append_val (store->others, file);
  } else {
    close (file);
  }
}

/* In the folder and its parts. */
static void
index_others (EnsFeatureStore *store, const char *folder, const char *name,
              const GByteArray *header)
{
  g_autoptr (GDir) parts = g_dir_open (folder, 0, NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  const char *part;

  index_other (store, path, header);
  while (parts != NULL && (part = g_dir_read_name (parts)) != NULL) {
    g_autofree char *of_part = g_build_filename (folder, part, name, NULL);

    index_other (store, of_part, header);
  }
}

/* ---- Opening ---- */

static gboolean
lock_file (EnsFeatureStore *store, GError **error)
{
  if (flock (store->file, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return set_file_error (store, "lock", error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
               "%s: these features are in use; is another training running?", store->path);
  return FALSE;
}

/* FALSE with an error if it can't be opened, or is in use. A file that was removed from the cache
 * between the two steps is made again. */
static gboolean
open_file (EnsFeatureStore *store, GError **error)
{
  struct stat status = {0};

  while (status.st_nlink == 0) {
    if (store->file >= 0)
      close (store->file);
    store->file = g_open (store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->file < 0)
      return set_file_error (store, "keep features there", error);
    if (!lock_file (store, error))
      return FALSE;
    if (fstat (store->file, &status) != 0)
      return set_file_error (store, "find its size", error);
  }
  futimens (store->file, NULL);
  return TRUE;
}

EnsFeatureStore *
ens_feature_store_open_part (const char *folder, const char *part, const char *configuration,
                             guint n_features, GError **error)
{
  g_autoptr (EnsFeatureStore) store = g_new0 (EnsFeatureStore, 1);
  g_autoptr (GByteArray) header = NULL;
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, configuration, -1);
  g_autofree char *name = g_strconcat (digest, ENS_FEATURES_ENDING, NULL);
  g_autofree char *own = g_build_filename (folder, part, NULL);

  g_return_val_if_fail (n_features > 0, NULL);
  store->path = g_build_filename (own, name, NULL);
  store->n_features = n_features;
  store->records = g_hash_table_new_full (hash_key, equal_keys, g_free, g_free);
  store->others = g_array_new (FALSE, FALSE, sizeof (int));
  store->file = -1;
  header = make_header (store, configuration);
  if (g_mkdir_with_parents (own, 0700) != 0) {
    set_file_error (store, "keep features there", error);
    return NULL;
  }
  if (!open_file (store, error) || !index_file (store, header, error))
    return NULL;
  index_others (store, folder, name, header);
  store->start = header->len;
  store->part = part != NULL ? g_steal_pointer (&own) : NULL;
  return g_steal_pointer (&store);
}

EnsFeatureStore *
ens_feature_store_open (const char *folder, const char *configuration, guint n_features,
                        GError **error)
{
  return ens_feature_store_open_part (folder, NULL, configuration, n_features, error);
}

/* A part to which nothing was added goes, while nobody else can open it. */
static void
close_file (EnsFeatureStore *store)
{
  gboolean unused = store->part != NULL && store->end == store->start;

  if (unused)
    g_unlink (store->path);
  if (store->file >= 0)
    close (store->file);
  if (unused)
    g_rmdir (store->part);
}

void
ens_feature_store_close (EnsFeatureStore *store)
{
  if (store == NULL)
    return;
  close_file (store);
  for (guint i = 0; i < store->others->len; i++)
    close (g_array_index (store->others, int, i));
  g_array_unref (store->others);
  g_hash_table_unref (store->records);
  g_free (store->part);
  g_free (store->path);
  g_free (store);
}

guint
ens_feature_store_get_size (const EnsFeatureStore *store)
{
  return g_hash_table_size (store->records);
}

guint64
ens_feature_store_get_cut (const EnsFeatureStore *store)
{
  return store->cut;
}

/* ---- Records ---- */

gboolean
ens_feature_store_has (const EnsFeatureStore *store, const EnsImageKey *key)
{
  return g_hash_table_contains (store->records, key);
}

float *
ens_feature_store_read (EnsFeatureStore *store, const EnsImageKey *key, guint *n_rows,
                        GError **error)
{
  const Record *record = g_hash_table_lookup (store->records, key);
  g_autofree float *rows = NULL;

  *n_rows = 0;
  g_return_val_if_fail (record != NULL, NULL);
  rows = g_malloc (MAX (rows_size (store, record->n_rows), 1));
  if (!read_range (record->file, rows, rows_size (store, record->n_rows), record->offset)) {
    set_file_error (store, "read", error);
    return NULL;
  }
  *n_rows = record->n_rows;
  return g_steal_pointer (&rows);
}

gboolean
ens_feature_store_append (EnsFeatureStore *store, const EnsImageKey *key, const float *rows,
                          guint n_rows, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  RecordHead head = {RECORD_MAGIC, n_rows, *key};

  g_return_val_if_fail (!ens_feature_store_has (store, key), FALSE);
  g_byte_array_append (bytes, (const guint8 *)&head, sizeof head);
  if (n_rows > 0)
    g_byte_array_append (bytes, (const guint8 *)rows, (guint)rows_size (store, n_rows));
  append_checksum (bytes);
  if (!write_range (store->file, bytes->data, bytes->len, store->end))
    return set_file_error (store, "write", error);
  add_record (store, key, &(Record) {store->file, store->end + sizeof head, n_rows});
  store->end += bytes->len;
  return TRUE;
}
