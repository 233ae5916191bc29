/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/dataset-boxed.h"

#include <string.h>

#include "dataset/boxes-private.h"
#include "dataset/dataset-private.h"
#include "dataset/left-out.h"
#include "dataset/listing.h"
#include "dataset/voc-lists.h"

/* Images of a data set, before their classes are known. */
typedef struct {
  GPtrArray *images;               /* EnsBoxedImage, which it owns */
  GPtrArray *splits[ENS_N_SPLITS]; /* EnsBoxedImage, those of `images` */
} Boxed;

static void
boxed_init (Boxed *boxed)
{
  boxed->images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    boxed->splits[s] = g_ptr_array_new ();
}

static void
boxed_clear (Boxed *boxed)
{
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    g_ptr_array_unref (boxed->splits[s]);
  g_ptr_array_unref (boxed->images);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Boxed, boxed_clear)

/* ---- Splits ---- */

/* By what the files say; nothing if they don't divide the images. */
static void
divide_as_said (Boxed *boxed)
{
  gint first = ((const EnsBoxedImage *)boxed->images->pdata[0])->split;
  gboolean differ = FALSE;

  for (guint i = 0; i < boxed->images->len; i++)
    differ |= ((const EnsBoxedImage *)boxed->images->pdata[i])->split != first;
  /* A set may be nothing but a validation set that was published for all purposes. */
  if (!differ && (first == ENS_SPLIT_UNSAID || first == ENS_SPLIT_VALIDATION))
    return;
  for (guint i = 0; i < boxed->images->len; i++) {
    EnsBoxedImage *image = boxed->images->pdata[i];
    gint split = image->split == ENS_SPLIT_UNSAID ? ENS_SPLIT_TRAIN : image->split;

    g_ptr_array_add (boxed->splits[split], image);
  }
}

static gboolean
is_divided (const Boxed *boxed)
{
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (boxed->splits[s]->len > 0)
      return TRUE;
  return FALSE;
}

static void
divide_by_hash (EnsDataset *dataset, Boxed *boxed)
{
  guint n = boxed->images->len;
  g_autofree const char **paths = g_new (const char *, n);
  g_autofree EnsSplit *splits = g_new (EnsSplit, n);

  for (guint i = 0; i < n; i++)
    paths[i] = ((const EnsBoxedImage *)boxed->images->pdata[i])->path;
  ens_split_divide (paths, n, TRUE, splits);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (boxed->splits[splits[i]], boxed->images->pdata[i]);
  ens_dataset_note_divided (dataset, boxed->splits);
}

static gboolean
read_images (EnsDataset *dataset, Boxed *boxed, const EnsBoxesFound *found, GError **error)
{
  GPtrArray *images = ens_boxes_load_found (found, dataset->notes, error);

  if (images == NULL)
    return FALSE;
  g_ptr_array_extend_and_steal (boxed->images, images);
  if (boxed->images->len == 0)
    return TRUE;
  if (!ens_voc_read_lists (dataset->folder, boxed->images, boxed->splits, dataset->notes, error))
    return FALSE;
  if (!is_divided (boxed))
    divide_as_said (boxed);
  if (!is_divided (boxed))
    divide_by_hash (dataset, boxed);
  return TRUE;
}

/* ---- Classes ---- */

static gboolean
find_classes (EnsDataset *dataset, GPtrArray *images, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree const char **names = NULL;

  for (guint i = 0; i < images->len; i++) {
    const EnsBoxedImage *image = images->pdata[i];

    for (guint b = 0; b < image->boxes->len; b++) {
      const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);

      if (!box->difficult)
        g_hash_table_add (seen, box->label);
    }
  }
  names = (const char **)g_hash_table_get_keys_as_array (seen, &dataset->n_classes);
  if (dataset->n_classes == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected training images with objects, found %u images with none",
                 dataset->folder, images->len);
    return FALSE;
  }
  qsort (names, dataset->n_classes, sizeof *names, ens_listing_compare);
  dataset->classes = g_strdupv ((char **)names);
  return TRUE;
}

/* ---- Samples ---- */

/* The data set's classes. */
typedef struct {
  GHashTable *numbers; /* name in normal form C → number + 1 */
  GHashTable *denied;  /* those that some image is said not to show */
} Classes;

static void
classes_clear (Classes *classes)
{
  g_hash_table_unref (classes->numbers);
  g_hash_table_unref (classes->denied);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Classes, classes_clear)

static void
classes_init (Classes *classes, const EnsDataset *dataset, const GPtrArray *images)
{
  classes->numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  classes->denied = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint c = 0; c < dataset->n_classes; c++)
    g_hash_table_insert (classes->numbers, ens_name_normalise (dataset->classes[c]),
                         GUINT_TO_POINTER (c + 1));
  for (guint i = 0; i < images->len; i++) {
    const GPtrArray *denied = ((const EnsBoxedImage *)images->pdata[i])->denied;

    for (guint d = 0; denied != NULL && d < denied->len; d++)
      g_hash_table_add (classes->denied, denied->pdata[d]);
  }
}

/* The class's number + 1; 0 for one that is none of the data set's. */
static guint
find_class (const Classes *classes, const char *label)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (classes->numbers, label));
}

/* Objects of a split whose class is none of the data set's. */
typedef struct {
  guint n, n_known;
  GHashTable *names;
} Strangers;

