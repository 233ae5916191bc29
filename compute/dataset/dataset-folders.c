/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sets in folders: SPLIT/CLASS/IMAGE, or CLASS/IMAGE alone.
 *
 * Names are compared in Unicode's normal form C: the same name may have been written on systems
 * that compose its accents and on others that don't. */
#include <string.h>

#include "dataset/boxes-private.h"
#include "dataset/dataset-private.h"
#include "dataset/folder-layout.h"
#include "dataset/left-out.h"
#include "dataset/picture-names.h"

#define NO_CLASS "none"

/* How far a class's folder lies below the set's own. */
#define CLASS_DEPTH 2

/* ---- Folders ---- */

/* Files that lie where none is expected. */
static void
leave_out_files (const char *folder, const GPtrArray *files, EnsLeftOut *left_out)
{
  for (guint i = 0; i < files->len; i++) {
    const char *name = files->pdata[i];
    g_autofree char *path = g_build_filename (folder, name, NULL);
    EnsLeftOutReason reason = ens_left_out_find_reason (name);
    gboolean picture = reason == ENS_LEFT_OUT_UNNAMED || reason == ENS_LEFT_OUT_FORMAT;

    ens_left_out_add (left_out, picture ? ENS_LEFT_OUT_OUTSIDE : reason, path);
  }
}

/* What lies beside the splits. */
static void
tell_beside (EnsDataset *dataset)
{
  g_auto (EnsListing) listing = {0};
  g_auto (EnsLeftOut) left_out = {0};
  gboolean words;
  EnsSplit split;

  if (!ens_listing_read (&listing, dataset->folder, NULL))
    return;
  words = ens_folders_are_words (dataset->folder, &listing);
  ens_left_out_add_rest (&left_out, dataset->folder, &listing);
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (dataset->folder, listing.folders->pdata[i], NULL);

    if (!ens_folders_find_split (listing.folders->pdata[i], words, &split))
      ens_left_out_add (&left_out, ENS_LEFT_OUT_FOLDER, path);
  }
  leave_out_files (dataset->folder, listing.files, &left_out);
  ens_left_out_tell (&left_out, dataset->folder, dataset->notes);
}

/* ---- Classes ---- */

/* What there is that is no annotation, for the end of a message. (transfer full) */
static char *
describe_unfit (const EnsDataset *dataset)
{
  g_autofree char *unfit = ens_boxes_describe_unfit (dataset->folder);

  return *unfit != '\0' ? g_strdup_printf ("; found files that are none of these: %s", unfit)
                        : g_strdup ("");
}

gboolean
ens_dataset_miss_split (const EnsDataset *dataset, EnsSplit split, GError **error)
{
  g_autofree char *unfit = describe_unfit (dataset);

  g_set_error (
      error, ENS_ERROR, ENS_ERROR_DATA,
      "%s: found no %s images; looked for %s" G_DIR_SEPARATOR_S "CLASS" G_DIR_SEPARATOR_S
      "IMAGE with names such as *.jpg or *.png, for two or more folders CLASS and no others, each "
      "with images in it, and for annotations of LabelMe, VGG Image Annotator, COCO, Open Images, "
      "CVAT, Pascal VOC, YOLO, CUB-200, tables, JSON or lists%s",
      dataset->folder, ens_split_name (split), ens_split_name (split), unfit);
  return FALSE;
}

/* The name as classes have it; NULL if it is no text. (transfer full) */
static char *
normalise_name (const char *name)
{
  return g_utf8_normalize (name, -1, G_NORMALIZE_NFC);
}

/* Adds the classes that the split's folder has to `names`. */
static gboolean
add_classes (const char *folder, GPtrArray *names, GError **error)
{
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, folder, error))
    return FALSE;
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *name = normalise_name (listing.folders->pdata[i]);

    if (name == NULL) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                   "%s: expected class folders with names in UTF-8, found “%s”", folder,
                   (const char *)listing.folders->pdata[i]);
      return FALSE;
    }
    if (strcmp (name, NO_CLASS) != 0
        && !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
      g_ptr_array_add (names, g_steal_pointer (&name));
  }
  return TRUE;
}

