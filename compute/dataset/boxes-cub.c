/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layout of CUB-200 and NABirds: texts of which each says one thing of pictures by their ids.
 *
 *   images.txt                ID PATH, below the folder images
 *   image_class_labels.txt    ID CLASS
 *   classes.txt               CLASS NAME, which may have blanks in it
 *   train_test_split.txt      ID 1 or 0: for training, or for the test
 *
 * Without classes.txt classes are called by their numbers; without train_test_split.txt the folders
 * of pictures say the split.
 *
 * Source: C. Wah et al., The Caltech-UCSD Birds-200-2011 Dataset, 2011. */
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/lines.h"
#include "dataset/listing.h"

#define IMAGES "images.txt"
#define LABELS "image_class_labels.txt"

/* So deep below what an archive has them lie the texts. */
#define MAX_DEPTH 1

/* What is being read. */
typedef struct {
  EnsBoxesReading *reading;
  char *home;        /* the texts' folder */
  GHashTable *names; /* class → what it is called */
  GHashTable *by_id; /* picture's id → EnsBoxedImage */
  GPtrArray *images;
} Cub;

static void
cub_clear (Cub *cub)
{
  g_free (cub->home);
  g_clear_pointer (&cub->names, g_hash_table_unref);
  g_clear_pointer (&cub->by_id, g_hash_table_unref);
  g_clear_pointer (&cub->images, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cub, cub_clear)

/* ---- Texts ---- */

/* Takes what a line says; FALSE, with an error, if it can't. */
typedef gboolean (*Take) (Cub *cub, const char *id, const char *value, const char *where,
                          GError **error);

static void
take_line (Cub *cub, char *line, Take take, const char *where, EnsBoxesTally *tally)
{
  char *value = line + strcspn (line, " \t");
  GError *reason = NULL;

  if (*line == '\0')
    return;
  tally->n++;
  if (*value != '\0')
    *value++ = '\0';
  if (!take (cub, line, g_strchug (value), where, &reason))
    ens_boxes_tally_skip (tally, reason);
}

/* missing: whether the text may be. */
static gboolean
read_text (Cub *cub, const char *name, Take take, gboolean missing, GError **error)
{
  g_autofree char *path = g_build_filename (cub->home, name, NULL);
  g_auto (EnsBoxesTally) tally = {.notes = cub->reading->notes};
  g_autoptr (GBytes) text = NULL;
  g_auto (EnsLines) lines = {0};
  char *line;

  if (missing && !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  text = ens_boxes_reading_text (cub->reading, path, error);
  if (text == NULL)
    return FALSE;
  ens_lines_init (&lines, text);
  while ((line = ens_lines_next (&lines)) != NULL) {
    g_autofree char *where = g_strdup_printf ("%s:%u", path, lines.number);

    take_line (cub, line, take, where, &tally);
  }
  return ens_boxes_tally_check (&tally, path, "lines", error);
}

static gboolean
take_name (Cub *cub, const char *id, const char *value, const char *where, GError **error)
{
  const char *name = *value != '\0' ? value : id;

  g_hash_table_insert (cub->names, g_strdup (id), g_strdup (name));
  ens_boxes_reading_declare (cub->reading, name);
  return TRUE;
}

static gboolean
take_image (Cub *cub, const char *id, const char *value, const char *where, GError **error)
{
  g_autofree char *file = g_build_filename (cub->home, IMAGES, NULL);
  g_autofree char *inside = ens_boxes_inside (cub->reading->folder, file);
  const char *picture = ens_boxes_find_picture (cub->reading, inside, value);
  EnsBoxedImage *image;

  if (picture == NULL || g_hash_table_contains (cub->by_id, id)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 picture == NULL ? "%s: found no picture “%s” in %s"
                                 : "%s: expected ids that differ, found that of “%s” again in %s",
                 where, value, cub->home);
    return FALSE;
  }
  image = ens_boxed_image_new (g_strdup (picture));
  image->split = ens_boxes_find_split (cub->reading->folder, picture);
  g_ptr_array_add (cub->images, image);
  g_hash_table_insert (cub->by_id, g_strdup (id), image);
  return TRUE;
}

/* The picture of an id. Of one that is not there images.txt has told. */
static EnsBoxedImage *
find_image (const Cub *cub, const char *id)
{
  return g_hash_table_lookup (cub->by_id, id);
}

static gboolean
take_label (Cub *cub, const char *id, const char *value, const char *where, GError **error)
{
  EnsBoxedImage *image = find_image (cub, id);
  const char *name = g_hash_table_lookup (cub->names, value);

  if (image == NULL)
    return TRUE;
  if (*value == '\0' || (name == NULL && g_hash_table_size (cub->names) > 0)) {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a picture's id and one of the %u classes, found “%s”", where,
                 g_hash_table_size (cub->names), value);
    return FALSE;
  }
  ens_boxed_image_add_class (image, name != NULL ? name : value);
  return TRUE;
}

static gboolean
take_split (Cub *cub, const char *id, const char *value, const char *where, GError **error)
{
  EnsBoxedImage *image = find_image (cub, id);
  gboolean train = strcmp (value, "1") == 0;

  if (!train && strcmp (value, "0") != 0) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a picture's id and 1 (training) or 0 (test), found “%s”", where,
                 value);
    return FALSE;
  }
  if (image != NULL)
    image->split = train ? ENS_SPLIT_TRAIN : ENS_SPLIT_TEST;
  return TRUE;
}

/* ---- The set ---- */

static gboolean
is_labels (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *images = g_build_filename (folder, IMAGES, NULL);

  return strcmp (name, LABELS) == 0 && g_file_test (images, G_FILE_TEST_IS_REGULAR);
}

static char *
find_cub (const char *folder)
{
  return ens_listing_find (folder, is_labels, MAX_DEPTH);
}

/* Pictures that no line gives a class. */
static void
doubt_unlabelled (const Cub *cub)
{
  for (guint i = 0; i < cub->images->len; i++) {
    EnsBoxedImage *image = cub->images->pdata[i];

    if (image->boxes->len == 0 && image->doubts->len == 0)
      ens_boxed_image_doubt (image, NULL);
  }
}

static GPtrArray *
load_cub (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_auto (Cub) cub = {.reading = reading, .home = g_path_get_dirname (evidence)};

  cub.names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  cub.by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  cub.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  if (!read_text (&cub, "classes.txt", take_name, TRUE, error)
      || !read_text (&cub, IMAGES, take_image, FALSE, error)
      || !read_text (&cub, LABELS, take_label, FALSE, error)
      || !read_text (&cub, "train_test_split.txt", take_split, TRUE, error))
    return NULL;
  doubt_unlabelled (&cub);
  return g_steal_pointer (&cub.images);
}

const EnsBoxesLayout ens_boxes_cub = {"CUB-200", find_cub, load_cub};
