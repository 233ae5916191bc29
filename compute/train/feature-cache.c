/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/feature-cache.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/features.h"

typedef struct {
  char *path;
  guint64 size;
  struct timespec used;
} Store;

static void
store_clear (gpointer data)
{
  g_free (((Store *)data)->path);
}

/* Stores are touched when they are opened. */
static gint
compare_use (gconstpointer a, gconstpointer b)
{
  const struct timespec *x = &((const Store *)a)->used, *y = &((const Store *)b)->used;

  if (x->tv_sec != y->tv_sec)
    return x->tv_sec < y->tv_sec ? -1 : 1;
  return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static void
add_store (GArray *stores, const char *path)
{
  struct stat status;
  Store store;

  if (!g_str_has_suffix (path, ENS_FEATURES_ENDING) || lstat (path, &status) != 0
      || !S_ISREG (status.st_mode))
    return;
  store = (Store) {g_strdup (path), (guint64)status.st_size, status.st_mtim};
  g_array_append_val (stores, store);
}

/* Those of the folder and, `depth` levels below, of its parts. */
static void
add_stores (GArray *stores, const char *folder, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (depth > 0 && g_file_test (path, G_FILE_TEST_IS_DIR)
        && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      add_stores (stores, path, depth - 1);
    else
      add_store (stores, path);
  }
}

/* Store, the least recently used first. (transfer full) */
static GArray *
list_stores (const char *folder)
{
  GArray *stores = g_array_new (FALSE, FALSE, sizeof (Store));

  g_array_set_clear_func (stores, store_clear);
  add_stores (stores, folder, 1);
  g_array_sort (stores, compare_use);
  return stores;
}

/* A part without stores goes too. */
static void
remove_part (const char *folder, const char *path)
{
  g_autofree char *part = g_path_get_dirname (path);

  if (strcmp (part, folder) != 0)
    g_rmdir (part);
}

/* Removed while it is locked, so that nobody has it open. On NFS, only a file that is open for
 * writing can be locked for oneself alone (flock(2)). */
static gboolean
remove_unused (const char *path)
{
  int file = g_open (path, O_RDWR | O_CLOEXEC, 0);
  gboolean removed;

  if (file < 0)
    return FALSE;
  removed = flock (file, LOCK_EX | LOCK_NB) == 0 && g_unlink (path) == 0;
  close (file);
  return removed;
}

EnsFeatureCachePruned
ens_feature_cache_prune (const char *folder, guint64 limit)
{
  g_autoptr (GArray) stores = list_stores (folder);
  EnsFeatureCachePruned pruned = {0};
  guint64 size = 0;

  for (guint i = 0; i < stores->len; i++)
    size += g_array_index (stores, Store, i).size;
  for (guint i = 0; i < stores->len && size - pruned.size > limit; i++) {
    const Store *store = &g_array_index (stores, Store, i);

    if (!remove_unused (store->path))
      continue;
    remove_part (folder, store->path);
    pruned.n++;
    pruned.size += store->size;
  }
  return pruned;
}
