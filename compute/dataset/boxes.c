/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/coco-scan.h"
#include "dataset/dataset.h"
#include "dataset/left-out.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"

/* ---- What is left out ---- */

/* So many broken entries are named one by one. */
#define MAX_NAMED 10

void
ens_boxes_tally_clear (EnsBoxesTally *tally)
{
  g_free (tally->first);
}

void
ens_boxes_tally_skip (EnsBoxesTally *tally, GError *reason)
{
  tally->n_broken++;
  if (tally->first == NULL)
    tally->first = g_strdup (reason->message);
  if (tally->n_broken <= MAX_NAMED)
    g_ptr_array_add (tally->notes, g_strdup_printf ("skipped %s", reason->message));
  g_error_free (reason);
}

gboolean
ens_boxes_tally_exceeds (const EnsBoxesTally *tally, guint n)
{
  return (guint64)tally->n_broken * ENS_MIN_IMAGES_PER_BROKEN > n;
}

gboolean
ens_boxes_tally_check (const EnsBoxesTally *tally, const char *path, const char *what,
                       GError **error)
{
  if (!ens_boxes_tally_exceeds (tally, tally->n)) {
    if (tally->n_broken > MAX_NAMED)
      g_ptr_array_add (tally->notes, g_strdup_printf ("%s: skipped %u of the %u %s in all", path,
                                                      tally->n_broken, tally->n, what));
    return TRUE;
  }
  if (tally->n == 1)
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_DATA, tally->first);
  else
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_DATA,
        "%s: %u of the %u %s can't be used; more than one in %u is too many. The first: %s", path,
        tally->n_broken, tally->n, what, ENS_MIN_IMAGES_PER_BROKEN, tally->first);
  return FALSE;
}

/* ---- Reading ---- */

static void
reading_init (EnsBoxesReading *reading, const char *folder, GPtrArray *notes)
{
  *reading = (EnsBoxesReading) {.folder = g_strdup (folder), .notes = notes};
  reading->whole = g_file_test (folder, G_FILE_TEST_IS_DIR);
  reading->used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  reading->declared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
reading_clear (EnsBoxesReading *reading)
{
  g_free (reading->folder);
  g_clear_pointer (&reading->used, g_hash_table_unref);
  g_clear_pointer (&reading->declared, g_hash_table_unref);
  g_clear_pointer (&reading->index, ens_picture_index_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsBoxesReading, reading_clear)

const EnsPictureIndex *
ens_boxes_reading_index (EnsBoxesReading *reading)
{
  if (reading->index == NULL)
    reading->index = ens_picture_index_new (reading->folder);
  return reading->index;
}

static const char *
find_in_folders (const EnsPictureIndex *index, const char *inside, const char *name)
{
  g_autofree char *images = g_build_filename (inside, "images", NULL);
  const char *const folders[] = {inside, images, "", "images"};
  const char *path = NULL;

  for (guint i = 0; path == NULL && i < G_N_ELEMENTS (folders); i++)
    path = ens_picture_index_find (index, folders[i], name);
  return path;
}

const char *
ens_boxes_find_picture (EnsBoxesReading *reading, const char *inside, const char *name)
{
  const EnsPictureIndex *index = ens_boxes_reading_index (reading);
  const char *only;

  /* Most names tell by themselves whether there is such a picture, and which. */
  return !ens_picture_index_has (index, name, &only) || only != NULL
             ? only
             : find_in_folders (index, inside, name);
}

void
ens_boxes_reading_note (EnsBoxesReading *reading, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (reading->notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

void
ens_boxes_reading_use (EnsBoxesReading *reading, const char *path)
{
  g_hash_table_add (reading->used, g_canonicalize_filename (path, NULL));
}

void
ens_boxes_reading_declare (EnsBoxesReading *reading, const char *class)
{
  if (*class != '\0')
    g_hash_table_add (reading->declared, ens_name_normalise (class));
}

static void
add_files (EnsBoxesReading *reading, const char *folder, const EnsListing *listing,
           EnsBoxesFits fits, GPtrArray *paths)
{
  for (guint i = 0; i < listing->files->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing->files->pdata[i], NULL);

    if (fits (reading, path))
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
}

GPtrArray *
ens_boxes_list_files (EnsBoxesReading *reading, EnsBoxesFits fits)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, reading->folder, NULL))
    return paths;
  add_files (reading, reading->folder, &listing, fits, paths);
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *folder = g_build_filename (reading->folder, listing.folders->pdata[i], NULL);
    g_auto (EnsListing) inner = {0};

    if (ens_listing_read (&inner, folder, NULL))
      add_files (reading, folder, &inner, fits, paths);
  }
  return paths;
}