/* Those that the folders of training images have. */
static gboolean
read_classes (EnsDataset *dataset, const GPtrArray *folders, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (folders->len == 0)
    return ens_dataset_miss_split (dataset, ENS_SPLIT_TRAIN, error);
  for (guint i = 0; i < folders->len; i++)
    if (!add_classes (folders->pdata[i], names, error))
      return FALSE;
  if (names->len == 0) {
    g_autofree char *unfit = describe_unfit (dataset);

    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected a folder of images for each class, found none%s",
                 (const char *)folders->pdata[0], unfit);
    return FALSE;
  }
  g_ptr_array_sort (names, ens_listing_compare);
  dataset->n_classes = names->len;
  g_ptr_array_add (names, NULL);
  dataset->classes = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

/* The class's number; n_classes for "none", -1 for a class that train does not have. */
static gint
find_class (const EnsDataset *dataset, const char *folder)
{
  g_autofree char *name = normalise_name (folder);

  for (guint c = 0; name != NULL && c < dataset->n_classes; c++) {
    g_autofree char *class = normalise_name (dataset->classes[c]);

    if (g_strcmp0 (class, name) == 0)
      return (gint)c;
  }
  return g_strcmp0 (name, NO_CLASS) == 0 ? (gint)dataset->n_classes : -1;
}

/* ---- Images ---- */

/* A split while it is read. */
typedef struct {
  EnsDataset *dataset;
  EnsSplit split;
  guint class;   /* of the folder at hand; n_classes for "none" */
  guint n_below; /* images in folders below a class's */
  EnsLeftOut left_out;
} Reading;

static void
add_item (Reading *reading, char *path)
{
  EnsDatasetItem *item = ens_dataset_add_item (reading->dataset, reading->split, path);

  if (reading->class < reading->dataset->n_classes)
    item->labels[reading->class] = ENS_LABEL_PRESENT;
}

static void
take_files (Reading *reading, const char *folder, const EnsListing *listing, gboolean below)
{
  for (guint i = 0; i < listing->files->len; i++) {
    const char *name = listing->files->pdata[i];
    g_autofree char *path = g_build_filename (folder, name, NULL);

    reading->n_below += below && ens_picture_has_name (name);
    if (ens_picture_has_name (name))
      add_item (reading, g_steal_pointer (&path));
    else
      ens_left_out_add (&reading->left_out, ens_left_out_find_reason (name), path);
  }
}

static gboolean
read_images (Reading *reading, const char *folder, const EnsTrail *above, GError **error)
{
  g_auto (EnsListing) listing = {0};
  EnsTrail trail;

  if (!ens_trail_enter (&trail, above, folder)) {
    ens_left_out_add (&reading->left_out, ENS_LEFT_OUT_LOOP, folder);
    return TRUE;
  }
  if (!ens_listing_read (&listing, folder, error))
    return FALSE;
  ens_left_out_add_rest (&reading->left_out, folder, &listing);
  take_files (reading, folder, &listing, trail.depth > CLASS_DEPTH);
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);

    if (!read_images (reading, path, &trail, error))
      return FALSE;
  }
  return TRUE;
}

/* A class folder of training images without any. */
static gboolean
miss_images (const char *folder, const EnsLeftOut *left_out, GError **error)
{
  g_autofree char *found = ens_left_out_describe (left_out);

  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: found no image; looked for names such as *.jpg or *.png%s%s; add some, or "
               "remove the folder",
               folder, *found != '\0' ? ", left out " : "", found);
  return FALSE;
}

static gboolean
read_class (Reading *reading, const char *split_folder, const char *name, GError **error)
{
  const EnsDataset *dataset = reading->dataset;
  const GPtrArray *samples = dataset->samples[reading->split];
  g_autofree char *folder = g_build_filename (split_folder, name, NULL);
  gint class = find_class (dataset, name);
  guint before = samples->len;
  EnsTrail set, split;

  if (class < 0) {
    g_autofree char *known = g_strjoinv (", ", dataset->classes);

    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "%s: expected one of the classes %s, found “%s”",
                 split_folder, known, name);
    return FALSE;
  }
  reading->class = (guint) class;
  ens_trail_enter (&set, NULL, dataset->folder);
  ens_trail_enter (&split, &set, split_folder);
  return read_images (reading, folder, &split, error)
         && (samples->len > before || reading->split != ENS_SPLIT_TRAIN
             || miss_images (folder, &reading->left_out, error));
}

