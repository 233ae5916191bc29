/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of pictures, *.txt, as Caffe's, ImageNet's and many others' are:
 *
 *   train/n01440764/a.JPEG 0    a picture and its class, between blanks: a name, which may have
 *                               blanks in it, or a number
 *   apple_pie/1005649           a picture alone, in a list that is called like a split (train.txt):
 *                               its folder is its class
 *
 * Numbers are lines of a file of names (classes.txt, labels.txt, synsets.txt …), from 0 on, or
 * from 1 on where 0 is in no list and the last line's number is; without such a file they are the
 * classes' names. Lists lie in the set's folder or in folders of it; their names, or their
 * pictures' folders, say the split. Pictures are looked for beside the list, in the set's folder
 * and in its folder images; folders before them that are another computer's are left away. */
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/lines.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"

#define ENDING ".txt"

/* As folders of images have it. */
#define NO_CLASS "none"

/* So many lines are looked at for a picture before a file counts as no list. */
#define MAX_LOOKED_AT 20

/* What a line may have: time is in proportion to these. */
#define MAX_LENGTH 4096 /* bytes */
#define MAX_BLANKS 32   /* in a class's name */
#define MAX_FOLDERS 16  /* another computer's */

/* What is being read. */
typedef struct {
  EnsBoxesReading *reading;
  const char *path;
  char *inside; /* the list's folder, below the set's own */
  gint split;   /* that the list is called like */
  /* The folder of the last picture, and the split that it says: neighbours have the same. */
  char *folder;
  gint folder_split;
} List;

/* A line's picture. */
typedef struct {
  const char *picture;
  char *class; /* NULL: the line says none */
} Entry;

/* What all lists say. */
typedef struct {
  GPtrArray *images;   /* EnsBoxedImage, labels as the lists have them */
  GHashTable *by_path; /* picture → EnsBoxedImage */
  GStrv names;         /* of classes by number; NULL: there are none */
  guint64 least, most; /* of the numbers */
  gboolean numbers;    /* no class is anything else */
} Lists;

