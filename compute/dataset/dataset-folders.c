/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sets in folders: SPLIT/CLASS/IMAGE. */
#include <string.h>

#include "dataset/dataset-private.h"

#define NO_CLASS "none"

static const char *const endings[] = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp",
                                      ".tif", ".tiff", ".ppm", ".pgm", ".pnm"};

/* Of pictures that decoders here don't read. */
static const char *const foreign_endings[] = {".heic", ".heif", ".avif", ".jxl", ".dng",
                                              ".cr2",  ".cr3",  ".nef",  ".arw", ".raf"};

/* ---- Folders ---- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Why something in a folder of images is no image of the data set. */
enum { SKIPPED_FORMAT, SKIPPED_FOLDER, SKIPPED_OUTSIDE, N_SKIPPED };

/* What was skipped in one split: how often, and one path of each kind. */
typedef struct {
  guint n[N_SKIPPED];
  char *example[N_SKIPPED];
} Skipped;

static void
skipped_clear (Skipped *skipped)
{
  for (guint i = 0; i < N_SKIPPED; i++)
    g_free (skipped->example[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Skipped, skipped_clear)

static void
skip (Skipped *skipped, guint why, const char *path)
{
  if (skipped->n[why]++ == 0)
    skipped->example[why] = g_strdup (path);
}

/* "pictures in formats …: 2 (such as PATH); folders …: 1 (such as PATH)"; empty if there is nothing
 * to tell. (transfer full) */
static char *
describe_skipped (const Skipped *skipped)
{
  static const char *const reasons[N_SKIPPED] = {
      "pictures in formats that can't be read (convert them to JPEG or PNG)",
      "folders inside a class's folder (its pictures must be directly in it)",
      "pictures beside the classes' folders",
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < N_SKIPPED; i++)
    if (skipped->n[i] > 0)
      g_string_append_printf (text, "%s%s: %u, such as %s", text->len > 0 ? "; " : "", reasons[i],
                              skipped->n[i], skipped->example[i]);
  return g_string_free (text, FALSE);
}

/* skipped: counts what fails the test. */
typedef gboolean (*NameTest) (const char *path, const char *name, Skipped *skipped);

static gboolean
has_ending (const char *name, const char *const *list, guint n)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < n; i++)
    if (g_str_has_suffix (lower, list[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_folder (const char *path, const char *name, Skipped *skipped)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (has_ending (name, endings, G_N_ELEMENTS (endings))
      || has_ending (name, foreign_endings, G_N_ELEMENTS (foreign_endings)))
    skip (skipped, SKIPPED_OUTSIDE, path);
  return FALSE;
}

static gboolean
is_image (const char *path, const char *name, Skipped *skipped)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    skip (skipped, SKIPPED_FOLDER, path);
  else if (has_ending (name, foreign_endings, G_N_ELEMENTS (foreign_endings)))
    skip (skipped, SKIPPED_FORMAT, path);
  else
    return has_ending (name, endings, G_N_ELEMENTS (endings))
           && g_file_test (path, G_FILE_TEST_IS_REGULAR);
  return FALSE;
}

/* Names in a folder that pass the test, in byte order; NULL if it can't be read. (transfer full) */
static GPtrArray *
list_folder (const char *folder, NameTest test, Skipped *skipped, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &reason);
  GPtrArray *names = NULL;
  const char *name;

  if (dir == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read this folder: %s", folder,
                 reason->message);
    return NULL;
  }
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (name[0] != '.' && test (path, name, skipped))
      g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* The split's folder, or NULL if there is none. (transfer full) */
static char *
find_split (const EnsDataset *dataset, EnsSplit split)
{
  g_autofree char *path = g_build_filename (dataset->folder, ens_split_name (split), NULL);
  g_autofree char *short_path = g_build_filename (dataset->folder, "val", NULL);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&path);
  if (split == ENS_SPLIT_VALIDATION && g_file_test (short_path, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&short_path);
  return NULL;
}

/* ---- Reading ---- */

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

static gboolean
read_classes (EnsDataset *dataset, GError **error)
{
  g_autofree char *folder = find_split (dataset, ENS_SPLIT_TRAIN);
  g_autoptr (GPtrArray) names = NULL;
  g_auto (Skipped) skipped = {0}; /* told when the split is read */
  guint none;

  if (folder == NULL)
    return ens_dataset_miss_split (dataset, ENS_SPLIT_TRAIN, error);
  names = list_folder (folder, is_folder, &skipped, error);
  if (names == NULL)
    return FALSE;
  if (g_ptr_array_find_with_equal_func (names, NO_CLASS, g_str_equal, &none))
    g_ptr_array_remove_index (names, none);
  if (names->len == 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected a folder of images for each class, found none", folder);
    return FALSE;
  }
  dataset->n_classes = names->len;
  g_ptr_array_add (names, NULL);
  dataset->classes = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  for (guint c = 0; c < dataset->n_classes; c++)
    if (!g_utf8_validate (dataset->classes[c], -1, NULL)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                   "%s: expected class folders with names in UTF-8, found “%s”", folder,
                   dataset->classes[c]);
      return FALSE;
    }
  return TRUE;
}

