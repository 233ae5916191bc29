/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that a data set has more than once: under another name, by a link, or in several lists. */
#include <glib/gstdio.h>

#include "dataset/dataset-private.h"

/* What tells a file from others. */
typedef struct {
  guint64 device, inode;
  EnsSplit split;
  const char *path;
} Known;

static guint
hash_known (gconstpointer data)
{
  const Known *known = data;
  guint64 mixed = known->inode * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + known->device;

  return (guint)(mixed >> 32);
}

static gboolean
equal_known (gconstpointer a, gconstpointer b)
{
  const Known *x = a, *y = b;

  return x->inode == y->inode && x->device == y->device;
}

/* How often, and one of them. */
typedef struct {
  guint n;
  const char *path, *other;
} Again;

static void
tell (EnsDataset *dataset, const Again *again, const char *what)
{
  if (again->n > 0)
    ens_dataset_note (dataset, "%s: files that are %s: %u, such as %s and %s", dataset->folder,
                      what, again->n, again->path, again->other);
}

static void
take (GHashTable *files, const char *path, EnsSplit split, Again *within, Again *across)
{
  const Known *known;
  GStatBuf status;
  Known *added;

  if (g_stat (path, &status) != 0)
    return;
  added = g_new (Known, 1);
  *added = (Known) {(guint64)status.st_dev, (guint64)status.st_ino, split, path};
  known = g_hash_table_lookup (files, added);
  if (known == NULL) {
    g_hash_table_add (files, added);
  } else {
    Again *again = known->split == split ? within : across;

    if (again->n++ == 0) {
      again->path = known->path;
      again->other = path;
    }
    g_free (added);
  }
}

void
ens_dataset_tell_same_files (EnsDataset *dataset)
{
  g_autoptr (GHashTable) files = g_hash_table_new_full (hash_known, equal_known, g_free, NULL);
  Again within = {0}, across = {0};

  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++)
      take (files, ((const EnsDatasetItem *)dataset->samples[s]->pdata[i])->path, (EnsSplit)s,
            &within, &across);
  tell (dataset, &across, "in several splits, whose figures are then too good");
  tell (dataset, &within, "more than once in a split");
}
