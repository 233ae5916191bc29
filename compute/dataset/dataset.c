/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/dataset.h"

#include <string.h>

#include "dataset/dataset-boxed.h"
#include "dataset/dataset-private.h"

static void
sample_free (gpointer data)
{
  EnsDatasetItem *item = data;

  g_free (item->path);
  g_free (item->labels);
  g_clear_pointer (&item->boxes, g_array_unref);
  g_free (item->numbers);
  g_free (item);
}

void
ens_dataset_free (EnsDataset *dataset)
{
  if (dataset == NULL)
    return;
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    g_ptr_array_unref (dataset->samples[s]);
  g_ptr_array_unref (dataset->notes);
  g_strfreev (dataset->classes);
  g_free (dataset->folder);
  g_free (dataset);
}

EnsDatasetItem *
ens_dataset_add_item (EnsDataset *dataset, EnsSplit split, char *path)
{
  EnsDatasetItem *item = g_new0 (EnsDatasetItem, 1);

  item->path = path;
  item->labels = g_new0 (guint8, dataset->n_classes);
  g_ptr_array_add (dataset->samples[split], item);
  return item;
}

void
ens_dataset_note (EnsDataset *dataset, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (dataset->notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

void
ens_dataset_note_divided (EnsDataset *dataset, GPtrArray *const splits[ENS_N_SPLITS])
{
  ens_dataset_note (dataset,
                    "%s: nothing divides these images into splits; by their names' hashes %u are "
                    "for training, %u for validation, %u for the test",
                    dataset->folder, splits[ENS_SPLIT_TRAIN]->len,
                    splits[ENS_SPLIT_VALIDATION]->len, splits[ENS_SPLIT_TEST]->len);
}

/* ---- One class ---- */

static void
keep_class_of_item (EnsDatasetItem *item, guint class)
{
  item->labels[0] = item->labels[class];
  for (guint b = item->boxes != NULL ? item->boxes->len : 0; b-- > 0;) {
    EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, b);

    if (box->class == class)
      box->class = 0;
    else
      g_array_remove_index (item->boxes, b);
  }
}

gboolean
ens_dataset_keep_class (EnsDataset *dataset, const char *name, GError **error)
{
  g_autofree char *known = g_strjoinv (", ", dataset->classes);
  const char *const kept[] = {name, NULL};
  guint class = 0;

  while (class < dataset->n_classes && strcmp (dataset->classes[class], name) != 0)
    class ++;
  if (class == dataset->n_classes) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected one of its classes (%s), found “%s”", dataset->folder, known, name);
    return FALSE;
  }
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++)
      keep_class_of_item (dataset->samples[s]->pdata[i], class);
  g_strfreev (dataset->classes);
  dataset->classes = g_strdupv ((char **)kept);
  dataset->n_classes = 1;
  return TRUE;
}

/* ---- Dividing training images ---- */

/* Adds those of `all` from `first` to `end`, which are one class's, to their splits. */
static void
divide_class (EnsDataset *dataset, const GPtrArray *all, guint first, guint end, gboolean test)
{
  guint n = end - first;
  g_autofree const char **paths = g_new (const char *, n);
  g_autofree EnsSplit *splits = g_new (EnsSplit, n);

  for (guint i = 0; i < n; i++)
    paths[i] = ((const EnsDatasetItem *)all->pdata[first + i])->path;
  ens_split_divide (paths, n, test, splits);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (dataset->samples[splits[i]], all->pdata[first + i]);
}

/* by_class: the images of a class follow each other, and every class gives its share; test: the
 * test gets some, too. */
static void
divide (EnsDataset *dataset, gboolean by_class, gboolean test)
{
  g_autoptr (GPtrArray) all = dataset->samples[ENS_SPLIT_TRAIN];
  guint first = 0;

  dataset->samples[ENS_SPLIT_TRAIN] = g_ptr_array_new_with_free_func (sample_free);
  g_ptr_array_set_free_func (all, NULL);
  for (guint i = 1; i <= all->len; i++) {
    const EnsDatasetItem *before = all->pdata[first], *item = i < all->len ? all->pdata[i] : NULL;

    if (item != NULL
        && (!by_class || memcmp (item->labels, before->labels, dataset->n_classes) == 0))
      continue;
    divide_class (dataset, all, first, i, test);
    first = i;
  }
}