/* An object that does not count says nothing, unless another one does. */
static void
set_unknown (EnsDatasetItem *item, guint class)
{
  if (item->labels[class] == ENS_LABEL_ABSENT)
    item->labels[class] = ENS_LABEL_UNKNOWN;
}

static void
add_box (EnsDatasetItem *item, const EnsBox *box, guint class)
{
  gboolean somewhere = box->rect.width <= 0;
  EnsDatasetBox added = {class,      box->rect, box->difficult || somewhere,
                         box->crowd, box->mask, box->number};

  g_array_append_val (item->boxes, added);
  if (box->difficult)
    set_unknown (item, class);
  else
    item->labels[class] = ENS_LABEL_PRESENT;
}

static void
add_doubt (EnsDatasetItem *item, guint class)
{
  EnsDatasetBox somewhere = {.class = class, .difficult = TRUE};

  g_array_append_val (item->boxes, somewhere);
  set_unknown (item, class);
}

static void
add_doubts (EnsDatasetItem *item, const EnsBoxedImage *image, const Classes *classes)
{
  for (guint d = 0; d < image->doubts->len; d++) {
    const char *label = image->doubts->pdata[d];
    guint class = label ? find_class (classes, label) : 0;

    if (class > 0)
      add_doubt (item, class - 1);
    for (guint c = 0; label == NULL && c < g_hash_table_size (classes->numbers); c++)
      add_doubt (item, c);
  }
}

/* Where nobody has looked for a class, it is not known; a class that is nowhere said to be absent
 * has been looked for everywhere. */
static void
add_unmentioned (EnsDatasetItem *item, const EnsBoxedImage *image, const Classes *classes)
{
  GHashTableIter iterator;
  gpointer label, number;

  if (image->denied == NULL)
    return;
  g_hash_table_iter_init (&iterator, classes->numbers);
  while (g_hash_table_iter_next (&iterator, &label, &number))
    if (g_hash_table_contains (classes->denied, label)
        && !g_ptr_array_find_with_equal_func (image->denied, label, g_str_equal, NULL))
      add_doubt (item, GPOINTER_TO_UINT (number) - 1);
}

static void
add_item (EnsDataset *dataset, EnsSplit split, const EnsBoxedImage *image, const Classes *classes,
          Strangers *strangers)
{
  EnsDatasetItem *item = ens_dataset_add_item (dataset, split, g_strdup (image->path));

  item->width = image->width;
  item->height = image->height;
  item->numbers = g_strdup (image->numbers);
  item->boxes = g_array_new (FALSE, FALSE, sizeof (EnsDatasetBox));
  for (guint b = 0; b < image->boxes->len; b++) {
    const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);
    guint class = find_class (classes, box->label);

    if (class > 0) {
      add_box (item, box, class - 1);
      strangers->n_known += !box->difficult;
    } else if (!box->difficult) {
      g_hash_table_add (strangers->names, box->label);
      strangers->n++;
    }
  }
  add_doubts (item, image, classes);
  add_unmentioned (item, image, classes);
}

static gboolean
check_strangers (EnsDataset *dataset, EnsSplit split, const Strangers *strangers, GError **error)
{
  g_autofree char *known = g_strjoinv (", ", dataset->classes);
  g_autofree char *names = NULL;

  if (strangers->n == 0)
    return TRUE;
  names = ens_left_out_list_names (strangers->names);
  if (strangers->n_known == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected %s images with objects of the classes %s, found %s alone",
                 dataset->folder, ens_split_name (split), known, names);
    return FALSE;
  }
  ens_dataset_note (dataset,
                    "%s: of the %s images, %u %s of other classes than the %u known ones %s left "
                    "out: %s",
                    dataset->folder, ens_split_name (split), strangers->n,
                    strangers->n == 1 ? "object" : "objects", dataset->n_classes,
                    strangers->n == 1 ? "is" : "are", names);
  return TRUE;
}

static gboolean
add_split (EnsDataset *dataset, EnsSplit split, GPtrArray *images, const Classes *classes,
           GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  Strangers strangers = {.names = names};

  for (guint i = 0; i < images->len; i++)
    add_item (dataset, split, images->pdata[i], classes, &strangers);
  return check_strangers (dataset, split, &strangers, error);
}

/* How many pictures are left of a class, for which nothing is known. */
static void
tell_doubts (EnsDataset *dataset, const GPtrArray *images)
{
  guint n = 0;

  for (guint i = 0; i < images->len; i++)
    n += ((const EnsBoxedImage *)images->pdata[i])->doubts->len > 0;
  if (n > 0)
    ens_dataset_note (dataset,
                      "%s: pictures of which it is not known whether they show a class, because an "
                      "annotation was skipped or does not say: %u",
                      dataset->folder, n);
}

gboolean
ens_dataset_read_boxed (EnsDataset *dataset, const EnsBoxesFound *found, GError **error)
{
  g_auto (Boxed) boxed = {0};
  g_auto (Classes) classes = {0};

  boxed_init (&boxed);
  classes_init (&classes, dataset, boxed.images);
  if (!read_images (dataset, &boxed, found, error)
      || (dataset->classes == NULL
          && !find_classes (dataset, boxed.splits[ENS_SPLIT_TRAIN], error)))
    return FALSE;
  classes_clear (&classes);
  classes_init (&classes, dataset, boxed.images);
  tell_doubts (dataset, boxed.images);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (!add_split (dataset, s, boxed.splits[s], &classes, error))
      return FALSE;
  return TRUE;
}
