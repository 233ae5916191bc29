/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/voc-lists.h"

#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/left-out.h"
#include "dataset/lines.h"
#include "dataset/picture-names.h"

#define ENDING ".txt"

/* As M. Everingham et al. name them (The Pascal Visual Object Classes Challenge, IJCV 2010), and as
 * the folders of other data sets are called; the first that is there counts. */
static const char *const list_names[ENS_N_SPLITS][5] = {
    {"train", "trainval", "training"}, {"val", "validation", "valid", "dev"}, {"test", "testing"}};

typedef struct {
  char *folder;      /* of the lists */
  GHashTable *by_id; /* name → EnsBoxedImage */
  GHashTable *taken; /* EnsBoxedImage that some list has */
  GHashTable *used;  /* names of lists that were read */
  GPtrArray *notes;
} Lists;

static void
lists_clear (Lists *lists)
{
  g_free (lists->folder);
  g_hash_table_unref (lists->by_id);
  g_hash_table_unref (lists->taken);
  g_hash_table_unref (lists->used);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lists, lists_clear)

/* ---- Where lists lie ---- */

#define IMAGE_SETS "ImageSets"
#define ANNOTATIONS "Annotations"

/* Whether the name is a split's list. */
static gboolean
is_split_list (const char *path)
{
  g_autofree char *stem = ens_picture_stem (path);
  EnsSplit split;

  return g_str_has_suffix (path, ENDING) && ens_split_parse (stem, &split);
}

/* The folder whose pictures the lists of a folder may be of: that of …/ImageSets/Main,
 * …/ImageSets, or one with a folder Annotations itself. NULL: it has no lists. (transfer full) */
static char *
find_home (const char *lists)
{
  g_autofree char *name = g_path_get_basename (lists), *above = g_path_get_dirname (lists);
  g_autofree char *above_name = g_path_get_basename (above);
  g_autofree char *annotations = g_build_filename (lists, ANNOTATIONS, NULL);

  if (strcmp (name, "Main") == 0 && strcmp (above_name, IMAGE_SETS) == 0)
    return g_path_get_dirname (above);
  if (strcmp (name, IMAGE_SETS) == 0)
    return g_steal_pointer (&above);
  return g_file_test (annotations, G_FILE_TEST_IS_DIR) ? g_strdup (lists) : NULL;
}

gboolean
ens_voc_is_list (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path), *name = g_path_get_basename (folder);
  g_autofree char *home = find_home (folder);

  /* Lists of a class have any name, and lie where nothing else does. */
  return home != NULL && (strcmp (name, "Main") == 0 || is_split_list (path));
}

/* ---- Lists ---- */

/* What lists call an image. (transfer full) */
static char *
image_key (const EnsBoxedImage *image)
{
  g_autofree char *stem = ens_picture_stem (image->path);

  return ens_name_normalise (stem);
}

static void
lists_init (Lists *lists, const char *folder, GPtrArray *images, GPtrArray *notes)
{
  lists->folder = g_strdup (folder);
  lists->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lists->taken = g_hash_table_new (NULL, NULL);
  lists->used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lists->notes = notes;
  for (guint i = 0; i < images->len; i++)
    g_hash_table_insert (lists->by_id, image_key (images->pdata[i]), images->pdata[i]);
}

/* By the name that begins the line: names may have spaces, and class lists a number behind them;
 * what is no part of the name is cut off. Names may have folders and endings, as CVAT writes them.
 */
static EnsBoxedImage *
find_image (const Lists *lists, char *line)
{
  for (;;) {
    g_autofree char *base = g_path_get_basename (line);
    g_autofree char *name = ens_name_normalise (base);
    g_autofree char *stem = ens_picture_stem (name);
    EnsBoxedImage *image = g_hash_table_lookup (lists->by_id, name);
    char *space;

    if (image == NULL && ens_picture_has_name (name))
      image = g_hash_table_lookup (lists->by_id, stem);
    space = strrchr (line, ' ');
    if (image != NULL || space == NULL)
      return image;
    *space = '\0';
    g_strchomp (line);
  }
}

/* Adds the images that a list names, in its order; it gives a name a line, and further words of the
 * line are not read. seen: those that the split has already, which are not added. */
