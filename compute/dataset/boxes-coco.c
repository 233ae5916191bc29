/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-coco.h"

#include <math.h>
#include <string.h>

#include "base/json-scan.h"
#include "dataset/boxes-private.h"

#define INSTANCES_ "instances_"

/* Entries of the file, as they stand in it: numbers that are missing are NaN, ids -1. */
typedef struct {
  gint64 id;
  char *file;
  double width, height;
} Image;

typedef struct {
  gint64 id;
  char *name;
} Category;

typedef struct {
  gint64 image, category;
  double left, top, width, height;
  gboolean crowd;
} Annotation;

typedef struct {
  const char *path;
  GArray *images, *annotations, *categories;
  GHashTable *names;        /* of categories: id → name */
  GHashTable *images_by_id; /* id → what the annotations are added to, a Target */
  GPtrArray *folders;       /* where pictures are looked for */
  guint folder;             /* where the last one was found */
  EnsBoxesTally tally;      /* of the entries at hand */
} Coco;

/* An image on its way out. */
typedef struct {
  EnsBoxedImage *boxed; /* NULL if it was left out */
  double width, height;
} Target;

static void
clear_image (gpointer data)
{
  g_free (((Image *)data)->file);
}

static void
clear_category (gpointer data)
{
  g_free (((Category *)data)->name);
}

static void
coco_init (Coco *coco, const char *path)
{
  coco->path = path;
  coco->images = g_array_new (FALSE, FALSE, sizeof (Image));
  coco->annotations = g_array_new (FALSE, FALSE, sizeof (Annotation));
  coco->categories = g_array_new (FALSE, FALSE, sizeof (Category));
  g_array_set_clear_func (coco->images, clear_image);
  g_array_set_clear_func (coco->categories, clear_category);
  coco->names = g_hash_table_new (g_int64_hash, g_int64_equal);
  coco->images_by_id = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  coco->folders = g_ptr_array_new_with_free_func (g_free);
}

static void
coco_clear (Coco *coco)
{
  g_array_unref (coco->images);
  g_array_unref (coco->annotations);
  g_array_unref (coco->categories);
  g_hash_table_unref (coco->names);
  g_hash_table_unref (coco->images_by_id);
  g_ptr_array_unref (coco->folders);
  ens_boxes_tally_clear (&coco->tally);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Coco, coco_clear)

/* ---- Scanning ---- */

static void
scan_id (EnsJsonScan *scan, gint64 *id)
{
  if (!ens_json_scan_integer (scan, id))
    *id = -1;
}

static void
scan_text (EnsJsonScan *scan, char **text)
{
  g_free (*text);
  *text = ens_json_scan_string (scan);
}

static void
scan_image (Coco *coco, EnsJsonScan *scan)
{
  Image image = {.id = -1, .width = NAN, .height = NAN};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "id") == 0)
        scan_id (scan, &image.id);
      else if (strcmp (name, "file_name") == 0)
        scan_text (scan, &image.file);
      else if (strcmp (name, "width") == 0)
        image.width = ens_json_scan_number (scan);
      else if (strcmp (name, "height") == 0)
        image.height = ens_json_scan_number (scan);
      else
        ens_json_scan_skip (scan);
    }
  g_array_append_val (coco->images, image);
}

static void
scan_category (Coco *coco, EnsJsonScan *scan)
{
  Category category = {.id = -1};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "id") == 0)
        scan_id (scan, &category.id);
      else if (strcmp (name, "name") == 0)
        scan_text (scan, &category.name);
      else
        ens_json_scan_skip (scan);
    }
  g_array_append_val (coco->categories, category);
}

/* left, top, width, height; NaN if these are not four. */
static void
scan_box (EnsJsonScan *scan, Annotation *annotation)
{
  double values[4];
  guint n = 0;

  if (ens_json_scan_open_array (scan))
    while (ens_json_scan_element (scan)) {
      double value = ens_json_scan_number (scan);

      if (n < G_N_ELEMENTS (values))
        values[n] = value;
      n++;
    }
  if (n != G_N_ELEMENTS (values))
    return;
  annotation->left = values[0];
  annotation->top = values[1];
  annotation->width = values[2];
  annotation->height = values[3];
}

static void
scan_annotation (Coco *coco, EnsJsonScan *scan)
{
  Annotation annotation = {-1, -1, NAN, NAN, NAN, NAN, FALSE};
  const char *name;

  if (ens_json_scan_open_object (scan))
    while ((name = ens_json_scan_member (scan)) != NULL) {
      if (strcmp (name, "image_id") == 0)
        scan_id (scan, &annotation.image);
      else if (strcmp (name, "category_id") == 0)
        scan_id (scan, &annotation.category);
      else if (strcmp (name, "bbox") == 0)
        scan_box (scan, &annotation);
      else if (strcmp (name, "iscrowd") == 0)
        annotation.crowd = ens_json_scan_number (scan) == 1;
      else
        ens_json_scan_skip (scan);
    }
  g_array_append_val (coco->annotations, annotation);
}

