/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-coco.h"

#include <math.h>
#include <string.h>

#include "dataset/coco-scan.h"
#include "dataset/picture-names.h"

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
  gint split;               /* of the file */
  GHashTable *by_path;      /* picture → EnsBoxedImage of this split, those of other files too */
  GPtrArray *images;        /* EnsBoxedImage, of all files */
  guint first;              /* of this file among them */
  guint n_again;            /* entries of pictures that another entry has */
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
  coco->by_path = g_hash_table_new (g_str_hash, g_str_equal);
}

static void
coco_clear (Coco *coco)
{
  ens_coco_entries_clear (&coco->entries);
  g_hash_table_unref (coco->names);
  g_hash_table_unref (coco->images_by_id);
  g_ptr_array_unref (coco->folders);
  g_hash_table_unref (coco->by_path);
  ens_boxes_tally_clear (&coco->tally);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Coco, coco_clear)

/* ---- Pictures ---- */

static void
add_folder (Coco *coco, const char *folder, const char *inside, const char *name)
{
  g_ptr_array_add (coco->folders, g_build_filename (folder, inside, name, NULL));
}

/* As a file is called, whatever is before an underscore: train of instances_train.json. */
static void
add_named_folders (Coco *coco, const char *folder, const char *inside)
{
  g_autofree char *stem = ens_picture_stem (coco->path);

  for (const char *name = stem; name != NULL; name = strchr (name, '_')) {
    name += *name == '_';
    if (*name != '\0')
      add_folder (coco, folder, inside, name);
  }
}

/* The most particular ones first: pictures of two splits may have the same names. */
static void
list_folders (Coco *coco, const char *folder)
{
  static const char *const split_folders[ENS_N_SPLITS][3] = {
      {"train"}, {"validation", "valid", "val"}, {"test"}};
  static const char *const usual[] = {"images", "data"};
  g_autofree char *beside = g_path_get_dirname (coco->path);
  const char *const places[] = {"", "images"};

  if (strcmp (beside, folder) != 0) {
    g_ptr_array_add (coco->folders, g_strdup (beside));
    for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
      add_folder (coco, beside, usual[i], NULL);
    add_named_folders (coco, beside, "");
  }
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    add_named_folders (coco, folder, places[i]);
    for (guint s = 0; coco->split >= 0 && s < 3 && split_folders[coco->split][s] != NULL; s++)
      add_folder (coco, folder, places[i], split_folders[coco->split][s]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
    add_folder (coco, folder, usual[i], NULL);
  g_ptr_array_add (coco->folders, g_strdup (folder));
}

/* By a name that differs in how accents or folders are written, or in another folder.
 * (transfer full) */
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
  return g_strdup (ens_picture_index_find_anywhere (index, file));
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

/* Whether an entry has an id of its own, and a file. */
static gboolean
check_image (Coco *coco, guint i)
{
  const EnsCocoImage *image = &g_array_index (coco->entries.images, EnsCocoImage, i);

  if (image->id == NULL || image->file == NULL) {
    ens_boxes_tally_skip (&coco->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                                       "%s: images[%u]: expected an id and a file_name, found the "
                                       "id “%s” and the file_name “%s”",
                                       coco->path, i, image->id ? image->id : "",
                                       image->file ? image->file : ""));
    return FALSE;
  }
  if (g_hash_table_contains (coco->images_by_id, image->id)) {
    ens_boxes_tally_skip (&coco->tally,
                          g_error_new (ENS_ERROR, ENS_ERROR_FORMAT,
                                       "%s: images[%u]: expected ids that differ, found %s again",
                                       coco->path, i, image->id));
    return FALSE;
  }
  return TRUE;
}

/* NULL for an image that is left out. (transfer none) */
static EnsBoxedImage *
take_image (Coco *coco, guint i)
{
  const EnsCocoImage *image = &g_array_index (coco->entries.images, EnsCocoImage, i);
  g_autofree char *path = check_image (coco, i) ? find_picture (coco, image->file) : NULL;
  guint before = coco->images->len;
  EnsBoxedImage *boxed;

  if (path == NULL)
    return NULL;
  boxed = ens_boxes_take_image (coco->by_path, coco->images, path);
  coco->n_again += coco->images->len == before;
  boxed->split = coco->split;
  ens_boxed_image_set_size (boxed, image->width, image->height);
  return boxed;
}

static gboolean
take_images (Coco *coco, GError **error)
{
  for (guint i = 0; i < coco->entries.images->len; i++) {
    const EnsCocoImage *image = &g_array_index (coco->entries.images, EnsCocoImage, i);
    guint n_broken = coco->tally.n_broken;
    EnsBoxedImage *boxed = take_image (coco, i);
    Target *target;

    if (boxed == NULL && coco->tally.n_broken == n_broken)
      skip_missing (coco, i, image->file);
    if (image->id == NULL || g_hash_table_contains (coco->images_by_id, image->id))
      continue;
    target = g_new (Target, 1);
    *target = (Target) {boxed, image->width, image->height};
    g_hash_table_insert (coco->images_by_id, (gpointer)image->id, target);
  }
  coco->tally.n = coco->entries.images->len;
  if (coco->n_again > 0)
    ens_boxes_reading_note (coco->reading,
                            "%s: entries of pictures that another entry has, to which their "
                            "annotations are added: %u",
                            coco->path, coco->n_again);
  return ens_boxes_tally_check (&coco->tally, coco->path, "images", error);
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
    ens_boxes_reading_declare (coco->reading, category->name);
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

/* Those of other files that are in the same split. */
static void
know_images (Coco *coco)
{
  coco->first = coco->images->len;
  for (guint i = 0; i < coco->images->len; i++) {
    EnsBoxedImage *image = coco->images->pdata[i];

    if (image->split == coco->split)
      g_hash_table_insert (coco->by_path, image->path, image);
  }
}

/* Of the pictures of a file that has no annotations nothing is known. */
static void
doubt_images (const Coco *coco)
{
  guint n = coco->images->len - coco->first;

  for (guint i = coco->first; i < coco->images->len; i++)
    ens_boxed_image_doubt (coco->images->pdata[i], NULL);
  ens_boxes_reading_note (
      coco->reading, "%s: has no annotations: of its %u pictures nothing is known", coco->path, n);
}

gboolean
ens_coco_load (EnsBoxesReading *reading, const EnsCocoFile *file, GPtrArray *images, GError **error)
{
  g_auto (Coco) coco = {.tally = {.notes = reading->notes}, .split = file->split, .images = images};

  ens_boxes_reading_use (reading, file->path);
  coco_init (&coco, reading, file->path);
  if (!ens_coco_scan (&coco.entries, file->path, error) || !name_categories (&coco, error))
    return FALSE;
  know_images (&coco);
  list_folders (&coco, reading->folder);
  if (!take_images (&coco, error) || !take_annotations (&coco, error))
    return FALSE;
  if (!coco.entries.annotated)
    doubt_images (&coco);
  return TRUE;
}