static gboolean
read_list (Lists *lists, const char *name, GHashTable *seen, GPtrArray *split, GError **error)
{
  g_autofree char *path = g_build_filename (lists->folder, name, NULL);
  g_auto (EnsBoxesTally) tally = {.notes = lists->notes};
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) text = ens_file_map_text (path, &failure);
  g_auto (EnsLines) lines;
  char *line;

  ens_lines_init (&lines, text);
  g_hash_table_add (lists->used, g_strdup (name));
  if (text == NULL) {
    g_set_error (error, ENS_ERROR, failure->code, "%s: can't read it: %s", path, failure->message);
    return FALSE;
  }
  while ((line = ens_lines_next (&lines)) != NULL) {
    char *id = g_strdelimit (line, "\t", ' ');
    EnsBoxedImage *image = find_image (lists, id);

    if (*id == '\0')
      continue;
    tally.n++;
    if (image == NULL)
      ens_boxes_tally_skip (&tally,
                            g_error_new (ENS_ERROR, ENS_ERROR_DATA,
                                         "%s:%u: expected an image that has an annotation, found "
                                         "“%s”",
                                         path, lines.number, id));
    else if (g_hash_table_add (seen, image))
      g_ptr_array_add (split, image);
    if (image != NULL)
      g_hash_table_add (lists->taken, image);
  }
  return ens_boxes_tally_check (&tally, path, "images", error);
}

/* The list's name as it is written, in capitals or not; NULL if there is none. (transfer full) */
static char *
find_list (const Lists *lists, const char *name)
{
  g_autofree char *wanted = g_strconcat (name, ENDING, NULL);
  g_auto (EnsListing) listing = {0};

  if (ens_listing_read (&listing, lists->folder, NULL))
    for (guint i = 0; i < listing.files->len; i++)
      if (g_ascii_strcasecmp (listing.files->pdata[i], wanted) == 0)
        return g_strdup (listing.files->pdata[i]);
  return NULL;
}

static gboolean
is_list_of (const Lists *lists, const char *name)
{
  g_autofree char *path = g_build_filename (lists->folder, name, NULL);

  return ens_voc_is_list (path);
}

/* The lists of the split by class, in byte order. (transfer full) */
static GPtrArray *
find_class_lists (const Lists *lists, const char *split)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *ending = g_strconcat ("_", split, ENDING, NULL);
  g_auto (EnsListing) listing = {0};

  if (ens_listing_read (&listing, lists->folder, NULL))
    for (guint i = 0; i < listing.files->len; i++)
      if (g_str_has_suffix (listing.files->pdata[i], ending)
          && is_list_of (lists, listing.files->pdata[i]))
        g_ptr_array_add (names, g_strdup (listing.files->pdata[i]));
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
    g_autofree char *name = find_list (lists, names[i]);

    *found = name != NULL;
    if (*found)
      return read_list (lists, name, seen, split, error);
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

/* Lists that were not needed. */
static void
tell_unused (const Lists *lists)
{
  g_auto (EnsListing) listing = {0};
  g_auto (EnsLeftOut) left_out = {0};

  if (!ens_listing_read (&listing, lists->folder, NULL))
    return;
  for (guint i = 0; i < listing.files->len; i++)
    if (is_list_of (lists, listing.files->pdata[i])
        && !g_hash_table_contains (lists->used, listing.files->pdata[i])) {
      g_autofree char *path = g_build_filename (lists->folder, listing.files->pdata[i], NULL);

      ens_left_out_add (&left_out, ENS_LEFT_OUT_ANNOTATION, path);
    }
  ens_left_out_tell (&left_out, lists->folder, lists->notes);
}

/* Images that no list has, where some list is for training. */
static void
tell_unlisted (const Lists *lists, const GPtrArray *images)
{
  const char *example = NULL;
  guint n = 0;

  for (guint i = 0; i < images->len; i++)
    if (!g_hash_table_contains (lists->taken, images->pdata[i])) {
      n++;
      if (example == NULL)
        example = ((const EnsBoxedImage *)images->pdata[i])->path;
    }
  if (n > 0)
    g_ptr_array_add (lists->notes,
                     g_strdup_printf ("%s: left out pictures that no list has: %u, such as %s",
                                      lists->folder, n, example));
}

