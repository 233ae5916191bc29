/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/dataset-boxed.h"

#include <string.h>

#include "dataset/boxes-coco.h"
#include "dataset/boxes-private.h"
#include "dataset/boxes-voc.h"

/* How many names a note lists. */
#define MAX_NAMES 6

/* As M. Everingham et al. name them (The Pascal Visual Object Classes Challenge, IJCV 2010), and as
 * the folders of other data sets are called. */
static const char *const list_names[ENS_N_SPLITS][2] = {
    {"train", NULL}, {"val", "validation"}, {"test", NULL}};

gboolean
ens_dataset_is_boxed (const char *folder)
{
  return ens_boxes_have_voc (folder) || ens_boxes_have_coco (folder);
}

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

/* ---- Pascal VOC's lists ---- */

/* The list of the split's images, or NULL if there is none. (transfer full) */
static char *
find_list (const EnsDataset *dataset, EnsSplit split)
{
  for (guint i = 0; i < G_N_ELEMENTS (list_names[split]) && list_names[split][i] != NULL; i++) {
    g_autofree char *name = g_strconcat (list_names[split][i], ".txt", NULL);
    g_autofree char *path = g_build_filename (dataset->folder, "ImageSets", "Main", name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* The image's name without folder and ending. (transfer full) */
static char *
image_id (const EnsBoxedImage *image)
{
  char *id = g_path_get_basename (image->path);
  char *dot = strrchr (id, '.');

  if (dot != NULL)
    *dot = '\0';
  return id;
}

/* Images by name; keys are the table's. (transfer full) */
static GHashTable *
index_images (GPtrArray *images)
{
  GHashTable *by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < images->len; i++)
    g_hash_table_insert (by_id, image_id (images->pdata[i]), images->pdata[i]);
  return by_id;
}

/* Adds the images that a list names, in its order; it gives a name a line, and further words of the
 * line are not read. */
static gboolean
read_list (const char *path, GHashTable *by_id, GPtrArray *notes, GPtrArray *split, GError **error)
{
  g_auto (EnsBoxesTally) tally = {.notes = notes};
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return FALSE;
  }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    char *id = g_strdelimit (g_strstrip (lines[i]), " \t", '\0');
    EnsBoxedImage *image = g_hash_table_lookup (by_id, id);

    if (*id == '\0')
      continue;
    tally.n++;
    if (image != NULL)
      g_ptr_array_add (split, image);
    else
      ens_boxes_tally_skip (&tally,
                            g_error_new (ENS_ERROR, ENS_ERROR_DATA,
                                         "%s:%u: expected an image that has an annotation, found "
                                         "“%s”",
                                         path, i + 1, id));
  }
  return ens_boxes_tally_check (&tally, path, "images", error);
}

static gboolean
read_voc (const EnsDataset *dataset, Boxed *boxed, GError **error)
{
  GPtrArray *images = ens_boxes_load_voc (dataset->folder, dataset->notes, error);
  g_autoptr (GHashTable) by_id = NULL;

  if (images == NULL)
    return FALSE;
  g_ptr_array_extend_and_steal (boxed->images, images);
  by_id = index_images (boxed->images);
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_autofree char *list = find_list (dataset, s);

    if (list != NULL && !read_list (list, by_id, dataset->notes, boxed->splits[s], error))
      return FALSE;
    if (list == NULL && s == ENS_SPLIT_TRAIN)
      g_ptr_array_extend (boxed->splits[s], boxed->images, NULL, NULL);
  }
  return TRUE;
}

/* ---- COCO's files ---- */

static gboolean
read_coco (const EnsDataset *dataset, Boxed *boxed, GError **error)
{
  g_autoptr (GPtrArray) files = ens_coco_list (dataset->folder);

  for (guint i = 0; i < files->len; i++) {
    const EnsCocoFile *file = files->pdata[i];
    GPtrArray *images = ens_coco_load (dataset->folder, file, dataset->notes, error);

    if (images == NULL)
      return FALSE;
    g_ptr_array_extend (boxed->splits[file->split], images, NULL, NULL);
    g_ptr_array_extend_and_steal (boxed->images, images);
  }
  return TRUE;
}

