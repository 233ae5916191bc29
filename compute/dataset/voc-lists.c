/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/voc-lists.h"

#include <string.h>

#include "dataset/boxes-private.h"

#define ENDING ".txt"

/* As M. Everingham et al. name them (The Pascal Visual Object Classes Challenge, IJCV 2010), and as
 * the folders of other data sets are called; the first that is there counts. */
static const char *const list_names[ENS_N_SPLITS][4] = {
    {"train", "trainval"}, {"val", "validation", "valid"}, {"test"}};

typedef struct {
  char *folder;      /* of the lists */
  GHashTable *by_id; /* name → EnsBoxedImage */
  GHashTable *taken; /* EnsBoxedImage that some list has */
  GPtrArray *notes;
} Lists;

static void
lists_clear (Lists *lists)
{
  g_free (lists->folder);
  g_hash_table_unref (lists->by_id);
  g_hash_table_unref (lists->taken);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lists, lists_clear)

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

static void
lists_init (Lists *lists, const char *folder, GPtrArray *images, GPtrArray *notes)
{
  lists->folder = g_build_filename (folder, "ImageSets", "Main", NULL);
  lists->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lists->taken = g_hash_table_new (NULL, NULL);
  lists->notes = notes;
  for (guint i = 0; i < images->len; i++)
    g_hash_table_insert (lists->by_id, image_id (images->pdata[i]), images->pdata[i]);
}

/* Adds the images that a list names, in its order; it gives a name a line, and further words of the
 * line are not read. seen: those that the split has already, which are not added; NULL: add all. */
static gboolean
read_list (Lists *lists, const char *name, GHashTable *seen, GPtrArray *split, GError **error)
{
  g_autofree char *path = g_build_filename (lists->folder, name, NULL);
  g_auto (EnsBoxesTally) tally = {.notes = lists->notes};
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
    EnsBoxedImage *image = g_hash_table_lookup (lists->by_id, id);

    if (*id == '\0')
      continue;
    tally.n++;
    if (image == NULL)
      ens_boxes_tally_skip (&tally,
                            g_error_new (ENS_ERROR, ENS_ERROR_DATA,
                                         "%s:%u: expected an image that has an annotation, found "
                                         "“%s”",
                                         path, i + 1, id));
    else if (seen == NULL || g_hash_table_add (seen, image))
      g_ptr_array_add (split, image);
    if (image != NULL)
      g_hash_table_add (lists->taken, image);
  }
  return ens_boxes_tally_check (&tally, path, "images", error);
}

static gboolean
have_list (const Lists *lists, const char *name)
{
  g_autofree char *path = g_build_filename (lists->folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* The lists of the split by class, in byte order. (transfer full) */
static GPtrArray *
find_class_lists (const Lists *lists, const char *split)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *ending = g_strconcat ("_", split, ENDING, NULL);
  g_autoptr (GDir) dir = g_dir_open (lists->folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ending))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* found: whether the split has any list. */
static gboolean
read_split (Lists *lists, EnsSplit s, GPtrArray *split, gboolean *found, GError **error)
{
  const char *const *names = list_names[s];
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  *found = FALSE;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *name = g_strconcat (names[i], ENDING, NULL);

    *found = have_list (lists, name);
    if (*found)
      return read_list (lists, name, NULL, split, error);
  }
  for (guint i = 0; names[i] != NULL && !*found; i++) {
    g_autoptr (GPtrArray) by_class = find_class_lists (lists, names[i]);

    *found = by_class->len > 0;
    for (guint l = 0; l < by_class->len; l++)
      if (!read_list (lists, by_class->pdata[l], seen, split, error))
        return FALSE;
  }
  return TRUE;
}

gboolean
ens_voc_read_lists (const char *folder, GPtrArray *images, GPtrArray **splits, GPtrArray *notes,
                    GError **error)
{
  gboolean found[ENS_N_SPLITS];
  g_auto (Lists) lists = {0};

  lists_init (&lists, folder, images, notes);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    if (!read_split (&lists, (EnsSplit)s, splits[s], &found[s], error))
      return FALSE;
  if (found[ENS_SPLIT_TRAIN] || !(found[ENS_SPLIT_VALIDATION] || found[ENS_SPLIT_TEST]))
    return TRUE;
  for (guint i = 0; i < images->len; i++)
    if (!g_hash_table_contains (lists.taken, images->pdata[i]))
      g_ptr_array_add (splits[ENS_SPLIT_TRAIN], images->pdata[i]);
  return TRUE;
}