static gboolean
read_split_folder (Reading *reading, const char *folder, GError **error)
{
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, folder, error))
    return FALSE;
  ens_left_out_add_rest (&reading->left_out, folder, &listing);
  leave_out_files (folder, listing.files, &reading->left_out);
  for (guint i = 0; i < listing.folders->len; i++)
    if (!read_class (reading, folder, listing.folders->pdata[i], error))
      return FALSE;
  if (reading->n_below > 0)
    ens_dataset_note (reading->dataset,
                      "%s: %u of the pictures lie in folders below their class's folder, and are "
                      "taken for the class",
                      folder, reading->n_below);
  ens_left_out_tell (&reading->left_out, folder, reading->dataset->notes);
  return TRUE;
}

gboolean
ens_dataset_read_unrelated (EnsDataset *dataset, GError **error)
{
  Reading reading = {.dataset = dataset, .split = ENS_SPLIT_TEST, .class = dataset->n_classes};
  gboolean read = read_images (&reading, dataset->folder, NULL, error)
                  && (dataset->samples[ENS_SPLIT_TEST]->len > 0
                      || miss_images (dataset->folder, &reading.left_out, error));

  ens_left_out_tell (&reading.left_out, dataset->folder, dataset->notes);
  ens_left_out_clear (&reading.left_out);
  return read;
}

static gboolean
read_split (EnsDataset *dataset, EnsSplit split, const char *folder, GError **error)
{
  Reading reading = {.dataset = dataset, .split = split};
  gboolean read = read_split_folder (&reading, folder, error);

  ens_left_out_clear (&reading.left_out);
  return read;
}

static gboolean
read_training_classes (EnsDataset *dataset, GError **error)
{
  g_autoptr (GPtrArray) folders = ens_dataset_find_split (dataset->folder, ENS_SPLIT_TRAIN);

  return read_classes (dataset, folders, error);
}

gboolean
ens_dataset_read_folders (EnsDataset *dataset, GError **error)
{
  if (dataset->classes == NULL && !read_training_classes (dataset, error))
    return FALSE;
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_autoptr (GPtrArray) folders = ens_dataset_find_split (dataset->folder, (EnsSplit)s);

    for (guint i = 0; i < folders->len; i++)
      if (!read_split (dataset, (EnsSplit)s, folders->pdata[i], error))
        return FALSE;
  }
  tell_beside (dataset);
  return TRUE;
}

/* ---- Classes without splits ---- */

/* FALSE for folders that may be splits, or have some in them. */
static gboolean
check_classed (const EnsDataset *dataset, GError **error)
{
  g_autofree char *inside = ens_folders_find_inner_split (dataset->folder);
  g_autofree char *word = ens_folders_find_word (dataset->folder);

  if (inside != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected folders SPLIT" G_DIR_SEPARATOR_S "CLASS, found %s the other way "
                 "round; move its folders",
                 dataset->folder, inside);
  else if (word != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected folders of classes, or of splits, found “%s”, which may be either, "
                 "among others; rename it, or move all into a folder train",
                 dataset->folder, word);
  return inside == NULL && word == NULL;
}

gboolean
ens_dataset_read_classed (EnsDataset *dataset, GError **error)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new ();

  if (!check_classed (dataset, error))
    return FALSE;
  g_ptr_array_add (folders, dataset->folder);
  ens_dataset_note (dataset,
                    "%s: none of its folders is called like a split (train, validation, "
                    "test); each is taken for a class",
                    dataset->folder);
  return (dataset->classes != NULL || read_classes (dataset, folders, error))
         && read_split (dataset, ENS_SPLIT_TRAIN, dataset->folder, error);
}

void
ens_dataset_take_inner (EnsDataset *dataset, const char *inner)
{
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (EnsLeftOut) left_out = {0};

  g_hash_table_add (used, g_canonicalize_filename (inner, NULL));
  ens_dataset_note (dataset, "%s: %s, the only folder with pictures, is taken for the data set",
                    dataset->folder, inner);
  ens_left_out_add_unused (&left_out, dataset->folder, used);
  ens_left_out_tell (&left_out, dataset->folder, dataset->notes);
  g_free (dataset->folder);
  dataset->folder = g_strdup (inner);
}
