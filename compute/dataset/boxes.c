/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/dataset.h"
#include "dataset/left-out.h"
#include "dataset/listing.h"

/* ---- Images and boxes ---- */

static void
clear_box (gpointer data)
{
  g_free (((EnsBox *)data)->label);
}

void
ens_boxed_image_free (EnsBoxedImage *image)
{
  if (image == NULL)
    return;
  g_free (image->path);
  g_free (image->numbers);
  g_array_unref (image->boxes);
  g_ptr_array_unref (image->doubts);
  g_clear_pointer (&image->denied, g_ptr_array_unref);
  g_free (image);
}

EnsBoxedImage *
ens_boxed_image_new (char *path)
{
  EnsBoxedImage *image = g_new0 (EnsBoxedImage, 1);

  image->path = path;
  image->split = ENS_SPLIT_UNSAID;
  image->doubts = g_ptr_array_new_with_free_func (g_free);
  image->boxes = g_array_new (FALSE, TRUE, sizeof (EnsBox));
  g_array_set_clear_func (image->boxes, clear_box);
  return image;
}

EnsBoxedImage *
ens_boxes_take_image (GHashTable *by_path, GPtrArray *images, const char *path)
{
  EnsBoxedImage *image = g_hash_table_lookup (by_path, path);

  if (image != NULL)
    return image;
  image = ens_boxed_image_new (g_strdup (path));
  g_hash_table_insert (by_path, image->path, image);
  g_ptr_array_add (images, image);
  return image;
}

void
ens_boxed_image_doubt (EnsBoxedImage *image, const char *label)
{
  g_ptr_array_add (image->doubts, label != NULL ? ens_name_normalise (label) : NULL);
}

void
ens_boxed_image_deny (EnsBoxedImage *image, const char *label)
{
  if (image->denied == NULL)
    image->denied = g_ptr_array_new_with_free_func (g_free);
  if (label != NULL)
    g_ptr_array_add (image->denied, ens_name_normalise (label));
}

gboolean
ens_boxes_name_is_inside (const char *name)
{
  g_auto (GStrv) parts = g_strsplit_set (name, "/\\", -1);
  gboolean drive = g_ascii_isalpha (name[0]) && name[1] == ':';

  return *name != '\0' && *name != '/' && *name != '\\' && !drive
         && !g_strv_contains ((const char *const *)parts, "..");
}

double
ens_boxes_number (const char *text)
{
  char *end;
  double number = g_ascii_strtod (text, &end);

  return end > text && *end == '\0' ? number : NAN;
}

void
ens_boxed_image_set_size (EnsBoxedImage *image, double width, double height)
{
  if (!(width >= 1 && height >= 1 && width <= G_MAXINT && height <= G_MAXINT))
    return;
  image->width = (guint)width;
  image->height = (guint)height;
}

void
ens_boxed_image_add_somewhere (EnsBoxedImage *image, const EnsBox *box)
{
  EnsBox added = *box;

  added.label = ens_name_normalise (box->label);
  added.rect = (EnsRect) {0};
  g_array_append_val (image->boxes, added);
}

void
ens_boxed_image_add_class (EnsBoxedImage *image, const char *label)
{
  g_autofree char *normal = ens_name_normalise (label);

  for (guint b = 0; b < image->boxes->len; b++)
    if (strcmp (g_array_index (image->boxes, EnsBox, b).label, normal) == 0)
      return;
  ens_boxed_image_add_somewhere (image, &(EnsBox) {.label = normal});
}

void
ens_box_fill (EnsBox *box, const EnsBoxEdges *edges, const double *points, guint n)
{
  /* As ens_boxed_image_add () cuts it. */
  double left = MAX (edges->left, 0), top = MAX (edges->top, 0);
  const double cut[4] = {left, top, MIN (edges->right, edges->width) - left,
                         MIN (edges->bottom, edges->height) - top};

  ens_object_mask_add_polygon (&box->mask, points, n, cut);
}

/* Numbers that are missing are NaN, which compares false. */
static gboolean
is_ordered (const EnsBoxEdges *edges)
{
  return edges->right > edges->left && edges->bottom > edges->top;
}

gboolean
ens_boxed_image_add (EnsBoxedImage *image, const EnsBox *box, const EnsBoxEdges *edges,
                     const char *where, GError **error)
{
  EnsBox added = *box;
  double width = edges->width, height = edges->height;
  double left = MAX (edges->left, 0), top = MAX (edges->top, 0);
  double right = MIN (edges->right, width), bottom = MIN (edges->bottom, height);

  if (is_ordered (edges) && (isnan (width) || width == 0) && (isnan (height) || height == 0)) {
    ens_boxed_image_add_somewhere (image, box);
    return TRUE;
  }
  if (!(width >= 1 && height >= 1 && isfinite (width * height) && is_ordered (edges) && right > left
        && bottom > top)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a box inside the image of %g×%g pixels, found %g … %g by %g … %g",
                 where, width, height, edges->left, edges->right, edges->top, edges->bottom);
    ens_boxed_image_doubt (image, box->label);
    return FALSE;
  }
  added.label = ens_name_normalise (box->label);
  added.rect = (EnsRect) {(float)(left / width), (float)(top / height),
                          (float)((right - left) / width), (float)((bottom - top) / height)};
  g_array_append_val (image->boxes, added);
  ens_boxed_image_set_size (image, width, height);
  return TRUE;
}

static int
compare_images (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(EnsBoxedImage *const *)a)->path, (*(EnsBoxedImage *const *)b)->path);
}

void
ens_boxes_sort (GPtrArray *images)
{
  g_ptr_array_sort (images, compare_images);
}

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
}

static void
reading_clear (EnsBoxesReading *reading)
{
  g_free (reading->folder);
  g_clear_pointer (&reading->used, g_hash_table_unref);
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

const char *
ens_boxes_find_picture (EnsBoxesReading *reading, const char *inside, const char *name)
{
  const EnsPictureIndex *index = ens_boxes_reading_index (reading);
  g_autofree char *images = g_build_filename (inside, "images", NULL);
  const char *const folders[] = {inside, images, "", "images"};
  const char *path = NULL;

  for (guint i = 0; path == NULL && i < G_N_ELEMENTS (folders); i++)
    path = ens_picture_index_find (index, folders[i], name);
  return path != NULL ? path : ens_picture_index_find_anywhere (index, name);
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
    &ens_boxes_coco, &ens_boxes_open_images, &ens_boxes_cvat,       &ens_boxes_voc,
    &ens_boxes_yolo, &ens_boxes_csv,         &ens_boxes_json_lines, &ens_boxes_list,
};

/* The layout that a single file has, by its name's ending. */
static const EnsBoxesLayout *
find_file_layout (const char *path)
{
  static const struct {
    const char *ending;
    const EnsBoxesLayout *layout;
  } endings[] = {{".json", &ens_boxes_coco},        {".csv", &ens_boxes_csv},
                 {".tsv", &ens_boxes_csv},          {".xml", &ens_boxes_cvat},
                 {".yaml", &ens_boxes_yolo},        {".yml", &ens_boxes_yolo},
                 {".jsonl", &ens_boxes_json_lines}, {".txt", &ens_boxes_list}};
  g_autofree char *lower = g_ascii_strdown (path, -1);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i].ending))
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
               "tables (*.csv), JSON lines (*.jsonl) or lists (*.txt), or one of these files",
               found.path);
  return NULL;
}