static const struct {
  const char *name;
  void (*scan) (Coco *coco, EnsJsonScan *scan);
} lists[] = {
    {"images", scan_image},
    {"annotations", scan_annotation},
    {"categories", scan_category},
};

/* Scans a list, and says which of the lists it was; G_N_ELEMENTS (lists) for what is none. */
static guint
scan_list (Coco *coco, EnsJsonScan *scan, const char *name)
{
  guint list = 0;

  while (list < G_N_ELEMENTS (lists) && strcmp (lists[list].name, name) != 0)
    list++;
  if (list == G_N_ELEMENTS (lists))
    ens_json_scan_skip (scan);
  else if (!ens_json_scan_open_array (scan))
    return G_N_ELEMENTS (lists);
  else
    while (ens_json_scan_element (scan))
      lists[list].scan (coco, scan);
  return list;
}

static gboolean
scan_file (Coco *coco, const char *text, gsize length, GError **error)
{
  gboolean seen[G_N_ELEMENTS (lists) + 1] = {FALSE};
  EnsJsonScan scan;
  const char *name;

  ens_json_scan_init (&scan, coco->path, text, length);
  if (ens_json_scan_open_object (&scan))
    while ((name = ens_json_scan_member (&scan)) != NULL)
      seen[scan_list (coco, &scan, name)] = TRUE;
  if (!ens_json_scan_finish (&scan, error))
    return FALSE;
  for (guint list = 0; list < G_N_ELEMENTS (lists); list++)
    if (!seen[list]) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: not COCO's annotations: expected lists called images, annotations and "
                   "categories, found none called %s",
                   coco->path, lists[list].name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_file (Coco *coco, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (coco->path, FALSE, &failure);

  if (file == NULL) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return FALSE;
  }
  return scan_file (coco, g_mapped_file_get_contents (file), g_mapped_file_get_length (file),
                    error);
}

/* ---- Pictures ---- */

static void
add_folder (Coco *coco, const char *folder, const char *inside, const char *name)
{
  g_ptr_array_add (coco->folders, g_build_filename (folder, inside, name, NULL));
}

/* The most particular ones first: pictures of two splits may have the same names. */
static void
list_folders (Coco *coco, const char *folder, gint split)
{
  static const char *const split_folders[ENS_N_SPLITS][3] = {
      {"train"}, {"validation", "valid", "val"}, {"test"}};
  g_autofree char *beside = g_path_get_dirname (coco->path);
  g_autofree char *name = g_path_get_basename (coco->path);
  const char *const places[] = {"", "images"};

  name[strlen (name) - strlen (".json")] = '\0';
  if (strcmp (beside, folder) != 0)
    g_ptr_array_add (coco->folders, g_strdup (beside));
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    if (g_str_has_prefix (name, INSTANCES_))
      add_folder (coco, folder, places[i], name + strlen (INSTANCES_));
    for (guint s = 0; split >= 0 && s < 3 && split_folders[split][s] != NULL; s++)
      add_folder (coco, folder, places[i], split_folders[split][s]);
  }
  add_folder (coco, folder, "images", NULL);
  g_ptr_array_add (coco->folders, g_strdup (folder));
}

/* (transfer full) */
static char *
find_picture (Coco *coco, const char *file)
{
  for (guint i = 0; i < coco->folders->len; i++) {
    guint folder = (coco->folder + i) % coco->folders->len;
    g_autofree char *path = g_build_filename (coco->folders->pdata[folder], file, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
      coco->folder = folder;
      return g_steal_pointer (&path);
    }
  }
  return NULL;
}

static void
skip_missing (Coco *coco, guint i, const char *file)
{
  g_autofree char *places = NULL;

  g_ptr_array_add (coco->folders, NULL);
  places = g_strjoinv (", ", (char **)coco->folders->pdata);
  g_ptr_array_set_size (coco->folders, (gint)coco->folders->len - 1);
  ens_boxes_tally_skip (&coco->tally, g_error_new (ENS_ERROR, ENS_ERROR_FILE,
                                                   "%s: images[%u]: found no picture “%s”; looked "
                                                   "in %s",
                                                   coco->path, i, file, places));
}