/* Files that fit, the first alone or all. */
typedef struct {
  EnsBoxesReading *reading;
  EnsBoxesFits fits;
  gboolean first;
  GPtrArray *paths;
} Fitting;

static void
add_fitting (const char *path, gpointer data)
{
  Fitting *fitting = data;

  if (!(fitting->first && fitting->paths->len > 0) && fitting->fits (fitting->reading, path))
    g_ptr_array_add (fitting->paths, g_strdup (path));
}

GPtrArray *
ens_boxes_list_below (EnsBoxesReading *reading, EnsBoxesFits fits)
{
  Fitting all = {reading, fits, FALSE, g_ptr_array_new_with_free_func (g_free)};

  ens_listing_foreach (reading->folder, add_fitting, &all);
  return all.paths;
}

char *
ens_boxes_find_below (const char *folder, EnsBoxesFits fits)
{
  EnsBoxesReading reading = {.folder = (char *)folder};
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  ens_listing_foreach (folder, add_fitting, &(Fitting) {&reading, fits, TRUE, paths});
  g_clear_pointer (&reading.index, ens_picture_index_free);
  return paths->len > 0 ? g_strdup (paths->pdata[0]) : NULL;
}

GPtrArray *
ens_boxes_take_file (EnsBoxesReading *reading, const char *evidence)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (paths, g_strdup (evidence));
  g_free (reading->folder);
  reading->folder = g_path_get_dirname (evidence);
  return paths;
}

GPtrArray *
ens_boxes_choose_files (EnsBoxesReading *reading, const char *evidence, EnsBoxesFits fits)
{
  return reading->whole ? ens_boxes_list_below (reading, fits)
                        : ens_boxes_take_file (reading, evidence);
}

GPtrArray *
ens_boxes_load_files (EnsBoxesReading *reading, const char *evidence, EnsBoxesFits fits,
                      EnsBoxesRead read, GError **error)
{
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  g_autoptr (GHashTable) by_path = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) files = ens_boxes_choose_files (reading, evidence, fits);

  for (guint i = 0; i < files->len; i++)
    if (!read (reading, files->pdata[i], by_path, images, error))
      return NULL;
  return g_steal_pointer (&images);
}

GBytes *
ens_boxes_reading_text (EnsBoxesReading *reading, const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GBytes *text = ens_file_map_text (path, &reason);

  ens_boxes_reading_use (reading, path);
  if (text == NULL)
    g_set_error (error, ENS_ERROR, reason->code, "%s: can't read it: %s", path, reason->message);
  return text;
}

/* So far the first element is looked for: declarations and comments come before it. */
#define MAX_PROLOGUE (1U << 16)

gboolean
ens_boxes_has_root (const char *path, const char *element)
{
  g_autoptr (GBytes) text = ens_file_map_text (path, NULL);
  g_autofree char *tag = g_strconcat ("<", element, NULL);
  gsize size = 0;
  const char *at = text != NULL ? g_bytes_get_data (text, &size) : NULL, *end;

  for (end = at != NULL ? at + MIN (size, MAX_PROLOGUE) : NULL; at < end; at++) {
    at = g_strstr_len (at, end - at, tag);
    if (at == NULL)
      return FALSE;
    if (at + strlen (tag) < end && strchr (" \t\r\n/>", at[strlen (tag)]) != NULL)
      return TRUE;
  }
  return FALSE;
}