/* The class's number; n_classes for "none", -1 for a class that train does not have. */
static gint
find_class (const EnsDataset *dataset, const char *name)
{
  for (guint c = 0; c < dataset->n_classes; c++)
    if (strcmp (dataset->classes[c], name) == 0)
      return (gint)c;
  return strcmp (name, NO_CLASS) == 0 ? (gint)dataset->n_classes : -1;
}

static void
add_item (EnsDataset *dataset, EnsSplit split, guint class, const char *folder, const char *name)
{
  EnsDatasetItem *item =
      ens_dataset_add_item (dataset, split, g_build_filename (folder, name, NULL));

  if (class < dataset->n_classes)
    item->labels[class] = ENS_LABEL_PRESENT;
}

/* A class folder of training images without any. */
static gboolean
missing_images (const char *folder, const Skipped *skipped, GError **error)
{
  g_autofree char *found = describe_skipped (skipped);

  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: found no image; looked for names such as *.jpg or *.png%s%s; add some, or "
               "remove the folder",
               folder, *found != '\0' ? ", skipped " : "", found);
  return FALSE;
}

static gboolean
read_class (EnsDataset *dataset, EnsSplit split, const char *split_folder, const char *name,
            Skipped *skipped, GError **error)
{
  g_autofree char *folder = g_build_filename (split_folder, name, NULL);
  g_autoptr (GPtrArray) files = NULL;
  gint class = find_class (dataset, name);

  if (class < 0) {
    g_autofree char *known = g_strjoinv (", ", dataset->classes);

    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "%s: expected one of the classes %s, found “%s”",
                 split_folder, known, name);
    return FALSE;
  }
  files = list_folder (folder, is_image, skipped, error);
  if (files == NULL)
    return FALSE;
  for (guint i = 0; i < files->len; i++)
    add_item (dataset, split, (guint) class, folder, files->pdata[i]);
  return files->len > 0 || split != ENS_SPLIT_TRAIN || missing_images (folder, skipped, error);
}

static gboolean
read_split (EnsDataset *dataset, EnsSplit split, GError **error)
{
  g_autofree char *folder = find_split (dataset, split);
  g_autoptr (GPtrArray) names = NULL;
  g_auto (Skipped) skipped = {0};
  g_autofree char *description = NULL;

  if (folder == NULL)
    return TRUE;
  names = list_folder (folder, is_folder, &skipped, error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    if (!read_class (dataset, split, folder, names->pdata[i], &skipped, error))
      return FALSE;
  description = describe_skipped (&skipped);
  if (*description != '\0')
    ens_dataset_note (dataset, "%s: skipped %s", folder, description);
  return names != NULL;
}

gboolean
ens_dataset_read_folders (EnsDataset *dataset, GError **error)
{
  if (dataset->classes == NULL && !read_classes (dataset, error))
    return FALSE;
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (!read_split (dataset, s, error))
      return FALSE;
  return TRUE;
}
