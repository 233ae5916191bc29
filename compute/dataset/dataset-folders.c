/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sets in folders: SPLIT/CLASS/IMAGE.
 *
 * Names are compared in Unicode's normal form C: the same name may have been written on systems
 * that compose its accents and on others that don't. */
#include <string.h>

#include "dataset/dataset-private.h"
#include "dataset/picture-names.h"

#define NO_CLASS "none"

/* How deep folders may lie in each other: links can make circles. */
#define MAX_DEPTH 16

/* ---- What is left out ---- */

typedef enum {
  LEFT_OUT_FORMAT,
  LEFT_OUT_OUTSIDE,
  LEFT_OUT_FOLDER,
  LEFT_OUT_OTHER,
  LEFT_OUT_HIDDEN,
  N_LEFT_OUT
} Reason;

/* How often, by reason, and one path of each. */
typedef struct {
  guint n[N_LEFT_OUT];
  char *example[N_LEFT_OUT];
} LeftOut;

static void
left_out_clear (LeftOut *left_out)
{
  for (guint i = 0; i < N_LEFT_OUT; i++)
    g_free (left_out->example[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LeftOut, left_out_clear)

static void
leave_out (LeftOut *left_out, Reason reason, const char *path)
{
  if (left_out->n[reason]++ == 0)
    left_out->example[reason] = g_strdup (path);
}

/* "pictures in formats …: 2, such as PATH; …"; empty if there is nothing to tell. (transfer full)
 */
static char *
describe_left_out (const LeftOut *left_out)
{
  static const char *const reasons[N_LEFT_OUT] = {
      "pictures in formats that can't be read (convert them to JPEG or PNG)",
      "pictures beside the classes' folders (put each into its class's folder)",
      "folders that are no split (splits are called train, validation, test)",
      "files that are no pictures",
      "hidden files",
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < N_LEFT_OUT; i++)
    if (left_out->n[i] > 0)
      g_string_append_printf (text, "%s%s: %u, such as %s", text->len > 0 ? "; " : "", reasons[i],
                              left_out->n[i], left_out->example[i]);
  return g_string_free (text, FALSE);
}

static void
tell_left_out (EnsDataset *dataset, const char *folder, const LeftOut *left_out)
{
  g_autofree char *description = describe_left_out (left_out);

  if (*description != '\0')
    ens_dataset_note (dataset, "%s: left out %s", folder, description);
}

/* ---- Folders ---- */

/* What a folder has, in byte order. */
typedef struct {
  GPtrArray *folders, *files; /* char *: names */
} Listing;

static void
listing_clear (Listing *listing)
{
  g_clear_pointer (&listing->folders, g_ptr_array_unref);
  g_clear_pointer (&listing->files, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listing, listing_clear)

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* left_out: counts what is hidden. */
static gboolean
list_folder (const char *folder, Listing *listing, LeftOut *left_out, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &reason);
  const char *name;

  if (dir == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read this folder: %s", folder,
                 reason->message);
    return FALSE;
  }
  listing->folders = g_ptr_array_new_with_free_func (g_free);
  listing->files = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (name[0] == '.')
      leave_out (left_out, LEFT_OUT_HIDDEN, path);
    else if (g_file_test (path, G_FILE_TEST_IS_DIR))
      g_ptr_array_add (listing->folders, g_strdup (name));
    else
      g_ptr_array_add (listing->files, g_strdup (name));
  }
  g_ptr_array_sort (listing->folders, compare_names);
  g_ptr_array_sort (listing->files, compare_names);
  return TRUE;
}

/* Files that lie where none is expected. */
static void
leave_out_files (const char *folder, const GPtrArray *files, LeftOut *left_out)
{
  for (guint i = 0; i < files->len; i++) {
    const char *name = files->pdata[i];
    g_autofree char *path = g_build_filename (folder, name, NULL);

    leave_out (left_out,
               ens_picture_has_name (name) || ens_picture_has_foreign_name (name) ? LEFT_OUT_OUTSIDE
                                                                                  : LEFT_OUT_OTHER,
               path);
  }
}

/* The paths of all folders of the split, in byte order: a data set may have val and valid.
 * (transfer full) */
static GPtrArray *
find_split (const EnsDataset *dataset, EnsSplit split)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  g_auto (Listing) listing = {0};
  g_auto (LeftOut) ignored = {0};
  EnsSplit found;

  if (list_folder (dataset->folder, &listing, &ignored, NULL))
    for (guint i = 0; i < listing.folders->len; i++)
      if (ens_split_parse (listing.folders->pdata[i], &found) && found == split)
        g_ptr_array_add (folders,
                         g_build_filename (dataset->folder, listing.folders->pdata[i], NULL));
  return folders;
}

/* What lies beside the splits. */
static void
tell_beside (EnsDataset *dataset)
{
  g_auto (Listing) listing = {0};
  g_auto (LeftOut) left_out = {0};
  EnsSplit split;

  if (!list_folder (dataset->folder, &listing, &left_out, NULL))
    return;
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (dataset->folder, listing.folders->pdata[i], NULL);

    if (!ens_split_parse (listing.folders->pdata[i], &split))
      leave_out (&left_out, LEFT_OUT_FOLDER, path);
  }
  leave_out_files (dataset->folder, listing.files, &left_out);
  tell_left_out (dataset, dataset->folder, &left_out);
}