/* The lists of one folder; divided: whether there are any. */
static gboolean
read_lists (const char *folder, GPtrArray *images, GPtrArray **splits, GPtrArray *notes,
            gboolean *divided, GError **error)
{
  gboolean found[ENS_N_SPLITS] = {FALSE};
  g_auto (Lists) lists = {0};

  lists_init (&lists, folder, images, notes);
  for (guint s = 0; images->len > 0 && s < ENS_N_SPLITS; s++)
    if (!read_split (&lists, (EnsSplit)s, splits[s], &found[s], error))
      return FALSE;
  tell_unused (&lists);
  *divided = found[ENS_SPLIT_TRAIN] || found[ENS_SPLIT_VALIDATION] || found[ENS_SPLIT_TEST];
  if (!*divided)
    return TRUE;
  if (found[ENS_SPLIT_TRAIN]) {
    tell_unlisted (&lists, images);
    return TRUE;
  }
  for (guint i = 0; i < images->len; i++)
    if (!g_hash_table_contains (lists.taken, images->pdata[i]))
      g_ptr_array_add (splits[ENS_SPLIT_TRAIN], images->pdata[i]);
  return TRUE;
}

/* ---- All lists ---- */

static void
add_lists (const char *path, gpointer data)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (ens_voc_is_list (path) && !g_ptr_array_find_with_equal_func (data, folder, g_str_equal, NULL))
    g_ptr_array_add (data, g_steal_pointer (&folder));
}

/* Moves the images that lie in the same folder as the lists out of `rest`. (transfer container) */
static GPtrArray *
take_beside (const char *lists, GPtrArray *rest)
{
  GPtrArray *beside = g_ptr_array_new ();
  g_autofree char *folder = find_home (lists);
  g_autofree char *home = g_strconcat (folder, G_DIR_SEPARATOR_S, NULL);
  guint n = 0;

  for (guint i = 0; i < rest->len; i++)
    if (g_str_has_prefix (((const EnsBoxedImage *)rest->pdata[i])->path, home))
      g_ptr_array_add (beside, rest->pdata[i]);
    else
      rest->pdata[n++] = rest->pdata[i];
  g_ptr_array_set_size (rest, (gint)n);
  return beside;
}

static gint
compare_lengths (gconstpointer a, gconstpointer b)
{
  gsize x = strlen (*(const char *const *)a), y = strlen (*(const char *const *)b);

  return x < y ? 1 : x > y ? -1 : ens_listing_compare (a, b);
}

static void
add_rest (const char *folder, const GPtrArray *rest, GPtrArray **splits, GPtrArray *notes)
{
  for (guint i = 0; i < rest->len; i++) {
    EnsBoxedImage *image = rest->pdata[i];

    g_ptr_array_add (splits[image->split == ENS_SPLIT_UNSAID ? ENS_SPLIT_TRAIN : image->split],
                     image);
  }
  if (rest->len > 0)
    g_ptr_array_add (notes, g_strdup_printf ("%s: pictures that lie in no folder with lists, and "
                                             "are for training where none says else: %u",
                                             folder, rest->len));
}

gboolean
ens_voc_read_lists (const char *folder, GPtrArray *images, GPtrArray **splits, GPtrArray *notes,
                    GError **error)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) rest = g_ptr_array_copy (images, NULL, NULL);
  gboolean any = FALSE;

  g_ptr_array_set_free_func (rest, NULL);
  ens_listing_foreach (folder, add_lists, folders);
  /* The innermost first. */
  g_ptr_array_sort (folders, compare_lengths);
  for (guint i = 0; i < folders->len; i++) {
    g_autoptr (GPtrArray) beside = take_beside (folders->pdata[i], rest);
    gboolean divided;

    if (!read_lists (folders->pdata[i], beside, splits, notes, &divided, error))
      return FALSE;
    any |= divided;
    if (!divided)
      g_ptr_array_extend (rest, beside, NULL, NULL);
  }
  if (any)
    add_rest (folder, rest, splits, notes);
  return TRUE;
}
