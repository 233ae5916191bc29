/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of files with their classes, *.csv or *.tsv.
 *
 * The first line names the columns, whatever their order and in capitals or not:
 *
 *   file (filename, image, path …)     a picture, its ending may be missing; by whatever name where
 *                                      a column has the names of pictures, or addresses of them
 *   class (label, category, tags …)    what it shows; nothing, or “none”: none of the classes
 *   split (set, subset …)              as ens_split_parse () reads it, or is_valid: true, false
 *   xmin, ymin, xmax, ymax             a box in pixels from 0; with these there is one to a line
 *   width, height                      of the picture; without them it is not known where boxes are
 *
 * A picture may have several lines. A cell may name several classes, between “|” or “;”, in quotes
 * between commas, and where the column's name is plural between spaces. Without a column of classes
 * the other columns are classes, if all their cells are 1 (there), 0 (not there), −1 or empty (not
 * known; where nothing is 0, −1 is not there). A first line that has a picture's name in it names
 * no columns: then one cell is the file, one may be the split, and the others are classes, or a
 * class and its box, as Google's AutoML has it.
 *
 * Tables lie beside the set's folder, called like it, in it, or in its splits' folders, which then
 * say the split, as do the tables' names (val.csv). Pictures lie beside the table, in the set's
 * folder or in folders of it. */
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/csv-scan.h"
#include "dataset/csv-table.h"
#include "dataset/listing.h"
#include "dataset/picture-names.h"

/* As folders of images have it. */
#define NO_CLASS "none"

/* So many lines are looked at for a picture's name before a file counts as no table. */
#define MAX_LOOKED_AT 20

/* What is being read. */
typedef struct {
  EnsBoxesReading *reading;
  const char *path;
  char *inside;        /* the table's folder, below the set's own */
  gint split;          /* of all lines, as the table's name or folder says */
  GHashTable *by_path; /* picture → EnsBoxedImage, those of `images` */
  GPtrArray *images;   /* of all tables */
  EnsCsvTable table;
} Reader;

/* ---- Pictures ---- */

/* By a name, or an address (gs://…, https://…?…), whose last part is the name. (transfer none) */
static const char *
find_picture (const Reader *reader, const char *file)
{
  g_autofree char *name =
      g_strndup (file, strstr (file, "://") != NULL ? strcspn (file, "?#") : strlen (file));

  return ens_boxes_find_picture (reader->reading, reader->inside, name);
}

static EnsBoxedImage *
find_image (Reader *reader, const char *file, const char *where, GError **error)
{
  const char *path = find_picture (reader, file);

  if (path != NULL)
    return ens_boxes_take_image (reader->by_path, reader->images, path);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: found no picture %s%c%s", where,
               reader->reading->folder, G_DIR_SEPARATOR, file);
  return NULL;
}

static gboolean
read_split (const Reader *reader, EnsBoxedImage *image, char *const *cells, const char *where,
            GError **error)
{
  gint split;

  if (!ens_csv_table_read_split (&reader->table, cells, &split)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected the split train, validation or test, found “%s”", where,
                 ens_csv_table_cell (&reader->table, cells, ENS_CSV_SPLIT));
    return FALSE;
  }
  if (split == ENS_SPLIT_UNSAID)
    split = reader->split;
  if (split == ENS_SPLIT_UNSAID)
    return TRUE;
  if (image->split != ENS_SPLIT_UNSAID && image->split != split) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a picture in one split, found it in %s and %s", where,
                 ens_split_name ((EnsSplit)image->split), ens_split_name ((EnsSplit)split));
    return FALSE;
  }
  image->split = split;
  return TRUE;
}

/* ---- What a line says ---- */

static gboolean
read_box (const Reader *reader, EnsBoxedImage *image, char *const *cells, const char *where,
          GError **error)
{
  const EnsCsvTable *table = &reader->table;
  const char *label = ens_csv_table_cell (table, cells, ENS_CSV_CLASS);
  double numbers[ENS_N_CSV];
  gboolean empty = *label == '\0', added;
  EnsBoxEdges edges;

  for (guint i = 0; i < ENS_N_CSV; i++) {
    const char *cell = ens_csv_table_cell (table, cells, i);

    numbers[i] = cell != NULL ? ens_boxes_number (cell) : NAN;
    if (i >= ENS_CSV_XMIN && i <= ENS_CSV_YMAX)
      empty &= *cell == '\0';
  }
  if (empty) {
    ens_boxed_image_set_size (image, numbers[ENS_CSV_WIDTH], numbers[ENS_CSV_HEIGHT]);
    return TRUE;
  }
  if (*label == '\0') {
    ens_boxed_image_doubt (image, NULL);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: a box has no class", where);
    return FALSE;
  }
  edges = (EnsBoxEdges) {numbers[ENS_CSV_XMIN], numbers[ENS_CSV_YMIN],  numbers[ENS_CSV_XMAX],
                         numbers[ENS_CSV_YMAX], numbers[ENS_CSV_WIDTH], numbers[ENS_CSV_HEIGHT]};
  if (ens_csv_table_cell (table, cells, ENS_CSV_WIDTH) != NULL && isnan (edges.width))
    edges.width = 0.5; /* a size that is no number is an error */
  if (edges.width == 0 || edges.height == 0)
    edges.width = edges.height = 0.5;
  if (table->shares)
    edges.width = edges.height = 1;
  added = ens_boxed_image_add (image, &(EnsBox) {.label = (char *)label}, &edges, where, error);
  if (table->shares)
    image->width = image->height = 0; /* shares of a size that is not known */
  return added;
}