gint
ens_boxes_find_split (const char *folder, const char *path)
{
  gsize skip = g_str_has_prefix (path, folder) ? strlen (folder) : 0;
  g_auto (GStrv) parts = g_strsplit (path + skip, G_DIR_SEPARATOR_S, -1);
  EnsSplit split;

  for (guint i = 0; parts[i] != NULL && parts[i + 1] != NULL; i++)
    if (ens_split_parse (parts[i], &split))
      return (gint)split;
  for (guint i = 0; parts[i] != NULL && parts[i + 1] != NULL; i++)
    if (ens_split_find (parts[i], &split))
      return (gint)split;
  return ENS_SPLIT_UNSAID;
}

gint
ens_boxes_find_file_split (const EnsBoxesReading *reading, const char *path)
{
  g_autofree char *stem = ens_picture_stem (path);
  EnsSplit split;

  return ens_split_find (stem, &split) ? (gint)split : ens_boxes_find_split (reading->folder, path);
}

char *
ens_boxes_inside (const char *folder, const char *path)
{
  g_autofree char *home = g_path_get_dirname (path);
  gsize length = strlen (folder);

  return g_strdup (
      g_str_has_prefix (home, folder) && home[length] == G_DIR_SEPARATOR ? home + length + 1 : "");
}

/* ---- Layouts ---- */

/* The first one whose files are there is taken. */
static const EnsBoxesLayout *const layouts[] = {
    &ens_boxes_labelme,     &ens_boxes_via,        &ens_boxes_cub,       &ens_boxes_coco,
    &ens_boxes_open_images, &ens_boxes_cvat,       &ens_boxes_voc,       &ens_boxes_yolo,
    &ens_boxes_csv,         &ens_boxes_json_lines, &ens_boxes_json_list, &ens_boxes_list,
};

/* The layout that a single file has, by its name's ending and, where several have this, by what it
 * says. */
static const EnsBoxesLayout *
find_file_layout (const char *path)
{
  static const struct {
    const char *ending;
    const EnsBoxesLayout *layout;
    gboolean (*fits) (const char *path);
  } endings[] = {{".json", &ens_boxes_labelme, ens_boxes_is_labelme},
                 {".json", &ens_boxes_via, ens_boxes_is_via},
                 {".json", &ens_boxes_coco, ens_coco_is_likely},
                 {".json", &ens_boxes_json_list, ens_boxes_is_json_list},
                 {".json", &ens_boxes_coco, NULL},
                 {".csv", &ens_boxes_via, ens_boxes_is_via},
                 {".csv", &ens_boxes_csv, NULL},
                 {".tsv", &ens_boxes_csv, NULL},
                 {".xml", &ens_boxes_cvat, NULL},
                 {".yaml", &ens_boxes_yolo, NULL},
                 {".yml", &ens_boxes_yolo, NULL},
                 {".jsonl", &ens_boxes_json_lines, NULL},
                 {".txt", &ens_boxes_list, NULL}};
  g_autofree char *lower = g_ascii_strdown (path, -1);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i].ending)
        && (endings[i].fits == NULL || endings[i].fits (path)))
      return endings[i].layout;
  return NULL;
}

/* Paths below a folder are told from its own by their length. (transfer full) */
static char *
strip_slashes (const char *path)
{
  gsize length = strlen (path);

  while (length > 1 && path[length - 1] == G_DIR_SEPARATOR)
    length--;
  return g_strndup (path, length);
}

gboolean
ens_boxes_find (EnsBoxesFound *found, const char *path)
{
  *found = (EnsBoxesFound) {.path = strip_slashes (path)};
  if (!g_file_test (found->path, G_FILE_TEST_IS_DIR))
    found->layout = find_file_layout (found->path);
  for (guint i = 0; found->layout == NULL && i < G_N_ELEMENTS (layouts); i++) {
    found->evidence = layouts[i]->find (found->path);
    found->layout = found->evidence != NULL ? layouts[i] : NULL;
  }
  return found->layout != NULL;
}