/* ---- Classes ---- */

gboolean
ens_dataset_miss_split (const EnsDataset *dataset, EnsSplit split, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: found no %s images; looked for %s" G_DIR_SEPARATOR_S "CLASS" G_DIR_SEPARATOR_S
               "IMAGE with names such as *.jpg or *.png, for lists in ImageSets/Main beside "
               "Annotations (Pascal VOC), and for annotations/instances_*.json (COCO)",
               dataset->folder, ens_split_name (split), ens_split_name (split));
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
  g_auto (Listing) listing = {0};
  g_auto (LeftOut) left_out = {0}; /* told when the split is read */

  if (!list_folder (folder, &listing, &left_out, error))
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

static gboolean
read_classes (EnsDataset *dataset, GError **error)
{
  g_autoptr (GPtrArray) folders = find_split (dataset, ENS_SPLIT_TRAIN);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (folders->len == 0)
    return ens_dataset_miss_split (dataset, ENS_SPLIT_TRAIN, error);
  for (guint i = 0; i < folders->len; i++)
    if (!add_classes (folders->pdata[i], names, error))
      return FALSE;
  if (names->len == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected a folder of images for each class, found none",
                 (const char *)folders->pdata[0]);
    return FALSE;
  }
  g_ptr_array_sort (names, compare_names);
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
  LeftOut left_out;
} Reading;

static void
add_item (Reading *reading, char *path)
{
  EnsDatasetItem *item = ens_dataset_add_item (reading->dataset, reading->split, path);

  if (reading->class < reading->dataset->n_classes)
    item->labels[reading->class] = ENS_LABEL_PRESENT;
}

static gboolean
read_images (Reading *reading, const char *folder, guint depth, GError **error)
{
  g_auto (Listing) listing = {0};

  if (!list_folder (folder, &listing, &reading->left_out, error))
    return FALSE;
  for (guint i = 0; i < listing.files->len; i++) {
    const char *name = listing.files->pdata[i];
    g_autofree char *path = g_build_filename (folder, name, NULL);

    reading->n_below += depth > 0 && ens_picture_has_name (name);
    if (ens_picture_has_name (name) && g_file_test (path, G_FILE_TEST_IS_REGULAR))
      add_item (reading, g_steal_pointer (&path));
    else
      leave_out (&reading->left_out,
                 ens_picture_has_foreign_name (name) ? LEFT_OUT_FORMAT : LEFT_OUT_OTHER, path);
  }
  for (guint i = 0; i < listing.folders->len && depth < MAX_DEPTH; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);

    if (!read_images (reading, path, depth + 1, error))
      return FALSE;
  }
  return TRUE;
}

/* A class folder of training images without any. */
static gboolean
miss_images (const char *folder, const LeftOut *left_out, GError **error)
{
  g_autofree char *found = describe_left_out (left_out);

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

  if (class < 0) {
    g_autofree char *known = g_strjoinv (", ", dataset->classes);

    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "%s: expected one of the classes %s, found “%s”",
                 split_folder, known, name);
    return FALSE;
  }
  reading->class = (guint) class;
  return read_images (reading, folder, 0, error)
         && (samples->len > before || reading->split != ENS_SPLIT_TRAIN
             || miss_images (folder, &reading->left_out, error));
}

static gboolean
read_split_folder (Reading *reading, const char *folder, GError **error)
{
  g_auto (Listing) listing = {0};

  if (!list_folder (folder, &listing, &reading->left_out, error))
    return FALSE;
  leave_out_files (folder, listing.files, &reading->left_out);
  for (guint i = 0; i < listing.folders->len; i++)
    if (!read_class (reading, folder, listing.folders->pdata[i], error))
      return FALSE;
  if (reading->n_below > 0)
    ens_dataset_note (reading->dataset,
                      "%s: %u of the pictures lie in folders below their class's folder, and are "
                      "taken for the class",
                      folder, reading->n_below);
  tell_left_out (reading->dataset, folder, &reading->left_out);
  return TRUE;
}

gboolean
ens_dataset_read_unrelated (EnsDataset *dataset, GError **error)
{
  Reading reading = {.dataset = dataset, .split = ENS_SPLIT_TEST, .class = dataset->n_classes};
  gboolean read = read_images (&reading, dataset->folder, 0, error)
                  && (dataset->samples[ENS_SPLIT_TEST]->len > 0
                      || miss_images (dataset->folder, &reading.left_out, error));

  tell_left_out (dataset, dataset->folder, &reading.left_out);
  left_out_clear (&reading.left_out);
  return read;
}

gboolean
ens_dataset_read_folders (EnsDataset *dataset, GError **error)
{
  if (dataset->classes == NULL && !read_classes (dataset, error))
    return FALSE;
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_autoptr (GPtrArray) folders = find_split (dataset, (EnsSplit)s);

    for (guint i = 0; i < folders->len; i++) {
      Reading reading = {.dataset = dataset, .split = (EnsSplit)s};
      gboolean read = read_split_folder (&reading, folders->pdata[i], error);

      left_out_clear (&reading.left_out);
      if (!read)
        return FALSE;
    }
  }
  tell_beside (dataset);
  return TRUE;
}