static void
read_classes (const Reader *reader, EnsBoxedImage *image, char *const *cells)
{
  guint n = g_strv_length ((char **)cells);

  for (guint c = 0; c < n; c++) {
    g_auto (GStrv) labels = NULL;

    if (!ens_csv_table_is_class (&reader->table, c))
      continue;
    labels = ens_csv_table_split_classes (&reader->table, cells[c]);
    for (guint i = 0; labels[i] != NULL; i++)
      if (strcmp (labels[i], NO_CLASS) != 0)
        ens_boxed_image_add_class (image, labels[i]);
  }
}

/* A column for each class. */
static void
read_flags (const Reader *reader, EnsBoxedImage *image, char *const *cells)
{
  guint n = MIN (g_strv_length ((char **)cells), reader->table.n_columns);

  for (guint c = 0; c < n; c++) {
    const char *label = reader->table.names[c];
    double value = ens_csv_flag (cells[c]);

    if (!ens_csv_table_is_class (&reader->table, c))
      continue;
    if (value == 1)
      ens_boxed_image_add_class (image, label);
    else if (value != (reader->table.negated ? -1 : 0) || *cells[c] == '\0')
      ens_boxed_image_doubt (image, label);
  }
}

static gboolean
read_line (Reader *reader, char *const *cells, const char *where, GError **error)
{
  const EnsCsvTable *table = &reader->table;
  const char *file = ens_csv_table_cell (table, cells, ENS_CSV_FILE);
  gboolean whole = ens_csv_table_check (table, cells, where, error);
  EnsBoxedImage *image = file ? find_image (reader, file, where, whole ? error : NULL) : NULL;

  if (image == NULL)
    return FALSE;
  if (!whole || !read_split (reader, image, cells, where, error)) {
    ens_boxed_image_doubt (image, NULL); /* what the line would have said, nobody knows */
    return FALSE;
  }
  if (table->kind == ENS_CSV_BOXES)
    return read_box (reader, image, cells, where, error);
  if (table->kind == ENS_CSV_FLAGS)
    read_flags (reader, image, cells);
  else
    read_classes (reader, image, cells);
  return TRUE;
}

/* ---- A table ---- */

/* Of the pictures from `first` on, those of which no line says it are of the table's split. */
static void
fill_splits (const Reader *reader, guint first)
{
  for (guint i = first; i < reader->images->len; i++) {
    EnsBoxedImage *image = reader->images->pdata[i];

    if (image->split == ENS_SPLIT_UNSAID)
      image->split = reader->split;
  }
}

static gboolean
read_lines (Reader *reader, EnsCsvScan *scan, GError **error)
{
  g_auto (EnsBoxesTally) tally = {.notes = reader->reading->notes};
  guint first = reader->images->len;
  char **cells;

  while ((cells = ens_csv_scan_next (scan)) != NULL) {
    g_autofree char *where = g_strdup_printf ("%s:%u", reader->path, scan->line);
    GError *reason = NULL;

    tally.n++;
    if (!read_line (reader, cells, where, &reason))
      ens_boxes_tally_skip (&tally, reason);
    g_strfreev (cells);
  }
  fill_splits (reader, first);
  return ens_csv_scan_check (scan, reader->path, error)
         && ens_boxes_tally_check (&tally, reader->path, "lines", error);
}

/* Whether one of the line's cells is a picture. */
static gboolean
is_picture (const char *cell, gpointer data)
{
  const Reader *reader = data;

  return *cell != '\0' && find_picture (reader, cell) != NULL;
}

/* By the table's name, or the folder that it lies in. */
static gint
find_split (const Reader *reader)
{
  g_autofree char *name = ens_picture_stem (reader->path);
  EnsSplit split;

  if (*reader->inside != '\0')
    return ens_boxes_find_split (reader->reading->folder, reader->path);
  return ens_split_find (name, &split) ? (gint)split : ENS_SPLIT_UNSAID;
}

