/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/feature-cache.h"

#include <fcntl.h>
#include <glib/gstdio.h>
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

/* Store, the least recently used first. (transfer full) */
static GArray *
list_stores (const char *folder)
{
  GArray *stores = g_array_new (FALSE, FALSE, sizeof (Store));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  g_array_set_clear_func (stores, store_clear);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    struct stat status;
    Store store;

    if (!g_str_has_suffix (name, ENS_FEATURES_ENDING) || lstat (path, &status) != 0
        || !S_ISREG (status.st_mode))
      continue;
    store = (Store) {g_steal_pointer (&path), (guint64)status.st_size, status.st_mtim};
    g_array_append_val (stores, store);
  }
  g_array_sort (stores, compare_use);
  return stores;
}

/* Removed while it is locked, so that nobody has it open. */
static gboolean
remove_unused (const char *path)
{
  int file = g_open (path, O_RDONLY | O_CLOEXEC, 0);
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
    pruned.n++;
    pruned.size += store->size;
  }
  return pruned;
}