void
ens_boxes_found_clear (EnsBoxesFound *found)
{
  g_free (found->path);
  g_free (found->evidence);
}

static gboolean
is_used (const EnsBoxesReading *reading, const char *path)
{
  g_autofree char *canonical = g_canonicalize_filename (path, NULL);

  return g_hash_table_contains (reading->used, canonical);
}

/* Which layout was taken, if other files would fit others. Those before it had none. */
static void
tell_choice (EnsBoxesReading *reading, const EnsBoxesFound *found)
{
  gboolean after = FALSE;

  for (guint i = 0; found->evidence != NULL && i < G_N_ELEMENTS (layouts); i++) {
    g_autofree char *other = after ? layouts[i]->find (found->path) : NULL;

    after |= layouts[i] == found->layout;
    if (other != NULL && !is_used (reading, other))
      ens_boxes_reading_note (
          reading, "%s: read as %s because of %s; %s, which would be %s, is not read", found->path,
          found->layout->name, found->evidence, other, layouts[i]->name);
  }
}

/* What of the folder neither is a picture of the set nor was read for it. */
static void
tell_left_out (EnsBoxesReading *reading, const GPtrArray *images)
{
  g_auto (EnsLeftOut) left_out = {0};

  for (guint i = 0; i < images->len; i++)
    ens_boxes_reading_use (reading, ((const EnsBoxedImage *)images->pdata[i])->path);
  ens_left_out_add_unused (&left_out, reading->folder, reading->used);
  ens_left_out_tell (&left_out, reading->folder, reading->notes);
}

/* Classes that the set's files name, but of which there is nothing to learn. */
static void
tell_undepicted (EnsBoxesReading *reading, const GPtrArray *images)
{
  g_autofree char *names = NULL;

  for (guint i = 0; i < images->len; i++) {
    const GArray *boxes = ((const EnsBoxedImage *)images->pdata[i])->boxes;

    for (guint b = 0; b < boxes->len; b++)
      g_hash_table_remove (reading->declared, g_array_index (boxes, EnsBox, b).label);
  }
  if (g_hash_table_size (reading->declared) == 0)
    return;
  names = ens_left_out_list_names (reading->declared);
  ens_boxes_reading_note (reading, "%s: classes that are declared, but that no picture shows: %s",
                          reading->folder, names);
}

GPtrArray *
ens_boxes_load_found (const EnsBoxesFound *found, GPtrArray *notes, GError **error)
{
  g_auto (EnsBoxesReading) reading = {0};
  GPtrArray *images;

  reading_init (&reading, found->path, notes);
  images = found->layout->load (&reading, found->evidence != NULL ? found->evidence : found->path,
                                error);
  if (images == NULL)
    return NULL;
  ens_boxes_sort (images);
  tell_choice (&reading, found);
  tell_undepicted (&reading, images);
  if (reading.whole)
    tell_left_out (&reading, images);
  return images;
}

GPtrArray *
ens_boxes_load (const char *path, GPtrArray *notes, GError **error)
{
  g_auto (EnsBoxesFound) found = {0};

  g_return_val_if_fail (path != NULL && notes != NULL, NULL);

  if (ens_boxes_find (&found, path))
    return ens_boxes_load_found (&found, notes, error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: expected a folder with the files of COCO (annotations/instances_*.json), Open "
               "Images, CVAT, Pascal VOC (Annotations, JPEGImages), YOLO (data.yaml, labels), "
               "LabelMe, VGG Image Annotator, CUB-200, tables (*.csv), JSON (*.jsonl, *.json of "
               "{\"image\": …, \"label\": …}) or lists (*.txt), or one of these files",
               found.path);
  return NULL;
}