/* ---- Classes ---- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

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
  qsort (names, dataset->n_classes, sizeof *names, compare_names);
  dataset->classes = g_strdupv ((char **)names);
  return TRUE;
}

/* ---- Samples ---- */

/* Objects of a split whose class is none of the data set's. */
typedef struct {
  guint n, n_known;
  GHashTable *names;
} Strangers;

static void
add_item (EnsDataset *dataset, GPtrArray *samples, const EnsBoxedImage *image, GHashTable *classes,
          Strangers *strangers)
{
  EnsDatasetItem *item = g_new (EnsDatasetItem, 1);

  item->path = g_strdup (image->path);
  item->labels = g_new0 (guint8, dataset->n_classes);
  g_ptr_array_add (samples, item);
  for (guint b = 0; b < image->boxes->len; b++) {
    const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);
    guint class = GPOINTER_TO_UINT (g_hash_table_lookup (classes, box->label));

    if (class > 0) {
      guint8 *label = &item->labels[class - 1];

      if (!box->difficult)
        *label = ENS_LABEL_PRESENT;
      else if (*label == ENS_LABEL_ABSENT)
        *label = ENS_LABEL_UNKNOWN;
      strangers->n_known += !box->difficult;
    } else if (!box->difficult) {
      g_hash_table_add (strangers->names, box->label);
      strangers->n++;
    }
  }
}

/* The names, but not more than can be read. (transfer full) */
static char *
list_strangers (const Strangers *strangers)
{
  guint n;
  g_autofree const char **names =
      (const char **)g_hash_table_get_keys_as_array (strangers->names, &n);
  g_autofree char *text = NULL;

  qsort (names, n, sizeof *names, compare_names);
  if (n <= MAX_NAMES)
    return g_strjoinv (", ", (char **)names);
  names[MAX_NAMES] = NULL;
  text = g_strjoinv (", ", (char **)names);
  return g_strdup_printf ("%s and %u more", text, n - MAX_NAMES);
}

static gboolean
check_strangers (EnsDataset *dataset, EnsSplit split, const Strangers *strangers, GError **error)
{
  g_autofree char *known = g_strjoinv (", ", dataset->classes);
  g_autofree char *names = NULL;

  if (strangers->n == 0)
    return TRUE;
  names = list_strangers (strangers);
  if (strangers->n_known == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected %s images with objects of the classes %s, found %s alone",
                 dataset->folder, ens_split_name (split), known, names);
    return FALSE;
  }
  g_ptr_array_add (
      dataset->notes,
      g_strdup_printf ("%s: of the %s images, %u %s of other classes than the %u known "
                       "ones %s left out: %s",
                       dataset->folder, ens_split_name (split), strangers->n,
                       strangers->n == 1 ? "object" : "objects", dataset->n_classes,
                       strangers->n == 1 ? "is" : "are", names));
  return TRUE;
}

static gboolean
add_split (EnsDataset *dataset, EnsSplit split, GPtrArray *images, GHashTable *classes,
           GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  Strangers strangers = {.names = names};

  for (guint i = 0; i < images->len; i++)
    add_item (dataset, dataset->samples[split], images->pdata[i], classes, &strangers);
  return check_strangers (dataset, split, &strangers, error);
}

gboolean
ens_dataset_read_boxed (EnsDataset *dataset, GError **error)
{
  g_auto (Boxed) boxed = {0};
  g_autoptr (GHashTable) classes = g_hash_table_new (g_str_hash, g_str_equal);

  boxed_init (&boxed);
  if (!(ens_boxes_have_voc (dataset->folder) ? read_voc : read_coco) (dataset, &boxed, error)
      || (dataset->classes == NULL
          && !find_classes (dataset, boxed.splits[ENS_SPLIT_TRAIN], error)))
    return FALSE;
  for (guint c = 0; c < dataset->n_classes; c++)
    g_hash_table_insert (classes, dataset->classes[c], GUINT_TO_POINTER (c + 1));
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (!add_split (dataset, s, boxed.splits[s], classes, error))
      return FALSE;
  return TRUE;
}