static gboolean
read_table (EnsBoxesReading *reading, const char *path, GHashTable *by_path, GPtrArray *images,
            GError **error)
{
  Reader reader = {.reading = reading, .path = path, .by_path = by_path, .images = images};
  g_autofree char *inside = ens_boxes_inside (reading->folder, path);
  g_autoptr (GBytes) text = ens_boxes_reading_text (reading, path, error);
  EnsCsvScan scan;
  gboolean read;

  if (text == NULL)
    return FALSE;
  reader.inside = inside;
  reader.split = find_split (&reader);
  ens_csv_scan_init (&scan, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  read = ens_csv_table_init (&reader.table, &scan, path, is_picture, &reader, error)
         && read_lines (&reader, &scan, error);
  for (guint c = 0; read && reader.table.kind == ENS_CSV_FLAGS && c < reader.table.n_columns; c++)
    if (reader.table.is_class[c])
      ens_boxes_reading_declare (reading, reader.table.names[c]);
  if (read && reader.table.unread->len > 0)
    ens_boxes_reading_note (reading, "%s: columns that are not read: %s", path,
                            reader.table.unread->str);
  if (read && reader.table.negated)
    ens_boxes_reading_note (reading,
                            "%s: its columns have 1 and −1, and nowhere 0: −1 is taken to say that "
                            "a class is not there",
                            path);
  ens_csv_table_clear (&reader.table);
  return read;
}

/* ---- A set's tables ---- */

/* The table beside a folder. (transfer full) */
static char *
find_beside (const char *folder)
{
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);

  return g_strconcat (canonical, ".csv", NULL);
}

static gboolean
is_table_name (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  /* Kaggle's example of what to hand in has made-up classes. */
  return (g_str_has_suffix (lower, ".csv") || g_str_has_suffix (lower, ".tsv"))
         && strstr (lower, "sample_submission") == NULL;
}

/* Whether the text is a table, and one of its first lines has a picture of the set. */
static gboolean
is_table (EnsBoxesReading *reading, const char *path)
{
  g_autofree char *inside = ens_boxes_inside (reading->folder, path);
  Reader reader = {.reading = reading, .path = path, .inside = inside};
  g_autoptr (GBytes) text = ens_file_map_text (path, NULL);
  gboolean found = FALSE;
  EnsCsvScan scan;

  if (text == NULL)
    return FALSE;
  ens_csv_scan_init (&scan, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  if (ens_csv_table_init (&reader.table, &scan, path, is_picture, &reader, NULL))
    for (guint i = 0; i < MAX_LOOKED_AT && !found; i++) {
      g_auto (GStrv) cells = ens_csv_scan_next (&scan);
      const char *file = cells ? ens_csv_table_cell (&reader.table, cells, ENS_CSV_FILE) : NULL;

      found = file != NULL && is_picture (file, &reader);
    }
  ens_csv_table_clear (&reader.table);
  return found;
}

static gboolean
is_table_file (EnsBoxesReading *reading, const char *path)
{
  return is_table_name (path) && is_table (reading, path);
}

/* Whether the first line is that of a table, whatever pictures there are. */
static gboolean
names_columns (const char *path)
{
  g_autoptr (GBytes) text = ens_file_map_text (path, NULL);
  EnsCsvTable table;
  EnsCsvScan scan;
  gboolean named;

  if (text == NULL)
    return FALSE;
  ens_csv_scan_init (&scan, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  named = ens_csv_table_init (&table, &scan, path, NULL, NULL, NULL);
  ens_csv_table_clear (&table);
  return named;
}

static char *
find_csv (const char *folder)
{
  g_autofree char *beside = find_beside (folder);
  g_autoptr (GPtrArray) tables = NULL;
  EnsBoxesReading reading = {.folder = (char *)folder};

  if (g_file_test (beside, G_FILE_TEST_IS_REGULAR) && g_file_test (folder, G_FILE_TEST_IS_DIR)
      && (names_columns (beside) || is_table (&reading, beside))) {
    g_clear_pointer (&reading.index, ens_picture_index_free);
    return g_steal_pointer (&beside);
  }
  tables = ens_boxes_list_files (&reading, is_table_file);
  g_clear_pointer (&reading.index, ens_picture_index_free);
  return tables->len > 0 ? g_strdup (tables->pdata[0]) : NULL;
}

/* The folder of a table's pictures: called like it, or its own. (transfer full) */
static char *
find_home (EnsBoxesReading *reading, const char *path)
{
  g_autofree char *named = g_strndup (path, (gsize)(strrchr (path, '.') - path));

  reading->whole = g_file_test (named, G_FILE_TEST_IS_DIR);
  return reading->whole ? g_steal_pointer (&named) : g_path_get_dirname (path);
}

static GPtrArray *
load_csv (EnsBoxesReading *reading, const char *evidence, GError **error)
{
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)ens_boxed_image_free);
  g_autoptr (GHashTable) by_path = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) tables = NULL;
  g_autofree char *beside = find_beside (reading->folder);

  if (!reading->whole || strcmp (evidence, beside) == 0) {
    tables = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (tables, g_strdup (evidence));
  }
  if (!reading->whole) {
    g_free (reading->folder);
    reading->folder = find_home (reading, evidence);
  }
  if (tables == NULL)
    tables = ens_boxes_list_files (reading, is_table_file);
  for (guint i = 0; i < tables->len; i++)
    if (!read_table (reading, tables->pdata[i], by_path, images, error))
      return NULL;
  return g_steal_pointer (&images);
}

const EnsBoxesLayout ens_boxes_csv = {"tables of files", find_csv, load_csv};
