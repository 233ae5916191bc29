/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-csv.h"

#include <string.h>

#include "dataset/boxes-private.h"

#define ENDING ".csv"

typedef enum {
  CSV_FILE,
  CSV_WIDTH,
  CSV_HEIGHT,
  CSV_CLASS,
  CSV_XMIN,
  CSV_YMIN,
  CSV_XMAX,
  CSV_YMAX,
  CSV_SPLIT, /* from here on a table may do without */
  N_CSV
} CsvColumn;

static const char *const csv_columns[N_CSV] = {"file", "width", "height", "class", "xmin",
                                               "ymin", "xmax",  "ymax",   "split"};

/* What is being read. */
typedef struct {
  const char *path;
  char *folder;         /* of the pictures */
  guint columns[N_CSV]; /* where they stand; G_MAXUINT for one that is not there */
  GHashTable *by_file;  /* file → EnsBoxedImage, which are those of `images` */
  GPtrArray *images;
} Table;

static void
table_clear (Table *table)
{
  g_free (table->folder);
  g_hash_table_unref (table->by_file);
  g_clear_pointer (&table->images, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Table, table_clear)

static guint
find_column (char **names, const char *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (strcmp (g_strstrip (names[i]), name) == 0)
      return i;
  return G_MAXUINT;
}

static gboolean
find_columns (Table *table, const char *heading, GError **error)
{
  g_auto (GStrv) names = g_strsplit (heading, ",", -1);

  for (guint i = 0; i < N_CSV; i++) {
    table->columns[i] = find_column (names, csv_columns[i]);
    if (table->columns[i] == G_MAXUINT && i < CSV_SPLIT) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: expected a first line that names the column “%s”, found “%s”", table->path,
                   csv_columns[i], heading);
      return FALSE;
    }
  }
  return TRUE;
}

/* Cells in the order of csv_columns; NULL for what the table has no column for. */
static gboolean
find_cells (const Table *table, char **line, const char *where, const char **cells, GError **error)
{
  guint n = g_strv_length (line);

  for (guint i = 0; i < N_CSV; i++) {
    guint column = table->columns[i];

    cells[i] = column < n ? g_strstrip (line[column]) : NULL;
    if (column != G_MAXUINT && column >= n) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected a column “%s”, found %u cells",
                   where, csv_columns[i], n);
      return FALSE;
    }
  }
  return TRUE;
}

static EnsBoxedImage *
find_image (Table *table, const char *file, const char *where, GError **error)
{
  EnsBoxedImage *image = g_hash_table_lookup (table->by_file, file);
  g_autofree char *path = NULL;

  if (image != NULL)
    return image;
  path = g_build_filename (table->folder, file, NULL);
  if (!ens_boxes_name_is_inside (file) || !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: found no picture %s", where, path);
    return NULL;
  }
  image = ens_boxed_image_new (g_steal_pointer (&path));
  g_hash_table_insert (table->by_file, g_strdup (file), image);
  g_ptr_array_add (table->images, image);
  return image;
}

static gboolean
read_split (EnsBoxedImage *image, const char *name, const char *where, GError **error)
{
  EnsSplit split;

  if (name == NULL || *name == '\0')
    return TRUE;
  if (!ens_split_parse (name, &split)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected the split train, validation or test, found “%s”", where, name);
    return FALSE;
  }
  if (image->split != ENS_SPLIT_UNSAID && image->split != (gint)split) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a picture in one split, found it in %s and %s", where,
                 ens_split_name ((EnsSplit)image->split), ens_split_name (split));
    return FALSE;
  }
  image->split = (gint)split;
  return TRUE;
}

static gboolean
is_empty (const char *const *cells)
{
  for (guint i = CSV_CLASS; i <= CSV_YMAX; i++)
    if (*cells[i] != '\0')
      return FALSE;
  return TRUE;
}