static void
lists_clear (Lists *lists)
{
  g_clear_pointer (&lists->images, g_ptr_array_unref);
  g_clear_pointer (&lists->by_path, g_hash_table_unref);
  g_strfreev (lists->names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lists, lists_clear)

/* ---- Lines ---- */

/* Without what makes a path absolute. */
static const char *
skip_root (const char *path)
{
  if (g_ascii_isalpha (path[0]) && path[1] == ':')
    path += 2;
  return path + strspn (path, "/");
}

/* The picture that a name, or what is left of it without leading folders, is of. */
static const char *
find_picture (const List *list, const char *name)
{
  const EnsPictureIndex *index = ens_boxes_reading_index (list->reading);
  g_autofree char *slashes = g_strdelimit (g_strdup (name), "\\", '/');
  const char *at = skip_root (slashes), *path;

  if (!ens_picture_index_has (index, at, &path))
    return NULL;
  for (guint i = 0; path == NULL && *at != '\0' && i < MAX_FOLDERS; i++) {
    path = ens_boxes_find_picture (list->reading, list->inside, at);
    at += strcspn (at, "/");
    at += *at == '/';
  }
  return path;
}

/* Divides a line where what stands before a blank is a picture; NULL if nothing is. */
static const char *
divide (const List *list, const char *line, char **class)
{
  g_autofree char *name = g_strndup (line, MAX_LENGTH);
  const char *picture = find_picture (list, name);
  guint n_blanks = 0;

  *class = NULL;
  for (gsize i = strlen (name); picture == NULL && i-- > 0 && n_blanks < MAX_BLANKS;) {
    if (!g_ascii_isspace (name[i]))
      continue;
    n_blanks++;
    name[i] = '\0';
    picture = find_picture (list, g_strchomp (name));
    if (picture != NULL)
      *class = g_strstrip (g_strdup (line + i));
  }
  return picture;
}

/* FALSE for a line that says no picture, or nothing of one. */
static gboolean
read_entry (const List *list, const char *line, Entry *entry)
{
  g_autofree char *folder = NULL;

  entry->picture = divide (list, line, &entry->class);
  if (entry->picture == NULL || entry->class != NULL)
    return entry->picture != NULL;
  folder = g_path_get_dirname (entry->picture);
  if (list->split != ENS_SPLIT_UNSAID && strcmp (folder, list->reading->folder) != 0)
    entry->class = g_path_get_basename (folder);
  return entry->class != NULL;
}

/* ---- A list ---- */

static void
list_init (List *list, EnsBoxesReading *reading, const char *path)
{
  g_autofree char *stem = ens_picture_stem (path);
  EnsSplit split;

  *list = (List) {.reading = reading, .path = path, .split = ENS_SPLIT_UNSAID};
  list->inside = ens_boxes_inside (reading->folder, path);
  if (ens_split_find (stem, &split))
    list->split = (gint)split;
}

static void
list_clear (List *list)
{
  g_free (list->inside);
  g_free (list->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (List, list_clear)

static gboolean
is_number (const char *class)
{
  return *class != '\0' && strspn (class, "0123456789") == strlen (class) && strlen (class) < 10;
}

/* Several numbers in one cell may be classes, or one for each class. */
static gboolean
check_class (const char *class, GError **error)
{
  if (strcspn (class, " \t") == strlen (class)
      || strspn (class, "-0123456789. \t") < strlen (class))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "expected one class behind a picture, found “%s”; a table (*.csv) can say more: "
               "“file,class” with classes between “|”, or a column for each class",
               class);
  return FALSE;
}

static void
add_class (Lists *lists, EnsBoxedImage *image, const char *class)
{
  guint64 number = is_number (class) ? g_ascii_strtoull (class, NULL, 10) : 0;

  if (strcmp (class, NO_CLASS) == 0)
    return;
  ens_boxed_image_add_class (image, class);
  lists->numbers &= is_number (class);
  lists->least = MIN (lists->least, number);
  lists->most = MAX (lists->most, number);
}

static gint
find_split (List *list, const char *picture)
{
  gsize length = (gsize)(strrchr (picture, G_DIR_SEPARATOR) - picture);

  if (list->split != ENS_SPLIT_UNSAID)
    return list->split;
  if (list->folder == NULL || strlen (list->folder) != length
      || memcmp (list->folder, picture, length) != 0) {
    g_free (list->folder);
    list->folder = g_strndup (picture, length);
    list->folder_split = ens_boxes_find_split (list->reading->folder, picture);
  }
  return list->folder_split;
}

/* The error does not say where: lines are many, and sound ones need not be counted. */
static gboolean
read_line (List *list, Lists *lists, const char *line, GError **error)
{
  Entry entry;
  gboolean read = read_entry (list, line, &entry);
  g_autofree char *class = entry.class;
  guint n_before = lists->images->len;
  EnsBoxedImage *image;

  if (entry.picture == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "found no picture in %s for “%s”",
                 list->reading->folder, line);
    return FALSE;
  }
  image = ens_boxes_take_image (lists->by_path, lists->images, entry.picture);
  /* A picture's folder says the same each time. */
  if (image->split == ENS_SPLIT_UNSAID
      && (list->split != ENS_SPLIT_UNSAID || lists->images->len > n_before))
    image->split = find_split (list, entry.picture);
  if (!read || !check_class (class, error)) {
    ens_boxed_image_doubt (image, NULL);
    if (!read)
      g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT, "expected a class behind a picture");
    return FALSE;
  }
  add_class (lists, image, class);
  return TRUE;
}

static gboolean
read_lines (List *list, GBytes *text, Lists *lists, GError **error)
{
  g_auto (EnsBoxesTally) tally = {.notes = list->reading->notes};
  guint n = ens_lines_count (text);
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  while (!ens_boxes_tally_exceeds (&tally, n) && (line = ens_lines_next (&lines)) != NULL) {
    GError *reason = NULL;

    if (*line == '\0')
      continue;
    tally.n++;
    if (!read_line (list, lists, line, &reason)) {
      g_prefix_error (&reason, "%s:%u: ", list->path, lines.number);
      ens_boxes_tally_skip (&tally, reason);
    }
  }
  return ens_boxes_tally_check (&tally, list->path, "lines", error);
}

static gboolean
read_list (EnsBoxesReading *reading, const char *path, Lists *lists, GError **error)
{
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, path, error);
  g_auto (List) list = {0};

  list_init (&list, reading, path);
  return text != NULL && read_lines (&list, text, lists, error);
}

/* ---- Names of classes ---- */

static gboolean
is_names_file (const char *path)
{
  static const char *const names[] = {
      "classes.txt",      "class_names.txt", "labels.txt", "names.txt",
      "synset_words.txt", "synsets.txt",     "obj.names",  NULL};
  g_autofree char *name = g_path_get_basename (path);

  return g_strv_contains (names, name);
}