static void
hold_out (EnsDataset *dataset, gboolean by_class)
{
  guint n = dataset->samples[ENS_SPLIT_TRAIN]->len;

  divide (dataset, by_class, FALSE);
  ens_dataset_note (dataset,
                    "%s: no validation images; %u of the %u training images are held out for "
                    "validation",
                    dataset->folder, dataset->samples[ENS_SPLIT_VALIDATION]->len, n);
}

/* Without images. (transfer full) */
static EnsDataset *
new_dataset (const char *folder, const char *const *classes)
{
  EnsDataset *dataset = g_new0 (EnsDataset, 1);

  dataset->folder = g_strdup (folder);
  dataset->notes = g_ptr_array_new_with_free_func (g_free);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    dataset->samples[s] = g_ptr_array_new_with_free_func (sample_free);
  if (classes != NULL) {
    dataset->classes = g_strdupv ((char **)classes);
    dataset->n_classes = g_strv_length (dataset->classes);
  }
  return dataset;
}

EnsDataset *
ens_dataset_load_unrelated (const char *folder, const char *const *classes, GError **error)
{
  g_autoptr (EnsDataset) dataset = new_dataset (folder, classes);

  return ens_dataset_read_unrelated (dataset, error) ? g_steal_pointer (&dataset) : NULL;
}

EnsDataset *
ens_dataset_load (const char *folder, const char *const *classes, GError **error)
{
  g_autoptr (EnsDataset) dataset = new_dataset (folder, classes);
  g_auto (EnsBoxesFound) found = {0};
  gboolean boxed = ens_boxes_find (&found, folder);
  g_autofree char *inner = !boxed ? ens_dataset_find_inner (folder) : NULL;
  gboolean classed;

  if (inner != NULL)
    ens_dataset_take_inner (dataset, inner);
  classed = !boxed && ens_dataset_is_classed (dataset->folder);
  if (!(boxed     ? ens_dataset_read_boxed (dataset, &found, error)
        : classed ? ens_dataset_read_classed (dataset, error)
                  : ens_dataset_read_folders (dataset, error)))
    return NULL;
  if (classed) {
    divide (dataset, TRUE, TRUE);
    ens_dataset_note_divided (dataset, dataset->samples);
  } else if (classes == NULL && dataset->samples[ENS_SPLIT_VALIDATION]->len == 0) {
    hold_out (dataset, !boxed);
  }
  ens_dataset_tell_same_files (dataset);
  return g_steal_pointer (&dataset);
}

char *
ens_dataset_get_name (const char *folder)
{
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);

  return g_path_get_basename (canonical);
}

static gpointer
copy_note (gconstpointer note, gpointer data)
{
  return g_strdup (note);
}

GPtrArray *
ens_dataset_copy_notes (const EnsDataset *dataset)
{
  GPtrArray *notes = g_ptr_array_copy (dataset->notes, copy_note, NULL);

  g_ptr_array_set_free_func (notes, g_free);
  return notes;
}

void
ens_dataset_tell (const EnsDataset *dataset, const EnsMonitor *monitor)
{
  for (guint i = 0; i < dataset->notes->len; i++)
    ens_monitor_note (monitor, "%s", (const char *)dataset->notes->pdata[i]);
}

gboolean
ens_dataset_require (const EnsDataset *dataset, EnsSplit split, GError **error)
{
  return dataset->samples[split]->len > 0 || ens_dataset_miss_split (dataset, split, error);
}

guint8 *
ens_dataset_copy_labels (const EnsDataset *dataset, EnsSplit split)
{
  const GPtrArray *items = dataset->samples[split];
  guint8 *labels = g_new (guint8, (gsize)items->len * dataset->n_classes);

  for (guint i = 0; i < items->len; i++)
    memcpy (labels + (gsize)i * dataset->n_classes,
            ((const EnsDatasetItem *)items->pdata[i])->labels, dataset->n_classes);
  return labels;
}