/* NULL for an image that is left out. (transfer full) */
static EnsBoxedImage *
take_image (Coco *coco, guint i)
{
  const Image *image = &g_array_index (coco->images, Image, i);
  EnsBoxedImage *boxed;
  char *path;

  if (image->id < 0 || image->file == NULL || !(image->width >= 1 && image->height >= 1)) {
    ens_boxes_tally_skip (&coco->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                                       "%s: images[%u]: expected an id, a file_name, a width and a "
                                       "height, found the id %" G_GINT64_FORMAT
                                       ", the file_name “%s” and %g×%g pixels",
                                       coco->path, i, image->id, image->file ? image->file : "",
                                       image->width, image->height));
    return NULL;
  }
  if (g_hash_table_contains (coco->images_by_id, &image->id)) {
    ens_boxes_tally_skip (
        &coco->tally,
        g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                     "%s: images[%u]: expected ids that differ, found %" G_GINT64_FORMAT " again",
                     coco->path, i, image->id));
    return NULL;
  }
  path = find_picture (coco, image->file);
  if (path == NULL) {
    skip_missing (coco, i, image->file);
    return NULL;
  }
  boxed = ens_boxed_image_new (path);
  ens_boxed_image_set_size (boxed, image->width, image->height);
  return boxed;
}

/* (transfer full) */
static GPtrArray *
take_images (Coco *coco, GError **error)
{
  g_autoptr (GPtrArray) taken =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);

  for (guint i = 0; i < coco->images->len; i++) {
    Image *image = &g_array_index (coco->images, Image, i);
    EnsBoxedImage *boxed = take_image (coco, i);
    Target *target;

    if (boxed != NULL)
      g_ptr_array_add (taken, boxed);
    if (image->id < 0 || g_hash_table_contains (coco->images_by_id, &image->id))
      continue;
    target = g_new (Target, 1);
    *target = (Target) {boxed, image->width, image->height};
    g_hash_table_insert (coco->images_by_id, &image->id, target);
  }
  coco->tally.n = coco->images->len;
  return ens_boxes_tally_check (&coco->tally, coco->path, "images", error)
             ? g_steal_pointer (&taken)
             : NULL;
}

/* ---- Boxes ---- */

static gboolean
name_categories (Coco *coco, GError **error)
{
  for (guint i = 0; i < coco->categories->len; i++) {
    Category *category = &g_array_index (coco->categories, Category, i);

    if (category->id < 0 || category->name == NULL || *category->name == '\0'
        || !g_hash_table_insert (coco->names, &category->id, category->name)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: categories[%u]: expected a name, and an id of its own, found the name “%s” "
                   "and the id %" G_GINT64_FORMAT,
                   coco->path, i, category->name ? category->name : "", category->id);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
take_annotation (Coco *coco, guint i, GError **error)
{
  const Annotation *annotation = &g_array_index (coco->annotations, Annotation, i);
  const Target *target = g_hash_table_lookup (coco->images_by_id, &annotation->image);
  const char *label = g_hash_table_lookup (coco->names, &annotation->category);
  EnsBox box = {.label = (char *)label, .crowd = annotation->crowd};
  g_autofree char *where = g_strdup_printf ("%s: annotations[%u]", coco->path, i);
  EnsBoxEdges edges;

  if (target == NULL || label == NULL) {
    gboolean lost = target == NULL;

    if (!lost && target->boxed != NULL)
      ens_boxed_image_doubt (target->boxed, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected the id of one of the %u %s, found %" G_GINT64_FORMAT, where,
                 lost ? coco->images->len : coco->categories->len, lost ? "images" : "categories",
                 lost ? annotation->image : annotation->category);
    return FALSE;
  }
  if (target->boxed == NULL)
    return TRUE;
  edges = (EnsBoxEdges) {annotation->left,
                         annotation->top,
                         annotation->left + annotation->width,
                         annotation->top + annotation->height,
                         target->width,
                         target->height};
  return ens_boxed_image_add (target->boxed, &box, &edges, where, error);
}

static gboolean
take_annotations (Coco *coco, GError **error)
{
  ens_boxes_tally_clear (&coco->tally);
  coco->tally = (EnsBoxesTally) {.notes = coco->tally.notes, .n = coco->annotations->len};
  for (guint i = 0; i < coco->annotations->len; i++) {
    GError *reason = NULL;

    if (!take_annotation (coco, i, &reason))
      ens_boxes_tally_skip (&coco->tally, reason);
  }
  return ens_boxes_tally_check (&coco->tally, coco->path, "annotations", error);
}

/* ---- A file ---- */

GPtrArray *
ens_coco_load (const char *folder, const EnsCocoFile *file, GPtrArray *notes, GError **error)
{
  g_auto (Coco) coco = {.tally = {.notes = notes}};
  g_autoptr (GPtrArray) images = NULL;

  coco_init (&coco, file->path);
  if (!read_file (&coco, error) || !name_categories (&coco, error))
    return NULL;
  list_folders (&coco, folder, file->split);
  images = take_images (&coco, error);
  if (images == NULL || !take_annotations (&coco, error))
    return NULL;
  for (guint i = 0; i < images->len; i++)
    ((EnsBoxedImage *)images->pdata[i])->split = file->split;
  ens_boxes_sort (images);
  return g_steal_pointer (&images);
}
