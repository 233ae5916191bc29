/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-coco.h"

#include <math.h>
#include <string.h>

#include "dataset/coco-scan.h"

#define INSTANCES_ "instances_"

typedef struct {
  EnsBoxesReading *reading;
  const char *path;
  EnsCocoEntries entries;
  GHashTable *names;        /* of categories: id → name */
  GHashTable *images_by_id; /* id → what the annotations are added to, a Target */
  GPtrArray *folders;       /* where pictures are looked for */
  guint folder;             /* where the last one was found */
  EnsBoxesTally tally;      /* of the entries at hand */
  guint n_unread;           /* masks that can't be read, or are of another size than the picture */
} Coco;

/* An image on its way out. */
typedef struct {
  EnsBoxedImage *boxed; /* NULL if it was left out */
  double width, height;
} Target;

static void
coco_init (Coco *coco, EnsBoxesReading *reading, const char *path)
{
  coco->reading = reading;
  coco->path = path;
  ens_coco_entries_init (&coco->entries);
  coco->names = g_hash_table_new (NULL, NULL);
  coco->images_by_id = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  coco->folders = g_ptr_array_new_with_free_func (g_free);
}

static void
coco_clear (Coco *coco)
{
  ens_coco_entries_clear (&coco->entries);
  g_hash_table_unref (coco->names);
  g_hash_table_unref (coco->images_by_id);
  g_ptr_array_unref (coco->folders);
  ens_boxes_tally_clear (&coco->tally);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Coco, coco_clear)

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

/* By a name that differs in how accents or folders are written. (transfer full) */
static char *
find_in_index (Coco *coco, const char *file)
{
  const EnsPictureIndex *index = ens_boxes_reading_index (coco->reading);
  gsize skip = strlen (coco->reading->folder) + 1;

  for (guint i = 0; i < coco->folders->len; i++) {
    const char *folder = coco->folders->pdata[i];
    const char *path =
        ens_picture_index_find (index, strlen (folder) > skip ? folder + skip : "", file);

    if (path != NULL)
      return g_strdup (path);
  }
  return NULL;
}

/* (transfer full) */
static char *
find_picture (Coco *coco, const char *file)
{
  if (!ens_boxes_name_is_inside (file))
    return NULL;
  for (guint i = 0; i < coco->folders->len; i++) {
    guint folder = (coco->folder + i) % coco->folders->len;
    g_autofree char *path = g_build_filename (coco->folders->pdata[folder], file, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
      coco->folder = folder;
      return g_steal_pointer (&path);
    }
  }
  return find_in_index (coco, file);
}

static void
skip_missing (Coco *coco, guint i, const char *file)
{
  g_autofree char *places = NULL;

  if (!ens_boxes_name_is_inside (file)) {
    ens_boxes_tally_skip (&coco->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                                       "%s: images[%u]: expected a file_name inside the set's "
                                       "folder, found no picture “%s” there",
                                       coco->path, i, file));
    return;
  }
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
  const EnsCocoImage *image = &g_array_index (coco->entries.images, EnsCocoImage, i);
  EnsBoxedImage *boxed;
  char *path;

  if (image->id == NULL || image->file == NULL) {
    ens_boxes_tally_skip (&coco->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                                       "%s: images[%u]: expected an id and a file_name, found the "
                                       "id “%s” and the file_name “%s”",
                                       coco->path, i, image->id ? image->id : "",
                                       image->file ? image->file : ""));
    return NULL;
  }
  if (g_hash_table_contains (coco->images_by_id, image->id)) {
    ens_boxes_tally_skip (&coco->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                                       "%s: images[%u]: expected ids that differ, found %s again",
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

  for (guint i = 0; i < coco->entries.images->len; i++) {
    const EnsCocoImage *image = &g_array_index (coco->entries.images, EnsCocoImage, i);
    EnsBoxedImage *boxed = take_image (coco, i);
    Target *target;

    if (boxed != NULL)
      g_ptr_array_add (taken, boxed);
    if (image->id == NULL || g_hash_table_contains (coco->images_by_id, image->id))
      continue;
    target = g_new (Target, 1);
    *target = (Target) {boxed, image->width, image->height};
    g_hash_table_insert (coco->images_by_id, (gpointer)image->id, target);
  }
  coco->tally.n = coco->entries.images->len;
  return ens_boxes_tally_check (&coco->tally, coco->path, "images", error)
             ? g_steal_pointer (&taken)
             : NULL;
}

/* ---- Boxes ---- */

static gboolean
name_categories (Coco *coco, GError **error)
{
  for (guint i = 0; i < coco->entries.categories->len; i++) {
    const EnsCocoCategory *category = &g_array_index (coco->entries.categories, EnsCocoCategory, i);

    if (category->id == NULL || category->name == NULL || *category->name == '\0'
        || !g_hash_table_insert (coco->names, (gpointer)category->id, category->name)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: categories[%u]: expected a name, and an id of its own, found the name “%s” "
                   "and the id “%s”",
                   coco->path, i, category->name ? category->name : "",
                   category->id ? category->id : "");
      return FALSE;
    }
  }
  return TRUE;
}