static gboolean
read_box (EnsBoxedImage *image, const char *const *cells, const char *where, GError **error)
{
  double numbers[N_CSV];
  EnsBoxEdges edges;

  for (guint i = 0; i < CSV_SPLIT; i++)
    numbers[i] = ens_boxes_number (cells[i]);
  if (is_empty (cells)) {
    ens_boxed_image_set_size (image, numbers[CSV_WIDTH], numbers[CSV_HEIGHT]);
    return TRUE;
  }
  if (*cells[CSV_CLASS] == '\0') {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: a box has no class", where);
    return FALSE;
  }
  edges = (EnsBoxEdges) {numbers[CSV_XMIN], numbers[CSV_YMIN],  numbers[CSV_XMAX],
                         numbers[CSV_YMAX], numbers[CSV_WIDTH], numbers[CSV_HEIGHT]};
  return ens_boxed_image_add (image, &(EnsBox) {.label = (char *)cells[CSV_CLASS]}, &edges, where,
                              error);
}

/* What a line that is left out could have said of its picture, nobody knows. */
static void
doubt_line (Table *table, char **line)
{
  guint column = table->columns[CSV_FILE];
  EnsBoxedImage *image = NULL;

  if (column < g_strv_length (line))
    image = find_image (table, g_strstrip (line[column]), "", NULL);
  if (image != NULL)
    ens_boxed_image_doubt (image, NULL);
}

static gboolean
read_line (Table *table, const char *text, const char *where, GError **error)
{
  g_auto (GStrv) line = g_strsplit (text, ",", -1);
  const char *cells[N_CSV];
  EnsBoxedImage *image;

  if (!find_cells (table, line, where, cells, error)) {
    doubt_line (table, line);
    return FALSE;
  }
  image = find_image (table, cells[CSV_FILE], where, error);
  if (image == NULL)
    return FALSE;
  if (!read_split (image, cells[CSV_SPLIT], where, error)) {
    ens_boxed_image_doubt (image, NULL);
    return FALSE;
  }
  return read_box (image, cells, where, error);
}

static gboolean
read_lines (Table *table, char *const *lines, GPtrArray *notes, GError **error)
{
  g_auto (EnsBoxesTally) tally = {.notes = notes};

  for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++) {
    g_autofree char *where = g_strdup_printf ("%s:%u", table->path, i + 1);
    GError *reason = NULL;

    if (g_strchomp (lines[i])[0] == '\0')
      continue;
    tally.n++;
    if (!read_line (table, lines[i], where, &reason))
      ens_boxes_tally_skip (&tally, reason);
  }
  return ens_boxes_tally_check (&tally, table->path, "lines", error);
}

/* The table beside a folder. (transfer full) */
static char *
find_table (const char *folder)
{
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);

  return g_strconcat (canonical, ENDING, NULL);
}

gboolean
ens_boxes_have_csv (const char *folder)
{
  g_autofree char *name = find_table (folder);
  g_autofree char *text = NULL;
  Table table = {.path = name};

  if (!g_file_get_contents (name, &text, NULL, NULL))
    return FALSE;
  text[strcspn (text, "\n")] = '\0';
  return find_columns (&table, g_strchomp (text), NULL);
}

GPtrArray *
ens_boxes_load_csv (const char *path, GPtrArray *notes, GError **error)
{
  g_autofree char *name = g_str_has_suffix (path, ENDING) ? g_strdup (path) : find_table (path);
  g_auto (Table) table = {.path = name};
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  table.by_file = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  table.images = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  table.folder = g_strndup (name, strlen (name) - strlen (ENDING));
  if (!g_file_get_contents (name, &text, NULL, &failure)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, failure->message);
    return NULL;
  }
  lines = g_strsplit (text, "\n", -1);
  if (!find_columns (&table, lines[0] != NULL ? g_strchomp (lines[0]) : "", error)
      || !read_lines (&table, lines, notes, error))
    return NULL;
  ens_boxes_sort (table.images);
  return g_steal_pointer (&table.images);
}