static gboolean
read_names (EnsBoxesReading *reading, Lists *lists, GError **error)
{
  g_autofree char *path = ens_listing_find (reading->folder, is_names_file, 1);
  g_autoptr (GBytes) text = NULL;

  if (path == NULL)
    return TRUE;
  text = ens_boxes_reading_text (reading, path, error);
  if (text != NULL)
    lists->names = ens_lines_read_names (text);
  return text != NULL;
}

/* Gives an image's boxes their names. FALSE for a number that has none. */
static gboolean
name_boxes (const Lists *lists, EnsBoxedImage *image, guint first, guint n)
{
  for (guint b = 0; b < image->boxes->len; b++) {
    EnsBox *box = &g_array_index (image->boxes, EnsBox, b);
    guint64 number = g_ascii_strtoull (box->label, NULL, 10);
    const char *name;

    if (number < first || number - first >= n)
      return FALSE;
    name = lists->names[number - first];
    if (*name == '\0')
      return FALSE;
    g_free (box->label);
    box->label = ens_name_normalise (name);
  }
  return TRUE;
}

/* Numbers become names. */
static gboolean
name_classes (EnsBoxesReading *reading, Lists *lists, GError **error)
{
  guint n, first;

  if (!lists->numbers)
    return TRUE;
  if (!read_names (reading, lists, error))
    return FALSE;
  if (lists->names == NULL) {
    ens_boxes_reading_note (reading,
                            "%s: no classes.txt names the classes; they are called by their "
                            "numbers",
                            reading->folder);
    return TRUE;
  }
  n = g_strv_length (lists->names);
  for (guint i = 0; i < n; i++)
    ens_boxes_reading_declare (reading, lists->names[i]);
  first = lists->least > 0 && lists->most == n ? 1 : 0;
  for (guint i = 0; i < lists->images->len; i++)
    if (!name_boxes (lists, lists->images->pdata[i], first, n)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: its lists have classes of the numbers %" G_GUINT64_FORMAT
                   " to %" G_GUINT64_FORMAT ", of which not each has one of the %u names",
                   reading->folder, lists->least, lists->most, n);
      return FALSE;
    }
  return TRUE;
}

/* ---- A set's lists ---- */

/* Whether one of the first lines has a picture of the set, and says something of it. */
static gboolean
is_list (EnsBoxesReading *reading, const char *path)
{
  g_autoptr (GBytes) bytes = ens_file_map_text (path, NULL);
  g_autofree char *head = NULL;
  g_auto (GStrv) lines = NULL;
  g_auto (List) list = {0};
  gboolean found = FALSE;

  if (bytes == NULL)
    return FALSE;
  head = g_strndup (g_bytes_get_data (bytes, NULL), MIN (g_bytes_get_size (bytes), 1 << 14));
  lines = g_strsplit (head, "\n", MAX_LOOKED_AT + 1);
  list_init (&list, reading, path);
  for (guint i = 0; !found && lines[i] != NULL && i < MAX_LOOKED_AT; i++) {
    Entry entry = {NULL};

    found = *g_strstrip (lines[i]) != '\0' && read_entry (&list, lines[i], &entry);
    g_free (entry.class);
  }
  return found;
}

static gboolean
is_list_file (EnsBoxesReading *reading, const char *path)
{
  return g_str_has_suffix (path, ENDING) && !is_names_file (path) && is_list (reading, path);
}

static char *
find_lists (const char *folder)
{
  EnsBoxesReading reading = {.folder = (char *)folder};
  g_autoptr (GPtrArray) lists = ens_boxes_list_files (&reading, is_list_file);

  g_clear_pointer (&reading.index, ens_picture_index_free);
  return lists->len > 0 ? g_strdup (lists->pdata[0]) : NULL;
}

static GPtrArray *
load_lists (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_auto (Lists) all = {.numbers = TRUE, .least = G_MAXUINT64};
  g_autoptr (GPtrArray) paths = NULL;

  all.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  all.by_path = g_hash_table_new (g_str_hash, g_str_equal);
  paths = reading->whole ? ens_boxes_list_files (reading, is_list_file)
                         : ens_boxes_take_file (reading, evidence);
  for (guint i = 0; i < paths->len; i++)
    if (!read_list (reading, paths->pdata[i], &all, error))
      return NULL;
  return name_classes (reading, &all, error) ? g_steal_pointer (&all.images) : NULL;
}

const EnsBoxesLayout ens_boxes_list = {"lists of pictures", find_lists, load_lists};