/* An annotation of an image or a category that is not there. */
static gboolean
lose_annotation (const Coco *coco, const EnsCocoAnnotation *annotation, const Target *target,
                 const char *where, GError **error)
{
  gboolean lost = target == NULL;
  const char *id = lost ? annotation->image : annotation->category;

  if (!lost && target->boxed != NULL)
    ens_boxed_image_doubt (target->boxed, NULL);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: expected the id of one of the %u %s, found “%s”", where,
               lost ? coco->entries.images->len : coco->entries.categories->len,
               lost ? "images" : "categories", id != NULL ? id : "");
  return FALSE;
}

/* Whether there is no mask that is not the picture's. */
static gboolean
is_masked_well (const EnsCocoAnnotation *annotation, const Target *target)
{
  gboolean known = annotation->mask_width > 0 && target->width >= 1 && target->height >= 1;

  return !annotation->unread
         && (!known
             || (annotation->mask_width == target->width
                 && annotation->mask_height == target->height));
}

static gboolean
take_annotation (Coco *coco, guint i, GError **error)
{
  const EnsCocoAnnotation *annotation =
      &g_array_index (coco->entries.annotations, EnsCocoAnnotation, i);
  const Target *target =
      annotation->image ? g_hash_table_lookup (coco->images_by_id, annotation->image) : NULL;
  const char *label =
      annotation->category ? g_hash_table_lookup (coco->names, annotation->category) : NULL;
  EnsBox box = {.label = (char *)label, .crowd = annotation->crowd, .mask = annotation->mask};
  g_autofree char *where = g_strdup_printf ("%s: annotations[%u]", coco->path, i);
  gboolean masked = target == NULL || is_masked_well (annotation, target);
  EnsBoxEdges edges;

  if (target == NULL || label == NULL)
    return lose_annotation (coco, annotation, target, where, error);
  if (target->boxed == NULL)
    return TRUE;
  if (!masked) {
    coco->n_unread++;
    box.mask = (EnsObjectMask) {{0}};
  }
  if (!annotation->placed || (!masked && annotation->by_mask)) {
    ens_boxed_image_add_somewhere (target->boxed, &box);
    return TRUE;
  }
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
  coco->tally = (EnsBoxesTally) {.notes = coco->tally.notes, .n = coco->entries.annotations->len};
  for (guint i = 0; i < coco->entries.annotations->len; i++) {
    GError *reason = NULL;

    if (!take_annotation (coco, i, &reason))
      ens_boxes_tally_skip (&coco->tally, reason);
  }
  if (coco->n_unread > 0)
    ens_boxes_reading_note (coco->reading,
                            "%s: masks whose runs are not as many pixels as the picture has, so "
                            "that their boxes count alone: %u",
                            coco->path, coco->n_unread);
  return ens_boxes_tally_check (&coco->tally, coco->path, "annotations", error);
}

/* ---- A file ---- */

GPtrArray *
ens_coco_load (EnsBoxesReading *reading, const EnsCocoFile *file, GError **error)
{
  g_auto (Coco) coco = {.tally = {.notes = reading->notes}};
  g_autoptr (GPtrArray) images = NULL;

  ens_boxes_reading_use (reading, file->path);
  coco_init (&coco, reading, file->path);
  if (!ens_coco_scan (&coco.entries, file->path, error) || !name_categories (&coco, error))
    return NULL;
  list_folders (&coco, reading->folder, file->split);
  images = take_images (&coco, error);
  if (images == NULL || !take_annotations (&coco, error))
    return NULL;
  for (guint i = 0; i < images->len; i++) {
    EnsBoxedImage *image = images->pdata[i];

    image->split = file->split;
    if (!coco.entries.annotated)
      ens_boxed_image_doubt (image, NULL);
  }
  if (!coco.entries.annotated)
    ens_boxes_reading_note (reading, "%s: has no annotations: of its %u pictures nothing is known",
                            file->path, images->len);
  return g_steal_pointer (&images);
}
